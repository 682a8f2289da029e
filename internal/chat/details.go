package chat

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// Details is what is set rarely in a conversation, and is read with it.
type Details struct {
	// Of a group.
	Settings     Settings          `json:"settings,omitzero"`
	Staff        []Staff           `json:"staff,omitempty"` // the owner and the admins; setRole keeps it
	MuteAll      *MuteAll          `json:"mute_all,omitempty"`
	Dismissed    Seq               `json:"dismissed,omitempty"` // of the event that closed the group
	Picture      string            `json:"picture,omitempty"`   // a URL
	Announcement string            `json:"announcement,omitempty"`
	Attributes   map[string]string `json:"attributes,omitempty"`
	Updated      Seq               `json:"updated,omitempty"` // of the event that last changed Announcement, Attributes or Settings
	// Of a room.
	Room *RoomRules `json:"room,omitempty"`
	Rows bool       `json:"rows,omitempty"` // somebody has a row in it, or had: of its staff, muted or banned
	// Messages.
	Pins       []Pin       `json:"pins,omitempty"`
	MarksOfAll []MarkOfAll `json:"marks_of_all,omitempty"` // mentions of everybody, the newest
	// Of a direct conversation.
	Refused []UserID `json:"refused,omitempty"` // whose messages the other one does not take
}

// MemberDetails is what is set rarely of one user in one conversation, and is read with
// the member row.
type MemberDetails struct {
	// Whispers are the messages for a few, the user among them, that others wrote and the
	// user has not read: they are not in the conversation's count.
	Whispers  []Seq `json:"whispers,omitempty"`
	Delivered Seq   `json:"delivered,omitempty"` // up to where the member's devices have what is there
	// In a group.
	Nickname   string    `json:"nickname,omitempty"`
	MutedUntil time.Time `json:"muted_until,omitzero"`
	Erased     bool      `json:"erased,omitempty"` // it left, and reads nothing but that
	// In a room: until when it is not there for the user.
	BannedUntil time.Time `json:"banned_until,omitzero"`
	// Messages.
	Mentions []Seq    `json:"mentions,omitempty"` // messages that name the member; those read past are dropped
	Hidden   []Hidden `json:"hidden,omitempty"`   // what the member deleted for itself
	// The member's own list.
	Prefs   Prefs     `json:"prefs,omitzero"`
	Draft   bool      `json:"draft,omitempty"`   // there is an item of it
	DraftAt time.Time `json:"draft_at,omitzero"` // when it was written or thrown away
}

// UserDetails is what a user's profile holds beside the name.
type UserDetails struct {
	Picture    string            `json:"picture,omitempty"` // a URL
	Bio        string            `json:"bio,omitempty"`
	Gender     string            `json:"gender,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Version    int64             `json:"version,omitempty"` // of the profile
	Settings   UserSettings      `json:"settings,omitzero"`
	Deleted    bool              `json:"deleted,omitempty"` // the account was deleted, and nobody has its id yet
}

// details gives a copy of c's details to be changed and put back. What is shared in it,
// slices and maps, is to be cloned before it is changed.
func (c *Conversation) details() Details {
	if c.Details == nil {
		return Details{}
	}
	return *c.Details
}

// setDetails gives c new details.
func (c *Conversation) setDetails(d Details) {
	c.Details = &d
	if reflect.ValueOf(d).IsZero() {
		c.Details = nil
	}
}

// details gives a copy of m's details, as that of a conversation.
func (m *Member) details() MemberDetails {
	if m.Details == nil {
		return MemberDetails{}
	}
	return *m.Details
}

func (m *Member) setDetails(d MemberDetails) {
	m.Details = &d
	if reflect.ValueOf(d).IsZero() {
		m.Details = nil
	}
}

func (u *User) details() UserDetails {
	if u.Details == nil {
		return UserDetails{}
	}
	return *u.Details
}

func (u *User) setDetails(d UserDetails) {
	u.Details = &d
	if reflect.ValueOf(d).IsZero() {
		u.Details = nil
	}
}

// EncodeDetails gives details the form that a store keeps: JSON, nil for nil.
func EncodeDetails[T any](d *T) ([]byte, error) {
	if d == nil {
		return nil, nil
	}
	b, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode details: %w", err)
	}
	return b, nil
}

// DecodeDetails reads what EncodeDetails wrote.
func DecodeDetails[T any](b []byte) (*T, error) {
	if len(b) == 0 {
		return nil, nil
	}
	d := new(T)
	if err := json.Unmarshal(b, d); err != nil {
		return nil, fmt.Errorf("decode details: %w", err)
	}
	return d, nil
}
