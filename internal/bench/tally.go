package bench

import (
	"bytes"
	"fmt"
)

// tally checks the events of one conversation as one connection gets them: each once,
// in order, none missing, and each message the one the sender made for that place.
type tally struct {
	last   int64 // the newest seq; 0 before the first event
	events int64

	offset int64 // seq minus the sender's call number, the same for all messages
	known  bool  // offset is set
}

// add checks one event frame and gives its seq.
func (t *tally) add(frame []byte) (seq int64, err error) {
	seq, _, ok := numberAfter(frame, seqMark)
	switch {
	case !ok:
		return 0, fmt.Errorf("an event without a seq: %.200q", frame)
	case t.last != 0 && seq <= t.last:
		return 0, fmt.Errorf("event %d came again or late, after %d", seq, t.last)
	case t.last != 0 && seq != t.last+1:
		return 0, fmt.Errorf("events %d to %d are missing", t.last+1, seq-1)
	}
	t.last = seq
	t.events++
	if !bytes.Contains(frame, messageMark) {
		return seq, nil
	}
	call, ok := callOf(frame)
	switch {
	case !ok:
		return 0, fmt.Errorf("event %d has no client_id of ours", seq)
	case !t.known:
		t.offset, t.known = seq-call, true
	case seq-call != t.offset:
		return 0, fmt.Errorf("event %d is the message of call %d; call %d belongs there", seq, call, seq-t.offset)
	}
	return seq, nil
}

// skip checks a gap: it must begin where the events have ended.
func (t *tally) skip(frame []byte) (from, to int64, err error) {
	from, _, ok := numberAfter(frame, fromMark)
	to, _, ok2 := numberAfter(frame, toMark)
	switch {
	case !ok || !ok2 || to < from:
		return 0, 0, fmt.Errorf("a gap not understood: %.200q", frame)
	case t.last != 0 && from != t.last+1:
		return 0, 0, fmt.Errorf("a gap of events %d to %d after event %d", from, to, t.last)
	}
	t.last = to
	return from, to, nil
}
