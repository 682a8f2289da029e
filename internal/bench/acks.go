package bench

import (
	"fmt"
	"time"
)

// acks checks the answers to one connection's sends into one conversation, and times
// them. Nobody else sends there, so the n-th send must get the n-th seq.
type acks struct {
	window  int
	offset  int64           // seq minus id, from a first send outside the measurement
	sent    []time.Duration // by id modulo its length: when, 0 when answered
	pending int
	latency Histogram
	seq     int64 // the highest acknowledged seq
}

func newAcks(window int, firstID, firstSeq int64) *acks {
	return &acks{window: window, offset: firstSeq - firstID, sent: make([]time.Duration, 8*window), seq: firstSeq}
}

// expect notes that request id left at the time now.
func (a *acks) expect(id int64, now time.Duration) error {
	slot := &a.sent[id%int64(len(a.sent))]
	if *slot != 0 {
		return fmt.Errorf("request %d is not answered, %d later ones are", id-int64(len(a.sent)), len(a.sent)-a.window)
	}
	*slot = max(now, 1)
	a.pending++
	return nil
}

// add checks the answer to request id.
func (a *acks) add(frame []byte, id int64, now time.Duration) error {
	slot := &a.sent[max(id, 0)%int64(len(a.sent))]
	if *slot == 0 {
		return fmt.Errorf("an answer to request %d that is not asked, or a second one", id)
	}
	seq, _, ok := numberAfter(frame, seqMark)
	if !ok || seq != id+a.offset {
		return fmt.Errorf("request %d was answered seq %d; %d is next for it", id, seq, id+a.offset)
	}
	a.latency.Add(now - *slot)
	*slot = 0
	a.pending--
	a.seq = max(a.seq, seq)
	return nil
}
