package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// behind is how many messages each client of a storm has missed.
	behind = 10
	// stormSenders is how many users write what the clients miss.
	stormSenders = 100
	// stormGrace is how long a client of a storm waits for an answer.
	stormGrace = 90 * time.Second
)

// absent is a client that was there, and what it holds.
type absent struct {
	user         string
	conversation string
	seq          int64
	cursor       string
}

// runStorm kills the server, starts it again and lets all clients come back at once, each
// of them behind. Each does what a real client does: sign in, sync from its cursor, list
// what is missing. It is caught up when it holds all of it, in order.
func runStorm(ctx context.Context, t *target, run string, o *Options) (m measures, err error) {
	if t.restart == nil {
		return nil, errors.New("storm kills the server and starts it again: only one that it has started itself")
	}
	clients, err := openStorm(ctx, t, run, o.Connections)
	if err != nil {
		return nil, fmt.Errorf("prepare the storm: %w", err)
	}
	clock := clock{time.Now()}
	if err := t.restart(ctx); err != nil {
		return nil, err
	}
	up := clock.now()
	t.grace = stormGrace
	back := make([]*conn, len(clients))
	caught := make([]time.Duration, len(clients))
	defer func() { (&fleet{conns: back}).close() }()
	meter := startMeter(t.pid)
	g := &group{abort: func() {}}
	for i, a := range clients {
		g.run(func() (err error) {
			back[i], err = a.comeBack(ctx, t)
			caught[i] = clock.now()
			return err
		})
	}
	if err := g.wait(); err != nil {
		return nil, err
	}
	used := meter.stop()
	var took Histogram
	for _, d := range caught {
		took.Add(d)
	}
	m.add("from the kill until it listens again", "s", up.Seconds(), true)
	m.add("from the kill until half have caught up", "s", took.Quantile(0.5).Seconds(), true)
	m.add("from the kill until all have caught up", "s", took.Quantile(1).Seconds(), true)
	m.add("server CPU each", "µs", used.server.Seconds()*1e6/float64(len(clients)), used.known)
	return m, nil
}

// openStorm has n users hold a conversation's first message and a cursor, go, and miss
// what comes then.
func openStorm(ctx context.Context, t *target, run string, n int) ([]*absent, error) {
	users := names(run+"-c", n)
	senders, err := t.dialAll(ctx, names(run+"-s", min(n, stormSenders)))
	if err != nil {
		return nil, err
	}
	defer senders.close()
	clients := make([]*absent, n)
	// Each sender's conversations are one after the other: a connection has one user at a time.
	each := func(do func(c *conn, a *absent) error) error {
		return forEach(len(senders.conns), func(s int) error {
			for i := s; i < n; i += len(senders.conns) {
				if err := do(senders.conns[s], clients[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for i, user := range users {
		clients[i] = &absent{user: user}
	}
	err = each(func(c *conn, a *absent) error {
		first, err := c.send(map[string]string{"user": a.user}, nil)
		a.conversation, a.seq = first.Conversation, first.Seq
		return err
	})
	if err != nil {
		return nil, err
	}
	err = forEach(n, func(i int) error {
		c, err := t.dial(ctx, users[i])
		if err != nil {
			return err
		}
		clients[i].cursor = c.cursor
		return c.Close()
	})
	if err != nil {
		return nil, err
	}
	return clients, each(func(c *conn, a *absent) error { return fill(c, a.conversation, behind) })
}

// comeBack signs in and catches up.
func (a *absent) comeBack(ctx context.Context, t *target) (*conn, error) {
	c, err := t.dial(ctx, a.user)
	if err != nil {
		return nil, err
	}
	var changed struct {
		Reset         bool
		Conversations []struct {
			ID  string
			Seq int64
		}
	}
	if err := c.call("sync", map[string]any{"cursor": a.cursor}, &changed, nil); err != nil {
		return c, err
	}
	if changed.Reset || len(changed.Conversations) != 1 || changed.Conversations[0].ID != a.conversation {
		return c, fmt.Errorf("%s: sync told %+v, not the one conversation that has moved", a.user, changed)
	}
	var page struct {
		Events []struct {
			Seq  int64
			Kind string
		}
	}
	err = c.call("messages.list", map[string]any{"conversation": a.conversation, "after_seq": a.seq, "limit": 100}, &page, nil)
	if err != nil {
		return c, err
	}
	for _, e := range page.Events {
		if e.Seq != a.seq+1 || e.Kind != "message" {
			return c, fmt.Errorf("%s: event %d (%s) came after %d", a.user, e.Seq, e.Kind, a.seq)
		}
		a.seq = e.Seq
	}
	if len(page.Events) != behind || a.seq != changed.Conversations[0].Seq {
		return c, fmt.Errorf("%s: %d events came, up to %d; %d were missing", a.user, len(page.Events), a.seq, behind)
	}
	return c, nil
}
