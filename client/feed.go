package client

import (
	"context"
	"iter"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/wire"
)

const (
	// maxNotices is how many notices wait for a reader of a Feed; the oldest go first.
	// They are what is told live and not logged, and good for seconds.
	maxNotices = 256
	// maxSent is how many Sent wait for a reader of a Feed; the oldest go first. Who must
	// know of each waits for its Sending.
	maxSent = 4096
)

// Update is one thing that a Feed tells: State, Changed, Sent or Notice.
type Update any

// Changed says that a conversation, or what is held of its events, is not what it was.
type Changed struct{ Conversation string }

// Sent says what became of a message in the outbox: it has its Place, or Err says why
// it was not sent.
type Sent struct {
	ClientID string
	Place    wire.Place
	Err      error
}

// Notice is what is told live and not logged: typing, presence, read, room.members.
type Notice struct {
	Method string
	Params jsontext.Value
}

// Feed tells what changes from its making on, to one reader. Changes that it has not
// read yet are told once: a reader that is late misses no conversation, and holds
// nothing up. It says that something changed, not what it was before: read it anew, from
// State, Conversation and Timeline. Of Sent and Notice the newest are kept for a reader
// that is late, 4,096 and 256.
type Feed struct {
	client *Client

	mu      sync.Mutex
	state   bool
	dirty   map[string]struct{}
	order   []string // of dirty
	sent    []Sent
	notices []Notice
	closed  bool
	wake    chan struct{} // holds a token when there may be something to read
}

// Feed makes a feed. Close ends it.
func (c *Client) Feed() *Feed {
	f := &Feed{client: c, state: true, dirty: make(map[string]struct{}), wake: make(chan struct{}, 1)}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.feeds[f] = struct{}{}
	return f
}

// Close ends the feed: Next answers ErrStopped.
func (f *Feed) Close() {
	f.client.mu.Lock()
	delete(f.client.feeds, f)
	f.client.mu.Unlock()
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.signal()
}

// Next waits for the next update. The first one is the state. The error is ErrStopped
// when the feed was closed, otherwise ctx's cause. That Run has ended is told as a State.
func (f *Feed) Next(ctx context.Context) (Update, error) {
	for {
		if u := f.pop(); u != nil {
			return u, nil
		}
		f.mu.Lock()
		closed := f.closed
		f.mu.Unlock()
		if closed {
			f.signal() // for whoever else waits
			return nil, ErrStopped
		}
		select {
		case <-f.wake:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// All gives every update until ctx ends, the feed is closed or the loop is left.
func (f *Feed) All(ctx context.Context) iter.Seq[Update] {
	return func(yield func(Update) bool) {
		for {
			u, err := f.Next(ctx)
			if err != nil || !yield(u) {
				return
			}
		}
	}
}

func (f *Feed) pop() Update {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.state:
		f.state = false
		f.mu.Unlock()
		s := f.client.State()
		f.mu.Lock()
		return s
	case len(f.order) > 0:
		id := f.order[0]
		f.order = f.order[1:]
		delete(f.dirty, id)
		return Changed{id}
	case len(f.sent) > 0:
		s := f.sent[0]
		f.sent = f.sent[1:]
		return s
	case len(f.notices) > 0:
		n := f.notices[0]
		f.notices = f.notices[1:]
		return n
	}
	return nil
}

func (f *Feed) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// What follows is called with Client.mu held.

func (f *Feed) stateChanged() {
	f.mu.Lock()
	f.state = true
	f.mu.Unlock()
	f.signal()
}

func (f *Feed) changed(ids iter.Seq[string]) {
	f.mu.Lock()
	for id := range ids {
		if _, known := f.dirty[id]; !known {
			f.dirty[id] = struct{}{}
			f.order = append(f.order, id)
		}
	}
	f.mu.Unlock()
	f.signal()
}

func (f *Feed) settled(s Sent) {
	f.mu.Lock()
	if len(f.sent) == maxSent {
		f.sent = f.sent[1:]
	}
	f.sent = append(f.sent, s)
	f.mu.Unlock()
	f.signal()
}

func (f *Feed) noticed(n Notice) {
	f.mu.Lock()
	if len(f.notices) == maxNotices {
		f.notices = f.notices[1:]
	}
	f.notices = append(f.notices, n)
	f.mu.Unlock()
	f.signal()
}
