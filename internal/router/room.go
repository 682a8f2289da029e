package router

import (
	"encoding/json"
	"slices"

	"github.com/linnet-im/linnet/internal/chat"
)

// noticeNames is how many names a room.members notice lists, and how many joins a
// second are told one by one to links that print them.
const noticeNames = 20

// room is who is in an open room on this node. Coming and going is not logged; it is
// told, coalesced. Guarded by Router.mu.
type room struct {
	sessions map[*Live]struct{}
	users    map[chat.UserID]int // sessions of each
	joined   []chat.UserID       // since the last notice
	left     []chat.UserID
	printed  int // joins printed since the last sweep
}

// Join puts a session into a room and answers how many users are in it. It does nothing
// once the session was removed. Links that print joins are told at once, of up to 20 a
// second and always of their own; the other ones by a notice, at most one a second.
func (r *Router) Join(l *Live, id chat.ConversationID) (online int) {
	r.mu.Lock()
	rm := r.rooms[id]
	if l.gone || l.rooms[id] {
		if rm != nil {
			online = len(rm.users)
		}
		r.mu.Unlock()
		return online
	}
	if rm == nil {
		rm = &room{sessions: make(map[*Live]struct{}), users: make(map[chat.UserID]int)}
		r.rooms[id] = rm
	}
	if l.rooms == nil {
		l.rooms = make(map[chat.ConversationID]bool, 1)
	}
	l.rooms[id] = true
	rm.sessions[l] = struct{}{}
	rm.users[l.user]++
	var printers []*Live
	if rm.users[l.user] == 1 {
		rm.note(&rm.joined, &rm.left, l.user)
		if rm.printed < noticeNames {
			rm.printed++
			printers = rm.printers()
		} else if l.format.Joined != nil {
			printers = []*Live{l} // whoever joins is told so
		}
	}
	online = len(rm.users)
	r.mu.Unlock()
	pushJoined(printers, l.user)
	return online
}

func pushJoined(to []*Live, user chat.UserID) {
	var frames encoded
	for _, l := range to {
		l.sink.Push(frames.get(l.format, func(f *Format, b []byte) []byte { return f.Joined(b, user) }))
	}
}

// note adds a user to one list; who is on the other one came and went, and is on neither.
func (rm *room) note(to, other *[]chat.UserID, u chat.UserID) {
	if i := slices.Index(*other, u); i >= 0 {
		*other = slices.Delete(*other, i, i+1)
		return
	}
	// More than are told need not be known.
	if len(*to) <= noticeNames {
		*to = append(*to, u)
	}
}

// printers are the sessions whose links print joins.
func (rm *room) printers() []*Live {
	var list []*Live
	for l := range rm.sessions {
		if l.format.Joined != nil {
			list = append(list, l)
		}
	}
	return list
}

// Leave takes a session out of a room.
func (r *Router) Leave(l *Live, id chat.ConversationID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leave(l, id)
}

// leave is Leave under r.mu.
func (r *Router) leave(l *Live, id chat.ConversationID) {
	rm := r.rooms[id]
	if rm == nil || !l.rooms[id] {
		return
	}
	delete(l.rooms, id)
	delete(rm.sessions, l)
	if rm.users[l.user]--; rm.users[l.user] == 0 {
		delete(rm.users, l.user)
		rm.note(&rm.left, &rm.joined, l.user)
		if r.cfg.Left != nil {
			r.cfg.Left(id, l.user)
		}
	}
	if len(rm.sessions) == 0 {
		delete(r.rooms, id)
	}
}

// evict takes the sessions of users, nil for everybody's, out of a room, and answers them.
func (r *Router) evict(id chat.ConversationID, users []chat.UserID) []*Live {
	r.mu.Lock()
	defer r.mu.Unlock()
	rm := r.rooms[id]
	if rm == nil {
		return nil
	}
	var out []*Live
	for l := range rm.sessions {
		if users == nil || slices.Contains(users, l.user) {
			out = append(out, l)
		}
	}
	for _, l := range out {
		r.leave(l, id)
	}
	return out
}

// inRoom adds the sessions in a room to into.
func (r *Router) inRoom(id chat.ConversationID, into []*Live) []*Live {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if rm := r.rooms[id]; rm != nil {
		for l := range rm.sessions {
			into = append(into, l)
		}
	}
	return into
}

// tellRooms sends the notices of who came and went since the last call.
func (r *Router) tellRooms() {
	for _, n := range r.roomNotices() {
		r.notify(n.to, "room.members", n.params)
	}
}

type roomNotice struct {
	to     []*Live
	params []byte
}

func (r *Router) roomNotices() []roomNotice {
	r.mu.Lock()
	defer r.mu.Unlock()
	var notices []roomNotice
	for id, rm := range r.rooms {
		rm.printed = 0
		if len(rm.joined)+len(rm.left) == 0 {
			continue
		}
		params, err := json.Marshal(struct {
			Room   chat.ConversationID `json:"room"`
			Joined []chat.UserID       `json:"joined,omitempty"`
			Left   []chat.UserID       `json:"left,omitempty"`
			Online int                 `json:"online"`
		}{id, rm.joined[:min(noticeNames, len(rm.joined))], rm.left[:min(noticeNames, len(rm.left))], len(rm.users)})
		if err != nil {
			panic(err) // strings and numbers always encode
		}
		n := roomNotice{params: params}
		for l := range rm.sessions {
			n.to = append(n.to, l)
		}
		notices = append(notices, n)
		rm.joined, rm.left = nil, nil
	}
	return notices
}

// Present says whether a user is in a room.
func (r *Router) Present(id chat.ConversationID, u chat.UserID) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	rm := r.rooms[id]
	return rm != nil && rm.users[u] > 0
}

// Sample answers up to n users who are in a room, others each time.
func (r *Router) Sample(id chat.ConversationID, n int) []chat.UserID {
	r.mu.RLock()
	defer r.mu.RUnlock()
	rm := r.rooms[id]
	if rm == nil {
		return nil
	}
	users := make([]chat.UserID, 0, min(n, len(rm.users)))
	for u := range rm.users { // in no order
		if len(users) == n {
			break
		}
		users = append(users, u)
	}
	return users
}

// Online answers how many users are in a room.
func (r *Router) Online(id chat.ConversationID) int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if rm := r.rooms[id]; rm != nil {
		return len(rm.users)
	}
	return 0
}

// Sessions answers how many sessions are live.
func (r *Router) Sessions() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	n := 0
	for _, list := range r.users {
		n += len(list)
	}
	return n
}
