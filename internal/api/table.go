package api

import (
	"context"
	stdjson "encoding/json"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

// methods implement the rows on the domain.
type methods struct{ chat *chat.Service }

// New makes the table on a domain.
func New(service *chat.Service) *Table {
	m := methods{chat: service}
	t := &Table{byName: make(map[string]*Method)}
	t.methods = []*Method{
		row(Method{
			Name: "session.open", Access: Anybody, Repeat: ByNature,
			Doc: "Signs in, with a token or as a guest. From its answer on the session is told what its user may see.",
		}, func(ctx context.Context, c Caller, p *wire.OpenParams) (wire.OpenResult, error) {
			return c.Open(ctx, p)
		}),
		row(Method{
			Name: "session.close", Access: Sessions, Repeat: ByNature, Live: true,
			Doc: "Ends the session; the answer is the connection's last frame. Calls sent behind it are not run.",
		}, func(_ context.Context, c Caller, _ *wire.Empty) (wire.Empty, error) {
			return wire.Empty{}, c.CloseSession()
		}),
		row(Method{
			Name: "session.ack", Access: Sessions, Repeat: ByNature, Notify: true, Live: true,
			Doc: "Says that a checkpoint's cursor, and all before it, is kept on the device.",
		}, func(_ context.Context, c Caller, p *wire.AckParams) (wire.Empty, error) {
			return wire.Empty{}, c.Ack(p.Cursor)
		}),
		row(Method{
			Name: "ping", Access: Anybody, Repeat: ByNature, Notify: true,
			Doc: "Is answered at once: proof that the connection lives. Any traffic counts as a heartbeat.",
		}, func(context.Context, Caller, *wire.Empty) (wire.Empty, error) { return wire.Empty{}, nil }),
		row(Method{
			Name: "users.get", Access: Sessions, Repeat: ByNature,
			Doc: "Profiles by exact id, in the order asked. An id nobody has used is answered like the others.",
		}, m.usersGet),
		row(Method{
			Name: "users.update", Access: Users, Repeat: ByNature,
			Doc: "Sets the caller's own name.",
		}, m.usersUpdate),
		row(Method{
			Name: "conversations.create", Access: Sessions, Repeat: ByClientID,
			Doc: "Makes a group with the caller as owner, or answers the direct conversation with a user. " +
				"A direct conversation is there, with seq 0 until then, once somebody writes in it.",
		}, m.conversationsCreate),
		row(Method{
			Name: "conversations.get", Access: Sessions, Repeat: ByNature,
			Doc: "A conversation as the caller sees it now.",
		}, m.conversationsGet),
		row(Method{
			Name: "conversations.list", Access: Sessions, Repeat: ByNature,
			Doc: "The caller's conversations, newest first. Rooms are not in it.",
		}, m.conversationsList),
		row(Method{
			Name: "conversations.leave", Access: Sessions, Repeat: ByClientID,
			Doc: "Leaves a group. What the caller could read it still can. After the owner, the one who has been in it longest is the owner.",
		}, m.conversationsLeave),
		row(Method{
			Name: "members.list", Access: Sessions, Repeat: ByNature,
			Doc: "Who is in a direct conversation or a group, by user id.",
		}, m.membersList),
		row(Method{
			Name: "members.add", Access: Sessions, Repeat: ByClientID,
			Doc: "Adds users to a group; every member may.",
		}, m.membersAdd),
		row(Method{
			Name: "members.remove", Access: Sessions, Repeat: ByClientID,
			Doc: "Removes users from a group; its owner may.",
		}, m.membersRemove),
		laterRow(Method{
			Name: "messages.send", Access: Sessions, Repeat: ByClientID,
			Doc: "Sends a message. The answer comes when it is on disk, with its seq. " +
				"One caller's sends into a conversation are stored in the order they came.",
		}, m.messagesSend),
		row(Method{
			Name: "messages.list", Access: Sessions, Repeat: ByNature,
			Doc: "Events of a conversation in seq order, as they are now. The newest when neither after_seq nor before_seq is given.",
		}, m.messagesList),
		row(Method{
			Name: "messages.read", Access: Sessions, Repeat: ByNature,
			Doc: "Moves the caller's read position up. Members of conversations of up to 100 are told by the notification read.",
		}, m.messagesRead),
		row(Method{
			Name: "rooms.join", Access: Sessions, Repeat: ByNature, Live: true,
			Doc: "This session is in the room until it leaves or ends. Guests are in the lobby from the start.",
		}, m.roomsJoin),
		row(Method{
			Name: "rooms.leave", Access: Sessions, Repeat: ByNature, Live: true,
			Doc: "This session is out of the room.",
		}, func(_ context.Context, c Caller, p *wire.RoomParams) (wire.Empty, error) {
			return wire.Empty{}, c.LeaveRoom(chat.ConversationID(p.Room))
		}),
		row(Method{
			Name: "typing.set", Access: Sessions, Repeat: ByNature, Notify: true,
			Doc: "Tells the others in a conversation that the caller is writing, or has stopped, by the notification typing. " +
				"It is told at most every two seconds and holds for six; rooms and groups above 500 have none.",
		}, m.typingSet),
		row(Method{
			Name: "presence.set", Access: Sessions, Repeat: ByNature, Notify: true,
			Doc: "Says how present this session is, which a live connection can, and what the user's status is.",
		}, m.presenceSet),
		row(Method{
			Name: "presence.get", Access: Sessions, Repeat: ByNature,
			Doc: "Who of these is there. Seen are oneself, who has written to the caller directly, and members of shared groups of up to 500; " +
				"everybody else is answered as offline.",
		}, m.presenceGet),
		row(Method{
			Name: "presence.subscribe", Access: Sessions, Repeat: ByNature, Live: true,
			Doc: "As presence.get, and changes are told by the notification presence until the lease ends: subscribe again before. " +
				"At most 200 users a session.",
		}, m.presenceSubscribe),
		row(Method{
			Name: "presence.unsubscribe", Access: Sessions, Repeat: ByNature, Live: true,
			Doc: "Ends what presence.subscribe began, for these users.",
		}, func(_ context.Context, c Caller, p *wire.WatchParams) (wire.Empty, error) {
			return wire.Empty{}, c.Unwatch(userIDs(p.Users))
		}),
		row(Method{
			Name: "sessions.list", Access: Users, Repeat: ByNature,
			Doc: "Where the caller is connected now, and the devices it has signed in on.",
		}, func(ctx context.Context, c Caller, _ *wire.Empty) (wire.SessionsResult, error) {
			return c.Signed().Sessions(ctx)
		}),
		row(Method{
			Name: "sessions.revoke", Access: Users, Repeat: ByNature,
			Doc: "Signs a live session of the caller out: its connection closes, its token is refused from now on, on every device.",
		}, func(ctx context.Context, c Caller, p *wire.SessionParams) (wire.RevokeResult, error) {
			return c.Signed().RevokeSession(ctx, p.Session)
		}),
		row(Method{
			Name: "devices.revoke", Access: Users, Repeat: ByNature,
			Doc: "Signs a device of the caller out, connected or not: its sessions close, and tokens made up to now are refused on it.",
		}, func(ctx context.Context, c Caller, p *wire.DeviceParams) (wire.RevokeResult, error) {
			return c.Signed().RevokeDevice(ctx, p.Device)
		}),
		row(Method{
			Name: "sessions.revoke_others", Access: Users, Repeat: ByNature,
			Doc: "Signs the caller out everywhere but here: all its other sessions close, and every token made up to now is refused but the one in use here.",
		}, func(ctx context.Context, c Caller, _ *wire.Empty) (wire.RevokeResult, error) {
			return c.Signed().RevokeOthers(ctx)
		}),
		row(Method{
			Name: "sync", Access: Sessions, Repeat: ByNature,
			Doc: "What changed for the caller since a cursor, newest first, in pages. The new cursor comes with the last page.",
		}, m.sync),
	}
	for _, row := range t.methods {
		t.byName[row.Name] = row
	}
	return t
}

// actor is for rows whose access needs a session: it has been checked.
func actor(c Caller) chat.Actor {
	a, _ := c.Actor()
	return a
}

func (m methods) usersGet(ctx context.Context, _ Caller, p *wire.UsersGetParams) (wire.UsersResult, error) {
	if len(p.IDs) == 0 || len(p.IDs) > 100 {
		return wire.UsersResult{}, paramErrorf("ids", "ids: 1 to 100 of them")
	}
	list, err := m.chat.Users(ctx, userIDs(p.IDs))
	if err != nil {
		return wire.UsersResult{}, err
	}
	out := wire.UsersResult{Users: make([]wire.User, len(list))}
	for i, u := range list {
		out.Users[i] = User(u)
	}
	return out, nil
}

func (m methods) usersUpdate(ctx context.Context, c Caller, p *wire.UsersUpdateParams) (wire.User, error) {
	u, err := m.chat.UpdateUser(ctx, actor(c), p.Name)
	return User(u), err
}

// User gives a profile its wire form.
func User(p chat.Profile) wire.User {
	return wire.User{ID: string(p.ID), Name: p.Name, Guest: p.Guest}
}

func userIDs(texts []string) []chat.UserID {
	ids := make([]chat.UserID, len(texts))
	for i, t := range texts {
		ids[i] = chat.UserID(t)
	}
	return ids
}

func (m methods) conversationsCreate(ctx context.Context, c Caller, p *wire.CreateParams) (wire.Conversation, error) {
	switch p.Kind {
	case "direct":
		if p.Name != "" || len(p.Members) > 0 || p.History != "" {
			return wire.Conversation{}, paramErrorf("kind", "a direct conversation has no name, members or history: they are for groups")
		}
		sum, err := m.chat.DirectWith(ctx, actor(c), chat.UserID(p.User))
		return conversation(sum, actor(c).User), err
	case "group":
	default:
		return wire.Conversation{}, paramErrorf("kind", "kind: direct or group")
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
		Key: key, ClientID: p.ClientID, Name: p.Name, Users: userIDs(p.Members), SharedPast: p.History == "all",
	})
	if err != nil {
		return wire.Conversation{}, err
	}
	sum, err := m.chat.Conversation(ctx, actor(c), place.Conversation)
	return conversation(sum, actor(c).User), err
}

func (m methods) conversationsGet(ctx context.Context, c Caller, p *wire.ConversationParams) (wire.Conversation, error) {
	sum, err := m.chat.Conversation(ctx, actor(c), chat.ConversationID(p.Conversation))
	return conversation(sum, actor(c).User), err
}

func (m methods) conversationsList(ctx context.Context, c Caller, p *wire.PageParams) (wire.ConversationsResult, error) {
	limit, err := pageLimit(p.Limit, 100)
	if err != nil {
		return wire.ConversationsResult{}, err
	}
	list, page, err := m.chat.Conversations(ctx, actor(c), p.Page, limit)
	return wire.ConversationsResult{Conversations: conversations(list, actor(c).User), Page: page}, err
}

func (m methods) conversationsLeave(ctx context.Context, c Caller, p *wire.LeaveParams) (wire.Place, error) {
	key, err := clientID(p.ClientID)
	if err != nil {
		return wire.Place{}, err
	}
	place, err := m.chat.Leave(ctx, actor(c), key, p.ClientID, chat.ConversationID(p.Conversation))
	return Place(place), err
}

func (m methods) membersList(ctx context.Context, c Caller, p *wire.MembersParams) (wire.MembersResult, error) {
	limit, err := pageLimit(p.Limit, 100)
	if err != nil {
		return wire.MembersResult{}, err
	}
	list, more, err := m.chat.Members(ctx, actor(c), chat.ConversationID(p.Conversation), chat.UserID(p.After), limit)
	if err != nil {
		return wire.MembersResult{}, err
	}
	out := wire.MembersResult{Members: make([]wire.Member, len(list)), More: more}
	for i, row := range list {
		out.Members[i] = wire.Member{User: string(row.User), Role: string(row.Role), ReadSeq: int64(row.ReadSeq)}
	}
	return out, nil
}

type changeMembers func(context.Context, chat.Actor, chat.ChangeMembers) (chat.Place, error)

func (m methods) change(ctx context.Context, c Caller, p *wire.MembersChangeParams, change changeMembers) (wire.Place, error) {
	key, err := clientID(p.ClientID)
	if err != nil {
		return wire.Place{}, err
	}
	place, err := change(ctx, actor(c), chat.ChangeMembers{
		Key: key, ClientID: p.ClientID, Conversation: chat.ConversationID(p.Conversation), Users: userIDs(p.Users),
	})
	return Place(place), err
}

func (m methods) membersAdd(ctx context.Context, c Caller, p *wire.MembersChangeParams) (wire.Place, error) {
	return m.change(ctx, c, p, m.chat.AddMembers)
}

func (m methods) membersRemove(ctx context.Context, c Caller, p *wire.MembersChangeParams) (wire.Place, error) {
	return m.change(ctx, c, p, m.chat.RemoveMembers)
}

func (m methods) messagesSend(c Caller, p *wire.SendParams, reply chat.Reply) error {
	if (p.To.User == "") == (p.To.Conversation == "") {
		return paramErrorf("to", "to: either user or conversation")
	}
	key, err := clientID(p.ClientID)
	if err != nil {
		return err
	}
	content, err := checkContent(p.Content)
	if err != nil {
		return err
	}
	m.chat.Send(actor(c), chat.Send{
		ToUser: chat.UserID(p.To.User), Conversation: chat.ConversationID(p.To.Conversation),
		ClientID: p.ClientID, Key: key, Once: true,
		Content: stdjson.RawMessage(content), KeepUnread: p.Read != nil && !*p.Read,
	}, reply)
	return nil
}

func (m methods) messagesList(ctx context.Context, c Caller, p *wire.ListParams) (wire.ListResult, error) {
	limit, err := pageLimit(p.Limit, 50)
	if err != nil {
		return wire.ListResult{}, err
	}
	if p.AfterSeq != nil && p.BeforeSeq != nil {
		return wire.ListResult{}, paramErrorf("before_seq", "at most one of after_seq and before_seq")
	}
	if p.View != "" && p.View != "log" && p.View != "messages" {
		return wire.ListResult{}, paramErrorf("view", "view: log or messages")
	}
	after, err := seqOf("after_seq", p.AfterSeq)
	if err != nil {
		return wire.ListResult{}, err
	}
	before, err := seqOf("before_seq", p.BeforeSeq)
	if err != nil {
		return wire.ListResult{}, err
	}
	listed, err := m.chat.List(ctx, actor(c), chat.List{
		Conversation: chat.ConversationID(p.Conversation), After: after, Before: before,
		Limit: limit, Messages: p.View == "messages",
	})
	if err != nil {
		return wire.ListResult{}, err
	}
	out := wire.ListResult{
		Conversation: p.Conversation, FromSeq: int64(listed.From), ToSeq: int64(listed.To),
		HeadSeq: int64(listed.Head), Events: make([]jsontext.Value, len(listed.Events)),
	}
	for i, e := range listed.Events {
		out.Events[i] = e.JSON
	}
	return out, nil
}

// maxSeq is the highest seq a JSON number holds exactly.
const maxSeq = 1<<53 - 1

func seqOf(param string, n *int64) (*chat.Seq, error) {
	if n == nil {
		return nil, nil
	}
	if *n < 0 || *n > maxSeq {
		return nil, paramErrorf(param, "%s: 0 to 2^53-1", param)
	}
	seq := chat.Seq(*n)
	return &seq, nil
}

func (m methods) messagesRead(ctx context.Context, c Caller, p *wire.ReadParams) (wire.ReadResult, error) {
	seq, err := seqOf("seq", &p.Seq)
	if err != nil {
		return wire.ReadResult{}, err
	}
	read, unread, err := m.chat.MarkRead(ctx, actor(c), chat.ConversationID(p.Conversation), *seq)
	return wire.ReadResult{Conversation: p.Conversation, ReadSeq: int64(read), Unread: unread}, err
}

func (m methods) roomsJoin(ctx context.Context, c Caller, p *wire.RoomParams) (wire.RoomResult, error) {
	return c.JoinRoom(ctx, chat.ConversationID(p.Room))
}

func (m methods) sync(ctx context.Context, c Caller, p *wire.SyncParams) (wire.SyncResult, error) {
	limit, err := pageLimit(p.Limit, 100)
	if err != nil {
		return wire.SyncResult{}, err
	}
	if p.Cursor != "" && p.Page != "" {
		return wire.SyncResult{}, paramErrorf("page", "at most one of cursor and page")
	}
	s, err := m.chat.Sync(ctx, actor(c), p.Cursor, p.Page, limit)
	if err != nil {
		return wire.SyncResult{}, err
	}
	out := wire.SyncResult{
		Epoch: m.chat.Epoch(), Reset: s.Reset, Page: s.Page, Cursor: s.Cursor,
		Conversations: conversations(s.Conversations, actor(c).User),
	}
	if s.User != nil {
		u := User(*s.User)
		out.User = &u
	}
	return out, nil
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
	if s.Joined {
		out.Count = c.Count
	}
	if c.Kind == chat.Direct {
		other := c.Pair[0]
		if other == reader {
			other = c.Pair[1]
		}
		out.User = string(other)
	}
	if m := s.Member; m != nil {
		out.Membership, out.Role, out.ReadSeq = "joined", string(m.Role), int64(m.ReadSeq)
		if !s.Joined {
			out.Membership, out.ToSeq = "left", int64(s.Head)
			out.Members, out.Rev = 0, 0
		}
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
