package api

import (
	"context"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) groupRows() []*Method {
	return []*Method{
		row(Method{
			Name: "members.update", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeManage,
			Doc: "Makes a member of a group an admin or a plain member, which its owner may, or gives a member a nickname, " +
				"which it may itself, and the owner and the admins those below them.",
		}, m.membersUpdate),
		row(Method{
			Name: "members.mute", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeModerate,
			Doc: "Keeps members of a group from speaking, for a time or until it is ended; its owner and admins may, those below them. " +
				"What they send is refused with muted.",
		}, m.membersMute),
		row(Method{
			Name: "members.unmute", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeModerate,
			Doc: "Ends what members.mute began.",
		}, func(ctx context.Context, c Caller, p *wire.MembersChangeParams) (wire.Place, error) {
			return m.change(ctx, c, p, m.chat.UnmuteMembers)
		}),
		row(Method{
			Name: "members.ban", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeModerate,
			Doc: "Removes users from a group and keeps them out of it, for a time or until it is lifted; its owner and admins may, those below them.",
		}, m.membersBan),
		row(Method{
			Name: "members.unban", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeModerate,
			Doc: "Lifts what members.ban began; the users do not come back by it.",
		}, func(ctx context.Context, c Caller, p *wire.MembersChangeParams) (wire.Place, error) {
			return m.change(ctx, c, p, m.chat.UnbanMembers)
		}),
		row(Method{
			Name: "members.bans", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Who is banned from a group, by user id; its owner and admins may ask.",
		}, m.membersBans),
		row(Method{
			Name: "groups.mute", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeModerate,
			Doc: "Lets only the owner, the admins and some others speak in a group, for a time or until it is ended; its owner and admins may.",
		}, m.groupsMute),
		row(Method{
			Name: "groups.unmute", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeModerate,
			Doc: "Ends what groups.mute began.",
		}, func(ctx context.Context, c Caller, p *wire.GroupParams) (wire.Place, error) {
			gc, err := groupCall(p.Conversation, p.ClientID)
			if err != nil {
				return wire.Place{}, err
			}
			place, err := m.chat.UnmuteGroup(ctx, actor(c), gc)
			return Place(place), err
		}),
	}
}

// groupCall checks what every call that changes a group has.
func groupCall(conversation, client string) (chat.GroupCall, error) {
	key, err := clientID(client)
	return chat.GroupCall{Key: key, ClientID: client, Conversation: chat.ConversationID(conversation)}, err
}

// changeOf is groupCall for a call that names users.
func changeOf(conversation, client string, users []string) (chat.ChangeMembers, error) {
	gc, err := groupCall(conversation, client)
	return chat.ChangeMembers{GroupCall: gc, Users: userIDs(users)}, err
}

// instant reads a time that may be absent.
func instant(param, text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, paramErrorf(param, "%s: a time such as 2026-12-31T18:00:00Z", param)
	}
	return &t, nil
}

// endText gives the end of a mute or a ban its wire form, empty for none.
func endText(t time.Time) string {
	if !t.Before(chat.Forever) {
		return ""
	}
	return wire.FormatTime(t)
}

func (m methods) membersUpdate(ctx context.Context, c Caller, p *wire.MemberUpdateParams) (wire.Place, error) {
	gc, err := groupCall(p.Conversation, p.ClientID)
	if err != nil {
		return wire.Place{}, err
	}
	place, err := m.chat.UpdateMember(ctx, actor(c), chat.UpdateMember{
		GroupCall: gc, User: chat.UserID(p.User), Role: (*chat.Role)(p.Role), Nickname: p.Nickname,
	})
	return Place(place), err
}

func (m methods) membersMute(ctx context.Context, c Caller, p *wire.MembersMuteParams) (wire.Place, error) {
	ch, err := changeOf(p.Conversation, p.ClientID, p.Users)
	if err != nil {
		return wire.Place{}, err
	}
	until, err := instant("until", p.Until)
	if err != nil {
		return wire.Place{}, err
	}
	place, err := m.chat.MuteMembers(ctx, actor(c), ch, until)
	return Place(place), err
}

func (m methods) membersBan(ctx context.Context, c Caller, p *wire.MembersBanParams) (wire.Place, error) {
	ch, err := changeOf(p.Conversation, p.ClientID, p.Users)
	if err != nil {
		return wire.Place{}, err
	}
	until, err := instant("until", p.Until)
	if err != nil {
		return wire.Place{}, err
	}
	place, err := m.chat.BanMembers(ctx, actor(c), ch, until, p.Reason)
	return Place(place), err
}

func (m methods) membersBans(ctx context.Context, c Caller, p *wire.MembersParams) (wire.BansResult, error) {
	limit, err := pageLimit(p.Limit, 100)
	if err != nil {
		return wire.BansResult{}, err
	}
	list, more, err := m.chat.Bans(ctx, actor(c), chat.ConversationID(p.Conversation), chat.UserID(p.After), limit)
	if err != nil {
		return wire.BansResult{}, err
	}
	out := wire.BansResult{Bans: make([]wire.Ban, len(list)), More: more}
	for i, b := range list {
		out.Bans[i] = wire.Ban{
			User: string(b.User), By: string(b.By), Time: wire.FormatTime(b.Time), Until: endText(b.Until), Reason: b.Reason,
		}
	}
	return out, nil
}

func (m methods) groupsMute(ctx context.Context, c Caller, p *wire.GroupMuteParams) (wire.Place, error) {
	gc, err := groupCall(p.Conversation, p.ClientID)
	if err != nil {
		return wire.Place{}, err
	}
	until, err := instant("until", p.Until)
	if err != nil {
		return wire.Place{}, err
	}
	place, err := m.chat.MuteGroup(ctx, actor(c), gc, until, userIDs(p.Except))
	return Place(place), err
}
