package session

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

const (
	// PollGrace is how long a poller is live after its last poll.
	PollGrace = 30 * time.Second
	// pollNotices bounds the notices that wait for the next poll, in bytes; the oldest go.
	pollNotices = 64 << 10
)

// Poller is a session that asks now and then. Between two polls it stays live for a
// while: its user is online, in its rooms, and its notices wait. Events do not wait with
// it: each poll reads them from the log by its cursor, so an answer that is lost loses none.
type Poller struct {
	hub    *Hub
	user   chat.UserID
	wake   chan struct{} // holds a token when there may be something
	listed listed

	mu      sync.Mutex
	seat    *seat
	notices []byte
	turn    chan struct{} // of the poll that is under way
	polling int
	idle    time.Time   // since when nobody polls
	bye     *wire.Close // why it has ended
	ended   bool
	rooms   []chat.ConversationID
}

var _ seated = (*Poller)(nil)

// Poll is one poll of a Poller. Done ends it.
type Poll struct {
	*Poller
	turn chan struct{} // closed when another poll takes over
}

// Poll begins a poll of a session, which goes live if it is not. One that is under way
// is ended, with nothing.
func (h *Hub) Poll(ctx context.Context, p *wire.OpenParams) (*Poll, error) {
	id, rooms, err := h.admitToRooms(ctx, p)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	known, _ := h.byID[id.key()].(*Poller)
	h.mu.Unlock()
	if known != nil && (id.Device == "" || id.Device == known.place().id.Device) {
		turn, another := known.goOn(id)
		if another && id.Key == nil {
			h.cfg.Chat.SignedIn(id.User, id.device(p.Device))
		}
		if turn != nil {
			known.enterRooms(ctx, rooms)
			return &Poll{known, turn}, nil
		}
	}
	s := &Poller{hub: h, user: id.listener(), wake: make(chan struct{}, 1)}
	evicted, err := h.crowd.join(id.listener(), s)
	if err != nil {
		return nil, err
	}
	if evicted != nil {
		evicted.finish(nil)
	}
	turn := s.begin()
	s.mu.Lock()
	var old seated
	s.seat, old = h.sit(s, h.telling, "poll", id, p)
	s.mu.Unlock()
	if old != nil {
		old.replace()
	}
	if err := h.admitLive(ctx, id, p.Device, s.place()); err != nil {
		s.close()
		return nil, err
	}
	s.enterRooms(ctx, rooms)
	h.add(s)
	if s.hasEnded() {
		h.remove(s) // it was replaced or signed out before it was there to be removed
	}
	return &Poll{s, turn}, nil
}

// goOn begins another poll, which may come with another token: that is the session's from
// then on. It answers nil when the poller has ended.
func (s *Poller) goOn(id Admission) (turn chan struct{}, another bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil, false
	}
	return s.next(), s.seat.renew(id)
}

// begin begins the first poll.
func (s *Poller) begin() (turn chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next()
}

func (s *Poller) hasEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// next begins a poll, under s.mu, and ends the one before it.
func (s *Poller) next() (turn chan struct{}) {
	if s.turn != nil {
		close(s.turn)
	}
	s.turn = make(chan struct{})
	s.polling++
	s.hub.crowd.polls(s)
	return s.turn
}

// Done ends the poll.
func (s *Poll) Done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.polling--
	s.idle = time.Now()
	if s.polling == 0 {
		s.hub.crowd.rests(s.Poller)
	}
}

// enterRooms has the poller in these rooms, and in no others.
func (s *Poller) enterRooms(ctx context.Context, rooms []chat.ConversationID) {
	s.mu.Lock()
	before := s.rooms
	s.rooms = rooms
	s.mu.Unlock()
	seat := s.place()
	live := seat.live
	for _, room := range before {
		if !slices.Contains(rooms, room) {
			s.hub.cfg.Router.Leave(live, room)
		}
	}
	s.hub.enterRooms(ctx, live, seat.id.User, rooms)
}

// User gives whose session it is, and Rooms the rooms it is in.
func (s *Poller) User() chat.UserID { return s.place().id.User }

// Rooms gives the rooms that the last poll named, and the lobby for guests.
func (s *Poller) Rooms() []chat.ConversationID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rooms
}

// Notices takes the notices that wait. They are told at most once. last says that the
// session has ended.
func (s *Poller) Notices() (list []Told, last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.notices) > 0 {
		var t Told
		t, s.notices = cutTold(s.notices)
		list = append(list, t)
	}
	s.notices = nil
	if s.bye != nil {
		list = append(list, Told{"close", closeParams(s.bye)})
	}
	return list, s.ended
}

// Wait waits until there may be something to tell, the poll is taken over by another
// one, which it answers with false, or ctx ends.
func (s *Poll) Wait(ctx context.Context) bool {
	select {
	case <-s.turn:
		return false
	default:
	}
	select {
	case <-s.wake:
		return true
	case <-s.turn:
		s.signal() // if it took a token, that is for the other one
		return false
	case <-ctx.Done():
		return true
	}
}

// Push is router.Sink's. Events are read from the log by the poll that it wakes.
func (s *Poller) Push(frames []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(frames) > 0 {
		t, rest := cutTold(frames)
		if t.Method != "event" && t.Method != "gap" {
			s.notices = append(s.notices, frames[:len(frames)-len(rest)]...)
		}
		frames = rest
	}
	for len(s.notices) > pollNotices {
		_, s.notices = cutTold(s.notices)
	}
	s.signal()
}

// Checkpoint does nothing: the answer to each poll is one.
func (s *Poller) Checkpoint(chat.Position) {}

func (s *Poller) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// finish ends the session with last words for the poll that is under way, nil for none.
func (s *Poller) finish(bye *wire.Close) {
	s.mu.Lock()
	ended := s.ended
	s.ended = true
	if !ended {
		s.bye = bye
	}
	s.signal()
	s.mu.Unlock()
	if !ended {
		s.close()
	}
}

// close takes it out of everything.
func (s *Poller) close() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.place().leave()
	s.hub.remove(s)
	s.hub.crowd.leave(s.user, s)
}

func (s *Poller) place() *seat {
	s.mu.Lock() // it is in the router before it has its seat
	defer s.mu.Unlock()
	return s.seat
}

func (s *Poller) link() string { return "poll" }

func (s *Poller) revoke(why *wire.Close) { s.finish(why) }
func (s *Poller) replace()               { s.finish(nil) }

func (s *Poller) check(now time.Time) {
	s.mu.Lock()
	gone := s.polling == 0 && now.Sub(s.idle) > PollGrace
	s.mu.Unlock()
	switch {
	case s.place().expired(now):
		s.finish(&expired)
	case gone:
		s.finish(nil)
	}
}

func (s *Poller) stop() { s.drain() }

func (s *Poller) drain() {
	bye := restarting()
	s.finish(&bye)
}
