package bench

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// sender sends to its partner in a closed loop: as many sends as its window are
// unanswered at a time.
type sender struct {
	conn         *conn
	tally        tally // of its own events, which the server sends it too
	acks         *acks
	conversation string
}

// run sends until the clock reads until, and then reads what is due.
func (s *sender) run(clock clock, until time.Duration) error {
	if err := s.conn.SetReadDeadline(clock.at(until).Add(grace)); err != nil {
		return err
	}
	now := clock.now()
	for range s.acks.window {
		if err := s.send(now); err != nil {
			return err
		}
	}
	for s.acks.pending > 0 || s.tally.last < s.acks.seq {
		frame, err := s.conn.next()
		if isTimeout(err) {
			return fmt.Errorf("%d sends unanswered, own events up to %d of %d, after %s",
				s.acks.pending, s.tally.last, s.acks.seq, grace)
		}
		if err != nil {
			return err
		}
		kind, id, err := classify(frame)
		if err != nil {
			return err
		}
		switch kind {
		case eventFrame:
			_, err = s.tally.add(frame)
		case answerFrame:
			now := clock.now()
			err = s.acks.add(frame, id, now)
			if err == nil && now < until {
				err = s.send(now)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *sender) send(now time.Duration) error {
	return s.acks.expect(s.conn.queueSend(s.conversation), now)
}

// direct is pairs of users, of whom one sends to the other.
type direct struct {
	fleet     *fleet
	senders   []*sender
	receivers []*receiver
}

// openDirect connects the pairs and lets each make its conversation with a first message.
func openDirect(ctx context.Context, t *target, run string, pairs, window int) (*direct, error) {
	users := append(names(run+"-s", pairs), names(run+"-r", pairs)...)
	f, err := t.dialAll(ctx, users)
	if err != nil {
		return nil, err
	}
	d := &direct{fleet: f, senders: make([]*sender, pairs), receivers: make([]*receiver, pairs)}
	err = forEach(pairs, func(i int) error {
		s := &sender{conn: f.conns[i]}
		d.senders[i], d.receivers[i] = s, &receiver{conn: f.conns[pairs+i]}
		first, err := s.conn.send(map[string]string{"user": users[pairs+i]}, func(frame []byte) error {
			_, err := s.tally.add(frame)
			return err
		})
		s.conversation = first.Conversation
		s.acks = newAcks(window, s.conn.id, first.Seq)
		return err
	})
	if err != nil {
		f.close()
		return nil, err
	}
	return d, nil
}

// load runs all pairs for d. It answers when everything sent has been acknowledged and delivered.
func (d *direct) load(length time.Duration) error {
	clock := clock{time.Now()}
	g := &group{abort: d.fleet.close}
	var sending sync.WaitGroup
	for i, s := range d.senders {
		s.acks.latency = Histogram{}
		if err := d.receivers[i].begin(); err != nil {
			g.fail(err)
			break
		}
		g.run(d.receivers[i].run)
		sending.Add(1)
		g.run(func() error {
			defer sending.Done()
			return s.run(clock, length)
		})
	}
	sending.Wait()
	for i, r := range d.receivers {
		g.fail(r.finish(d.senders[i].acks.seq))
	}
	return g.wait()
}

func (d *direct) received() (n int64) {
	for _, r := range d.receivers {
		n += r.tally.events
	}
	return n
}

// runDirect measures acknowledged sends between pairs.
func runDirect(ctx context.Context, t *target, run string, o *Options, window int) (Result, error) {
	d, err := openDirect(ctx, t, run, o.Pairs, window)
	if err != nil {
		return Result{}, err
	}
	defer d.fleet.close()
	if err := d.load(o.warmup()); err != nil {
		return Result{}, err
	}
	before := d.received()
	m := startMeter(t.pid)
	if err := d.load(o.Duration); err != nil {
		return Result{}, err
	}
	used := m.stop()
	var latency Histogram
	for _, s := range d.senders {
		latency.Merge(&s.acks.latency)
	}
	r := newResult(Direct, window, t, "sends", int64(latency.Count()), used)
	r.setLatency(&latency)
	r.Delivered = d.received() - before
	if t.bare {
		return r, nil
	}
	return r, forEach(o.Pairs, func(i int) error {
		s, to := d.senders[i], d.receivers[i]
		if err := s.conn.checkHead(s.conversation, s.acks.seq); err != nil {
			return err
		}
		return to.conn.checkHead(s.conversation, s.acks.seq)
	})
}

// clock counts from the start of a load.
type clock struct{ start time.Time }

func (c clock) now() time.Duration           { return time.Since(c.start) }
func (c clock) at(d time.Duration) time.Time { return c.start.Add(d) }
