package api

import (
	"context"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/presence"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) typingSet(ctx context.Context, c Caller, p *wire.TypingParams) (wire.Empty, error) {
	return wire.Empty{}, m.chat.Typing(ctx, actor(c), chat.ConversationID(p.Conversation), p.Typing)
}

func (m methods) presenceSet(ctx context.Context, c Caller, p *wire.PresenceSetParams) (wire.Empty, error) {
	if p.State == "" && p.Status == nil {
		return wire.Empty{}, paramErrorf("state", "state, or status, or both")
	}
	if p.State != "" {
		state, ok := presence.ParseState(p.State)
		if !ok {
			return wire.Empty{}, paramErrorf("state", "state: active, away or background")
		}
		if err := c.SetState(state); err != nil {
			return wire.Empty{}, err
		}
	}
	if p.Status != nil {
		return wire.Empty{}, c.Signed().SetStatus(ctx, *p.Status)
	}
	return wire.Empty{}, nil
}

func (m methods) presenceGet(ctx context.Context, c Caller, p *wire.WatchParams) (wire.PresenceResult, error) {
	users, err := watched(p)
	if err != nil {
		return wire.PresenceResult{}, err
	}
	list, err := c.Signed().Presence(ctx, users)
	return wire.PresenceResult{Presence: list}, err
}

func (m methods) presenceSubscribe(ctx context.Context, c Caller, p *wire.WatchParams) (wire.PresenceResult, error) {
	users, err := watched(p)
	if err != nil {
		return wire.PresenceResult{}, err
	}
	return c.Watch(ctx, users)
}

func watched(p *wire.WatchParams) ([]chat.UserID, error) {
	if len(p.Users) == 0 || len(p.Users) > presence.MaxWatched {
		return nil, paramErrorf("users", "users: 1 to %d of them", presence.MaxWatched)
	}
	users := userIDs(p.Users)
	for _, u := range users {
		if err := chat.CheckUserID(u); err != nil {
			return nil, paramErrorf("users", "users: %q: %s", u, Error(err).Message)
		}
	}
	return users, nil
}
