package session

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/linnet-im/linnet/internal/auth"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/presence"
	"github.com/linnet-im/linnet/internal/router"
	"github.com/linnet-im/linnet/wire"
)

// seated is an open session, whatever link it has: its user can see it in the list and
// sign it out, and a new one of the same id replaces it.
type seated interface {
	router.Sink
	place() *seat
	// revoke closes it with the last words that say so.
	revoke(why *wire.Close)
	// replace closes it without a word.
	replace()
}

// seat is an open session's place: in the router, on the board, in its user's list.
type seat struct {
	hub      *Hub
	who      seated
	id       Admission
	device   *wire.Device // as it named itself; nil for none
	client   string
	number   int64 // of the sessions that the hub has seen
	platform string
	link     string
	since    time.Time
	live     *router.Live
	present  *presence.Session

	going atomic.Bool // its user has signed out; the connection is about to end

	mu      sync.Mutex
	tokens  []chat.Token // that it came with, the last one last
	expires time.Time    // the last one; zero: never
}

// maxTokens is how many tokens of a session are remembered for signing it out.
const maxTokens = 32

// sit makes a session live and gives the one that it replaces, nil for none, which the
// caller is to end.
func (h *Hub) sit(who seated, format *router.Format, link string, id Admission, p *wire.OpenParams) (s *seat, old seated) {
	s = &seat{hub: h, who: who, id: id, device: p.Device, client: p.Client, link: link, since: time.Now(), platform: platform(p.Device)}
	if p.Device == nil && id.account != nil {
		if known := id.account.Device(id.Device); known != nil {
			s.platform = known.Platform
		}
	}
	s.live = h.cfg.Router.Add(id.User, format, who, h.cfg.Chat.Position())
	s.renew(id)
	// After it is live: who gets a higher number finds those with a lower one.
	if old, s.number = h.claim(s.key(), who); old != nil {
		s.inherit(old.place())
	}
	if id.Key == nil { // a server key is not its user being there
		s.present = h.cfg.Presence.Enter(id.User, platform(p.Device), id.account.Status)
		h.cfg.Presence.HideSeen(id.User, id.account.HideSeen)
		h.cfg.Chat.SignedIn(id.User, id.device(p.Device))
	}
	s.id.account = nil // it ages
	return s, old
}

func (s *seat) key() sessionKey { return s.id.key() }

// leave ends what sit began.
func (s *seat) leave() {
	s.quit()
	s.hub.release(s.key(), s.who)
	if s.present != nil {
		s.hub.cfg.Chat.Left(s.id.User, s.id.Device)
	}
}

// quit has the session told nothing more, and nobody told that it is there.
func (s *seat) quit() {
	s.hub.cfg.Router.Remove(s.live)
	if s.present != nil {
		s.hub.cfg.Presence.Leave(s.present)
	}
}

// renew notes a token that the session goes on with, and answers whether it is another one.
func (s *seat) renew(id Admission) (another bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expires = id.Expires
	if n := len(s.tokens); n > 0 && s.tokens[n-1].ID == id.Token.ID {
		return false
	}
	s.keep(id.Token)
	return true
}

// inherit takes over the tokens of the session that it replaces: it is the same one to its
// user, who signs out all that it came with.
func (s *seat) inherit(old *seat) {
	old.mu.Lock()
	tokens := slices.Clone(old.tokens)
	old.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.tokens
	s.tokens = tokens
	for _, t := range own {
		s.keep(t)
	}
}

// keep puts a token last, and forgets what is good no more. Under s.mu.
func (s *seat) keep(t chat.Token) {
	now := time.Now().Add(-auth.Leeway)
	s.tokens = append(slices.DeleteFunc(s.tokens, func(o chat.Token) bool {
		return o.ID == t.ID || !o.Expires.IsZero() && o.Expires.Before(now)
	}), t)
	if len(s.tokens) > maxTokens {
		s.tokens = s.tokens[1:]
	}
}

func (s *seat) expired(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.expires.IsZero() && now.After(s.expires.Add(auth.Leeway))
}

// info gives what the list tells of it, but for Current, and the tokens it came with.
func (s *seat) info() (wire.SessionInfo, []chat.Token) {
	i := wire.SessionInfo{
		Session: s.id.Session, Device: s.id.Device, Client: s.client, Link: s.link,
		State: string(s.hub.cfg.Presence.StateOf(s.present)), Since: wire.FormatTime(s.since),
	}
	if s.device != nil {
		i.Platform, i.Name = s.device.Platform, s.device.Name
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return i, slices.Clone(s.tokens)
}

// Slow are the last words to a peer that does not take what it is sent.
var Slow = wire.Close{Code: "slow", Message: "you do not take what you are sent: come back and sync", RetryAfterMS: 1000}

var (
	revoked = wire.Close{Code: string(wire.CodeRevoked), Message: "this session was signed out"}
	expired = wire.Close{Code: string(wire.CodeExpired), Message: "the token has expired: come back with a new one"}
)

func restarting() wire.Close {
	return wire.Close{
		Code: "restarting", Message: "the server is restarting: come back in a moment",
		RetryAfterMS: restartHint.Milliseconds(),
	}
}

func (s *Session) link() string {
	if seat := s.place(); seat != nil {
		return seat.link
	}
	return ""
}

func (s *Session) place() *seat {
	s.mu.Lock() // it is in the router before it has its seat
	defer s.mu.Unlock()
	return s.seat
}

func (s *Session) revoke(why *wire.Close) {
	s.end(*why)
	s.place().quit() // it is told nothing while it waits for its last answers
	time.AfterFunc(RevokedWait, func() { _ = s.peer.Close() })
}
