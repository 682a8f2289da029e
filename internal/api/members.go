package api

import (
	"context"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) memberRows() []*Method {
	return []*Method{
		row(Method{
			Name: "members.list", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Who is in a direct conversation or a group, by user id.",
		}, m.membersList),
		row(Method{
			Name: "members.add", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeManage,
			Doc: "Adds users to a group; every member may, or, as the group's settings say, its owner and admins only. A user who is banned is not added.",
		}, m.membersAdd),
		row(Method{
			Name: "members.remove", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeManage,
			Doc: "Removes users from a group; its owner and admins may, those below them.",
		}, m.membersRemove),
	}
}

func (m methods) membersList(ctx context.Context, c Caller, p *wire.MembersListParams) (wire.MembersResult, error) {
	limit, err := pageLimit(p.Limit, 100)
	if err != nil {
		return wire.MembersResult{}, err
	}
	list, more, err := m.chat.Members(ctx, actor(c), chat.ConversationID(p.Conversation), chat.MembersPage{
		Roles: roles(p.Roles), After: chat.UserID(p.After), Limit: limit,
	})
	if err != nil {
		return wire.MembersResult{}, err
	}
	out := wire.MembersResult{Members: make([]wire.Member, len(list)), More: more}
	for i, row := range list {
		out.Members[i] = wire.Member{User: string(row.User), Role: string(row.Role), ReadSeq: int64(row.ReadSeq)}
		if d := row.Details; d != nil {
			out.Members[i].Nickname, out.Members[i].DeliveredSeq = d.Nickname, int64(d.Delivered)
			out.Members[i].MutedUntil = mutedUntil(d, m.chat.Now())
		}
	}
	return out, nil
}

type changeMembers func(context.Context, chat.Actor, chat.ChangeMembers) (chat.Place, error)

func (m methods) change(ctx context.Context, c Caller, p *wire.MembersChangeParams, change changeMembers) (wire.Place, error) {
	ch, err := changeOf(p.Conversation, p.ClientID, p.Users)
	if err != nil {
		return wire.Place{}, err
	}
	place, err := change(ctx, actor(c), ch)
	return Place(place), err
}

func (m methods) membersAdd(ctx context.Context, c Caller, p *wire.MembersChangeParams) (wire.Place, error) {
	return m.change(ctx, c, p, m.chat.AddMembers)
}

func (m methods) membersRemove(ctx context.Context, c Caller, p *wire.MembersChangeParams) (wire.Place, error) {
	return m.change(ctx, c, p, m.chat.RemoveMembers)
}
