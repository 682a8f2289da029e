package rest

import (
	"context"
	"sync"

	"github.com/linnet-im/linnet/internal/chat"
)

// turns has of each user's calls only so many run at a time, from the reading of the body
// until the peer has taken the answer; the others wait. A connection that multiplexes a
// hundred calls and reads no answer would hold as many in memory, and so each of the next.
type turns struct {
	max int // 0: as many as come

	mu sync.Mutex
	of map[chat.UserID]*turn
}

type turn struct {
	taken chan struct{} // holds a token for each call that runs
	users int           // that run or wait
}

// take waits for a turn, and answers what gives it back; false when ctx ended first.
func (t *turns) take(ctx context.Context, user chat.UserID) (give func(), ok bool) {
	if t.max == 0 {
		return func() {}, true
	}
	t.mu.Lock()
	own := t.of[user]
	if own == nil {
		own = &turn{taken: make(chan struct{}, t.max)}
		t.of[user] = own
	}
	own.users++
	t.mu.Unlock()
	left := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if own.users--; own.users == 0 {
			delete(t.of, user)
		}
	}
	given := func() { <-own.taken; left() }
	select {
	case own.taken <- struct{}{}: // also for a client that has gone: its call is run
		return given, true
	default:
	}
	select {
	case own.taken <- struct{}{}:
		return given, true
	case <-ctx.Done():
		left()
		return nil, false
	}
}
