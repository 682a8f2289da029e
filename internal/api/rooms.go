package api

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) roomRows() []*Method {
	return []*Method{
		row(Method{
			Name: "rooms.create", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeManage,
			Doc: "Makes an open room with the caller as its owner. Whoever knows its id may join, read and speak.",
		}, m.roomsCreate),
		row(Method{
			Name: "rooms.join", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead, Live: true,
			Doc: "This session is in the room until it leaves or ends. Guests are in the lobby from the start.",
		}, m.roomsJoin),
		row(Method{
			Name: "rooms.leave", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead, Live: true,
			Doc: "This session is out of the room.",
		}, func(_ context.Context, c Caller, p *wire.RoomParams) (wire.Empty, error) {
			return wire.Empty{}, c.LeaveRoom(chat.ConversationID(p.Room))
		}),
		row(Method{
			Name: "rooms.get", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "A room as it is now: how many are there and a sample of them, its attributes, likes and rules.",
		}, m.roomsGet),
		row(Method{
			Name: "rooms.set", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeSend,
			Doc: "Sets or removes an attribute of a room, if it is as the caller thinks (if_rev). Those who are in the room are told by the " +
				"notification room.attributes. A room has at most 100.",
		}, m.roomsSet),
		row(Method{
			Name: "rooms.rules", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeManage,
			Doc: "Says whose messages, and of which types, go through however much is being said in a room; its owner and admins may.",
		}, m.roomsRules),
		row(Method{
			Name: "rooms.like", Access: Sessions, Repeat: AtMostOnce, Scope: chat.ScopeSend, Notify: true,
			Doc: "Adds likes to a room. They are added up and told by the notification room.likes, at most once a second.",
		}, m.roomsLike),
	}
}

func (m methods) roomsCreate(ctx context.Context, c Caller, p *wire.RoomCreateParams) (wire.RoomState, error) {
	key, err := clientID(p.ClientID)
	if err != nil {
		return wire.RoomState{}, err
	}
	place, err := m.chat.CreateRoom(ctx, actor(c), key, p.ClientID, p.Name)
	if err != nil {
		return wire.RoomState{}, err
	}
	state, err := m.chat.RoomState(ctx, actor(c), place.Conversation, 0)
	return roomState(state), err
}

const maxLast = 50 // messages that joining answers

func (m methods) roomsJoin(ctx context.Context, c Caller, p *wire.RoomJoinParams) (wire.RoomResult, error) {
	if p.Last < 0 || p.Last > maxLast {
		return wire.RoomResult{}, paramErrorf("last", "last: 0 to %d", maxLast)
	}
	id := chat.ConversationID(p.Room)
	// Joined first: what comes after the list is told.
	out, err := c.JoinRoom(ctx, id)
	if err != nil {
		return wire.RoomResult{}, err
	}
	state, err := m.chat.RoomState(ctx, actor(c), id, 0)
	if err != nil {
		return wire.RoomResult{}, err
	}
	out.HeadSeq, out.Attributes = int64(state.Summary.Head), attributes(state.Attributes)
	if p.Last > 0 {
		before := state.Summary.Head + 1
		l, err := m.chat.List(ctx, actor(c), chat.List{Conversation: id, Before: &before, Limit: p.Last, Messages: true})
		if err != nil {
			return wire.RoomResult{}, err
		}
		out.FromSeq = int64(l.From)
		for _, e := range l.Events {
			out.Events = append(out.Events, jsontext.Value(e.JSON))
		}
	}
	return out, nil
}

func (m methods) roomsGet(ctx context.Context, c Caller, p *wire.RoomGetParams) (wire.RoomState, error) {
	n := p.Sample
	if n == 0 {
		n = 20
	}
	if n < 0 || n > 100 {
		return wire.RoomState{}, paramErrorf("sample", "sample: 1 to 100")
	}
	state, err := m.chat.RoomState(ctx, actor(c), chat.ConversationID(p.Room), n)
	return roomState(state), err
}

// roomState gives a room its wire form.
func roomState(s chat.RoomState) wire.RoomState {
	out := wire.RoomState{
		Room: string(s.Summary.Conversation.ID), Name: s.Summary.Conversation.Name, HeadSeq: int64(s.Summary.Head),
		Online: s.Online, Likes: s.Likes, Sample: []string{}, Attributes: attributes(s.Attributes), Types: s.Rules.Types,
	}
	d := details(&s.Summary.Conversation)
	out.Picture, out.Announcement, out.MuteAll = d.Picture, d.Announcement, muteAll(d.MuteAll)
	out.Dismissed, out.SlowModeMS = s.Summary.Conversation.Dismissed(), d.Settings.SlowModeMS
	for _, st := range d.Staff {
		out.Staff = append(out.Staff, wire.Staff{User: string(st.User), Role: string(st.Role)})
	}
	if s.Summary.Member.Staff() {
		out.Role = string(s.Summary.Member.Role)
	}
	for _, u := range s.Sample {
		out.Sample = append(out.Sample, string(u))
	}
	for _, u := range s.Rules.Users {
		out.Users = append(out.Users, string(u))
	}
	return out
}

func attributes(list []chat.Attribute) []wire.Attribute {
	out := make([]wire.Attribute, len(list))
	for i, a := range list {
		out[i] = wire.Attribute{Key: a.Key, Value: a.Value, Owner: string(a.Owner), Rev: a.Rev, Open: a.Open, Until: a.Until}
	}
	return out
}

func (m methods) roomsSet(ctx context.Context, c Caller, p *wire.AttributeSetParams) (wire.AttributeSetResult, error) {
	rev, err := m.chat.SetAttribute(ctx, actor(c), chat.SetAttribute{
		Room: chat.ConversationID(p.Room), Key: p.Key, Value: p.Value, IfRev: p.IfRev, Open: p.Open, UntilLeft: p.Until,
	})
	return wire.AttributeSetResult{Rev: rev}, err
}

func (m methods) roomsRules(ctx context.Context, c Caller, p *wire.RoomRulesParams) (wire.Empty, error) {
	return wire.Empty{}, m.chat.SetRoomRules(ctx, actor(c), chat.ConversationID(p.Room), chat.RoomRules{Users: userIDs(p.Users), Types: p.Types})
}

func (m methods) roomsLike(ctx context.Context, c Caller, p *wire.LikeParams) (wire.Empty, error) {
	n := p.Likes
	if n == 0 {
		n = 1
	}
	return wire.Empty{}, m.chat.Like(ctx, actor(c), chat.ConversationID(p.Room), n)
}
