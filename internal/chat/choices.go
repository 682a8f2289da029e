package chat

import (
	"context"
	"encoding/json"
)

// Audience values of UserSettings. What is not set is the first of its kind.
const (
	ContactEverybody = "everybody" // who may write first, or ask to be a friend
	ContactFriends   = "friends"
	ContactNobody    = "nobody"

	PresenceAcquainted = "acquainted" // who sees presence: see Acquainted
	PresenceFriends    = "friends"
	PresenceNobody     = "nobody"

	LastSeenShown  = "shown"
	LastSeenHidden = "hidden"

	ReceiptsOn  = "on"
	ReceiptsOff = "off"
)

// UserSettings are what a user has chosen about reaching it and seeing it. The zero value is
// what holds for who has chosen nothing.
type UserSettings struct {
	Contact        string      `json:"contact,omitempty"`         // who begins a direct conversation: everybody or friends
	FriendRequests string      `json:"friend_requests,omitempty"` // who may ask to be a friend: everybody or nobody
	Presence       string      `json:"presence,omitempty"`        // who sees presence: acquainted, friends or nobody
	LastSeen       string      `json:"last_seen,omitempty"`       // shown or hidden to those who see presence
	Receipts       string      `json:"receipts,omitempty"`        // off: nobody is told what the user reads, nor is the user told of others
	QuietHours     *QuietHours `json:"quiet_hours,omitempty"`
}

// settingsKind is the kind of the item by which a user's devices are told its settings.
// They are kept in the user's row, where the rules find them.
const settingsKind ItemKind = "settings"

// settings gives a user's settings; a nil user has chosen nothing.
func (u *User) settings() UserSettings {
	if u == nil || u.Details == nil {
		return UserSettings{}
	}
	return u.Details.Settings
}

// ReceiptsOff says whether the user neither tells nor is told what was read. A nil user
// has chosen nothing.
func (u *User) ReceiptsOff() bool { return u.settings().Receipts == ReceiptsOff }

// whole fills in what was not chosen.
func (s UserSettings) whole() UserSettings {
	for _, f := range []struct {
		value *string
		usual string
	}{
		{&s.Contact, ContactEverybody},
		{&s.FriendRequests, ContactEverybody},
		{&s.Presence, PresenceAcquainted},
		{&s.LastSeen, LastSeenShown},
		{&s.Receipts, ReceiptsOn},
	} {
		if *f.value == "" {
			*f.value = f.usual
		}
	}
	if s.QuietHours != nil && len(s.QuietHours.Ranges) == 0 {
		s.QuietHours = nil
	}
	return s
}

func (s UserSettings) check() error {
	for _, f := range []struct {
		param, value string
		allowed      []string
	}{
		{"contact", s.Contact, []string{ContactEverybody, ContactFriends}},
		{"friend_requests", s.FriendRequests, []string{ContactEverybody, ContactNobody}},
		{"presence", s.Presence, []string{PresenceAcquainted, PresenceFriends, PresenceNobody}},
		{"last_seen", s.LastSeen, []string{LastSeenShown, LastSeenHidden}},
		{"receipts", s.Receipts, []string{ReceiptsOn, ReceiptsOff}},
	} {
		if f.value != "" {
			if err := oneOf(f.param, f.value, f.allowed...); err != nil {
				return err
			}
		}
	}
	if s.QuietHours != nil {
		return s.QuietHours.check()
	}
	return nil
}

// take replaces what was chosen.
func (s *UserSettings) take(chosen UserSettings) {
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&s.Contact, chosen.Contact},
		{&s.FriendRequests, chosen.FriendRequests},
		{&s.Presence, chosen.Presence},
		{&s.LastSeen, chosen.LastSeen},
		{&s.Receipts, chosen.Receipts},
	} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	if chosen.QuietHours != nil {
		s.QuietHours = chosen.QuietHours
	}
}

// Settings answers the caller's settings, whole.
func (s *Service) Settings(ctx context.Context, a Actor) (UserSettings, error) {
	u, err := s.userRow(ctx, a.User)
	if err != nil {
		return UserSettings{}, err
	}
	return u.settings().whole(), nil
}

// userRow answers a user's row, nil if there is none.
func (s *Service) userRow(ctx context.Context, u UserID) (*User, error) {
	rows, err := s.store.Users(ctx, []UserID{u})
	if err != nil {
		return nil, readError(err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return &rows[0], nil
}

// SetSettings changes what is set in chosen, and answers all settings as they are then.
// QuietHours without ranges are none.
func (s *Service) SetSettings(ctx context.Context, a Actor, chosen UserSettings) (UserSettings, error) {
	if a.User.IsGuest() {
		return UserSettings{}, forbidden("guests have no settings")
	}
	if err := chosen.check(); err != nil {
		return UserSettings{}, err
	}
	var now UserSettings
	_, err := s.await(ctx, &operation{
		keys: func(k *Keys) {
			k.Users = append(k.Users, a.User)
			k.Accounts = append(k.Accounts, a.User)
		},
		decide: func(b *batch) (Place, error) {
			u := b.user(a.User)
			d := u.details()
			d.Settings.take(chosen)
			u.setDetails(d)
			b.users.add(u)
			if acc := b.account(a.User); acc.HideSeen != (d.Settings.LastSeen == LastSeenHidden) {
				acc = acc.Clone()
				acc.HideSeen = !acc.HideSeen
				b.putAccount(acc)
			}
			now = d.Settings.whole()
			it := now.item()
			b.notifyItem(a.User, it.Kind, it.Key, it.Body)
			return Place{}, nil
		},
	})
	s.private.forget(a.User)
	return now, err
}

// item gives whole settings the form in which devices are told of them.
func (s UserSettings) item() Item {
	return Item{ItemKey: ItemKey{Kind: settingsKind, Key: "settings"}, Body: json.RawMessage(mustJSON(s))}
}

// user gives a user's row, a new one if there is none. The caller adds it to what is written.
func (b *batch) user(id UserID) *User {
	u := b.rows.Users[id]
	if u == nil {
		u = &User{ID: id}
		b.rows.Users[id] = u
	}
	return u
}
