package api

import (
	"cmp"
	"context"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/presence"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) presenceRows() []*Method {
	return []*Method{
		row(Method{
			Name: "typing.set", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeSend, Notify: true,
			Doc: "Tells the others in a conversation that the caller is writing or recording, or has stopped, by the notification typing. " +
				"It is told at most every two seconds and holds for six; rooms and groups above 500 have none.",
		}, m.typingSet),
		row(Method{
			Name: "presence.set", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeSend, Notify: true,
			Doc: "Says how present this session is, which a live connection can, and what the user's status is.",
		}, m.presenceSet),
		row(Method{
			Name: "presence.get", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Who of these is there. Seen are oneself, who has written to the caller directly, and members of shared groups of up to 500; " +
				"everybody else is answered as offline.",
		}, m.presenceGet),
		row(Method{
			Name: "presence.subscribe", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead, Live: true,
			Doc: "As presence.get, and changes are told by the notification presence until the lease ends: subscribe again before. " +
				"At most 200 users a session.",
		}, m.presenceSubscribe),
		row(Method{
			Name: "presence.unsubscribe", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead, Live: true,
			Doc: "Ends what presence.subscribe began, for these users.",
		}, func(_ context.Context, c Caller, p *wire.WatchParams) (wire.Empty, error) {
			return wire.Empty{}, c.Unwatch(userIDs(p.Users))
		}),
	}
}

func (m methods) typingSet(ctx context.Context, c Caller, p *wire.TypingParams) (wire.Empty, error) {
	kind := chat.TypingKind(cmp.Or(p.Kind, string(chat.TypingText)))
	return wire.Empty{}, m.chat.Typing(ctx, actor(c), chat.ConversationID(p.Conversation), p.Typing, kind)
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
