package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// updateContent is the content of updated events: what is as it is from now on. What is not
// there has not changed.
type updateContent struct {
	Text     string         `json:"text"`
	MuteAll  *MuteAll       `json:"mute_all,omitempty"` // its end is zero: nobody is muted by it
	Members  []MemberChange `json:"members,omitempty"`  // 100 at most
	Unbanned []UserID       `json:"unbanned,omitempty"`
	Changed  int            `json:"changed,omitempty"` // of how many members something changed
}

// MemberChange is what changed of a member.
type MemberChange struct {
	User       UserID     `json:"user"`
	Role       Role       `json:"role,omitempty"`
	Nickname   *string    `json:"nickname,omitempty"`
	MutedUntil *time.Time `json:"muted_until,omitempty"` // zero: may speak
}

// member tells what changed of one more member.
func (c *updateContent) member(ch MemberChange) {
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
// itself and the admins may of those below them.
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
		m := b.rows.Members[key]
		if up.Role != nil {
			if err := may(a, c, self, RightOwn); err != nil {
				return nil, err
			}
		}
		if up.Nickname != nil && a.User != up.User {
			if err := may(a, c, self, RightManage); err != nil {
				return nil, err
			}
			if joined(m) && !outranks(a, self, m) {
				return nil, forbidden("you may name those below you only")
			}
		}
		switch {
		case !joined(m):
			return nil, invalid("user", "user: not a member of this group")
		case up.Role != nil && m.Role == Owner:
			return nil, invalid("user", "user: the owner gives its role away with groups.transfer")
		case up.Role != nil && *up.Role == Admin && m.Role != Admin && len(c.Staff()) > maxAdmins:
			return nil, forbidden(fmt.Sprintf("a group has at most %d admins", maxAdmins))
		}
		change, texts := MemberChange{User: up.User}, []string(nil)
		if up.Role != nil && m.Role != *up.Role {
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
