package chat

// A channel is a group in which few write and many read: its subscribers are members who
// come and go as its settings say. Three things differ. Only its staff writes. Only its staff
// sees who subscribes; the others see how many. And coming and going is not logged: of a
// hundred thousand subscribers a log would hold little else, and each would bring the channel
// to the top of everybody's list. Who moved is told to the nodes, which must know whom an
// event goes to, and to the user's own sessions; the row tells sync.

// Grouped says whether conversations of a kind have members and settings as groups do.
func (k ConversationKind) Grouped() bool { return k == Group || k == Channel }

// moved notes who came into a channel or left it, with nothing in the log.
func (b *batch) moved(c *Conversation, users []UserID, state string) {
	if b.unlogged == nil {
		b.unlogged = make(map[ConversationID]*movement)
	}
	mv := b.unlogged[c.ID]
	if mv == nil {
		mv = &movement{after: c.MembersRev}
		b.unlogged[c.ID] = mv
	}
	mv.users = append(mv.users, users...)
	before := c.MembersRev
	c.MembersRev++
	b.conversations.add(c)
	b.notify(Notice{Conversation: *c, Moved: users, MovedAfter: before})
	for _, u := range users {
		b.notifyUser(u, "membership", struct {
			Conversation ConversationID `json:"conversation"`
			State        string         `json:"state"`
		}{c.ID, state})
	}
}

// movement is whose membership of a channel changed in a batch, and which change was before.
type movement struct {
	users []UserID
	after Seq
}

// goes is where what a user reads who goes now ends: with the event that tells of it, if one does.
func (c *Conversation) goes() Seq {
	if c.Kind == Channel {
		return c.Seq
	}
	return c.Seq + 1
}
