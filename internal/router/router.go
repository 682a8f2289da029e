// Package router knows who is live on this node and takes committed events to them.
//
// It is the node's end of the Bus: batches come in commit order, are dealt to workers
// by a hash of the conversation, and each worker answers the callers, encodes a
// conversation's events once a format, and writes the same bytes to every session that
// may see them. Once a second it compares what it delivered with the store's heads,
// fetches what the bus lost, and only then tells sessions that they have everything up
// to a position (a checkpoint).
package router

import (
	"context"
	"hash/maphash"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// Store is what the router reads.
type Store interface {
	Audience(ctx context.Context, id chat.ConversationID, seq chat.Seq) ([]chat.UserID, error)
	Events(ctx context.Context, r chat.EventRange) ([]chat.Record, error)
	Conversation(ctx context.Context, id chat.ConversationID) (chat.Conversation, error)
	Member(ctx context.Context, key chat.MemberKey) (chat.Member, error)
	Heads(ctx context.Context, after chat.Position, limit int) ([]chat.Head, error)
	Fork(ctx context.Context, id chat.ConversationID, pos chat.Position) (chat.Seq, error)
	Position() chat.Position
}

// Format is how a kind of link writes what is pushed. The functions append whole frames.
type Format struct {
	Event  func(dst []byte, e *chat.Event) []byte
	Notice func(dst []byte, method string, params []byte) []byte // nil: notices are not told
	Joined func(dst []byte, user chat.UserID) []byte             // nil: joins come by notice
}

// Sink is a live session's end. Push must not block and must not write to frames,
// which are shared; what it cannot take it closes itself for.
type Sink interface {
	Push(frames []byte)
	// Checkpoint tells the session that everything up to pos was pushed to it.
	Checkpoint(pos chat.Position)
}

// Live is one live session in the router.
type Live struct {
	user     chat.UserID
	format   *Format
	sink     Sink
	pushed   atomic.Int64 // when an event was last pushed, Unix nanoseconds; 0: none since the last checkpoint
	vouched  atomic.Int64 // when it was last sent a checkpoint
	openedAt chat.Position

	rooms map[chat.ConversationID]bool // guarded by Router.mu
	gone  bool                         // guarded by Router.mu
}

// Config configures a Router.
type Config struct {
	// MaySee says whether a user may have to do with conversations of this kind at all.
	MaySee func(chat.UserID, chat.ConversationKind) bool
	// Left is told when the last session of a user has left a room. It must not block, nor
	// call the router; nil: nobody is.
	Left func(room chat.ConversationID, user chat.UserID)
	Log  *slog.Logger
}

// Router is a chat.Bus for one node. All its methods may be called concurrently; none
// but Run blocks.
type Router struct {
	cfg     Config
	store   Store
	seed    maphash.Seed
	workers []*worker

	mu    sync.RWMutex
	users map[chat.UserID][]*Live
	rooms map[chat.ConversationID]*room

	indexes atomic.Int64 // of large groups, that the workers keep
	counts  counts
}

// counts are what Stats answers.
type counts struct {
	delivered, repaired, gaps atomic.Int64
	swept                     atomic.Int64 // Unix nanoseconds
}

// Stats is what the router has done since it was made.
type Stats struct {
	Delivered int64     // events, once for each session
	Repaired  int64     // events that the bus had lost
	Gaps      int64     // runs of lost events that were too long to be told
	Swept     time.Time // when everything was last known to be delivered
}

// Stats answers what was done so far.
func (r *Router) Stats() Stats {
	return Stats{
		Delivered: r.counts.delivered.Load(), Repaired: r.counts.repaired.Load(), Gaps: r.counts.gaps.Load(),
		Swept: time.Unix(0, r.counts.swept.Load()),
	}
}

var _ chat.Bus = (*Router)(nil)

// New makes a router. Publish and Add may be called before Run; what they bring waits.
func New(cfg Config, store Store) *Router {
	r := &Router{
		cfg: cfg, store: store, seed: maphash.MakeSeed(),
		users: make(map[chat.UserID][]*Live), rooms: make(map[chat.ConversationID]*room),
	}
	for range max(2, runtime.GOMAXPROCS(0)) {
		r.workers = append(r.workers, newWorker(r))
	}
	return r
}

// Run delivers until ctx ends, then delivers what it was given before and returns.
func (r *Router) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, w := range r.workers {
		wg.Go(w.run)
	}
	r.sweepUntil(ctx)
	for _, w := range r.workers {
		w.close()
	}
	wg.Wait()
}

func (r *Router) workerOf(id chat.ConversationID) int {
	return int(maphash.String(r.seed, string(id)) % uint64(len(r.workers)))
}

// Publish deals a batch to the workers.
func (r *Router) Publish(batch []chat.Commit) {
	parts := make([][]chat.Commit, len(r.workers))
	for i := range batch {
		w := r.workerOf(batch[i].Event.Conversation)
		parts[w] = append(parts[w], batch[i])
	}
	for w, part := range parts {
		if len(part) > 0 {
			r.workers[w].give(job{commits: part})
		}
	}
}

// Notify deals a notice to its conversation's worker, behind the events before it.
func (r *Router) Notify(n chat.Notice) {
	r.workers[r.workerOf(n.Conversation.ID)].give(job{notice: &n})
}

// Add makes a session live: from now on it is pushed what its user may see. openedAt is
// a position from before the call.
func (r *Router) Add(user chat.UserID, format *Format, sink Sink, openedAt chat.Position) *Live {
	l := &Live{user: user, format: format, sink: sink, openedAt: openedAt}
	l.vouched.Store(time.Now().UnixNano()) // its cursor is of now
	r.mu.Lock()
	r.users[user] = append(r.users[user], l)
	first := len(r.users[user]) == 1
	r.mu.Unlock()
	if first {
		r.noteMoved(user)
	}
	return l
}

// Remove ends what Add began and takes the session out of its rooms. A second call does nothing.
func (r *Router) Remove(l *Live) {
	if r.remove(l) {
		r.noteMoved(l.user)
	}
}

// remove is Remove, and says whether it was the user's last session.
func (r *Router) remove(l *Live) (last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.gone {
		return false
	}
	l.gone = true
	for id := range l.rooms {
		r.leave(l, id)
	}
	list := r.users[l.user]
	for i, other := range list {
		if other == l {
			// A new slice: workers may be going over the old one.
			list = append(append(make([]*Live, 0, len(list)-1), list[:i]...), list[i+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(r.users, l.user)
		return true
	}
	r.users[l.user] = list
	return false
}

// sessionsOf answers the live sessions of the users, and is to be called for what they may see.
func (r *Router) sessionsOf(users []chat.UserID, kind chat.ConversationKind, into []*Live) []*Live {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, u := range users {
		if list := r.users[u]; len(list) > 0 && r.cfg.MaySee(u, kind) {
			into = append(into, list...)
		}
	}
	return into
}

// SinksOf answers the ends of a user's live sessions.
func (r *Router) SinksOf(user chat.UserID) []Sink {
	r.mu.RLock()
	defer r.mu.RUnlock()
	sinks := make([]Sink, len(r.users[user]))
	for i, l := range r.users[user] {
		sinks[i] = l.sink
	}
	return sinks
}

// SessionsOf answers how many sessions of a user are live.
func (r *Router) SessionsOf(user chat.UserID) int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.users[user])
}

// all answers every live session.
func (r *Router) all() []*Live {
	r.mu.RLock()
	defer r.mu.RUnlock()
	list := make([]*Live, 0, len(r.users))
	for _, sessions := range r.users {
		list = append(list, sessions...)
	}
	return list
}

// push pushes frames that hold events.
func (l *Live) push(frames []byte, now time.Time) {
	l.pushed.Store(now.UnixNano())
	l.sink.Push(frames)
}
