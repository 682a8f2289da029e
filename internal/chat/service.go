package chat

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Guests says what users that name themselves may do.
type Guests string

// The guests' modes.
const (
	GuestsOff   Guests = "off"   // nobody names itself
	GuestsLobby Guests = "lobby" // they read and speak in open rooms
	GuestsFull  Guests = "full"  // they are users like others; anybody can claim their name
)

// Limits bounds what callers may do. A zero rate is no limit.
type Limits struct {
	SearchesPerSecond float64 // a user's, on average
	SearchesBurst     int

	SendsPerSecond   float64 // a user's messages, on average
	SendsBurst       int
	RoomSendsPerSec  float64 // a conversation's messages, on average
	RoomSendsBurst   int
	NewRoomsHourly   int // rooms a user may make
	NewDirectsHourly int // direct conversations a user may begin
	JoinsHourly      int // groups a user may join or ask to
	MembersPerCall   int
	GroupMembers     int
	// What a server key may do, on average: calls, each of a bulk call's items being one.
	ReportsHourly     int // of a user
	KeyCallsPerSecond float64
	KeyCallsBurst     int
	CallsKept         time.Duration // how long a client_id is remembered
	EditWindow        time.Duration // how long a sender may edit a message; 0: for ever
	RecallWindow      time.Duration // how long a sender may recall one; 0: for ever
}

// Config configures a Service.
type Config struct {
	Guests Guests
	Limits Limits
	Now    func() time.Time // the clock; nil: time.Now
	// Presence is who is in rooms; nil: nobody is.
	Presence Presence
	// Committed is told of each commit: its operations, and how long it took; nil: nobody is.
	Committed func(operations int, took time.Duration)
}

// Actor is who calls: a user with a session, as the caller has authenticated it, or a
// server key for a user. A key reads conversations whole and acts in groups whether its
// user is in them or not; what it may do at all its scopes say, before the domain is asked.
type Actor struct {
	User    UserID
	Server  bool // a server key acts for the user: rules for people do not hold for it
	Key     *Key // which one; nil for people, and for what a key has had done later
	Rated   bool // the rate of its key holds for it
	Limited bool // rate limits for people hold for it (peers on loopback are not limited)
}

// Service is the domain's front: every use case is a method of it. All methods may be
// called concurrently. Those that take a Reply return at once and answer later; the
// others block on the store. Errors for the caller are *Error.
type Service struct {
	searches searches

	cfg       Config
	store     Store
	bus       Bus
	committer *committer
	rates     rates // used by decide functions, one at a time
	visits    visits
	typings   typings
	private   private
	counts    counts
	delivered delivered
	signals   signals
	streams   streams
	likes     likes
	leavers   leavers
	keyUses   keyUses
	begun     begun

	revocations atomic.Int64
}

// New starts a Service. It makes the lobby if it is not there. Close stops it.
func New(ctx context.Context, cfg Config, store Store, bus Bus) (*Service, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Presence == nil {
		cfg.Presence = nobody{}
	}
	s := &Service{
		cfg: cfg, store: store, bus: bus, rates: newRates(), signals: signals{rates: newRates()},
		streams: streams{open: make(map[EventKey]*stream), rates: newRates()},
		likes:   likes{added: make(map[ConversationID]int64), rates: newRates()},
		leavers: leavers{owes: make(map[MemberKey]bool), left: make(map[MemberKey]bool)},
	}
	err := store.Update(ctx, Keys{Conversations: []ConversationID{Lobby}}, func(r *Rows) *Changes {
		if r.Conversations[Lobby] != nil {
			return &Changes{}
		}
		now := cfg.Now().UTC().Truncate(time.Millisecond)
		return &Changes{Conversations: []*Conversation{{ID: Lobby, Kind: Room, Name: "Lobby", SharedPast: true, Time: now}}}
	})
	if err != nil {
		return nil, fmt.Errorf("make the lobby: %w", err)
	}
	s.committer = newCommitter(store, bus, cfg.Now, cfg.Committed)
	return s, nil
}

// Close commits what waits, refuses what comes after, and returns when every Reply
// that the committer owes is given. It does not close the store.
func (s *Service) Close() {
	// What is not written of a stream was not said to be; it is written all the same.
	_ = s.FlushStreams(context.Background())
	s.committer.close()
}

// Limits gives the limits in force.
func (s *Service) Limits() Limits { return s.cfg.Limits }

// Guests gives the guests' mode in force.
func (s *Service) Guests() Guests { return s.cfg.Guests }

// Now gives the server's time.
func (s *Service) Now() time.Time { return s.cfg.Now() }

// call is the identity of a call that creates something: its key, and a hash of what the caller sent.
type call struct {
	key  CallKey
	hash [16]byte
}

// newCall hashes the parts of what the caller sent, each after its length.
func newCall(user UserID, clientID [16]byte, method string, parts ...string) call {
	h := sha256.New()
	var n [8]byte
	for _, p := range append([]string{method}, parts...) {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	c := call{key: CallKey{User: user, ClientID: clientID}}
	copy(c.hash[:], h.Sum(nil))
	return c
}

// waiter is a Reply that a caller waits on.
type waiter struct {
	place Place
	err   error
	done  chan struct{}
}

func (w *waiter) Answer(p Place, err error) { w.place, w.err = p, err; close(w.done) }
func (w *waiter) Flush()                    {}

// await submits an operation and waits for its answer. The operation goes on when ctx ends.
func (s *Service) await(ctx context.Context, op *operation) (Place, error) {
	w := &waiter{done: make(chan struct{})}
	op.reply = w
	s.committer.submit(op)
	select {
	case <-w.done:
		return w.place, w.err
	case <-ctx.Done():
		return Place{}, notWaited(ctx)
	}
}

func notWaited(ctx context.Context) error {
	return &Error{Code: CodeUnknown, Message: "the caller did not wait; repeat it with the same client_id", Err: ctx.Err()}
}

// readError gives a failed read's error the form callers get.
func readError(err error) error {
	var own *Error
	switch {
	case errors.As(err, &own):
		return err
	case errors.Is(err, ErrNotFound):
		return notFound()
	}
	return &Error{Code: CodeBusy, Message: "the store could not be read", RetryAfter: 2 * time.Second, Err: err}
}

// find answers a conversation, the user's row in it (nil: none) and what the caller may
// read of it: a server key all of it. What the caller may not see at all is not found.
func (s *Service) find(ctx context.Context, a Actor, id ConversationID) (*Conversation, *Member, []Span, error) {
	c, err := s.store.Conversation(ctx, id)
	if err != nil {
		return nil, nil, nil, readError(err)
	}
	var m *Member
	if c.Kind != Room || c.details().Rows { // of a room, there are rows of its staff and of who is muted
		// Read after the conversation: a span that was closed in between is seen closed.
		row, err := s.store.Member(ctx, MemberKey{id, a.User})
		switch {
		case err == nil:
			m = &row
		case !a.Server && c.Kind != Thread && c.Kind != Room || !errors.Is(err, ErrNotFound):
			return nil, nil, nil, readError(err)
		}
	}
	if a.Server {
		return &c, m, c.whole(), nil
	}
	spans, err := s.readable(ctx, a.User, &c, m)
	if err != nil {
		return nil, nil, nil, err
	}
	if spans == nil {
		return nil, nil, nil, notFound()
	}
	return &c, m, spans, nil
}
