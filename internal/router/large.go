package router

import (
	"context"
	"errors"
	"maps"

	"github.com/linnet-im/linnet/internal/chat"
)

// A group of 100,000 is not looked up member by member for each message. Above
// largeGroup members a worker keeps an index of those who are online: what it costs to
// deliver grows with who is there, not with who is a member. It is brought up to date by
// who came and went since the last message, and by the names of those whose membership an
// event changes; where these are not known (the event came from the store) it is made anew.

const (
	// largeGroup is above how many members a group is delivered by an index.
	largeGroup = 2000
	// maxIndexes bounds a worker's indexes; it begins anew when there are more.
	maxIndexes = 256
	// maxStale is how many users may have come and gone since an index was used; then it is
	// made anew when it is needed.
	maxStale = 20_000
)

// index is who of a large group is online, as far as it is up to date.
type index struct {
	rev     chat.Seq                    // the change of members that it has in it
	members map[chat.UserID][]chat.Span // of users who were online, what they may see
	stale   map[chat.UserID]struct{}    // who is to be looked at again
}

// noteMoved tells the workers that keep indexes that a user came online or went.
func (r *Router) noteMoved(user chat.UserID) {
	if r.indexes.Load() == 0 {
		return
	}
	for _, w := range r.workers {
		w.mu.Lock()
		if w.moved == nil {
			w.moved = make(map[chat.UserID]struct{})
		}
		w.moved[user] = struct{}{}
		w.mu.Unlock()
	}
}

// takeMoved has the worker's indexes know who came and went since the last time.
func (w *worker) takeMoved() {
	w.mu.Lock()
	moved := w.moved
	w.moved = nil
	w.mu.Unlock()
	if len(moved) == 0 {
		return
	}
	for id, x := range w.indexes {
		if len(x.stale)+len(moved) > maxStale {
			w.dropIndex(id)
			continue
		}
		maps.Copy(x.stale, moved)
	}
}

func (w *worker) dropIndex(id chat.ConversationID) {
	delete(w.indexes, id)
	w.router.indexes.Add(-1)
}

// large answers the live sessions that may see the event of c, a large group's.
func (w *worker) large(ctx context.Context, c *chat.Commit) ([]*Live, error) {
	conv := &c.Conversation
	w.takeMoved()
	x := w.indexes[conv.ID]
	changes := c.Event.Kind == chat.Members || c.Event.Kind == chat.Created || c.Event.Moved != nil
	switch {
	case x == nil:
		x = w.newIndex(conv)
	case changes && c.Event.Moved != nil && c.Event.MovedAfter <= x.rev:
		for _, u := range c.Event.Moved {
			x.stale[u] = struct{}{}
		}
		x.rev = max(x.rev, conv.MembersRev)
	case changes || conv.MembersRev > x.rev: // who it was is not known
		w.dropIndex(conv.ID)
		x = w.newIndex(conv)
	}
	for u := range x.stale {
		if err := w.lookAt(ctx, conv, x, u); err != nil {
			return nil, err // those that are left are looked at next time
		}
		delete(x.stale, u)
	}
	w.router.mu.RLock()
	defer w.router.mu.RUnlock()
	live := w.live[:0]
	for u, spans := range x.members {
		if sees(spans, c.Event.Seq) {
			live = append(live, w.router.users[u]...)
		}
	}
	return live, nil
}

// noteMembers has the index of a channel know who came and left without an event, unless it
// misses a change before that: then it is made anew when it is needed.
func (w *worker) noteMembers(n *chat.Notice) {
	id := n.Conversation.ID
	x := w.indexes[id]
	switch {
	case x == nil:
		return // what is kept of a small one has another revision
	case n.MovedAfter > x.rev || len(x.stale)+len(n.Moved) > maxStale:
		w.dropIndex(id)
		return
	}
	for _, u := range n.Moved {
		x.stale[u] = struct{}{}
	}
	x.rev = max(x.rev, n.Conversation.MembersRev)
}

// newIndex begins an index in which everybody who is online is yet to be looked at.
func (w *worker) newIndex(conv *chat.Conversation) *index {
	if len(w.indexes) >= maxIndexes {
		w.router.indexes.Add(-int64(len(w.indexes)))
		clear(w.indexes)
	}
	// First this, then the look at who is online: who comes after the look is noted.
	w.router.indexes.Add(1)
	x := &index{rev: conv.MembersRev, members: make(map[chat.UserID][]chat.Span), stale: w.router.online()}
	w.indexes[conv.ID] = x
	return x
}

// lookAt brings an index up to date with one user.
func (w *worker) lookAt(ctx context.Context, conv *chat.Conversation, x *index, u chat.UserID) error {
	delete(x.members, u)
	if w.router.SessionsOf(u) == 0 || !w.router.cfg.MaySee(u, conv.Kind) {
		return nil
	}
	m, err := w.router.store.Member(ctx, chat.MemberKey{Conversation: conv.ID, User: u})
	switch {
	case errors.Is(err, chat.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	if len(m.Spans) > 0 {
		x.members[u] = m.Spans
	}
	return nil
}

func sees(spans []chat.Span, seq chat.Seq) bool {
	m := chat.Member{Spans: spans}
	return m.Sees(seq)
}

// online answers who is online.
func (r *Router) online() map[chat.UserID]struct{} {
	r.mu.RLock()
	defer r.mu.RUnlock()
	users := make(map[chat.UserID]struct{}, len(r.users))
	for u := range r.users {
		users[u] = struct{}{}
	}
	return users
}
