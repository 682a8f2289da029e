package session

import (
	"container/list"
	"sync"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

// maxListeners is how many event streams and pollers a user may have.
const maxListeners = 64

// maxSessions is how many sessions a user off loopback may have before it opens another on a
// socket: who has a token could take every connection of the server otherwise, since who is
// signed in does not count for its address.
const maxSessions = 256

// listenersWait is when to try again when there are too many.
const listenersWait = 30 * time.Second

// crowd counts those that only listen: no connection of their own bounds them. A poller
// stays for a while after its poll, and who polls under ever new names leaves one behind
// each time; so when there are too many, the one that has been idle longest makes room.
type crowd struct {
	max int // in all

	mu   sync.Mutex
	n    int
	idle list.List // of *Poller, idle longest first
	of   map[chat.UserID]*company
}

// company are the listeners of one user.
type company struct {
	n    int
	idle list.List
}

// listed is a Poller's places in the lists, guarded by crowd.mu.
type listed struct {
	counted    bool
	all, alone *list.Element // of the crowd's idle ones, and of its user's; nil: somebody polls
}

// join counts a listener in, s for a poller, and answers the poller that is to be ended for
// it, nil for none.
func (c *crowd) join(user chat.UserID, s *Poller) (evicted *Poller, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	own := c.of[user]
	if own == nil {
		own = new(company)
		c.of[user] = own
	}
	var first *list.Element
	full := true
	switch {
	case own.n >= maxListeners:
		first = own.idle.Front()
		err = tooMany(wire.CodeRate, "you listen in too many places at a time: end one")
	case c.n >= c.max:
		first = c.idle.Front()
		err = tooMany(wire.CodeBusy, "too many listen at a time: try again in a moment")
	default:
		full = false
		err = nil
	}
	if full {
		if first == nil {
			if own.n == 0 {
				delete(c.of, user)
			}
			return nil, err
		}
		evicted = first.Value.(*Poller)
		c.drop(evicted.user, evicted)
		c.of[user] = own // if it was the last one of its user
	}
	own.n++
	c.n++
	if s != nil {
		s.listed.counted = true
	}
	return evicted, nil
}

func tooMany(code wire.Code, message string) error {
	return &wire.Error{Code: code, Message: message, Outcome: wire.OutcomeRetry, RetryAfter: listenersWait}
}

// leave counts a listener out. For a poller a second call does nothing.
func (c *crowd) leave(user chat.UserID, s *Poller) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(user, s)
}

// drop is leave under c.mu.
func (c *crowd) drop(user chat.UserID, s *Poller) {
	if s != nil {
		if !s.listed.counted {
			return
		}
		c.unlist(s)
		s.listed.counted = false
	}
	c.n--
	own := c.of[user]
	if own.n--; own.n == 0 {
		delete(c.of, user)
	}
}

// rests says that nobody polls as s now, and polls that somebody does.
func (c *crowd) rests(s *Poller) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.listed.counted && s.listed.all == nil {
		s.listed.all, s.listed.alone = c.idle.PushBack(s), c.of[s.user].idle.PushBack(s)
	}
}

func (c *crowd) polls(s *Poller) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unlist(s)
}

func (c *crowd) unlist(s *Poller) {
	if s.listed.all != nil {
		c.idle.Remove(s.listed.all)
		c.of[s.user].idle.Remove(s.listed.alone)
		s.listed.all, s.listed.alone = nil, nil
	}
}
