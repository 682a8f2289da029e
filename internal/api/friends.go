package api

import (
	"context"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) friendRows() []*Method {
	return []*Method{
		row(Method{
			Name: "friends.request", Access: Users, Repeat: ByClientID, Scope: chat.ScopeSend,
			Doc: "Asks a user to be a friend; both get the item friend_request. When the other one has asked already, they are friends. " +
				"A request waits for 30 days and cannot be made anew before. Who takes none, or blocks the caller, is answered not_accepted. At most 100 a day.",
		}, m.friendsRequest),
		row(Method{
			Name: "friends.accept", Access: Users, Repeat: ByNature, Scope: chat.ScopeSend,
			Doc: "Accepts a request: both get the item friend, and the requests go. At most 5,000 friends.",
		}, m.friendCall((*chat.Service).AcceptFriend)),
		row(Method{
			Name: "friends.reject", Access: Users, Repeat: ByNature, Scope: chat.ScopeSend,
			Doc: "Throws a request away, or takes the caller's own back. Who is rejected is not told: its request goes on waiting until it expires.",
		}, m.friendCall((*chat.Service).RejectFriend)),
		row(Method{
			Name: "friends.remove", Access: Users, Repeat: ByNature, Scope: chat.ScopeSend,
			Doc: "Ends a friendship, for both.",
		}, m.friendCall((*chat.Service).RemoveFriend)),
		row(Method{
			Name: "friends.update", Access: Users, Repeat: ByNature, Scope: chat.ScopeSend,
			Doc: "Sets what the caller calls a friend and its tags, which nobody else sees.",
		}, m.friendsUpdate),
		row(Method{
			Name: "friends.list", Access: Users, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "The caller's friends, by user id.",
		}, m.friendsList),
		row(Method{
			Name: "friends.requests", Access: Users, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Requests that wait, to the caller and by it, by user id.",
		}, m.friendsRequests),
		row(Method{
			Name: "users.tag", Access: Servers, Repeat: ByNature, Scope: chat.ScopeManage,
			Doc: "Puts tags of the back end's on users and takes others off, for sending to all who have one. Users are not told of their tags, of which each has at most 100.",
		}, func(ctx context.Context, c Caller, p *wire.UsersTagParams) (wire.Empty, error) {
			return wire.Empty{}, m.chat.TagUsers(ctx, actor(c), userIDs(p.Users), p.Add, p.Remove)
		}),
		row(Method{
			Name: "users.tagged", Access: Servers, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Who has a tag, by user id.",
		}, m.usersTagged),
		row(Method{
			Name: "users.tags", Access: Servers, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "The tags of a user.",
		}, func(ctx context.Context, _ Caller, p *wire.UserParams) (wire.TagsResult, error) {
			if err := chat.CheckUserID(chat.UserID(p.User)); err != nil {
				return wire.TagsResult{}, paramErrorf("user", "user: %s", Error(err).Message)
			}
			tags, err := m.chat.TagsOf(ctx, chat.UserID(p.User))
			return wire.TagsResult{Tags: tags}, err
		}),
	}
}

func (m methods) friendsRequest(ctx context.Context, c Caller, p *wire.FriendsRequestParams) (wire.FriendsRequestResult, error) {
	key, err := clientID(p.ClientID)
	if err != nil {
		return wire.FriendsRequestResult{}, err
	}
	friends, err := m.chat.RequestFriend(ctx, actor(c), chat.AskFriend{Key: key, User: chat.UserID(p.User), Message: p.Message})
	if err != nil {
		return wire.FriendsRequestResult{}, err
	}
	state := "requested"
	if friends {
		state = "friends"
	}
	return wire.FriendsRequestResult{State: state}, nil
}

// friendCall makes a call about one user, after which the two may see each other or not.
func (m methods) friendCall(do func(*chat.Service, context.Context, chat.Actor, chat.UserID) error) func(context.Context, Caller, *wire.UserParams) (wire.Empty, error) {
	return func(ctx context.Context, c Caller, p *wire.UserParams) (wire.Empty, error) {
		other := chat.UserID(p.User)
		if err := do(m.chat, ctx, actor(c), other); err != nil {
			return wire.Empty{}, err
		}
		return wire.Empty{}, c.Signed().Screen(ctx, []chat.UserID{other})
	}
}

func friend(f chat.Friend) wire.Friend {
	return wire.Friend{User: string(f.User), Since: wire.FormatTime(f.Since), Remark: f.Remark, Tags: f.Tags}
}

func (m methods) friendsUpdate(ctx context.Context, c Caller, p *wire.FriendParams) (wire.Friend, error) {
	f, err := m.chat.UpdateFriend(ctx, actor(c), chat.UserID(p.User), p.Remark, p.Tags)
	return friend(f), err
}

func (m methods) friendsList(ctx context.Context, c Caller, p *wire.AfterParams) (wire.FriendsResult, error) {
	limit, err := pageLimit(p.Limit, 100)
	if err != nil {
		return wire.FriendsResult{}, err
	}
	list, more, err := m.chat.Friends(ctx, actor(c), chat.UserID(p.After), limit)
	out := wire.FriendsResult{Friends: make([]wire.Friend, len(list)), More: more}
	for i, f := range list {
		out.Friends[i] = friend(f)
	}
	return out, err
}

func (m methods) friendsRequests(ctx context.Context, c Caller, p *wire.AfterParams) (wire.FriendRequestsResult, error) {
	limit, err := pageLimit(p.Limit, 100)
	if err != nil {
		return wire.FriendRequestsResult{}, err
	}
	list, more, err := m.chat.FriendRequests(ctx, actor(c), chat.UserID(p.After), limit)
	out := wire.FriendRequestsResult{Requests: make([]wire.FriendRequest, len(list)), More: more}
	for i, r := range list {
		out.Requests[i] = wire.FriendRequest{
			User: string(r.User), Direction: r.Direction, Message: r.Message, Time: wire.FormatTime(r.Time), Expires: wire.FormatTime(r.Expires),
		}
	}
	return out, err
}

func (m methods) usersTagged(ctx context.Context, _ Caller, p *wire.UsersTaggedParams) (wire.UsersTaggedResult, error) {
	limit, err := pageLimit(p.Limit, 100)
	if err != nil {
		return wire.UsersTaggedResult{}, err
	}
	list, more, err := m.chat.Tagged(ctx, p.Tag, chat.UserID(p.After), limit)
	out := wire.UsersTaggedResult{Users: make([]string, len(list)), More: more}
	for i, u := range list {
		out.Users[i] = string(u)
	}
	return out, err
}
