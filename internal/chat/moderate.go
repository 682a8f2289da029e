package chat

import (
	"strings"
	"time"
)

// Rooms are moderated by the calls that groups are. A member row there, which has no spans,
// holds a role, a mute or a ban; Details.Rows says that there may be any, so that an ordinary
// room costs its readers no look for one.

// isRoom says whether id is a room's, if it is anything.
func (id ConversationID) isRoom() bool {
	return id == Lobby || strings.HasPrefix(string(id), roomPrefix)
}

// rowOf gives the row of a user in c if the user can be told apart there: nil for who is not
// in a group, a new row for who has none in a room. The caller puts it.
func (b *batch) rowOf(c *Conversation, u UserID) *Member {
	m := b.rows.Members[MemberKey{c.ID, u}]
	if c.Kind == Room {
		return b.member(MemberKey{c.ID, u})
	}
	if !joined(m) {
		return nil
	}
	return m
}

// keepsRows notes that a room has rows from now on.
func (b *batch) keepsRows(c *Conversation) {
	if c.Kind != Room || c.details().Rows {
		return
	}
	d := c.details()
	d.Rows = true
	c.setDetails(d)
	b.conversations.add(c)
}

// shut closes a room to users until a time, with the event that comes next, and takes them
// out of it. They keep no role.
func (b *batch) shut(c *Conversation, rows []*Member, until time.Time) {
	b.keepsRows(c)
	users := make([]UserID, len(rows))
	for i, m := range rows {
		setRole(c, m, NoRole)
		d := m.details()
		d.BannedUntil = until
		m.setDetails(d)
		b.putMember(m)
		users[i] = m.User
	}
	b.evict(c, users, "banned")
}

// evict takes users, nil for everybody, out of a room after the commit, wherever they are,
// and tells them so.
func (b *batch) evict(c *Conversation, users []UserID, reason string) {
	b.notify(Notice{Conversation: *c, Evict: &Eviction{Users: users}, Method: "room.removed", Params: mustJSON(struct {
		Room   ConversationID `json:"room"`
		Reason string         `json:"reason"`
	}{c.ID, reason})})
}
