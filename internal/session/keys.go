package session

import (
	"context"
	"log/slog"
	"time"

	"github.com/linnet-im/linnet/internal/auth"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

// keysEvery is how often the keys of live sessions are looked at: on any node, one that was
// revoked on another is found so long after it.
const keysEvery = 2 * time.Second

// TakesKeys says whether server keys are taken from a peer: not in plain text off loopback.
func (h *Hub) TakesKeys(loopback bool) error {
	if h.cfg.PlainLAN && !loopback {
		return wire.Errorf(wire.CodeForbidden, "this is plain text, where anybody can read a server key: use it by TLS or on the server's own machine")
	}
	return nil
}

// keyed says whom a server key acts for: "" for nobody, where the link allows that.
func (h *Hub) keyed(ctx context.Context, p *wire.OpenParams) (auth.Identity, error) {
	key, err := h.cfg.Chat.FindKey(ctx, p.Key)
	if err != nil {
		return auth.Identity{}, err
	}
	return KeyIdentity(key, p.User)
}

// KeyIdentity is a key acting for a user, "" for nobody.
func KeyIdentity(key *chat.Key, user string) (auth.Identity, error) {
	id := auth.Identity{User: chat.UserID(user), Key: key, Expires: key.Expires}
	if user == "" {
		return id, nil
	}
	if id.User.IsGuest() {
		return id, paramError("user", "user: a server key acts for no guest")
	}
	if err := chat.CheckUserID(id.User); err != nil {
		return id, paramError("user", "user: "+err.Error())
	}
	return id, nil
}

func oneOf(texts ...string) bool {
	n := 0
	for _, t := range texts {
		if t != "" {
			n++
		}
	}
	return n == 1
}

func (a *Admission) key() sessionKey {
	k := sessionKey{user: a.User, id: a.Session}
	if a.Key != nil {
		k.key = a.Key.ID
	}
	return k
}

// byKey says whether the session is a server key's.
func (s *seat) byKey() bool { return s.id.Key != nil }

// checkKeys ends the live sessions of keys that are good no more.
func (h *Hub) checkKeys(ctx context.Context) {
	holds := make(map[string]bool)
	for _, m := range h.all() {
		one, ok := m.(seated)
		if !ok || one.place() == nil || !one.place().byKey() {
			continue
		}
		id := one.place().id.Key.ID
		good, known := holds[id]
		if !known {
			var err error
			if good, err = h.cfg.Chat.KeyHolds(ctx, id); err != nil {
				h.cfg.Log.Error("server key not read", slog.String("key", id), slog.Any("error", err))
				good = true // nobody knows: the next look may tell
			}
			holds[id] = good
		}
		if !good {
			one.revoke(&revoked)
		}
	}
}

// SignToken is api.Caller's.
func (s *Session) SignToken(user chat.UserID, name string, life time.Duration) (string, time.Time, error) {
	return s.hub.cfg.Verifier.Sign(user, name, life)
}

// listener is whom the session counts for among those that only listen: a key's do not take
// the places of its user's.
func (a *Admission) listener() chat.UserID {
	if a.Key != nil {
		return a.User + "\x00" + chat.UserID(a.Key.ID)
	}
	return a.User
}
