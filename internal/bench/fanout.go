package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// fanout is one group in which one member sends and all, the sender too, receive. A
// message counts as in flight until the last member has it: with a window of 1 there
// is nothing a server could join into one write.
type fanout struct {
	fleet        *fleet
	members      []*receiver // the first one is the sender
	conversation string
	window       int

	reached []atomic.Int32 // by seq modulo its length: how many members have it
	done    chan int64     // seqs that all members have; holds a whole window

	mu        sync.Mutex // guards acks: the sender writes and reads in two goroutines
	acks      *acks
	delivered Histogram       // from the send to the last member
	sent      []time.Duration // by seq modulo its length
}

// openFanout signs in each of the users, the first one the sender, and has it find or make
// the conversation.
func openFanout(ctx context.Context, t *target, users []string, window int, conversation func(*receiver) (string, error)) (*fanout, error) {
	f, err := t.dialAll(ctx, users)
	if err != nil {
		return nil, err
	}
	fan := &fanout{
		fleet: f, members: make([]*receiver, len(users)), window: window,
		reached: make([]atomic.Int32, 2*window), done: make(chan int64, window),
		sent: make([]time.Duration, 2*window),
	}
	for i, c := range f.conns {
		fan.members[i] = &receiver{conn: c}
	}
	if err := fan.found(conversation); err != nil {
		f.close()
		return nil, err
	}
	return fan, nil
}

// found sends the first message of the conversation, which all members wait for.
func (f *fanout) found(conversation func(*receiver) (string, error)) (err error) {
	sender := f.members[0]
	if f.conversation, err = conversation(sender); err != nil {
		return err
	}
	first, err := sender.conn.send(map[string]string{"conversation": f.conversation}, sender.takeEvent)
	if err != nil {
		return err
	}
	f.acks = newAcks(f.window, sender.conn.id, first.Seq)
	for _, m := range f.members {
		if err := m.begin(); err != nil {
			return err
		}
	}
	g := &group{abort: f.fleet.close}
	for _, m := range f.members {
		g.run(m.run)
	}
	for _, m := range f.members {
		g.fail(m.finish(first.Seq))
	}
	return g.wait()
}

// load sends for length and answers when every member has everything.
func (f *fanout) load(length time.Duration) error {
	clock := clock{time.Now()}
	stopped := make(chan struct{})
	g := &group{abort: func() { close(stopped); f.fleet.close() }}
	f.acks.latency, f.delivered = Histogram{}, Histogram{}
	for i, m := range f.members {
		if err := m.begin(); err != nil {
			g.fail(err)
			break
		}
		m.event = f.arrived
		if i == 0 {
			m.answer = func(frame []byte, id int64) error {
				f.mu.Lock()
				defer f.mu.Unlock()
				return f.acks.add(frame, id, clock.now())
			}
		}
		g.run(m.run)
	}
	g.run(func() error { return f.send(clock, length, stopped) })
	return g.wait()
}

// arrived counts one delivery.
func (f *fanout) arrived(seq int64) {
	slot := &f.reached[seq%int64(len(f.reached))]
	if int(slot.Add(1)) == len(f.members) {
		slot.Store(0)
		f.done <- seq
	}
}

// send keeps the window full until the time is up, then lets the members finish.
func (f *fanout) send(clock clock, until time.Duration, stopped <-chan struct{}) error {
	var last int64
	flying := 0
	late := time.NewTimer(grace)
	defer late.Stop()
	for n := f.window; n > 0 || flying > 0; {
		if n > 0 {
			seq, err := f.issue(clock.now(), n)
			if err != nil {
				return err
			}
			last, flying = seq, flying+n
		}
		late.Reset(grace)
		select {
		case seq := <-f.done:
			n = 1 + f.complete(seq, clock.now())
		case <-stopped:
			return errors.New("stopped")
		case <-late.C:
			return fmt.Errorf("no message reached all members within %s; the last one sent is %d", grace, last)
		}
		flying -= n
		if clock.now() >= until {
			n = 0
		}
	}
	for _, m := range f.members {
		if err := m.finish(last); err != nil {
			return err
		}
	}
	return nil
}

// complete notes that seq has reached all, and whatever else has by now: how many more.
func (f *fanout) complete(seq int64, now time.Duration) (more int) {
	for {
		f.delivered.Add(now - f.sent[seq%int64(len(f.sent))])
		select {
		case seq = <-f.done:
			more++
		default:
			return more
		}
	}
}

// issue sends n messages in one write and gives the seq of the last.
func (f *fanout) issue(now time.Duration, n int) (seq int64, err error) {
	c := f.members[0].conn
	var frames []byte
	f.mu.Lock()
	for range n {
		var id int64
		frames, id = c.appendSend(frames, f.conversation)
		seq = id + f.acks.offset
		f.sent[seq%int64(len(f.sent))] = now
		if err := f.acks.expect(id, now); err != nil {
			f.mu.Unlock()
			return 0, err
		}
	}
	f.mu.Unlock()
	_, err = c.Write(frames)
	return seq, err
}

// runFanout measures deliveries to the members of one group.
func runFanout(ctx context.Context, t *target, run string, o *Options, window int) (Result, error) {
	users := names(run+"-m", o.Members)
	f, err := openFanout(ctx, t, users, window, func(sender *receiver) (string, error) {
		if t.bare {
			return "bare", nil
		}
		return createGroup(sender.conn, users[1:], sender.takeEvent)
	})
	if err != nil {
		return Result{}, err
	}
	defer f.fleet.close()
	delivered, used, err := f.measure(t, o)
	if err != nil {
		return Result{}, err
	}
	r := newResult(Fanout, window, t, "deliveries", delivered, used)
	r.setLatency(&f.delivered)
	r.Delivered = delivered
	return r, nil
}

// measure warms up, measures, and checks that every member got every message.
func (f *fanout) measure(t *target, o *Options) (delivered int64, used usage, err error) {
	if err := f.load(o.warmup()); err != nil {
		return 0, used, err
	}
	before := f.received()
	m := startMeter(t.pid)
	if err := f.load(o.Duration); err != nil {
		return 0, used, err
	}
	used = m.stop()
	delivered = f.received() - before
	if sends := int64(f.acks.latency.Count()); f.acks.pending != 0 || delivered != sends*int64(len(f.members)) {
		return 0, used, fmt.Errorf("%d sends, of which %d are unanswered, made %d deliveries to %d members",
			sends, f.acks.pending, delivered, len(f.members))
	}
	if t.bare {
		return delivered, used, nil
	}
	return delivered, used, forEach(len(f.members), func(i int) error {
		return f.members[i].conn.checkHead(f.conversation, f.acks.seq)
	})
}

func (f *fanout) received() (n int64) {
	for _, m := range f.members {
		n += m.tally.events
	}
	return n
}
