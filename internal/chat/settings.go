package chat

import "cmp"

// Join says how one comes into a group without being added.
type Join string

// The values of Join.
const (
	JoinInvite   Join = "invite"   // not at all
	JoinApproval Join = "approval" // by asking the admins
	JoinOpen     Join = "open"     // by joining
)

// Settings is who may do what in a group. Where nothing is set, what is usual holds.
type Settings struct {
	Join       Join `json:"join,omitempty"`        // JoinInvite
	Invite     Who  `json:"invite,omitempty"`      // Everybody
	Edit       Who  `json:"edit,omitempty"`        // Admins
	MentionAll Who  `json:"mention_all,omitempty"` // Admins
	Pin        Who  `json:"pin,omitempty"`         // Admins
	// SlowMode is how many seconds a plain member waits between messages; 0: none.
	SlowMode int `json:"slow_mode,omitempty"`
	// Forget: who leaves can no longer read what it could.
	Forget bool `json:"forget,omitempty"`
}

// Whole answers the settings with what is usual filled in.
func (s Settings) Whole() Settings {
	s.Join = cmp.Or(s.Join, JoinInvite)
	s.Invite = cmp.Or(s.Invite, Everybody)
	s.Edit = cmp.Or(s.Edit, Admins)
	s.MentionAll = cmp.Or(s.MentionAll, Admins)
	s.Pin = cmp.Or(s.Pin, Admins)
	return s
}

// who answers who has a right that settings give, "" if it is none of theirs.
func (s Settings) who(r Right) Who {
	s = s.Whole()
	switch r {
	case RightInvite:
		return s.Invite
	case RightEdit:
		return s.Edit
	case RightMentionAll:
		return s.MentionAll
	case RightPin:
		return s.Pin
	}
	return ""
}
