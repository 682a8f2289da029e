package session

import (
	"context"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/presence"
	"github.com/linnet-im/linnet/wire"
)

func platform(d *wire.Device) string {
	if d == nil {
		return ""
	}
	return d.Platform
}

// Presence answers what a user may see of others, in their order.
func (h *Hub) Presence(ctx context.Context, user chat.UserID, others []chat.UserID) ([]wire.Presence, error) {
	accounts, err := h.accounts(ctx, user, others)
	if err != nil {
		return nil, err
	}
	list := make([]wire.Presence, len(others))
	for i, o := range others {
		if acc := accounts[o]; acc != nil {
			list[i] = h.cfg.Presence.Show(acc)
		} else {
			list[i] = presence.Hidden(o)
		}
	}
	return list, nil
}

// accounts answers the accounts of those whose presence a user may see.
func (h *Hub) accounts(ctx context.Context, user chat.UserID, others []chat.UserID) (map[chat.UserID]*chat.Account, error) {
	known, err := h.cfg.Chat.Acquainted(ctx, user, others)
	if err != nil {
		return nil, err
	}
	accounts := make(map[chat.UserID]*chat.Account, len(known))
	for o := range known {
		if accounts[o], err = h.cfg.Chat.Account(ctx, o); err != nil {
			return nil, err
		}
	}
	return accounts, nil
}

// SetStatus sets a user's status text.
func (h *Hub) SetStatus(ctx context.Context, user chat.UserID, status string) error {
	if err := h.cfg.Chat.SetStatus(ctx, chat.Actor{User: user}, status); err != nil {
		return err
	}
	h.cfg.Presence.SetStatus(user, status)
	return nil
}

// Screen has those watch each other no more who may not see each other any more: the user
// and the others, or, when none are named, all who watch the user.
func (h *Hub) Screen(ctx context.Context, user chat.UserID, others []chat.UserID) error {
	named := others != nil
	if !named {
		others = h.cfg.Presence.WatchersOf(user)
	}
	for _, o := range others {
		sees, err := h.cfg.Chat.Acquainted(ctx, o, []chat.UserID{user})
		if err != nil {
			return err
		}
		if !sees[user] {
			h.cfg.Presence.Part(o, user)
		}
	}
	if !named {
		return nil
	}
	sees, err := h.cfg.Chat.Acquainted(ctx, user, others)
	if err != nil {
		return err
	}
	for _, o := range others {
		if !sees[o] {
			h.cfg.Presence.Part(user, o)
		}
	}
	return nil
}

// SetState says how present this session is.
func (s *Session) SetState(state presence.State) error {
	if s.seat.present == nil {
		return wire.Errorf(wire.CodeForbidden, "a server key is not its user being there")
	}
	s.hub.cfg.Presence.Set(s.seat.present, state)
	return nil
}

// Watch watches users for a lease. Changes told meanwhile wait behind its answer, which
// is what was before them.
func (s *Session) Watch(ctx context.Context, users []chat.UserID) (wire.PresenceResult, error) {
	user := s.user()
	accounts, err := s.hub.accounts(ctx, user, users)
	if err != nil {
		return wire.PresenceResult{}, err
	}
	var seen []*chat.Account
	for _, u := range users {
		if acc := accounts[u]; acc != nil {
			seen = append(seen, acc)
		}
	}
	s.mu.Lock()
	s.holding = true
	if s.watcher == nil && !s.closed {
		s.watcher = s.hub.cfg.Presence.NewWatcher(user, s)
	}
	watcher := s.watcher
	s.mu.Unlock()
	if watcher == nil {
		return wire.PresenceResult{}, nil // closed: nobody hears the answer
	}
	shown, ok := s.hub.cfg.Presence.Watch(watcher, seen)
	if !ok {
		return wire.PresenceResult{}, paramError("users", "users: a session subscribes to at most 200 in all; presence.unsubscribe makes room")
	}
	result := wire.PresenceResult{LeaseMS: presence.Lease.Milliseconds(), Presence: make([]wire.Presence, len(users))}
	for i, u := range users {
		if accounts[u] == nil {
			result.Presence[i] = presence.Hidden(u)
		} else {
			result.Presence[i], shown = shown[0], shown[1:]
		}
	}
	return result, nil
}

// Unwatch ends watching users.
func (s *Session) Unwatch(users []chat.UserID) error {
	s.mu.Lock()
	watcher := s.watcher
	s.mu.Unlock()
	if watcher != nil {
		s.hub.cfg.Presence.Unwatch(watcher, users)
	}
	return nil
}

// Notify sends a notice to this session alone.
func (s *Session) Notify(method string, params []byte) {
	s.Push(s.framing.Format.Notice(nil, method, params))
}

// Signed gives the calls about where the session's user is signed in.
func (s *Session) Signed() api.Signed { return s.hub.Signed(&s.seat.id.Identity) }
