package api

import (
	"context"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) peopleRows() []*Method {
	return []*Method{
		row(Method{
			Name: "settings.get", Access: Users, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "What the caller has chosen about being reached and seen, with what holds where nothing was chosen.",
		}, func(ctx context.Context, c Caller, _ *wire.Empty) (wire.Settings, error) {
			s, err := m.chat.Settings(ctx, actor(c))
			return settings(s), err
		}),
		row(Method{
			Name: "settings.set", Access: Users, Repeat: ByNature, Scope: chat.ScopeManage,
			Doc: "Changes the settings that are given and answers all. The caller's devices are told by the item settings.",
		}, m.settingsSet),
		row(Method{
			Name: "blocks.add", Access: Users, Repeat: ByNature, Scope: chat.ScopeManage,
			Doc: "Blocks a user: what it sends to the caller directly is answered not_accepted, and neither sees the other's presence, typing or " +
				"read positions. Groups go on as they are, but the caller is not told that it types there, nor notified of what it says. At most 2,000.",
		}, func(ctx context.Context, c Caller, p *wire.UserParams) (wire.Empty, error) {
			if err := m.chat.Block(ctx, actor(c), chat.UserID(p.User)); err != nil {
				return wire.Empty{}, err
			}
			return wire.Empty{}, c.Signed().Screen(ctx, []chat.UserID{chat.UserID(p.User)})
		}),
		row(Method{
			Name: "blocks.remove", Access: Users, Repeat: ByNature, Scope: chat.ScopeManage,
			Doc: "Ends blocks.add.",
		}, func(ctx context.Context, c Caller, p *wire.UserParams) (wire.Empty, error) {
			return wire.Empty{}, m.chat.Unblock(ctx, actor(c), chat.UserID(p.User))
		}),
		row(Method{
			Name: "blocks.list", Access: Users, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Whom the caller has blocked, by user id.",
		}, m.blocksList),
	}
}

func settings(s chat.UserSettings) wire.Settings {
	out := wire.Settings{
		Contact: s.Contact, FriendRequests: s.FriendRequests, Presence: s.Presence, LastSeen: s.LastSeen, Receipts: s.Receipts,
	}
	if q := s.QuietHours; q != nil && len(q.Ranges) > 0 {
		out.QuietHours = &wire.QuietHours{TimeZone: q.TimeZone}
		for _, r := range q.Ranges {
			out.QuietHours.Ranges = append(out.QuietHours.Ranges, wire.QuietRange(r))
		}
	}
	return out
}

func (m methods) settingsSet(ctx context.Context, c Caller, p *wire.SettingsParams) (wire.Settings, error) {
	chosen := chat.UserSettings{
		Contact: p.Contact, FriendRequests: p.FriendRequests, Presence: p.Presence, LastSeen: p.LastSeen, Receipts: p.Receipts,
	}
	if p.QuietHours != nil {
		chosen.QuietHours = &chat.QuietHours{TimeZone: p.QuietHours.TimeZone}
		for _, r := range p.QuietHours.Ranges {
			chosen.QuietHours.Ranges = append(chosen.QuietHours.Ranges, chat.QuietRange(r))
		}
	}
	s, err := m.chat.SetSettings(ctx, actor(c), chosen)
	if err != nil {
		return wire.Settings{}, err
	}
	c.Signed().HideSeen(s.LastSeen == chat.LastSeenHidden)
	return settings(s), c.Signed().Screen(ctx, nil)
}

func (m methods) blocksList(ctx context.Context, c Caller, p *wire.AfterParams) (wire.BlocksResult, error) {
	limit, err := pageLimit(p.Limit, 100)
	if err != nil {
		return wire.BlocksResult{}, err
	}
	list, more, err := m.chat.Blocks(ctx, actor(c), chat.UserID(p.After), limit)
	if err != nil {
		return wire.BlocksResult{}, err
	}
	out := wire.BlocksResult{Blocks: make([]wire.Block, len(list)), More: more}
	for i, b := range list {
		out.Blocks[i] = wire.Block{User: string(b.User), Since: wire.FormatTime(b.Since)}
	}
	return out, nil
}
