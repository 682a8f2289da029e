package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf8"
)

// updateContent is the content of updated events: what is as it is from now on. What is not
// there has not changed.
type updateContent struct {
	Text         string             `json:"text"`
	Name         *string            `json:"name,omitempty"`
	Picture      *string            `json:"picture,omitempty"`
	Announcement *string            `json:"announcement,omitempty"`
	Attributes   map[string]*string `json:"attributes,omitempty"` // those that changed; null: it is gone
	Settings     *settingsContent   `json:"settings,omitempty"`   // all of them
	Owner        UserID             `json:"owner,omitempty"`      // who became it
	MuteAll      *muteAllContent    `json:"mute_all,omitempty"`
	Members      []memberChange     `json:"changes,omitempty"` // 100 at most
	Unbanned     []UserID           `json:"unbanned,omitempty"`
	Changed      int                `json:"changed,omitempty"` // of how many members something changed
}

// muteAllContent tells a MuteAll; without an end it has none.
type muteAllContent struct {
	On     bool     `json:"on"`
	Until  string   `json:"until,omitempty"`
	Except []UserID `json:"except,omitempty"`
}

type settingsContent struct {
	Settings
	History string `json:"history"`
}

// History says what who comes into a group can read of what was before.
func (c *Conversation) History() string {
	if c.SharedPast {
		return "all"
	}
	return "joined"
}

// memberChange is what changed of a member.
type memberChange struct {
	User       UserID  `json:"user"`
	Role       Role    `json:"role,omitempty"`
	Nickname   *string `json:"nickname,omitempty"`
	MutedUntil *string `json:"muted_until,omitempty"` // empty: may speak
}

// member tells what changed of one more member.
func (c *updateContent) member(ch memberChange) {
	c.Changed++
	if len(c.Members) < maxNamed {
		c.Members = append(c.Members, ch)
	}
}

func (c *updateContent) event() *Event {
	return &Event{Kind: Updated, Content: mustJSON(c)}
}

// UpdateMember is a change of one member; nil: it stays.
type UpdateMember struct {
	GroupCall
	User     UserID
	Role     *Role
	Nickname *string // "" for none
}

// UpdateMember changes a member's role, which the owner may, or its nickname, which it may
// itself and the admins may of those below them. In a room it makes anybody an admin.
func (s *Service) UpdateMember(ctx context.Context, a Actor, up UpdateMember) (Place, error) {
	if err := CheckUserID(up.User); err != nil {
		return Place{}, paramError("user", err)
	}
	if up.Role == nil && up.Nickname == nil {
		return Place{}, invalid("role", "role, or nickname, or both")
	}
	if up.Role != nil && *up.Role != Admin && *up.Role != Plain {
		return Place{}, invalid("role", "role: admin or member; another owner is made with groups.transfer")
	}
	if up.Nickname != nil && *up.Nickname != "" {
		if err := CheckName(*up.Nickname); err != nil {
			return Place{}, paramError("nickname", err)
		}
	}
	parts, err := json.Marshal(up)
	if err != nil {
		return Place{}, err
	}
	key := MemberKey{up.Conversation, up.User}
	keys := func(k *Keys) { k.Members = append(k.Members, key) }
	return s.changeGroup(ctx, a, "members.update", up.GroupCall, []string{string(parts)}, keys, func(b *batch, c *Conversation, self *Member) (*Event, error) {
		m := b.rowOf(c, up.User)
		if up.Role != nil {
			if err := may(a, c, self, RightOwn); err != nil {
				return nil, err
			}
		}
		if up.Nickname != nil && a.User != up.User {
			if err := may(a, c, self, RightManage); err != nil {
				return nil, err
			}
			if m != nil && !outranks(a, self, m) {
				return nil, forbidden("you may name those below you only")
			}
		}
		switch {
		case m == nil:
			return nil, invalid("user", "user: not a member of this group")
		case c.Kind != Group && up.Nickname != nil:
			return nil, invalid("nickname", "nickname: in groups")
		case c.Kind == Room && !s.MaySee(up.User, Group):
			return nil, invalid("user", "user: anybody can take a guest's name, so a guest is no admin")
		case up.Role != nil && m.banned(b.now):
			return nil, invalid("user", "user: banned from this room")
		case up.Role != nil && m.Role == Owner:
			return nil, invalid("user", "user: the owner gives its role away with groups.transfer")
		case up.Role != nil && *up.Role == Admin && m.Role != Admin && len(c.Staff()) > maxAdmins:
			return nil, forbidden(fmt.Sprintf("there are at most %d admins", maxAdmins))
		}
		change, texts := memberChange{User: up.User}, []string(nil)
		if up.Role != nil && m.rank() != up.Role.rank() && max(m.rank(), up.Role.rank()) >= Admin.rank() {
			setRole(c, m, *up.Role)
			change.Role = *up.Role
			texts = append(texts, fmt.Sprintf("made %s %s", up.User, map[Role]string{Admin: "an admin", Plain: "a plain member"}[*up.Role]))
		}
		if d := m.details(); up.Nickname != nil && d.Nickname != *up.Nickname {
			d.Nickname = *up.Nickname
			m.setDetails(d)
			change.Nickname = up.Nickname
			if d.Nickname == "" {
				texts = append(texts, fmt.Sprintf("took %s's nickname away", up.User))
			} else {
				texts = append(texts, fmt.Sprintf("named %s %q", up.User, d.Nickname))
			}
		}
		if len(texts) == 0 {
			return nil, nil
		}
		b.putMember(m)
		content := updateContent{Text: fmt.Sprintf("%s %s", a.User, strings.Join(texts, " and "))}
		content.member(change)
		return content.event(), nil
	})
}

const (
	maxPicture      = 1024 // bytes
	maxAnnouncement = 4096 // characters
	// Attributes of a group: how many, and the longest of them, in bytes.
	maxAttributes     = 64
	maxAttributeName  = 64
	maxAttributeValue = 1024
	maxAttributeBytes = 8 << 10 // all of them together
)

// UpdateGroup is a change of what a group is; nil: it stays.
type UpdateGroup struct {
	GroupCall
	Name, Picture, Announcement *string            // empty: none
	Attributes                  map[string]*string // nil: it goes
	Settings                    *SettingsChange
}

func (up *UpdateGroup) check() error {
	switch {
	case up.Name == nil && up.Picture == nil && up.Announcement == nil && len(up.Attributes) == 0 && up.Settings == nil:
		return invalid("name", "name, picture, announcement, attributes or settings: one at least")
	case up.Picture != nil && (len(*up.Picture) > maxPicture || !utf8.ValidString(*up.Picture) || strings.ContainsFunc(*up.Picture, hidden)):
		return invalid("picture", "picture: a URL of at most %d bytes", maxPicture)
	case up.Announcement != nil && (!utf8.ValidString(*up.Announcement) || utf8.RuneCountInString(*up.Announcement) > maxAnnouncement):
		return invalid("announcement", "announcement: at most %d characters", maxAnnouncement)
	}
	if up.Name != nil && *up.Name != "" {
		if err := CheckName(*up.Name); err != nil {
			return err
		}
	}
	for name, value := range up.Attributes {
		if len(name) == 0 || len(name) > maxAttributeName || !utf8.ValidString(name) {
			return invalid("attributes", "attributes: a name has 1 to %d bytes", maxAttributeName)
		}
		if value != nil && (len(*value) > maxAttributeValue || !utf8.ValidString(*value)) {
			return invalid("attributes", "attributes: %q: a value has at most %d bytes", name, maxAttributeValue)
		}
	}
	if up.Settings != nil {
		return up.Settings.check()
	}
	return nil
}

// checkRoom refuses what only groups have.
func (up *UpdateGroup) checkRoom() error {
	switch set := up.Settings; {
	case len(up.Attributes) > 0:
		return invalid("attributes", "attributes: those of a room are set with rooms.set")
	case up.Name != nil && *up.Name == "":
		return invalid("name", "name: a room has one")
	case set != nil && *set != (SettingsChange{SlowModeMS: set.SlowModeMS}):
		return invalid("settings", "settings: a room has slow_mode_ms")
	}
	return nil
}

// UpdateGroup changes what a group or a room is, which those may to whom its settings give it, and its
// settings, which its owner and admins may. What is as it is asked to be is not changed, and
// when nothing is, nothing is logged.
func (s *Service) UpdateGroup(ctx context.Context, a Actor, up UpdateGroup) (Place, error) {
	if err := up.check(); err != nil {
		return Place{}, err
	}
	parts, err := json.Marshal(up)
	if err != nil {
		return Place{}, err
	}
	return s.changeGroup(ctx, a, "groups.update", up.GroupCall, []string{string(parts)}, nil, func(_ *batch, c *Conversation, self *Member) (*Event, error) {
		need := RightEdit
		if up.Settings != nil {
			need = RightManage // and then there is nothing that it may not edit
		}
		if err := may(a, c, self, need); err != nil {
			return nil, err
		}
		if c.Kind == Room {
			if err := up.checkRoom(); err != nil {
				return nil, err
			}
		}
		if c.Kind == Channel && up.Settings != nil && up.Settings.AfterLeave != "" {
			return nil, invalid("settings.history_after_leave", "settings.history_after_leave: in groups")
		}
		d := c.details()
		attributes, changed, err := changeAttributes(d.Attributes, up.Attributes)
		if err != nil {
			return nil, err
		}
		content, what := updateContent{}, []string(nil)
		set := func(name string, to *string, now *string, told **string) {
			if to != nil && *to != *now {
				*now, *told = *to, to
				what = append(what, name)
			}
		}
		set("name", up.Name, &c.Name, &content.Name)
		set("picture", up.Picture, &d.Picture, &content.Picture)
		set("announcement", up.Announcement, &d.Announcement, &content.Announcement)
		if len(changed) > 0 {
			d.Attributes, content.Attributes = attributes, changed
			what = append(what, "attributes")
		}
		if up.Settings != nil {
			settings, past := up.Settings.apply(d.Settings), c.SharedPast
			if up.Settings.SharedPast != nil {
				past = *up.Settings.SharedPast
			}
			if settings.Whole() != d.Settings.Whole() || past != c.SharedPast {
				d.Settings, c.SharedPast = settings, past
				content.Settings = &settingsContent{settings.Whole(), c.History()}
				if c.Kind == Room {
					content.Settings.Settings = settings // of the others it has none
				}
				what = append(what, "settings")
			}
		}
		if len(what) == 0 {
			return nil, nil
		}
		if content.Announcement != nil || content.Attributes != nil || content.Settings != nil {
			d.Updated = c.Seq + 1
		}
		c.setDetails(d)
		content.Text = fmt.Sprintf("%s changed the %s", a.User, strings.Join(what, ", "))
		if content.Name != nil && len(what) == 1 {
			content.Text = fmt.Sprintf("%s named the %s %q", a.User, c.Kind, c.Name)
		}
		return content.event(), nil
	})
}

// changeAttributes answers the attributes after a change, and which of the changes are any.
func changeAttributes(now map[string]string, change map[string]*string) (after map[string]string, changed map[string]*string, err error) {
	after, changed = maps.Clone(now), make(map[string]*string)
	if after == nil {
		after = make(map[string]string)
	}
	for name, value := range change {
		old, had := after[name]
		switch {
		case value == nil && had:
			delete(after, name)
		case value != nil && (!had || old != *value):
			after[name] = *value
		default:
			continue
		}
		changed[name] = value
	}
	size := 0
	for name, value := range after {
		size += len(name) + len(value)
	}
	if len(after) > maxAttributes || size > maxAttributeBytes {
		return nil, nil, invalid("attributes", "attributes: at most %d of them, of %d bytes together", maxAttributes, maxAttributeBytes)
	}
	return after, changed, nil
}

// Transfer makes another member the owner of a group; the one who was becomes an admin.
func (s *Service) Transfer(ctx context.Context, a Actor, gc GroupCall, to UserID) (Place, error) {
	if err := CheckUserID(to); err != nil {
		return Place{}, paramError("user", err)
	}
	from := a.User
	if a.Server {
		c, err := s.store.Conversation(ctx, gc.Conversation)
		if err != nil {
			return Place{}, readError(err)
		}
		if staff := c.Staff(); len(staff) > 0 {
			from = staff[0].User // the owner
		}
	}
	before, after := MemberKey{gc.Conversation, from}, MemberKey{gc.Conversation, to}
	keys := func(k *Keys) { k.Members = append(k.Members, before, after) }
	return s.changeGroup(ctx, a, "groups.transfer", gc, []string{string(to)}, keys, func(b *batch, c *Conversation, self *Member) (*Event, error) {
		if err := may(a, c, self, RightOwn); err != nil {
			return nil, err
		}
		owner, heir := b.rows.Members[before], b.rowOf(c, to)
		switch {
		case c.ID == Lobby:
			return nil, forbidden("the lobby is nobody's")
		case c.Kind == Room && (heir.banned(b.now) || !s.MaySee(to, Group)):
			return nil, invalid("user", "user: a guest, or banned from this room")
		case heir == nil:
			return nil, invalid("user", "user: not a member of this group")
		case heir.Role == Owner:
			return nil, nil
		case owner == nil || owner.Role != Owner: // it changed since a server key's look
			return nil, &Error{Code: CodeBusy, Message: "the group is changing; try again", RetryAfter: time.Second}
		}
		setRole(c, owner, Admin)
		setRole(c, heir, Owner)
		b.putMember(owner)
		b.putMember(heir)
		content := updateContent{Text: fmt.Sprintf("%s gave the %s to %s", a.User, c.Kind, to), Owner: to}
		content.member(memberChange{User: to, Role: Owner})
		content.member(memberChange{User: from, Role: Admin})
		return content.event(), nil
	})
}

// DismissGroup closes a group or a room for good: its past can be read by whom it could be,
// and nothing else is done in it. It is one event, however many are there; everybody is
// taken out of a room. The lobby stays.
func (s *Service) DismissGroup(ctx context.Context, a Actor, gc GroupCall) (Place, error) {
	return s.changeGroup(ctx, a, "groups.dismiss", gc, nil, nil, func(b *batch, c *Conversation, self *Member) (*Event, error) {
		if err := may(a, c, self, RightOwn); err != nil {
			return nil, err
		}
		if c.ID == Lobby {
			return nil, forbidden("the lobby stays")
		}
		d := c.details()
		d.Dismissed = c.Seq + 1
		c.setDetails(d)
		if c.Kind == Room {
			b.evict(c, nil, "dismissed")
		}
		return &Event{Kind: Closed, Content: mustJSON(updateContent{Text: fmt.Sprintf("%s dismissed the %s", a.User, c.Kind)})}, nil
	})
}
