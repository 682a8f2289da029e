package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxNamed is how many names an event's content lists; the total is always there.
const maxNamed = 100

// maxName is the longest name of a group or a user, in characters.
const maxName = 64

// CreateGroup is a group to be made.
type CreateGroup struct {
	Key        [16]byte
	ClientID   string
	Kind       ConversationKind // Group or Channel
	Name       string
	Users      []UserID // besides the creator
	SharedPast bool
}

// changeContent is the content of created and members events.
type changeContent struct {
	Text    string   `json:"text"`
	Name    string   `json:"name,omitempty"`
	Added   []UserID `json:"added,omitempty"`
	Removed []UserID `json:"removed,omitempty"`
	Banned  []UserID `json:"banned,omitempty"`
	Left    UserID   `json:"left,omitempty"`
	Owner   UserID   `json:"owner,omitempty"` // who became it
	Changed int      `json:"changed"`         // how many were added or removed; the lists name 100 at most
	Members int      `json:"members"`         // how many there are after it
}

func (c changeContent) encode() json.RawMessage {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return b
}

// CheckName says what is wrong with a name of a group or a user: one line of 1 to 64 characters.
func CheckName(name string) error {
	switch n := utf8.RuneCountInString(name); {
	case !utf8.ValidString(name):
		return invalid("name", "a name is UTF-8")
	case n == 0 || n > maxName || strings.TrimSpace(name) == "":
		return invalid("name", "a name has 1 to %d characters", maxName)
	case strings.ContainsFunc(name, hidden):
		return invalid("name", "a name is one line without control or invisible characters")
	case strings.HasPrefix(name, guestPrefix) || strings.HasPrefix(name, "@"):
		return invalid("name", "a name does not begin like a guest's id or with @")
	}
	return nil
}

// hidden says whether r moves or hides what stands beside it. The joiners of emoji and
// of some scripts are none of these.
func hidden(r rune) bool {
	const zwnj, zwj = '\u200c', '\u200d'
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.In(r, unicode.Cf) && r != zwj && r != zwnj
}

// checkUsers checks the users of one call and answers them sorted, once each. Guests are
// users in rooms only, unless they are full ones.
func (s *Service) checkUsers(param string, users []UserID, inRoom bool) ([]UserID, error) {
	if limit := s.cfg.Limits.MembersPerCall; limit > 0 && len(users) > limit {
		return nil, invalid(param, "%s: one call names at most %d users", param, limit)
	}
	for _, u := range users {
		if err := CheckUserID(u); err != nil {
			return nil, paramError(param, err)
		}
		if !inRoom && !s.MaySee(u, Group) {
			return nil, invalid(param, "%s: guests are in open rooms only", param)
		}
	}
	sorted := slices.Clone(users)
	slices.Sort(sorted)
	return slices.Compact(sorted), nil
}

// CreateGroup makes a group with the caller as its owner and answers the place of its first event.
func (s *Service) CreateGroup(ctx context.Context, a Actor, g CreateGroup) (Place, error) {
	if !s.MaySee(a.User, Group) {
		return Place{}, forbidden("guests are in open rooms only here")
	}
	if g.Name != "" {
		if err := CheckName(g.Name); err != nil {
			return Place{}, err
		}
	}
	users, err := s.checkUsers("members", g.Users, false)
	if err != nil {
		return Place{}, err
	}
	users = slices.DeleteFunc(users, func(u UserID) bool { return u == a.User })
	if limit := s.cfg.Limits.GroupMembers; limit > 0 && 1+len(users) > limit {
		return Place{}, fullGroup(limit)
	}
	if g.Kind == "" {
		g.Kind = Group
	}
	parts := append([]string{g.Name, fmt.Sprint(g.SharedPast)}, names(users)...)
	if g.Kind == Channel {
		parts = append(parts, "channel")
		if len(users) > 0 {
			return Place{}, invalid("members", "members: those of a channel are added with members.add")
		}
		if g.Name == "" {
			return Place{}, invalid("name", "name: a channel has one")
		}
	}
	id := NewGroupID()
	cl := newCall(a.User, g.Key, "conversations.create", parts...)
	return s.await(ctx, &operation{
		keys: func(k *Keys) { k.Calls = append(k.Calls, cl.key) },
		decide: func(b *batch) (Place, error) {
			if p, found, err := b.recall(cl.key, cl.hash); found {
				return p, err
			}
			c := &Conversation{ID: id, Kind: g.Kind, Name: g.Name, SharedPast: g.SharedPast, Members: 1 + len(users), Time: b.now}
			b.addConversation(c)
			if g.Kind == Channel {
				c.setDetails(Details{Settings: Settings{Join: JoinOpen, Invite: Admins}})
			}
			for _, u := range append([]UserID{a.User}, users...) {
				m := &Member{MemberKey: MemberKey{id, u}}
				role := Plain
				if u == a.User {
					role = Owner
				}
				admit(m, c, role, 1)
				b.putMember(m)
			}
			e := &Event{Kind: Created, From: a.User, ClientID: g.ClientID, Content: changeContent{
				Text: fmt.Sprintf("%s created the %s", a.User, c.Kind), Name: g.Name, Owner: a.User,
				Added: users[:min(maxNamed, len(users))], Changed: len(users), Members: c.Members,
			}.encode()}
			b.append(c, e)
			return b.remember(cl.key, cl.hash, e), nil
		},
	})
}

func fullGroup(limit int) error {
	return forbidden(fmt.Sprintf("a group has at most %d members", limit))
}

// AddMembers adds users to a group; who may is the group's to say. Those who are in it stay
// as they are; when all are, the answer is the group's newest event and nothing is logged.
func (s *Service) AddMembers(ctx context.Context, a Actor, ch ChangeMembers) (Place, error) {
	return s.changeMembers(ctx, a, "members.add", ch, nil, func(b *batch, c *Conversation, self *Member, users []UserID) (*Event, error) {
		if err := may(a, c, self, RightInvite); err != nil {
			return nil, err
		}
		var added []*Member
		for _, u := range users {
			m := b.member(MemberKey{c.ID, u})
			if joined(m) {
				continue
			}
			if b.banned(c.ID, u) {
				return nil, forbidden(fmt.Sprintf("%s is banned from this group", u))
			}
			added = append(added, m)
		}
		if len(added) == 0 {
			return nil, nil
		}
		if err := s.room(c, len(added)); err != nil {
			return nil, err
		}
		for _, m := range added {
			b.settle(c.ID, m.User, nil)
		}
		names := b.admitAll(c, added)
		return &Event{Kind: Members, Moved: names, Content: changeContent{
			Text:  fmt.Sprintf("%s added %s", a.User, listed(names)),
			Added: names[:min(maxNamed, len(names))], Changed: len(names), Members: c.Members,
		}.encode()}, nil
	})
}

// room says whether a group has room for more members.
func (s *Service) room(c *Conversation, more int) error {
	if limit := s.cfg.Limits.GroupMembers; limit > 0 && c.Members+more > limit {
		return fullGroup(limit)
	}
	return nil
}

// admitAll takes members into a group with the event that comes next, and answers who they are.
func (b *batch) admitAll(c *Conversation, added []*Member) []UserID {
	names := make([]UserID, len(added))
	for i, m := range added {
		admit(m, c, Plain, c.Seq+1)
		b.putMember(m)
		names[i] = m.User
	}
	c.Members += len(added)
	if c.Kind == Channel {
		b.moved(c, names, "joined")
	}
	return names
}

// RemoveMembers removes users from a group; its owner and admins may, those below them.
// Those who are not in it are left out; when none is, nothing is logged.
func (s *Service) RemoveMembers(ctx context.Context, a Actor, ch ChangeMembers) (Place, error) {
	return s.changeMembers(ctx, a, "members.remove", ch, nil, func(b *batch, c *Conversation, self *Member, users []UserID) (*Event, error) {
		removed, err := removable(a, b, c, self, users)
		if err != nil || len(removed) == 0 {
			return nil, err
		}
		names := b.removeAll(c, removed)
		return &Event{Kind: Members, Moved: names, Content: changeContent{
			Text:    fmt.Sprintf("%s removed %s", a.User, listed(names)),
			Removed: names[:min(maxNamed, len(names))], Changed: len(names), Members: c.Members,
		}.encode()}, nil
	})
}

// removable answers the rows of those of the users who are in the group, and in a room of
// all of them, if the caller may remove them.
func removable(a Actor, b *batch, c *Conversation, self *Member, users []UserID) ([]*Member, error) {
	if err := may(a, c, self, RightManage); err != nil {
		return nil, err
	}
	if slices.Contains(users, a.User) && !a.Server {
		return nil, invalid("users", "users: oneself one takes out with conversations.leave")
	}
	var rows []*Member
	for _, u := range users {
		m := b.rowOf(c, u)
		switch {
		case m == nil:
		case m.Role == Owner:
			return nil, forbidden("the owner stays until there is another one")
		case !outranks(a, self, m):
			return nil, forbidden(fmt.Sprintf("%s is no less than you here", u))
		default:
			rows = append(rows, m)
		}
	}
	return rows, nil
}

// removeAll takes members out of a group with the event that comes next, and answers who they were.
func (b *batch) removeAll(c *Conversation, rows []*Member) []UserID {
	names := make([]UserID, len(rows))
	for i, m := range rows {
		dismiss(m, c, c.goes())
		b.putMember(m)
		names[i] = m.User
	}
	c.Members -= len(rows)
	if c.Kind == Channel && len(rows) > 0 {
		b.moved(c, names, "left")
	}
	return names
}

// Leave takes the caller out of a group. When the owner leaves, the one who has been in
// it longest becomes the owner.
func (s *Service) Leave(ctx context.Context, a Actor, gc GroupCall) (Place, error) {
	key := MemberKey{gc.Conversation, a.User}
	heirs := func(k *Keys) { k.Heirs = append(k.Heirs, key) }
	return s.changeGroup(ctx, a, "conversations.leave", gc, nil, heirs, func(b *batch, c *Conversation, m *Member) (*Event, error) {
		if !joined(m) {
			return nil, notFound()
		}
		content := changeContent{Text: fmt.Sprintf("%s left", a.User), Left: a.User, Changed: 1}
		var heir *Member
		if m.Role == Owner && c.Kind == Channel {
			if !a.Server {
				return nil, forbidden("the owner gives the channel away with groups.transfer, or dismisses it")
			}
		} else if m.Role == Owner {
			heir = b.heir(key)
			if heir == nil && c.Members > 1 { // the heir left in this very batch
				return nil, &Error{Code: CodeBusy, Message: "the group is changing; try again", RetryAfter: time.Second}
			}
		}
		gone := b.removeAll(c, []*Member{m})
		if heir != nil {
			setRole(c, heir, Owner)
			b.putMember(heir)
			content.Owner = heir.User
		}
		content.Members = c.Members
		return &Event{Kind: Members, Moved: gone, Content: content.encode()}, nil
	})
}

// heir gives the member who follows self as owner: the one in the group longest, as
// this batch has left it; nil if there is nobody, or if the one the store named has left
// in this batch, since who is next is not known here.
func (b *batch) heir(self MemberKey) *Member {
	if named, ok := b.rows.Heirs[self]; ok && !joined(b.rows.Members[MemberKey{self.Conversation, named}]) {
		return nil
	}
	var best *Member
	for key, m := range b.rows.Members {
		if key.Conversation != self.Conversation || key.User == self.User || !joined(m) {
			continue
		}
		if best == nil || m.Since < best.Since || m.Since == best.Since && m.User < best.User {
			best = m
		}
	}
	return best
}

// listed names users for a person to read.
func listed(users []UserID) string {
	const shown = 3
	names := make([]string, 0, shown)
	for _, u := range users[:min(shown, len(users))] {
		names = append(names, string(u))
	}
	text := strings.Join(names, ", ")
	if more := len(users) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
