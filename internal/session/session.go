package session

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/presence"
	"github.com/linnet-im/linnet/internal/router"
	"github.com/linnet-im/linnet/wire"
)

// Peer is the outgoing side of a connection. No method but WaitRoom blocks. Bytes given
// are not kept after the call unless copied, and not written to.
type Peer interface {
	// WaitRoom blocks until the peer has taken most of what waits, or the connection is closed.
	WaitRoom()
	// Send queues p and lets everything queued go; false when the connection is closed.
	Send(p []byte) bool
	// Hold queues p without letting it go.
	Hold(p []byte)
	// Flush lets go what is held.
	Flush()
	// CloseAfter queues last, closes once the queue is out, after wait at the latest.
	CloseAfter(last []byte, wait time.Duration)
	// Close closes at once.
	Close() error
}

// Framing is how a link writes JSON.
type Framing struct {
	Link    string // its name, as sessions.list tells it
	Format  *router.Format
	Frame   func(dst, payload []byte) []byte      // one JSON value
	End     []byte                                // a close without words; may be empty
	Ping    []byte                                // asks the peer for a sign of life
	Goodbye func(dst []byte, c wire.Close) []byte // the last frames before a close
}

// Remote is where a peer is.
type Remote struct {
	Loopback bool
	SignedIn func() // called once, when a session is open
}

// maxEarly bounds what may wait behind the answer to session.open, in bytes.
const maxEarly = 1 << 20

// maxQueued bounds the frames that wait to be worked on, in bytes; one may be longer. Who
// does not read its answers has those that it goes on asking for wait.
const maxQueued = 128 << 10

// drainWait is how long what a peer is owed may take to go out before its connection closes.
const drainWait = 5 * time.Second

// RevokedWait is how long a session that was signed out may take for its last answers and words.
const RevokedWait = 4 * time.Second

// Session is a peer that speaks JSON-RPC. Its link gives it frames by Frame, one after
// the other, and Closed at the end.
type Session struct {
	hub     *Hub
	peer    Peer
	framing *Framing
	remote  Remote
	began   time.Time
	heard   atomic.Int64 // when something last came, Unix nanoseconds
	pinged  atomic.Int64 // when it was last pinged

	mu       sync.Mutex
	room     *sync.Cond // there is room for another call, or the session is closed; nil until somebody waits
	queue    [][]byte   // frames that wait
	queued   int        // their bytes
	running  bool       // a goroutine works on the queue
	inFlight int        // calls that came and are not answered
	holding  bool       // pushes wait behind the answer to a call
	early    []byte     // what waits
	stopped  bool       // nothing more is taken
	closed   bool       // nothing more is run
	closing  bool       // session.close is being answered
	ending   bool       // the connection closes with last when nothing is in flight
	last     []byte
	seat     *seat             // nil: no session is open
	watcher  *presence.Watcher // nil: it never watched anybody
}

var _ api.Caller = (*Session)(nil)

// New makes the session of a connection.
func (h *Hub) New(peer Peer, framing *Framing, remote Remote) *Session {
	s := &Session{hub: h, peer: peer, framing: framing, remote: remote, began: time.Now()}
	s.heard.Store(s.began.UnixNano())
	h.add(s)
	return s
}

// Heard says that the peer gave a sign of life.
func (s *Session) Heard() { s.heard.Store(time.Now().UnixNano()) }

// Frame takes a frame; the bytes are the caller's again when it returns. It blocks
// while as many calls as are allowed are in flight, or as many bytes wait. The frame is worked on elsewhere:
// the goroutine that waits for the next one keeps a small stack.
func (s *Session) Frame(frame []byte) {
	s.Heard()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed && (s.inFlight >= s.hub.cfg.Limits.InFlight || s.queued > 0 && s.queued+len(frame) > maxQueued) {
		s.wait()
	}
	if s.closed {
		return
	}
	s.inFlight++
	s.queued += len(frame)
	s.queue = append(s.queue, append(make([]byte, 0, len(frame)), frame...))
	if !s.running {
		s.running = true
		go s.run()
	}
}

// wait waits for changed, under s.mu.
func (s *Session) wait() {
	if s.room == nil {
		s.room = sync.NewCond(&s.mu)
	}
	s.room.Wait()
}

// changed wakes who waits, under s.mu.
func (s *Session) changed() {
	if s.room != nil {
		s.room.Broadcast()
	}
}

// Refuse answers a frame that the link could not take.
func (s *Session) Refuse(e *wire.Error) { s.peer.Send(s.errorFrame(nil, e)) }

// Finish waits until everything taken is answered, wait at most.
func (s *Session) Finish(wait time.Duration) {
	late := false
	timeout := time.AfterFunc(wait, func() {
		s.mu.Lock()
		late = true
		s.changed()
		s.mu.Unlock()
	})
	defer timeout.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.inFlight > 0 && !late {
		s.wait()
	}
}

// Closed says that the connection has ended. Calls that were taken are finished; nobody hears of them.
func (s *Session) Closed() {
	s.mu.Lock()
	s.shut()
	seat, watcher := s.seat, s.watcher
	s.mu.Unlock()
	if seat != nil {
		seat.leave()
	}
	if watcher != nil {
		s.hub.cfg.Presence.End(watcher)
	}
	s.hub.remove(s)
}

// run works on the queue, frame by frame, and ends when it is empty.
func (s *Session) run() {
	defer func() {
		// One peer's fault, or ours in serving it, must not end everybody's connection.
		if p := recover(); p != nil {
			s.hub.cfg.Log.Error("call panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			_ = s.peer.Close() // it ends the link's loop
		}
	}()
	for {
		s.mu.Lock()
		if len(s.queue) == 0 {
			s.queue, s.running = nil, false
			s.mu.Unlock()
			return
		}
		frame := s.queue[0]
		s.queue = s.queue[1:]
		s.queued -= len(frame)
		s.changed()
		s.mu.Unlock()
		s.peer.WaitRoom() // who asks for many pages at once gets them as fast as it reads
		if s.isClosed() {
			s.finished() // it was not begun
			continue
		}
		s.handle(frame)
	}
}

func (s *Session) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// finished makes room for another call.
func (s *Session) finished() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done()
}

// done is finished under s.mu. The last call in flight lets an ending connection close.
func (s *Session) done() {
	s.inFlight--
	s.changed()
	if s.ending && s.inFlight == 0 {
		s.peer.CloseAfter(s.last, drainWait)
	}
}

// shut runs nothing more, under s.mu. What was not begun is not in flight.
func (s *Session) shut() {
	s.closed = true
	s.inFlight -= len(s.queue)
	s.queue, s.queued = nil, 0
	s.changed()
}

func (s *Session) handle(frame []byte) {
	req, bad := wire.ParseRequest(frame)
	if bad != nil {
		s.answerError(req.ID, bad)
		return
	}
	if s.isStopped() {
		s.answerError(req.ID, &wire.Error{
			Code: wire.CodeBusy, Message: "the server is restarting: try again in a moment",
			Outcome: wire.OutcomeRetry, RetryAfter: restartHint,
		})
		return
	}
	method, bad := s.hub.cfg.Table.Find(req.Method)
	if bad == nil && req.ID == nil && !method.Notify {
		bad = wire.Errorf(wire.CodeInvalid, "this method is not called without an id")
	}
	if bad != nil {
		s.answerError(req.ID, bad)
		return
	}
	if method.Later() {
		if bad := method.Send(s, req.Params, &pending{s, req.ID}); bad != nil {
			s.answerError(req.ID, bad)
		}
		return
	}
	result, bad := method.Call(context.Background(), s, req.Params)
	switch {
	case req.ID == nil:
		s.finished()
	case bad != nil:
		s.answerError(req.ID, bad)
	default:
		s.answerResult(req.ID, method, result)
	}
}

func (s *Session) answerResult(id jsontext.Value, method *api.Method, result any) {
	payload, err := wire.AppendResult(nil, id, result)
	if err != nil {
		s.hub.cfg.Log.Error("result not encoded", slog.String("method", method.Name), slog.Any("error", err))
		s.answerError(id, api.Error(err))
		return
	}
	s.answer(s.framing.Frame(nil, payload))
}

func (s *Session) answerError(id jsontext.Value, e *wire.Error) { s.answer(s.errorFrame(id, e)) }

func (s *Session) errorFrame(id jsontext.Value, e *wire.Error) []byte {
	return s.framing.Frame(nil, wire.AppendError(nil, id, e))
}

// answer sends an answer; what was held back for it follows.
func (s *Session) answer(frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing:
		s.closing, s.ending, s.last = false, true, append(frame, s.framing.End...)
	case s.holding:
		s.holding = false
		s.peer.Hold(frame)
		s.peer.Send(s.early)
		s.early = nil
	default:
		s.peer.Send(frame)
	}
	s.done()
}

// pending is a call that is answered when its commit is on disk.
type pending struct {
	session *Session
	id      jsontext.Value
}

func (p *pending) Answer(place chat.Place, err error) {
	s := p.session
	var payload []byte
	if err != nil {
		payload = wire.AppendError(nil, p.id, api.Error(err))
	} else {
		payload = wire.AppendPlaceResult(make([]byte, 0, 160), p.id, api.Place(place))
	}
	s.peer.Hold(s.framing.Frame(make([]byte, 0, len(payload)+16), payload))
	s.finished()
}

func (p *pending) Flush() { p.session.peer.Flush() }

// Push sends frames that hold events or notices.
func (s *Session) Push(frames []byte) {
	s.mu.Lock()
	if s.holding {
		if len(s.early) > maxEarly {
			s.mu.Unlock()
			_ = s.peer.Close() // the store is stuck: the client comes back
			return
		}
		s.early = append(s.early, frames...)
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	s.peer.Send(frames)
}

// Checkpoint sends the cursor up to which everything was sent.
func (s *Session) Checkpoint(pos chat.Position) {
	params, err := json.Marshal(wire.Checkpoint{Cursor: s.hub.cfg.Chat.Cursor(s.user(), pos)})
	if err != nil {
		s.hub.cfg.Log.Error("checkpoint not encoded", slog.Any("error", err))
		return
	}
	s.Push(s.framing.Frame(nil, wire.AppendNotification(nil, "checkpoint", params)))
}

// Actor gives who the session's user is.
func (s *Session) Actor() (chat.Actor, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seat == nil {
		return chat.Actor{}, false
	}
	return s.seat.id.Actor(s.remote.Loopback), true
}

// user gives whose session it is, once it is open.
func (s *Session) user() chat.UserID {
	a, _ := s.Actor()
	return a.User
}

// Open signs the connection in. Events that come before its answer is out wait for it.
func (s *Session) Open(ctx context.Context, p *wire.OpenParams) (wire.OpenResult, error) {
	if _, open := s.Actor(); open {
		return wire.OpenResult{}, wire.Errorf(wire.CodeOpen, "this connection has its session")
	}
	if p.Key != "" {
		if err := s.hub.TakesKeys(s.remote.Loopback); err != nil {
			return wire.OpenResult{}, err
		}
		if p.User == "" {
			return wire.OpenResult{}, paramError("user", "user: whom the key acts for")
		}
	}
	id, err := s.hub.Authenticate(ctx, p)
	if err != nil {
		return wire.OpenResult{}, err
	}
	if !s.remote.Loopback && id.Key == nil && s.hub.cfg.Router.SessionsOf(id.User) >= maxSessions && !s.hub.has(id) {
		return wire.OpenResult{}, tooMany(wire.CodeRate, "you are signed in in too many places at a time: sessions.list names them")
	}
	if err := s.hub.checkDevice(&id); err != nil {
		return wire.OpenResult{}, err
	}
	rooms, err := s.hub.roomsOf(ctx, id, p.Rooms)
	if err != nil {
		return wire.OpenResult{}, err
	}
	result, err := s.hub.Opened(ctx, id, 0)
	if err != nil {
		return wire.OpenResult{}, err
	}
	if !s.enter(id, p) {
		return wire.OpenResult{}, errors.New("the connection is closed")
	}
	if err := s.hub.admitLive(ctx, id, p.Device, s.place()); err != nil {
		c := revoked
		if e := api.Error(err); e.Code != wire.CodeRevoked {
			c = wire.Close{Code: string(e.Code), Message: e.Message, RetryAfterMS: e.RetryAfter.Milliseconds()}
		}
		s.revoke(&c)
		return wire.OpenResult{}, err
	}
	// Taken after the session is live: what is not behind the cursor is pushed.
	result.Cursor = s.hub.cfg.Chat.Cursor(id.User, s.hub.cfg.Chat.Position())
	s.hub.enterRooms(ctx, s.seat.live, id.User, rooms)
	if s.remote.SignedIn != nil {
		s.remote.SignedIn()
	}
	return result, nil
}

// enter makes the session live, in place of an older connection of the same session.
func (s *Session) enter(id Admission, p *wire.OpenParams) bool {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return false
	}
	s.holding = true
	// Under the lock, so that Closed comes before all of it or after.
	var old seated
	s.seat, old = s.hub.sit(s, s.framing.Format, s.framing.Link, id, p)
	s.mu.Unlock()
	if old != nil {
		old.replace()
	}
	return true
}

// CloseSession ends the session after the answers to what came before, and its own.
func (s *Session) CloseSession() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	s.seat.going.Store(true)
	s.shut()
	return nil
}

// Ack takes note that the device has kept a cursor.
func (s *Session) Ack(cursor string) error {
	a, _ := s.Actor()
	if !s.hub.cfg.Chat.KnowsCursor(a.User, cursor) {
		return paramError("cursor", "cursor: not one of this user's, or from before the store was restored: call sync")
	}
	s.hub.cfg.Chat.Delivered(a.User, cursor)
	return nil
}

// JoinRoom puts the session into an open room.
func (s *Session) JoinRoom(ctx context.Context, room chat.ConversationID) (wire.RoomResult, error) {
	a, _ := s.Actor()
	if _, err := s.hub.CheckRoom(ctx, a.User, room); err != nil {
		return wire.RoomResult{}, err
	}
	sum, online, err := s.hub.enterRoom(ctx, s.seat.live, a.User, room)
	if err != nil {
		return wire.RoomResult{}, err
	}
	return wire.RoomResult{Room: string(room), HeadSeq: int64(sum.Head), Online: online}, nil
}

// LeaveRoom takes the session out of a room.
func (s *Session) LeaveRoom(room chat.ConversationID) error {
	s.hub.cfg.Router.Leave(s.seat.live, room)
	return nil
}

// check pings a silent peer and closes a dead one.
func (s *Session) check(now time.Time) {
	s.mu.Lock()
	seat := s.seat
	s.mu.Unlock()
	quiet := now.Sub(time.Unix(0, s.heard.Load()))
	switch {
	case seat == nil && now.Sub(s.began) > signInTime:
		s.end(wire.Close{Code: string(wire.CodeSession), Message: "no session was opened for two minutes"})
	case seat != nil && seat.expired(now):
		s.end(expired)
	case quiet > silence:
		s.end(wire.Close{Code: "idle", Message: "nothing came for 75 seconds"})
	case quiet > api.Heartbeat && now.Sub(time.Unix(0, s.pinged.Load())) > api.Heartbeat:
		s.pinged.Store(now.UnixNano())
		s.peer.Send(s.framing.Ping)
	}
}

// restartHint is when clients of a stopping server are to come back.
const restartHint = 2 * time.Second

func (s *Session) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	s.changed()
}

func (s *Session) isStopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

func (s *Session) drain() {
	s.end(restarting())
}

// end closes the connection with last words, once the calls in flight are answered.
func (s *Session) end(c wire.Close) { s.closeWith(s.framing.Goodbye(nil, c)) }

// replace closes the connection silently: its client has made another.
func (s *Session) replace() { s.closeWith(s.framing.End) }

func (s *Session) closeWith(last []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut()
	if s.ending {
		return
	}
	s.ending, s.last = true, last
	if s.inFlight == 0 {
		s.peer.CloseAfter(last, drainWait)
		return
	}
	time.AfterFunc(drainWait, func() { s.peer.CloseAfter(last, drainWait) })
}
