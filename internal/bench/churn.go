package bench

import (
	"context"
	"fmt"
	"time"
)

const (
	// pacedEvery is how often each pair of a paced load sends.
	pacedEvery = 200 * time.Millisecond
	// churnUsers is how many users take turns in coming and going.
	churnUsers = 1000
)

// runChurn measures the acknowledgements of a steady load of sends, first alone and then
// beside users who connect, sign in and leave.
func runChurn(ctx context.Context, t *target, run string, o *Options) (m measures, err error) {
	d, err := openDirect(ctx, t, run, o.Pairs, 1)
	if err != nil {
		return nil, err
	}
	defer d.fleet.close()
	if _, err := d.paced(ctx, o.warmup()); err != nil {
		return nil, err
	}
	alone, err := d.paced(ctx, o.Duration)
	if err != nil {
		return nil, err
	}
	churning, stop := context.WithCancel(ctx)
	defer stop()
	churn := startChurn(churning, t, names(run+"-c", churnUsers), o.Churn)
	beside, err := d.paced(ctx, o.Duration)
	stop()
	signIns, churnErr := churn.wait()
	if err != nil {
		return nil, err
	}
	m.ms("sends alone", &alone)
	m.ms("sends beside sign-ins", &beside)
	m.add("sign-ins beside the sends", "a second", float64(signIns)/o.Duration.Seconds(), true)
	return m, churnErr
}

// paced has each pair send at its times for d, and gives how long the acknowledgements
// took from when each send was due: a server that falls behind cannot slow the load down.
func (d *direct) paced(ctx context.Context, length time.Duration) (latency Histogram, err error) {
	clock := clock{time.Now()}
	g := &group{abort: d.fleet.close}
	taken := make([]Histogram, len(d.senders))
	var senders group
	senders.abort = d.fleet.close
	for i, s := range d.senders {
		if err := d.receivers[i].begin(); err != nil {
			g.fail(err)
			break
		}
		g.run(d.receivers[i].run)
		offset := pacedEvery * time.Duration(i) / time.Duration(len(d.senders))
		senders.run(func() error { return s.paced(ctx, clock, offset, length, &taken[i]) })
	}
	g.fail(senders.wait())
	for i, r := range d.receivers {
		g.fail(r.finish(d.senders[i].acks.seq))
	}
	for i := range taken {
		latency.Merge(&taken[i])
	}
	return latency, g.wait()
}

// paced sends one message at each of its times.
func (s *sender) paced(ctx context.Context, clock clock, first, length time.Duration, taken *Histogram) error {
	for due := first; due < length; due += pacedEvery {
		if err := pause(ctx, due-clock.now()); err != nil {
			return err
		}
		if err := s.send(due); err != nil {
			return err
		}
		frame, err := s.conn.answer(s.conn.id, func(frame []byte) error {
			_, err := s.tally.add(frame)
			return err
		})
		if err != nil {
			return err
		}
		now := clock.now()
		if err := s.acks.add(frame, s.conn.id, now); err != nil {
			return err
		}
		taken.Add(now - due)
	}
	return nil
}

// churn is users who come and go.
type churn struct {
	group  group
	signed chan int
}

// startChurn lets users in turn connect, sign in and leave, rate of them a second, until
// ctx ends.
func startChurn(ctx context.Context, t *target, users []string, rate int) *churn {
	c := &churn{signed: make(chan int, 1)}
	ctx, cancel := context.WithCancel(ctx)
	c.group.abort = cancel
	c.group.run(func() error {
		defer cancel()
		tick := time.NewTicker(time.Second / time.Duration(rate))
		defer tick.Stop()
		n := 0
		for {
			select {
			case <-ctx.Done():
				c.signed <- n
				return nil
			case <-tick.C:
			}
			user := users[n%len(users)]
			n++
			c.group.run(func() error {
				conn, err := t.dial(context.WithoutCancel(ctx), user)
				if err != nil {
					return fmt.Errorf("sign in beside the sends: %w", err)
				}
				return conn.Close()
			})
		}
	})
	return c
}

// wait answers, once ctx has ended, how many have signed in.
func (c *churn) wait() (signIns int, err error) {
	err = c.group.wait()
	return <-c.signed, err
}
