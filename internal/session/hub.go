// Package session is the state of one peer: who it is, what it asked and is owed, what
// it is told. It sees frames and an outgoing Peer; which link they travel on it does not
// know. The text protocol's sessions are here too: they speak through the same domain.
package session

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/auth"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/presence"
	"github.com/linnet-im/linnet/internal/router"
	"github.com/linnet-im/linnet/wire"
	"github.com/linnet-im/linnet/wire/line"
)

const (
	// silence is how long a session may say nothing before it is closed.
	silence = 3 * api.Heartbeat
	// signInTime is how long a connection may be without a session.
	signInTime = 2 * time.Minute
	// maxSessionID is the longest session id a client may name, in bytes.
	maxSessionID = 64
	// maxRooms is how many rooms a session may be in.
	maxRooms = 16
)

// Config is what a Hub works with.
type Config struct {
	Chat     *chat.Service
	Router   *router.Router
	Presence *presence.Board
	Table    *api.Table
	Verifier *auth.Verifier
	Limits   wire.Limits
	Devices  Devices
	PlainLAN bool // peers off loopback may speak in plain text: no key is taken from them
	// MaxListeners bounds the event streams and pollers that there are.
	MaxListeners int
	Log          *slog.Logger
}

// Hub is all sessions of this node. Its methods may be called concurrently.
type Hub struct {
	cfg     Config
	telling *router.Format
	crowd   crowd

	mu       sync.Mutex
	sessions map[member]struct{}
	byID     map[sessionKey]seated
	seats    int64 // how many there were
	stopped  bool
}

// member is a connection that the hub looks after.
type member interface {
	// check pings, or closes what was silent or without a session too long.
	check(now time.Time)
	// link is the name of its link, "" while no session is open.
	link() string
	// stop takes no more from the peer.
	stop()
	// drain tells the peer to come back and closes.
	drain()
}

type sessionKey struct {
	user chat.UserID
	id   string
	key  string // the server key's id: its sessions are not its user's
}

// NewHub makes a hub. Run looks after its sessions.
func NewHub(cfg Config) *Hub {
	return &Hub{
		cfg: cfg, telling: telling(), crowd: crowd{max: cfg.MaxListeners, of: make(map[chat.UserID]*company)},
		sessions: make(map[member]struct{}), byID: make(map[sessionKey]seated),
	}
}

// Run checks on the sessions every five seconds until ctx ends.
func (h *Hub) Run(ctx context.Context) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	keys := time.NewTicker(keysEvery)
	defer keys.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-keys.C:
			h.checkKeys(ctx)
		case now := <-tick.C:
			for _, s := range h.all() {
				s.check(now)
			}
		}
	}
}

// Stop takes no more frames. What was taken goes on and is answered.
func (h *Hub) Stop() {
	h.mu.Lock()
	h.stopped = true
	h.mu.Unlock()
	for _, s := range h.all() {
		s.stop()
	}
}

// Drain, after Stop, tells every session to come back in a moment and closes it once
// what it is owed has gone out.
func (h *Hub) Drain() {
	for _, s := range h.all() {
		s.drain()
	}
}

// Links answers how many sessions are open, by their links; a link without any has 0.
func (h *Hub) Links() map[string]int {
	links := map[string]int{"tcp": 0, "websocket": 0, "sse": 0, "poll": 0, "text": 0}
	for _, s := range h.all() {
		if link := s.link(); link != "" {
			links[link]++
		}
	}
	return links
}

// Count answers how many connections the hub looks after.
func (h *Hub) Count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.sessions)
}

func (h *Hub) all() []member {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]member, 0, len(h.sessions))
	for s := range h.sessions {
		list = append(list, s)
	}
	return list
}

func (h *Hub) add(s member) {
	h.mu.Lock()
	h.sessions[s] = struct{}{}
	stopped := h.stopped
	h.mu.Unlock()
	if stopped {
		s.drain()
	}
}

func (h *Hub) remove(s member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sessions, s)
}

// claim makes s the session of that id and gives the one it replaces, nil if none, and a number
// above those of all that claimed before.
func (h *Hub) claim(key sessionKey, s seated) (old seated, number int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	old = h.byID[key]
	h.byID[key] = s
	h.seats++
	return old, h.seats
}

// has says whether an identity's session is live: another one of its id replaces it.
func (h *Hub) has(id Admission) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.byID[id.key()] != nil
}

func (h *Hub) release(key sessionKey, s seated) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byID[key] == s {
		delete(h.byID, key)
	}
}

// Admission is an identity that may sign in.
type Admission struct {
	auth.Identity
	account     *chat.Account
	revocations int64 // how many there were when the account was read
}

// device gives what is kept of the device that named itself, nil for none.
func (a *Admission) device(d *wire.Device) *chat.Device {
	if d == nil {
		return nil
	}
	return &chat.Device{ID: d.ID, Platform: d.Platform, Name: d.Name, Token: a.Token}
}

// Authenticate checks who opens a session, by token or as a guest, and gives its
// identity with the session's id and device set. It reads the user's account; who goes
// live with the identity asks StillAdmitted afterwards.
func (h *Hub) Authenticate(ctx context.Context, p *wire.OpenParams) (Admission, error) {
	if err := checkOpen(p); err != nil {
		return Admission{}, err
	}
	id, err := h.identify(ctx, p)
	if err != nil {
		return Admission{}, err
	}
	if p.Session != "" {
		id.Session = p.Session
	}
	if id.Session == "" {
		id.Session = chat.NewID()
	}
	if p.Device != nil {
		id.Device = p.Device.ID
	}
	a := Admission{Identity: id}
	return a, h.admit(ctx, &a)
}

// admit reads the account of a's user and asks it about a's token.
func (h *Hub) admit(ctx context.Context, a *Admission) (err error) {
	a.revocations = h.cfg.Chat.Revocations()
	if a.Key != nil {
		a.account = &chat.Account{User: a.User}
		switch holds, err := h.cfg.Chat.KeyHolds(ctx, a.Key.ID); {
		case err != nil:
			return err
		case !holds:
			return wire.Errorf(wire.CodeRevoked, "the server key was revoked")
		}
		return nil
	}
	if a.Guest {
		a.account = &chat.Account{User: a.User}
		return nil
	}
	if a.account, err = h.cfg.Chat.Admitted(ctx, a.User); err != nil {
		return err
	}
	return a.account.Admits(a.Token, a.Device)
}

// StillAdmitted says whether what was admitted was not signed out meanwhile. It is
// called when the session is live, and so would be closed by what comes after.
func (h *Hub) StillAdmitted(ctx context.Context, a Admission) error {
	if h.cfg.Chat.Revocations() == a.revocations {
		return nil
	}
	return h.admit(ctx, &a)
}

// Actor gives who calls.
func (a *Admission) Actor(loopback bool) chat.Actor {
	return chat.Actor{
		User: a.User, Server: a.Key != nil, Key: a.Key,
		Limited: !loopback && a.Key == nil, Rated: !loopback && a.Key != nil,
	}
}

// admitLive is StillAdmitted for a session that is live now, and has the policy of devices
// hold for it.
func (h *Hub) admitLive(ctx context.Context, a Admission, d *wire.Device, own *seat) error {
	if err := h.StillAdmitted(ctx, a); err != nil {
		return err
	}
	return h.settle(ctx, &a, d, own)
}

// identify says who opens a session, by token, as a guest or by server key.
func (h *Hub) identify(ctx context.Context, p *wire.OpenParams) (auth.Identity, error) {
	var id auth.Identity
	if p.Key != "" {
		return h.keyed(ctx, p)
	}
	if p.Token != "" {
		var err error
		if id, err = h.cfg.Verifier.Verify(p.Token); err != nil {
			return auth.Identity{}, err
		}
		if id.Guest && h.cfg.Chat.Guests() == chat.GuestsOff {
			return auth.Identity{}, guestsOff()
		}
	} else {
		user, err := h.guest(p.Guest)
		if err != nil {
			return auth.Identity{}, err
		}
		id = auth.Identity{User: user, Guest: true}
	}
	return id, nil
}

func guestsOff() error {
	return wire.Errorf(wire.CodeGuests, "guests are not allowed on this server: sign in with a token")
}

// guest gives the user that a guest's name stands for.
func (h *Hub) guest(name string) (chat.UserID, error) {
	if h.cfg.Chat.Guests() == chat.GuestsOff {
		return "", guestsOff()
	}
	clean, err := line.Name(name)
	if err != nil {
		return "", paramError("guest", err.Error())
	}
	user := chat.GuestID(clean)
	if chat.CheckUserID(user) != nil {
		return "", paramError("guest", "a name has at most 128 bytes and no two blanks in a row")
	}
	return user, nil
}

func paramError(param, message string) *wire.Error {
	e := wire.Errorf(wire.CodeParam, "%s", message)
	e.Param = param
	return e
}

func checkOpen(p *wire.OpenParams) error {
	switch {
	case !oneOf(p.Token, p.Guest, p.Key):
		return paramError("token", "one of token, guest and key")
	case p.User != "" && p.Key == "":
		return paramError("user", "user: whom a server key acts for; a token says its user itself")
	case p.Proto != 0 && p.Proto != wire.Proto:
		return paramError("proto", "this server speaks protocol 1")
	case len(p.Session) > maxSessionID:
		return paramError("session", "session: at most 64 bytes")
	case len(p.Client) > 64:
		return paramError("client", "client: at most 64 bytes")
	case len(p.Rooms) > maxRooms:
		return paramError("rooms", "rooms: at most 16")
	}
	if d := p.Device; d != nil {
		switch {
		case d.ID == "" || len(d.ID) > 64:
			return paramError("device.id", "device.id: 1 to 64 bytes")
		case len(d.Platform) > 32:
			return paramError("device.platform", "device.platform: at most 32 bytes")
		case len(d.Name) > 64:
			return paramError("device.name", "device.name: at most 64 bytes")
		}
	}
	return nil
}

// Opened makes the answer to session.open for an identity whose cursor begins at pos.
func (h *Hub) Opened(ctx context.Context, id Admission, pos chat.Position) (wire.OpenResult, error) {
	profiles, err := h.cfg.Chat.Users(ctx, []chat.UserID{id.User})
	if err != nil {
		return wire.OpenResult{}, err
	}
	user := api.User(profiles[0])
	if user.Name == user.ID && id.Name != "" {
		user.Name = id.Name
	}
	return wire.OpenResult{
		User: user, Session: id.Session, Epoch: h.cfg.Chat.Epoch(), Cursor: h.cfg.Chat.Cursor(id.User, pos),
		HeartbeatMS: api.Heartbeat.Milliseconds(), Proto: wire.Proto,
		Features: []string{"direct", "groups", "rooms", "channels", "sync", "checkpoint", "presence", "typing", "sessions", "replies", "mentions", "edit", "recall", "delete", "reactions", "pins", "values", "forward"},
		Limits:   h.cfg.Limits, Time: wire.FormatTime(h.cfg.Chat.Now()),
	}, nil
}

// roomsOf answers the rooms a session begins in. Guests are in the lobby, unless they are
// banned from it.
func (h *Hub) roomsOf(ctx context.Context, id Admission, named []string) ([]chat.ConversationID, error) {
	var rooms []chat.ConversationID
	if id.Guest {
		_, err := h.CheckRoom(ctx, id.User, chat.Lobby)
		var banned *chat.Error
		switch {
		case err == nil:
			rooms = append(rooms, chat.Lobby)
		case !errors.As(err, &banned) || banned.Code != chat.CodeNotFound:
			return nil, err
		}
	}
	for _, name := range named {
		room := chat.ConversationID(name)
		if _, err := h.CheckRoom(ctx, id.User, room); err != nil {
			return nil, err
		}
		if !slices.Contains(rooms, room) {
			rooms = append(rooms, room) // named twice it would be told twice
		}
	}
	return rooms, nil
}

// enterRoom puts a session into a room that was checked, unless it was closed to the user
// meanwhile: who is banned first is found out here, who is banned later is taken out.
func (h *Hub) enterRoom(ctx context.Context, live *router.Live, user chat.UserID, id chat.ConversationID) (sum chat.Summary, online int, err error) {
	online = h.cfg.Router.Join(live, id)
	if sum, err = h.CheckRoom(ctx, user, id); err != nil {
		h.cfg.Router.Leave(live, id)
	}
	return sum, online, err
}

// enterRooms is enterRoom for the rooms that a session begins in.
func (h *Hub) enterRooms(ctx context.Context, live *router.Live, user chat.UserID, rooms []chat.ConversationID) {
	for _, room := range rooms {
		_, _, _ = h.enterRoom(ctx, live, user, room) // what is not for the user it is not told
	}
}

// CheckRoom says whether there is an open room of that id.
func (h *Hub) CheckRoom(ctx context.Context, user chat.UserID, id chat.ConversationID) (chat.Summary, error) {
	sum, err := h.cfg.Chat.Conversation(ctx, chat.Actor{User: user}, id)
	if err != nil {
		return chat.Summary{}, err
	}
	if sum.Conversation.Kind != chat.Room {
		return chat.Summary{}, wire.Errorf(wire.CodeForbidden, "only rooms are joined; groups have members")
	}
	if sum.Conversation.Dismissed() {
		return chat.Summary{}, wire.Errorf(wire.CodeForbidden, "the room was dismissed: its past can be read, nothing else")
	}
	return sum, nil
}
