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

// checkUsers checks the users of one call and answers them sorted, once each.
func (s *Service) checkUsers(param string, users []UserID) ([]UserID, error) {
	if limit := s.cfg.Limits.MembersPerCall; limit > 0 && len(users) > limit {
		return nil, invalid(param, "%s: one call names at most %d users", param, limit)
	}
	for _, u := range users {
		if err := CheckUserID(u); err != nil {
			return nil, paramError(param, err)
		}
		if !s.MaySee(u, Group) {
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
	users, err := s.checkUsers("members", g.Users)
	if err != nil {
		return Place{}, err
	}
	users = slices.DeleteFunc(users, func(u UserID) bool { return u == a.User })
	if limit := s.cfg.Limits.GroupMembers; limit > 0 && 1+len(users) > limit {
		return Place{}, fullGroup(limit)
	}
	parts := []string{g.Name, fmt.Sprint(g.SharedPast)}
	for _, u := range users {
		parts = append(parts, string(u))
	}
	id := NewGroupID()
	cl := newCall(a.User, g.Key, "conversations.create", parts...)
	return s.await(ctx, &operation{
		keys: func(k *Keys) { k.Calls = append(k.Calls, cl.key) },
		decide: func(b *batch) (Place, error) {
			if p, found, err := b.recall(cl.key, cl.hash); found {
				return p, err
			}
			c := &Conversation{ID: id, Kind: Group, Name: g.Name, SharedPast: g.SharedPast, Members: 1 + len(users), Time: b.now}
			b.addConversation(c)
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
				Text: fmt.Sprintf("%s created the group", a.User), Name: g.Name, Owner: a.User,
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

// ChangeMembers is a change of a group's members.
type ChangeMembers struct {
	Key          [16]byte
	ClientID     string
	Conversation ConversationID
	Users        []UserID
}

// AddMembers adds users to a group; every member may. Those who are in it stay as they
// are; when all are, the answer is the group's newest event and nothing is logged.
func (s *Service) AddMembers(ctx context.Context, a Actor, ch ChangeMembers) (Place, error) {
	return s.changeMembers(ctx, a, "members.add", ch, func(b *batch, c *Conversation, users []UserID) (*Event, error) {
		var added []*Member
		for _, u := range users {
			if m := b.member(MemberKey{c.ID, u}); !joined(m) {
				added = append(added, m)
			}
		}
		if len(added) == 0 {
			return nil, nil
		}
		if limit := s.cfg.Limits.GroupMembers; limit > 0 && c.Members+len(added) > limit {
			return nil, fullGroup(limit)
		}
		c.Members += len(added)
		names := make([]UserID, 0, len(added))
		for _, m := range added {
			admit(m, c, Plain, c.Seq+1)
			b.putMember(m)
			names = append(names, m.User)
		}
		return &Event{Kind: Members, Content: changeContent{
			Text:  fmt.Sprintf("%s added %s", a.User, listed(names)),
			Added: names[:min(maxNamed, len(names))], Changed: len(names), Members: c.Members,
		}.encode()}, nil
	})
}

// RemoveMembers removes users from a group; its owner may. Those who are not in it are
// left out; when none is, nothing is logged.
func (s *Service) RemoveMembers(ctx context.Context, a Actor, ch ChangeMembers) (Place, error) {
	return s.changeMembers(ctx, a, "members.remove", ch, func(b *batch, c *Conversation, users []UserID) (*Event, error) {
		if b.rows.Members[MemberKey{c.ID, a.User}].Role != Owner {
			return nil, forbidden("only the group's owner removes members")
		}
		if slices.Contains(users, a.User) {
			return nil, invalid("users", "users: the owner leaves with conversations.leave")
		}
		var names []UserID
		for _, u := range users {
			if m := b.rows.Members[MemberKey{c.ID, u}]; joined(m) {
				dismiss(m, c.Seq+1)
				b.putMember(m)
				names = append(names, u)
			}
		}
		if len(names) == 0 {
			return nil, nil
		}
		c.Members -= len(names)
		return &Event{Kind: Members, Content: changeContent{
			Text:    fmt.Sprintf("%s removed %s", a.User, listed(names)),
			Removed: names[:min(maxNamed, len(names))], Changed: len(names), Members: c.Members,
		}.encode()}, nil
	})
}

// changeMembers runs change on a group that the caller is in, and logs the event it
// answers; nil means that there is nothing to log. change checks first, then changes.
func (s *Service) changeMembers(ctx context.Context, a Actor, method string, ch ChangeMembers,
	change func(*batch, *Conversation, []UserID) (*Event, error),
) (Place, error) {
	if len(ch.Users) == 0 {
		return Place{}, invalid("users", "users: name at least one")
	}
	users, err := s.checkUsers("users", ch.Users)
	if err != nil {
		return Place{}, err
	}
	parts := []string{string(ch.Conversation)}
	for _, u := range users {
		parts = append(parts, string(u))
	}
	cl := newCall(a.User, ch.Key, method, parts...)
	return s.await(ctx, &operation{
		keys: func(k *Keys) {
			k.Calls = append(k.Calls, cl.key)
			k.Conversations = append(k.Conversations, ch.Conversation)
			for _, u := range append(users, a.User) {
				k.Members = append(k.Members, MemberKey{ch.Conversation, u})
			}
		},
		decide: func(b *batch) (Place, error) {
			if p, found, err := b.recall(cl.key, cl.hash); found {
				return p, err
			}
			c, err := s.groupOf(b, a.User, ch.Conversation)
			if err != nil {
				return Place{}, err
			}
			e, err := change(b, c, users)
			if err != nil {
				return Place{}, err
			}
			if e == nil {
				return Place{Conversation: c.ID, Seq: c.Seq, Time: c.Time}, nil
			}
			e.From, e.ClientID = a.User, ch.ClientID
			b.append(c, e)
			return b.remember(cl.key, cl.hash, e), nil
		},
	})
}

// groupOf gives the group id if the user is in it now.
func (s *Service) groupOf(b *batch, u UserID, id ConversationID) (*Conversation, error) {
	c := b.rows.Conversations[id]
	if c == nil || !s.MaySee(u, c.Kind) || c.Kind != Room && !joined(b.rows.Members[MemberKey{id, u}]) {
		return nil, notFound()
	}
	if c.Kind != Group {
		return nil, forbidden("only groups have members that come and go")
	}
	return c, nil
}

// Leave takes the caller out of a group. When the owner leaves, the one who has been in
// it longest becomes the owner.
func (s *Service) Leave(ctx context.Context, a Actor, key [16]byte, clientID string, id ConversationID) (Place, error) {
	cl := newCall(a.User, key, "conversations.leave", string(id))
	self := MemberKey{id, a.User}
	return s.await(ctx, &operation{
		keys: func(k *Keys) {
			k.Calls = append(k.Calls, cl.key)
			k.Conversations = append(k.Conversations, id)
			k.Members = append(k.Members, self)
			k.Heirs = append(k.Heirs, self)
		},
		decide: func(b *batch) (Place, error) {
			if p, found, err := b.recall(cl.key, cl.hash); found {
				return p, err
			}
			c, err := s.groupOf(b, a.User, id)
			if err != nil {
				return Place{}, err
			}
			m := b.rows.Members[self]
			content := changeContent{Text: fmt.Sprintf("%s left", a.User), Left: a.User, Changed: 1}
			if m.Role == Owner {
				heir := b.heir(self)
				switch {
				case heir != nil:
					heir.Role = Owner
					b.putMember(heir)
					content.Owner = heir.User
				case c.Members > 1: // the heir left in this very batch
					return Place{}, &Error{Code: CodeBusy, Message: "the group is changing; try again", RetryAfter: time.Second}
				}
			}
			dismiss(m, c.Seq+1)
			b.putMember(m)
			c.Members--
			content.Members = c.Members
			e := &Event{Kind: Members, From: a.User, ClientID: clientID, Content: content.encode()}
			b.append(c, e)
			return b.remember(cl.key, cl.hash, e), nil
		},
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
