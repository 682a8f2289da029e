package api

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) inboxRows() []*Method {
	return []*Method{
		row(Method{
			Name: "conversations.unread", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "What the caller has not read, of all its conversations in one call: for a badge.",
		}, m.conversationsUnread),
		row(Method{
			Name: "prefs.set", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeSend,
			Doc: "Changes what the caller has chosen about a conversation in its own list. Its devices are told by the notification prefs and by sync, nobody else is.",
		}, m.prefsSet),
		row(Method{
			Name: "prefs.order", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeSend,
			Doc: "Puts the caller's pinned conversations in an order, and answers it. Those that are not named stay behind; what is not pinned is passed over.",
		}, m.pinsOrder),
		row(Method{
			Name: "drafts.set", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeSend,
			Doc: "Keeps what the caller has begun to write in a conversation, for its other devices: the item draft. A message of the caller's there ends it, and tells of that.",
		}, m.draftsSet),
	}
}

func prefs(p chat.Prefs) wire.Prefs {
	out := wire.Prefs{Pinned: p.Pinned, Archived: p.Archived, Unread: p.Unread, Notify: p.Notify}
	if p.HiddenAt > 0 {
		count := p.HiddenAt - 1
		out.HiddenCount = &count
	}
	if !p.NotifyUntil.IsZero() {
		out.NotifyUntil = wire.FormatTime(p.NotifyUntil)
	}
	return out
}

// timeOf reads a time that a peer has written; the zero time for none.
func timeOf(param, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, paramErrorf(param, "%s: a time such as 2026-11-25T08:00:00.000Z", param)
	}
	return t.UTC().Truncate(time.Millisecond), nil
}

func (m methods) prefsSet(ctx context.Context, c Caller, p *wire.PrefsSetParams) (wire.PrefsNotice, error) {
	ch := chat.PrefsChange{Pinned: p.Pinned, Archived: p.Archived, Hidden: p.Hidden, Unread: p.Unread}
	if p.Notify != "" {
		ch.Notify = &p.Notify
	}
	var err error
	if ch.NotifyUntil, err = timeOf("notify_until", p.NotifyUntil); err != nil {
		return wire.PrefsNotice{}, err
	}
	now, err := m.chat.SetPrefs(ctx, actor(c), chat.ConversationID(p.Conversation), ch)
	return wire.PrefsNotice{Conversation: p.Conversation, Prefs: prefs(now)}, err
}

func (m methods) pinsOrder(ctx context.Context, c Caller, p *wire.PinsParams) (wire.PinsParams, error) {
	order := make([]chat.ConversationID, len(p.Conversations))
	for i, id := range p.Conversations {
		order[i] = chat.ConversationID(id)
	}
	now, err := m.chat.OrderPins(ctx, actor(c), order)
	out := wire.PinsParams{Conversations: make([]string, len(now))}
	for i, id := range now {
		out.Conversations[i] = string(id)
	}
	return out, err
}

func (m methods) draftsSet(ctx context.Context, c Caller, p *wire.DraftParams) (wire.DraftResult, error) {
	at, err := timeOf("time", p.Time)
	if err != nil {
		return wire.DraftResult{}, err
	}
	if len(p.Content) > 0 {
		if p.Content.Kind() != '{' {
			return wire.DraftResult{}, paramErrorf("content", "content: an object")
		}
		if err := p.Content.Compact(); err != nil {
			return wire.DraftResult{}, paramErrorf("content", "content: an object")
		}
	}
	var content json.RawMessage
	if len(p.Content) > 0 {
		content = json.RawMessage(p.Content)
	}
	kept, err := m.chat.SetDraft(ctx, actor(c), chat.ConversationID(p.Conversation), content, at)
	return wire.DraftResult{Kept: kept}, err
}

func (m methods) conversationsUnread(ctx context.Context, c Caller, _ *wire.Empty) (wire.UnreadResult, error) {
	u, err := m.chat.Unread(ctx, actor(c))
	out := wire.UnreadResult{
		Total: u.Total, Kinds: []wire.UnreadKind{}, Muted: u.Muted, Archived: u.Archived, Mentions: u.Mentions, Marked: u.Marked, More: u.More,
	}
	for _, kind := range slices.Sorted(maps.Keys(u.Kinds)) {
		out.Kinds = append(out.Kinds, wire.UnreadKind{Kind: string(kind), Unread: u.Kinds[kind]})
	}
	return out, err
}

func (m methods) conversationsList(ctx context.Context, c Caller, p *wire.InboxParams) (wire.ConversationsResult, error) {
	limit, err := pageLimit(p.Limit, 100)
	if err != nil {
		return wire.ConversationsResult{}, err
	}
	list, page, err := m.chat.Conversations(ctx, actor(c), chat.Inbox{
		Kind: chat.ConversationKind(p.Kind), Archived: p.Archived, Hidden: p.Hidden, Unread: p.Unread, Page: p.Page, Limit: limit,
	})
	return wire.ConversationsResult{Conversations: conversations(list, actor(c).User), Page: page}, err
}
