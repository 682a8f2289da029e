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
			Doc: "Makes a member of a group, or anybody in a room, an admin or a plain member, which its owner may, or gives a member a nickname, " +
				"which it may itself, and the owner and the admins those below them.",
		}, m.membersUpdate),
		row(Method{
			Name: "members.mute", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeModerate,
			Doc: "Keeps members of a group, or anybody in a room, from speaking, for a time or until it is ended; its owner and admins may, those below them. " +
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
			Doc: "Removes users from a group or takes them out of a room, which is not there for them any more, and keeps them out of it, for a time or until it is lifted; its owner and admins may, those below them.",
		}, m.membersBan),
		row(Method{
			Name: "members.unban", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeModerate,
			Doc: "Lifts what members.ban began; the users do not come back by it.",
		}, func(ctx context.Context, c Caller, p *wire.MembersChangeParams) (wire.Place, error) {
			return m.change(ctx, c, p, m.chat.UnbanMembers)
		}),
		row(Method{
			Name: "members.bans", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Who is banned from a group or a room, by user id; its owner and admins may ask.",
		}, m.membersBans),
		row(Method{
			Name: "groups.mute", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeModerate,
			Doc: "Lets only the owner, the admins and some others speak in a group or a room, for a time or until it is ended; its owner and admins may.",
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
		row(Method{
			Name: "groups.update", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeManage,
			Doc: "Changes a group's or a room's name, picture and announcement, and a group's attributes, which those may to whom the setting edit gives it, " +
				"or its settings, which its owner and admins may.",
		}, m.groupsUpdate),
		row(Method{
			Name: "groups.transfer", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeManage,
			Doc: "Makes another member the owner of a group, or another user that of a room; its owner may, and becomes an admin.",
		}, func(ctx context.Context, c Caller, p *wire.GroupTransferParams) (wire.Place, error) {
			gc, err := groupCall(p.Conversation, p.ClientID)
			if err != nil {
				return wire.Place{}, err
			}
			place, err := m.chat.Transfer(ctx, actor(c), gc, chat.UserID(p.User))
			return Place(place), err
		}),
		row(Method{
			Name: "groups.dismiss", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeManage,
			Doc: "Closes a group or a room for good; its owner may. Its past can still be read.",
		}, func(ctx context.Context, c Caller, p *wire.GroupParams) (wire.Place, error) {
			gc, err := groupCall(p.Conversation, p.ClientID)
			if err != nil {
				return wire.Place{}, err
			}
			place, err := m.chat.DismissGroup(ctx, actor(c), gc)
			return Place(place), err
		}),
		row(Method{
			Name: "groups.join", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeManage,
			Doc: "Joins a group that is open, or asks to be let into one that takes members by approval; its owner and admins are told by " +
				"the notification group.request. Other groups are not there for who is not in them.",
		}, m.groupsJoin),
		row(Method{
			Name: "groups.requests", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Who waits to be let into a group, by user id; its owner and admins may ask.",
		}, m.groupsRequests),
		row(Method{
			Name: "groups.approve", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeManage,
			Doc: "Lets those in who have asked; the group's owner and admins may. Who has not asked is left out.",
		}, func(ctx context.Context, c Caller, p *wire.MembersChangeParams) (wire.Place, error) {
			return m.change(ctx, c, p, m.chat.Approve)
		}),
		row(Method{
			Name: "groups.reject", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeManage,
			Doc: "Turns requests down; the group's owner and admins may. Those who asked are told by their item group_request.",
		}, func(ctx context.Context, c Caller, p *wire.GroupRejectParams) (wire.Empty, error) {
			return wire.Empty{}, m.chat.Reject(ctx, actor(c), chat.ConversationID(p.Conversation), userIDs(p.Users))
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

func (m methods) groupsUpdate(ctx context.Context, c Caller, p *wire.GroupUpdateParams) (wire.Place, error) {
	gc, err := groupCall(p.Conversation, p.ClientID)
	if err != nil {
		return wire.Place{}, err
	}
	up := chat.UpdateGroup{
		GroupCall: gc, Name: p.Name, Picture: p.Picture, Announcement: p.Announcement, Attributes: p.Attributes,
	}
	if s := p.Settings; s != nil {
		up.Settings = &chat.SettingsChange{
			Join: chat.Join(s.Join), AfterLeave: chat.AfterLeave(s.HistoryAfterLeave), Invite: chat.Who(s.Invite),
			Edit: chat.Who(s.Edit), MentionAll: chat.Who(s.MentionAll), Pin: chat.Who(s.Pin), SlowModeMS: s.SlowModeMS,
		}
		if s.History != "" {
			if s.History != "joined" && s.History != "all" {
				return wire.Place{}, paramErrorf("settings.history", "settings.history: joined or all")
			}
			all := s.History == "all"
			up.Settings.SharedPast = &all
		}
	}
	place, err := m.chat.UpdateGroup(ctx, actor(c), up)
	return Place(place), err
}

func (m methods) groupsJoin(ctx context.Context, c Caller, p *wire.GroupJoinParams) (wire.GroupJoinResult, error) {
	gc, err := groupCall(p.Conversation, p.ClientID)
	if err != nil {
		return wire.GroupJoinResult{}, err
	}
	place, requested, err := m.chat.Join(ctx, actor(c), gc, p.Text)
	if err != nil {
		return wire.GroupJoinResult{}, err
	}
	if requested {
		return wire.GroupJoinResult{State: "waiting"}, nil
	}
	at := Place(place)
	return wire.GroupJoinResult{State: "joined", Place: &at}, nil
}

func (m methods) groupsRequests(ctx context.Context, c Caller, p *wire.MembersParams) (wire.GroupRequestsResult, error) {
	limit, err := pageLimit(p.Limit, 100)
	if err != nil {
		return wire.GroupRequestsResult{}, err
	}
	list, more, err := m.chat.Requests(ctx, actor(c), chat.ConversationID(p.Conversation), chat.UserID(p.After), limit)
	if err != nil {
		return wire.GroupRequestsResult{}, err
	}
	out := wire.GroupRequestsResult{Requests: make([]wire.GroupRequest, len(list)), More: more}
	for i, r := range list {
		out.Requests[i] = wire.GroupRequest{User: string(r.User), Text: r.Text, Time: wire.FormatTime(r.Time)}
	}
	return out, nil
}

func roles(texts []string) []chat.Role {
	list := make([]chat.Role, len(texts))
	for i, t := range texts {
		list[i] = chat.Role(t)
	}
	return list
}

// mutedUntil gives a member's mute its wire form, empty for none that holds at now.
func mutedUntil(d *chat.MemberDetails, now time.Time) string {
	if !now.Before(d.MutedUntil) {
		return ""
	}
	return wire.FormatTime(d.MutedUntil)
}

// groupState writes what is set in a group, as its reader sees it.
func groupState(out *wire.Conversation, s *chat.Summary) {
	c := &s.Conversation
	if c.Kind == chat.Room {
		out.Picture, out.Dismissed = details(c).Picture, c.Dismissed()
		out.MuteAll = muteAll(details(c).MuteAll)
		return
	}
	if !c.Kind.Grouped() || s.Member == nil {
		return
	}
	if d := s.Member.Details; d != nil {
		out.Nickname, out.Erased = d.Nickname, d.Erased && !s.Joined
		if !d.MutedUntil.IsZero() {
			out.MutedUntil = wire.FormatTime(d.MutedUntil)
		}
	}
	if !s.Joined {
		return // what was set since is not for who left
	}
	d := details(c)
	out.Picture, out.Dismissed, out.UpdatedSeq = d.Picture, c.Dismissed(), int64(d.Updated)
	out.MuteAll = muteAll(d.MuteAll)
}

func details(c *chat.Conversation) chat.Details {
	if c.Details == nil {
		return chat.Details{}
	}
	return *c.Details
}

func muteAll(all *chat.MuteAll) *wire.MuteAll {
	if all == nil {
		return nil
	}
	out := &wire.MuteAll{Until: endText(all.Until)}
	for _, u := range all.Except {
		out.Except = append(out.Except, string(u))
	}
	return out
}

// wholeConversation is conversation with what is too long for lists.
func wholeConversation(s chat.Summary, reader chat.UserID) wire.Conversation {
	out := conversation(s, reader)
	if !s.Conversation.Kind.Grouped() || !s.Joined {
		return out
	}
	d := details(&s.Conversation)
	out.Announcement, out.Attributes = d.Announcement, d.Attributes
	whole := d.Settings.Whole()
	out.Settings = &wire.GroupSettings{
		Join: string(whole.Join), History: s.Conversation.History(), HistoryAfterLeave: string(whole.AfterLeave), Invite: string(whole.Invite),
		Edit: string(whole.Edit), MentionAll: string(whole.MentionAll), Pin: string(whole.Pin),
	}
	if whole.SlowModeMS != 0 {
		out.Settings.SlowModeMS = &whole.SlowModeMS
	}
	return out
}
