package bench

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"
)

// receiver reads what is delivered to one member and checks it.
type receiver struct {
	conn   *conn
	tally  tally
	want   atomic.Int64 // the seq after which run ends; math.MaxInt64 while it is not known
	event  func(seq int64)
	gap    func(from, to int64)               // nil: none may be skipped
	answer func(frame []byte, id int64) error // nil: no answers are due
}

// begin prepares for a run. It must not be called during one.
func (r *receiver) begin() error {
	r.want.Store(math.MaxInt64)
	return r.conn.SetReadDeadline(time.Time{})
}

// finish makes run end once it has the event at seq. It is called during run, once.
func (r *receiver) finish(seq int64) error {
	r.want.Store(seq)
	// Who has everything already is woken to see it.
	return r.conn.SetReadDeadline(time.Now())
}

// run reads until it has the event that finish names.
func (r *receiver) run() error {
	woken := false
	for r.tally.last < r.want.Load() {
		frame, err := r.conn.next()
		if isTimeout(err) && !woken {
			woken = true
			err = r.conn.SetReadDeadline(time.Now().Add(grace))
			if err == nil {
				continue
			}
		}
		if isTimeout(err) {
			return fmt.Errorf("events %d to %d are missing %s after the last send", r.tally.last+1, r.want.Load(), grace)
		}
		if err != nil {
			return err
		}
		if err := r.take(frame); err != nil {
			return err
		}
	}
	return nil
}

func (r *receiver) take(frame []byte) error {
	kind, id, err := classify(frame)
	switch {
	case err != nil:
		return err
	case kind == answerFrame && r.answer != nil:
		return r.answer(frame, id)
	case kind == answerFrame:
		return fmt.Errorf("an answer to a receiver, which asked nothing: %.200q", frame)
	case kind == eventFrame:
		seq, err := r.tally.add(frame)
		if err == nil && r.event != nil {
			r.event(seq)
		}
		return err
	case kind == otherFrame && r.gap != nil && isGap(frame):
		from, to, err := r.tally.skip(frame)
		if err == nil {
			r.gap(from, to)
		}
		return err
	}
	return nil
}

// takeEvent is take for events that come during a call.
func (r *receiver) takeEvent(frame []byte) error {
	_, err := r.tally.add(frame)
	return err
}
