package session

import (
	"context"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/router"
	"github.com/linnet-im/linnet/wire"
)

// Told is one notification that a Stream or a Poller is given: what sockets get under
// the same names.
type Told struct {
	Method string
	Params []byte // JSON of one line; not to be written to
}

// telling is the format of links that are given notifications one by one: a notification
// is its method's length in one byte, the method, the params' length in four, the params.
func telling() *router.Format {
	return &router.Format{
		Event:  func(dst []byte, e *chat.Event) []byte { return appendTold(dst, "event", e.JSON) },
		Notice: appendTold,
	}
}

func appendTold(dst []byte, method string, params []byte) []byte {
	n := len(params)
	dst = append(append(dst, byte(len(method))), method...)
	return append(append(dst, byte(n>>24), byte(n>>16), byte(n>>8), byte(n)), params...)
}

// cutTold takes the first notification from what telling has written.
func cutTold(b []byte) (t Told, rest []byte) {
	n := int(b[0])
	t.Method, b = string(b[1:1+n]), b[1+n:]
	n = int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	t.Params = b[4 : 4+n : 4+n]
	return t, b[4+n:]
}

// Stream is a session that only listens, as Server-Sent Events do. Its link takes what
// it is told with Next, and ends it with Closed.
type Stream struct {
	hub   *Hub
	limit int // bytes that may wait
	rooms []chat.ConversationID

	mu    sync.Mutex
	seat  *seat
	queue []byte
	bye   *wire.Close // the last words, once it ends
	ended bool        // nothing more is taken
	cut   func()      // what WhenRevoked was given
	isCut bool        // it was signed out
	wake  chan struct{}
}

var _ seated = (*Stream)(nil)

// OpenStream opens a session that only listens, in open rooms too: from now on what its
// user may see waits for Next, up to limit bytes; with more it is ended as slow.
func (h *Hub) OpenStream(ctx context.Context, p *wire.OpenParams, link string, limit int) (*Stream, error) {
	id, rooms, err := h.admitToRooms(ctx, p)
	if err != nil {
		return nil, err
	}
	evicted, err := h.crowd.join(id.listener(), nil)
	if err != nil {
		return nil, err
	}
	if evicted != nil {
		evicted.finish(nil)
	}
	s := &Stream{hub: h, limit: limit, rooms: rooms, wake: make(chan struct{}, 1)}
	s.mu.Lock()
	var old seated
	s.seat, old = h.sit(s, h.telling, link, id, p)
	s.mu.Unlock()
	if old != nil {
		old.replace()
	}
	if err := h.admitLive(ctx, id, p.Device, s.place()); err != nil {
		s.Closed()
		return nil, err
	}
	h.enterRooms(ctx, s.seat.live, id.User, rooms)
	h.add(s)
	return s, nil
}

// admitToRooms is Authenticate, and says which rooms the session begins in.
func (h *Hub) admitToRooms(ctx context.Context, p *wire.OpenParams) (Admission, []chat.ConversationID, error) {
	id, err := h.Authenticate(ctx, p)
	if err != nil {
		return Admission{}, nil, err
	}
	if err := h.checkDevice(&id); err != nil {
		return Admission{}, nil, err
	}
	rooms, err := h.roomsOf(ctx, id, p.Rooms)
	return id, rooms, err
}

// User gives whose session it is, and Rooms the rooms that it is in.
func (s *Stream) User() chat.UserID { return s.place().id.User }

// Rooms gives the rooms that were named, and the lobby for guests.
func (s *Stream) Rooms() []chat.ConversationID { return s.rooms }

// Push is router.Sink's.
func (s *Stream) Push(frames []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	if len(s.queue) > 0 && len(s.queue)+len(frames) > s.limit {
		s.queue = nil // nobody knows what of it the peer would still take
		s.end(&Slow)
		return
	}
	s.queue = append(s.queue, frames...)
	s.signal()
}

// Checkpoint is router.Sink's.
func (s *Stream) Checkpoint(pos chat.Position) {
	s.Push(appendTold(nil, "checkpoint", checkpointParams(s.hub, s.place().id.User, pos)))
}

func checkpointParams(h *Hub, user chat.UserID, pos chat.Position) []byte {
	params, err := json.Marshal(wire.Checkpoint{Cursor: h.cfg.Chat.Cursor(user, pos)})
	if err != nil {
		panic(err) // a string always encodes
	}
	return params
}

// Next waits for what the session is told, until ctx ends: then it answers nothing. last
// says that the session has ended, after what is answered.
func (s *Stream) Next(ctx context.Context) (list []Told, last bool) {
	for {
		s.mu.Lock()
		queue, ended, bye := s.queue, s.ended, s.bye
		s.queue = nil
		s.mu.Unlock()
		for len(queue) > 0 {
			var t Told
			t, queue = cutTold(queue)
			list = append(list, t)
		}
		if ended && bye != nil {
			list = append(list, Told{"close", closeParams(bye)})
		}
		if len(list) > 0 || ended {
			return list, ended
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil, false
		}
	}
}

func closeParams(c *wire.Close) []byte {
	params, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return params
}

// Closed says that the link has ended.
func (s *Stream) Closed() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.seat.leave()
	s.hub.remove(s)
	s.hub.crowd.leave(s.seat.id.listener(), nil)
}

func (s *Stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// end ends the session with last words, nil for none, under s.mu.
func (s *Stream) end(bye *wire.Close) {
	if s.ended {
		return
	}
	s.ended, s.bye = true, bye
	s.signal()
}

func (s *Stream) finish(bye *wire.Close) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(bye)
}

func (s *Stream) place() *seat {
	s.mu.Lock() // it is in the router before it has its seat
	defer s.mu.Unlock()
	return s.seat
}

func (s *Stream) link() string { return s.place().link }

func (s *Stream) revoke(why *wire.Close) {
	s.finish(why)
	s.place().quit()
	s.mu.Lock()
	s.isCut, s.queue = true, nil // nobody is to read what waits
	cut := s.cut
	s.mu.Unlock()
	if cut != nil {
		cut()
	}
}

// WhenRevoked has f called when the session is signed out, or at once if it is already:
// Next says so only to who has written what came before. f must not block.
func (s *Stream) WhenRevoked(f func()) {
	s.mu.Lock()
	s.cut = f
	isCut := s.isCut
	s.mu.Unlock()
	if isCut {
		f()
	}
}

func (s *Stream) replace() { s.finish(nil) }

func (s *Stream) check(now time.Time) {
	if s.place().expired(now) {
		s.finish(&expired)
	}
}

// stop ends it at once: it has nothing on its way, and what comes after its end it is
// told when it is back.
func (s *Stream) stop() { s.drain() }

func (s *Stream) drain() {
	bye := restarting()
	s.finish(&bye)
}
