package api

import (
	"context"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) conversationRows() []*Method {
	return []*Method{
		row(Method{
			Name: "conversations.create", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeManage,
			Doc: "Makes a group or a channel with the caller as owner, or answers the direct conversation with a user. " +
				"A direct conversation is there, with seq 0 until then, once somebody writes in it.",
		}, m.conversationsCreate),
		row(Method{
			Name: "conversations.get", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "A conversation as the caller sees it now.",
		}, m.conversationsGet),
		row(Method{
			Name: "conversations.list", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "The caller's list: pinned conversations first, then by their newest event, then those it has left. Archived and hidden ones are asked for by name. Rooms are not in it.",
		}, m.conversationsList),
		row(Method{
			Name: "conversations.leave", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeManage,
			Doc: "Leaves a group. What the caller could read it still can. After the owner, the one who has been in it longest is the owner.",
		}, m.conversationsLeave),
	}
}

func (m methods) conversationsCreate(ctx context.Context, c Caller, p *wire.CreateParams) (wire.Conversation, error) {
	switch p.Kind {
	case "direct":
		if p.Name != "" || len(p.Members) > 0 || p.History != "" {
			return wire.Conversation{}, paramErrorf("kind", "a direct conversation has no name, members or history: they are for groups")
		}
		sum, err := m.chat.DirectWith(ctx, actor(c), chat.UserID(p.User))
		return conversation(sum, actor(c).User), err
	case "group", "channel":
	default:
		return wire.Conversation{}, paramErrorf("kind", "kind: direct, group or channel")
	}
	if p.User != "" {
		return wire.Conversation{}, paramErrorf("user", "user is for direct conversations; a group has members")
	}
	if p.History != "" && p.History != "joined" && p.History != "all" {
		return wire.Conversation{}, paramErrorf("history", "history: joined or all")
	}
	key, err := clientID(p.ClientID)
	if err != nil {
		return wire.Conversation{}, err
	}
	place, err := m.chat.CreateGroup(ctx, actor(c), chat.CreateGroup{
		Key: key, ClientID: p.ClientID, Name: p.Name, Users: userIDs(p.Members),
		Kind: chat.ConversationKind(p.Kind), SharedPast: p.History == "all" || p.History == "" && p.Kind == "channel",
	})
	if err != nil {
		return wire.Conversation{}, err
	}
	sum, err := m.chat.Conversation(ctx, actor(c), place.Conversation)
	return wholeConversation(sum, actor(c).User), err
}

func (m methods) conversationsGet(ctx context.Context, c Caller, p *wire.ConversationParams) (wire.Conversation, error) {
	sum, err := m.chat.Conversation(ctx, actor(c), chat.ConversationID(p.Conversation))
	return wholeConversation(sum, actor(c).User), err
}

func (m methods) conversationsLeave(ctx context.Context, c Caller, p *wire.GroupParams) (wire.Place, error) {
	gc, err := groupCall(p.Conversation, p.ClientID)
	if err != nil {
		return wire.Place{}, err
	}
	place, err := m.chat.Leave(ctx, actor(c), gc)
	return Place(place), err
}

func conversations(list []chat.Summary, reader chat.UserID) []wire.Conversation {
	out := make([]wire.Conversation, len(list))
	for i := range list {
		out[i] = conversation(list[i], reader)
	}
	return out
}

// conversation gives a summary its wire form.
func conversation(s chat.Summary, reader chat.UserID) wire.Conversation {
	c := &s.Conversation
	out := wire.Conversation{
		ID: string(c.ID), Kind: string(c.Kind), Name: c.Name, Seq: int64(s.Head), AsOfSeq: int64(s.Head),
		Rev: c.Rev, Members: c.Members, Unread: s.Unread, Membership: "open", Reset: s.Reset,
	}
	if s.Joined || s.Whole || c.Kind == chat.Thread {
		out.Count = c.Count
	}
	if c.Kind == chat.Direct {
		other := c.Pair[0]
		if other == reader {
			other = c.Pair[1]
		}
		out.User = string(other)
	}
	if root, ok := c.Root(); ok {
		out.Parent, out.RootSeq = string(root.Conversation), int64(root.Seq)
	}
	if m := s.Member; m != nil && (s.Joined || c.Kind != chat.Thread) {
		out.Membership, out.Role, out.ReadSeq = "joined", string(m.Role), int64(m.ReadSeq)
		if !s.Joined && s.Whole {
			out.Membership = "left"
		} else if !s.Joined {
			out.Membership, out.ToSeq = "left", int64(s.Head)
			out.Members, out.Rev = 0, 0
		}
	}
	for _, p := range s.Pins {
		out.Pins = append(out.Pins, wire.Pin{Seq: int64(p.Seq), By: string(p.By), Time: wire.FormatTime(p.Time)})
	}
	for _, r := range s.Member.HiddenRanges() {
		out.Hidden = append(out.Hidden, [2]int64{int64(r[0]), int64(r[1])})
	}
	if p := prefs(s.Prefs); p != (wire.Prefs{}) {
		out.Prefs = &p
	}
	for _, seq := range s.Mentions {
		out.Mentions = append(out.Mentions, int64(seq))
	}
	if s.Member == nil && s.Whole && c.Kind != chat.Room {
		out.Membership = "none"
	}
	groupState(&out, &s)
	if s.Peer != nil {
		out.PeerReadSeq, out.PeerDeliveredSeq = int64(s.Peer.ReadSeq), int64(s.Peer.Delivered())
	}
	if s.Last != nil {
		out.Last = s.Last.JSON
	}
	if s.Fork != nil {
		fork := int64(*s.Fork)
		out.ForkSeq = &fork
	}
	return out
}
