package chat

import (
	"cmp"
	"time"
)

// Join says how one comes into a group without being added.
type Join string

// The values of Join.
const (
	JoinInvite   Join = "invite"   // not at all
	JoinApproval Join = "approval" // by asking the admins
	JoinOpen     Join = "open"     // by joining
)

// AfterLeave says what who leaves a group can still read of it.
type AfterLeave string

// The values of AfterLeave.
const (
	HistoryKept AfterLeave = "kept" // what it could
	HistoryGone AfterLeave = "gone" // that it left, and nothing else
)

// maxSlowMode is the longest time between two messages of a member.
const maxSlowMode = 6 * time.Hour

// Settings is who may do what in a group. Where nothing is set, what is usual holds.
type Settings struct {
	Join       Join       `json:"join,omitempty"`                // JoinInvite
	AfterLeave AfterLeave `json:"history_after_leave,omitempty"` // HistoryKept
	Invite     Who        `json:"invite,omitempty"`              // Everybody
	Edit       Who        `json:"edit,omitempty"`                // Admins
	MentionAll Who        `json:"mention_all,omitempty"`         // Admins
	Pin        Who        `json:"pin,omitempty"`                 // Admins
	SlowModeMS int64      `json:"slow_mode_ms,omitempty"`        // how long a plain member waits between messages; 0: not at all
}

// Whole answers the settings with what is usual filled in.
func (s Settings) Whole() Settings {
	s.Join = cmp.Or(s.Join, JoinInvite)
	s.AfterLeave = cmp.Or(s.AfterLeave, HistoryKept)
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

// SettingsChange is what is to be set; what is empty or nil stays.
type SettingsChange struct {
	Join                          Join
	SharedPast                    *bool // who joins from now on reads what was before
	AfterLeave                    AfterLeave
	Invite, Edit, MentionAll, Pin Who
	SlowModeMS                    *int64
}

func (ch *SettingsChange) check() error {
	switch {
	case ch.Join != "" && ch.Join != JoinInvite && ch.Join != JoinApproval && ch.Join != JoinOpen:
		return invalid("settings.join", "settings.join: invite, approval or open")
	case ch.AfterLeave != "" && ch.AfterLeave != HistoryKept && ch.AfterLeave != HistoryGone:
		return invalid("settings.history_after_leave", "settings.history_after_leave: kept or gone")
	case ch.SlowModeMS != nil && (*ch.SlowModeMS < 0 || *ch.SlowModeMS > maxSlowMode.Milliseconds()):
		return invalid("settings.slow_mode_ms", "settings.slow_mode_ms: 0 to %d", maxSlowMode.Milliseconds())
	}
	for _, w := range []struct {
		name string
		who  Who
	}{{"invite", ch.Invite}, {"edit", ch.Edit}, {"mention_all", ch.MentionAll}, {"pin", ch.Pin}} {
		if w.who != "" && w.who != Everybody && w.who != Admins {
			return invalid("settings."+w.name, "settings.%s: everybody or admins", w.name)
		}
	}
	return nil
}

// apply answers s with the change made.
func (ch *SettingsChange) apply(s Settings) Settings {
	s.Join = cmp.Or(ch.Join, s.Join)
	s.AfterLeave = cmp.Or(ch.AfterLeave, s.AfterLeave)
	s.Invite = cmp.Or(ch.Invite, s.Invite)
	s.Edit = cmp.Or(ch.Edit, s.Edit)
	s.MentionAll = cmp.Or(ch.MentionAll, s.MentionAll)
	s.Pin = cmp.Or(ch.Pin, s.Pin)
	if ch.SlowModeMS != nil {
		s.SlowModeMS = *ch.SlowModeMS
	}
	return s
}
