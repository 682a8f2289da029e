package chat

import "context"

// GroupCall is what every call that changes a group has.
type GroupCall struct {
	Key          [16]byte // ClientID's bytes
	ClientID     string
	Conversation ConversationID
}

// changeGroup runs change on a group that the caller is in, and logs the event it answers;
// nil means that there is nothing to log, and the answer is the group's newest event. parts
// are what the caller sent, for its repetitions; keys may be nil. change checks first, then
// changes; the caller's row is nil only for a server key.
func (s *Service) changeGroup(ctx context.Context, a Actor, method string, gc GroupCall, parts []string, keys func(*Keys),
	change func(b *batch, c *Conversation, self *Member) (*Event, error),
) (Place, error) {
	cl := newCall(a.User, gc.Key, method, append([]string{string(gc.Conversation)}, parts...)...)
	self := MemberKey{gc.Conversation, a.User}
	return s.await(ctx, &operation{
		keys: func(k *Keys) {
			k.Calls = append(k.Calls, cl.key)
			standKeys(k, a.User, gc.Conversation)
			if keys != nil {
				keys(k)
			}
		},
		decide: func(b *batch) (Place, error) {
			if p, found, err := b.recall(cl.key, cl.hash); found {
				return p, err
			}
			c, err := s.groupOf(b, a, method, gc.Conversation)
			if err != nil {
				return Place{}, err
			}
			e, err := change(b, c, b.rows.Members[self])
			if err != nil {
				return Place{}, err
			}
			if e != nil && e.Kind == Members && c.Kind == Channel {
				// What it did is not in the log, but a repetition is answered as it was.
				return b.remember(cl.key, cl.hash, &Event{Conversation: c.ID, Seq: c.Seq, Time: c.Time}), nil
			}
			if e == nil {
				return Place{Conversation: c.ID, Seq: c.Seq, Time: c.Time}, nil
			}
			e.From, e.ClientID = a.User, gc.ClientID
			b.append(c, e)
			return b.remember(cl.key, cl.hash, e), nil
		},
	})
}

// inRooms says whether a call that changes groups changes rooms too. Rooms have staff, mutes
// and bans as groups do, but nobody is a member of them.
func inRooms(method string) bool {
	switch method {
	case "members.update", "members.mute", "members.unmute", "members.ban", "members.unban",
		"groups.update", "groups.mute", "groups.unmute", "groups.transfer", "groups.dismiss":
		return true
	}
	return false
}

// groupOf gives a group that is not dismissed, if the caller is in it now or is a server
// key; or a room, for what is done in rooms too.
func (s *Service) groupOf(b *batch, a Actor, method string, id ConversationID) (*Conversation, error) {
	c, _, _, err := s.standing(b, a, id)
	if err != nil {
		return nil, err
	}
	if !c.Kind.Grouped() && (c.Kind != Room || !inRooms(method)) {
		return nil, forbidden("this is for groups")
	}
	return c, alive(c)
}

// ChangeMembers is a change of a group's members.
type ChangeMembers struct {
	GroupCall
	Users []UserID
}

// changeMembers is changeGroup for a call that names users, whose rows, bans and requests are loaded.
func (s *Service) changeMembers(ctx context.Context, a Actor, method string, ch ChangeMembers, parts []string,
	change func(b *batch, c *Conversation, self *Member, users []UserID) (*Event, error),
) (Place, error) {
	if len(ch.Users) == 0 {
		return Place{}, invalid("users", "users: name at least one")
	}
	users, err := s.checkUsers("users", ch.Users, ch.Conversation.isRoom())
	if err != nil {
		return Place{}, err
	}
	keys := func(k *Keys) {
		for _, u := range users {
			k.Members = append(k.Members, MemberKey{ch.Conversation, u})
			k.Items = append(k.Items, banKey(ch.Conversation, u), requestKey(ch.Conversation, u))
		}
	}
	return s.changeGroup(ctx, a, method, ch.GroupCall, append(names(users), parts...), keys,
		func(b *batch, c *Conversation, self *Member) (*Event, error) { return change(b, c, self, users) })
}

func names(users []UserID) []string {
	list := make([]string, len(users))
	for i, u := range users {
		list[i] = string(u)
	}
	return list
}
