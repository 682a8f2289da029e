package chat

import (
	"cmp"
	"slices"
)

// Right is something that not everybody may do in a conversation.
type Right string

// The rights. The first four are the group's to give, by its Settings; the others are not.
const (
	RightInvite     Right = "invite"
	RightEdit       Right = "edit" // name, picture, announcement, attributes
	RightMentionAll Right = "mention_all"
	RightPin        Right = "pin"
	RightManage     Right = "manage" // settings, mutes, bans, removals, requests, what others wrote: the admins'
	RightOwn        Right = "own"    // roles, transfer, dismissal: the owner's
)

// Who says who has a right in a group.
type Who string

// The values of Who. The owner is an admin here.
const (
	Everybody Who = "everybody"
	Admins    Who = "admins"
)

// rank orders roles: who manages others stands above them.
func (r Role) rank() int {
	switch r {
	case Owner:
		return 3
	case Admin:
		return 2
	case Plain:
		return 1
	}
	return 0
}

// rank is that of m's role, 0 for who has no row.
func (m *Member) rank() int {
	if m == nil {
		return 0
	}
	return m.Role.rank()
}

// Staff says whether m is the owner's or an admin's.
func (m *Member) Staff() bool { return m.rank() >= Admin.rank() }

// may says whether the caller, whose row in c is m (nil: none), may do there what r names.
// It is the one place that knows roles and settings: the error is CodeNotFound for who is
// not in it, else CodeForbidden. A server key may everything, but in a dismissed group
// there is nothing to be done any more.
func may(a Actor, c *Conversation, m *Member, r Right) error {
	if err := alive(c); err != nil {
		return err
	}
	if a.Server {
		return nil
	}
	if c.Kind != Room && !joined(m) {
		return notFound()
	}
	role := NoRole
	if m != nil {
		role = m.Role
	}
	need := Admin
	switch {
	case r == RightOwn:
		need = Owner
	case c.Kind == Direct && (r == RightPin || r == RightMentionAll):
		need = Plain
	case c.Kind.Grouped() && c.details().Settings.who(r) == Everybody:
		need = Plain
	}
	if role.rank() >= need.rank() {
		return nil
	}
	if need == Owner {
		return forbidden("only the owner may do this")
	}
	return forbidden("only the owner and the admins may do this here")
}

// outranks says whether the caller may do something to another member: remove, mute, ban.
func outranks(a Actor, m, other *Member) bool {
	return a.Server || m != nil && (other == nil || m.Role.rank() > other.Role.rank())
}

// alive refuses what would change a group or a room that was dismissed.
func alive(c *Conversation) error {
	if c.Dismissed() {
		return forbidden("this was dismissed: its past can be read, nothing else")
	}
	return nil
}

// Dismissed says whether the group or the room is closed for good.
func (c *Conversation) Dismissed() bool { return c.Details != nil && c.Details.Dismissed != 0 }

// maxAdmins is how many admins a group has beside its owner.
const maxAdmins = 100

// setRole gives a member of c another role. The owner and the admins are listed in c too,
// so that they are found without looking at the members. Both rows are the caller's to put.
func setRole(c *Conversation, m *Member, role Role) {
	before := m.Role
	m.Role = role
	if before.rank() < Admin.rank() && role.rank() < Admin.rank() {
		return
	}
	d := c.details()
	d.Rows = c.Kind == Room
	d.Staff = slices.DeleteFunc(slices.Clone(d.Staff), func(s Staff) bool { return s.User == m.User })
	if role.rank() >= Admin.rank() {
		d.Staff = append(d.Staff, Staff{m.User, role})
		slices.SortFunc(d.Staff, func(x, y Staff) int {
			return cmp.Or(cmp.Compare(y.Role.rank(), x.Role.rank()), cmp.Compare(x.User, y.User))
		})
	}
	c.setDetails(d)
}

// Staff is the owner or an admin of a group.
type Staff struct {
	User UserID `json:"user"`
	Role Role   `json:"role"`
}

// Staff answers the group's owner, who comes first, and its admins. It is not to be changed.
func (c *Conversation) Staff() []Staff { return c.details().Staff }
