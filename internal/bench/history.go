package bench

import (
	"context"
	"fmt"
	"time"
)

// pageEvents is how many events a client asks for.
const pageEvents = 50

// reader asks for the newest page of its conversations, in turn, one at a time.
type reader struct {
	conn          *conn
	conversations []string
	latency       Histogram
}

// run asks until the clock reads until.
func (r *reader) run(clock clock, until time.Duration) error {
	for turn := 0; ; turn++ {
		start := clock.now()
		if start >= until {
			return nil
		}
		id := r.conn.queueList(r.conversations[turn%len(r.conversations)], pageEvents)
		frame, err := r.conn.answer(id, nil)
		if err != nil {
			return err
		}
		r.latency.Add(clock.now() - start)
		if err := checkPage(frame); err != nil {
			return err
		}
	}
}

// checkPage looks whether a page has all its events, in order.
func checkPage(frame []byte) error {
	var last int64
	rest, n := frame, 0
	for {
		seq, after, ok := numberAfter(rest, seqMark)
		if !ok {
			break
		}
		if n > 0 && seq != last+1 {
			return fmt.Errorf("a page with event %d after %d", seq, last)
		}
		last, rest = seq, after
		n++
	}
	if n != pageEvents {
		return fmt.Errorf("a page of %d events, %d were asked for: %.200q", n, pageEvents, frame)
	}
	return nil
}

// history is clients with something to read.
type history struct {
	fleet   *fleet
	readers []*reader
}

func openHistory(ctx context.Context, t *target, run string, clients int) (*history, []string, error) {
	users := names(run+"-h", clients)
	f, err := t.dialAll(ctx, users)
	if err != nil {
		return nil, nil, err
	}
	h := &history{fleet: f, readers: make([]*reader, clients)}
	for i, c := range f.conns {
		h.readers[i] = &reader{conn: c}
	}
	return h, users, nil
}

// fillMany gives each client conversations of its own, so that there are at least n.
func (h *history) fillMany(users []string, n int) error {
	each := (n + len(users) - 1) / len(users)
	return forEach(len(h.readers), func(i int) error {
		r := h.readers[i]
		for k := range each {
			first, err := r.conn.send(map[string]string{"user": fmt.Sprintf("%s-%d", users[i], k)}, nil)
			if err != nil {
				return err
			}
			r.conversations = append(r.conversations, first.Conversation)
			if err := fill(r.conn, first.Conversation, pageEvents-1); err != nil {
				return err
			}
		}
		return nil
	})
}

// fillOne makes one group of all clients.
func (h *history) fillOne(users []string) error {
	id, err := createGroup(h.readers[0].conn, users[1:], nil)
	if err != nil {
		return err
	}
	for _, r := range h.readers {
		r.conversations = []string{id}
	}
	return fill(h.readers[0].conn, id, pageEvents)
}

// fill sends n messages, a few at a time.
func fill(c *conn, conversation string, n int) error {
	const ahead = 25
	first := c.id + 1
	for i := range n {
		if i >= ahead {
			if _, err := c.answer(first+int64(i-ahead), nil); err != nil {
				return err
			}
		}
		c.queueSend(conversation)
	}
	for i := max(0, n-ahead); i < n; i++ {
		if _, err := c.answer(first+int64(i), nil); err != nil {
			return err
		}
	}
	return nil
}

// load lets all clients read for length.
func (h *history) load(length time.Duration) error {
	clock := clock{time.Now()}
	g := &group{abort: h.fleet.close}
	for _, r := range h.readers {
		r.latency = Histogram{}
		g.run(func() error { return r.run(clock, length) })
	}
	return g.wait()
}

// runHistory measures the reading of last pages: of one conversation that all share,
// which any cache holds, or of many, each of them in turn.
func runHistory(ctx context.Context, t *target, run string, o *Options, workload Workload) (Result, error) {
	h, users, err := openHistory(ctx, t, run, o.Clients)
	if err != nil {
		return Result{}, err
	}
	defer h.fleet.close()
	switch {
	case t.bare:
		for _, r := range h.readers {
			r.conversations = []string{"bare"}
		}
	case workload == HistoryOne:
		err = h.fillOne(users)
	default:
		err = h.fillMany(users, o.Conversations)
	}
	if err != nil {
		return Result{}, fmt.Errorf("fill the history: %w", err)
	}
	if err := h.load(o.warmup()); err != nil {
		return Result{}, err
	}
	m := startMeter(t.pid)
	if err := h.load(o.Duration); err != nil {
		return Result{}, err
	}
	used := m.stop()
	var latency Histogram
	for _, r := range h.readers {
		latency.Merge(&r.latency)
	}
	r := newResult(workload, 1, t, "pages", int64(latency.Count()), used)
	r.setLatency(&latency)
	return r, nil
}
