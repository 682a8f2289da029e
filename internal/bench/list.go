package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

const (
	// listReaders are the users who read their lists at the same time.
	listReaders = 16
	// listPage is how many conversations they ask for.
	listPage = 100
	// fewListed are the conversations of the users that those with many are compared with.
	fewListed = 10
)

// lister is a user with conversations.
type lister struct {
	conn    *conn
	newest  string // the conversation that moved since the session's cursor
	want    []byte // what the call that is measured answers each time
	latency Histogram
}

// listed is what a call answers about conversations.
type listed struct {
	Conversations []struct{ ID string }
	Page          string
	Cursor        string
	Total         int
}

// listCall is a call that is measured.
type listCall struct {
	name, method string
	params       func(*lister) map[string]any
	check        func(a *lister, got *listed, conversations int) error
}

func listCalls() []listCall {
	first := func(a *lister, got *listed, n int) error {
		return a.checkList(got, min(n, listPage), n > listPage)
	}
	return []listCall{
		{
			"conversations.list, first page", "conversations.list",
			func(*lister) map[string]any { return map[string]any{"limit": listPage} }, first,
		},
		{
			"sync of a new device, first page", "sync",
			func(*lister) map[string]any { return map[string]any{"limit": listPage} }, first,
		},
		{
			"sync when one has moved", "sync",
			func(a *lister) map[string]any { return map[string]any{"cursor": a.conn.cursor} },
			func(a *lister, got *listed, _ int) error { return a.checkList(got, 1, false) },
		},
		{
			"conversations.unread", "conversations.unread",
			func(*lister) map[string]any { return map[string]any{} },
			func(_ *lister, got *listed, n int) error {
				if got.Total != n+1 {
					return fmt.Errorf("%d messages are unread; %d were sent", got.Total, n+1)
				}
				return nil
			},
		},
	}
}

// checkList looks whether a page has so many conversations, each once, and the one that
// moved last first.
func (a *lister) checkList(got *listed, n int, more bool) error {
	seen := make(map[string]bool)
	for _, c := range got.Conversations {
		seen[c.ID] = true
	}
	switch {
	case len(got.Conversations) != n || len(seen) != n:
		return fmt.Errorf("a page of %d conversations, %d different ones; there must be %d", len(got.Conversations), len(seen), n)
	case got.Conversations[0].ID != a.newest:
		return fmt.Errorf("%s is first; %s has moved last", got.Conversations[0].ID, a.newest)
	case more != (got.Page != ""):
		return fmt.Errorf("page %q: whether there is more is %t", got.Page, more)
	}
	return nil
}

// runList measures what a client asks for when it starts, for users with many
// conversations and for users with a few.
func runList(ctx context.Context, t *target, run string, o *Options) (m measures, err error) {
	few := min(fewListed, o.Listed)
	small, err := openLists(ctx, t, run+"-few", few)
	if err != nil {
		return nil, fmt.Errorf("users with %d conversations: %w", few, err)
	}
	defer small.fleet.close()
	large, err := openLists(ctx, t, run+"-many", o.Listed)
	if err != nil {
		return nil, fmt.Errorf("users with %d conversations: %w", o.Listed, err)
	}
	defer large.fleet.close()
	with := fmt.Sprintf("%d conversations", few)
	for _, call := range listCalls() {
		other, err := small.measure(t, o, &call)
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", call.name, with, err)
		}
		one, err := large.measure(t, o, &call)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", call.name, err)
		}
		m.add(call.name, "a second", one.rate, true)
		m.beside(with, call.name, "a second", other.rate, true)
		m.add(call.name+": server CPU", "µs", one.cpu, one.known)
		m.beside(with, call.name+": server CPU", "µs", other.cpu, other.known)
		m.ms(call.name, &one.latency)
		m.msBeside(with, call.name, &other.latency)
	}
	return m, nil
}

// lists are users with as many conversations each.
type lists struct {
	fleet   *fleet
	readers []*lister
	each    int
}

// openLists has n users write to each of the readers, who then sign in; the first one
// writes once more.
func openLists(ctx context.Context, t *target, run string, n int) (*lists, error) {
	users, writers := names(run+"-r", listReaders), names(run+"-w", n)
	err := forEach(n, func(i int) error { return writeTo(ctx, t, writers[i], users, nil) })
	if err != nil {
		return nil, err
	}
	f, err := t.dialAll(ctx, users)
	if err != nil {
		return nil, err
	}
	l := &lists{fleet: f, each: n}
	for _, c := range f.conns {
		l.readers = append(l.readers, &lister{conn: c})
	}
	err = writeTo(ctx, t, writers[0], users, func(i int, at place) { l.readers[i].newest = at.Conversation })
	if err != nil {
		f.close()
		return nil, err
	}
	return l, nil
}

// writeTo sends one message to each of the users.
func writeTo(ctx context.Context, t *target, writer string, users []string, sent func(i int, at place)) error {
	c, err := t.dial(ctx, writer)
	if err != nil {
		return err
	}
	defer c.Close()
	for i, user := range users {
		at, err := c.send(map[string]string{"user": user}, nil)
		if err != nil {
			return err
		}
		if sent != nil {
			sent(i, at)
		}
	}
	return nil
}

// listRun is what one call costs.
type listRun struct {
	rate, cpu float64 // a second; µs
	known     bool    // cpu is
	latency   Histogram
}

// measure has all readers make one call again and again.
func (l *lists) measure(t *target, o *Options, call *listCall) (*listRun, error) {
	for _, a := range l.readers {
		if err := a.first(call, l.each); err != nil {
			return nil, err
		}
	}
	if err := l.load(call, o.warmup()); err != nil {
		return nil, err
	}
	m := startMeter(t.pid)
	if err := l.load(call, o.Duration); err != nil {
		return nil, err
	}
	used := m.stop()
	run := new(listRun)
	for _, a := range l.readers {
		run.latency.Merge(&a.latency)
	}
	n := float64(run.latency.Count())
	run.rate, run.cpu, run.known = n/used.elapsed.Seconds(), used.server.Seconds()*1e6/n, used.known
	return run, nil
}

// first makes a call once, checks the answer and keeps it.
func (a *lister) first(call *listCall, conversations int) error {
	frame, err := a.ask(call)
	if err != nil {
		return err
	}
	var answer struct{ Result listed }
	if err := json.Unmarshal(frame, &answer); err != nil {
		return fmt.Errorf("decode the answer: %w", err)
	}
	a.want = bytes.Clone(pageOf(frame))
	return call.check(a, &answer.Result, conversations)
}

func (a *lister) ask(call *listCall) ([]byte, error) {
	params, err := json.Marshal(call.params(a))
	if err != nil {
		return nil, err
	}
	return a.conn.answer(a.conn.queueCall(call.method, params), nil)
}

// pageOf is what an answer tells of conversations: tokens and cursors behind it hold how
// far the whole store has come.
func pageOf(frame []byte) []byte {
	frame = frame[bytes.Index(frame, resultMark):]
	for _, mark := range []string{`,"page":"`, `,"cursor":"`} {
		if i := bytes.LastIndex(frame, []byte(mark)); i >= 0 {
			frame = frame[:i]
		}
	}
	return frame
}

// load lets all readers ask for length. Nobody writes, so each answer must be what the first was.
func (l *lists) load(call *listCall, length time.Duration) error {
	clock := clock{time.Now()}
	g := &group{abort: l.fleet.close}
	for _, a := range l.readers {
		a.latency = Histogram{}
		g.run(func() error {
			for {
				start := clock.now()
				if start >= length {
					return nil
				}
				frame, err := a.ask(call)
				if err != nil {
					return err
				}
				a.latency.Add(clock.now() - start)
				if !bytes.Equal(pageOf(frame), a.want) {
					return errors.New("the same question was answered differently, though nobody wrote")
				}
			}
		})
	}
	return g.wait()
}
