package chat

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Device is one installation where a user has signed in.
type Device struct {
	ID       string    `json:"id"`
	Platform string    `json:"platform,omitempty"`
	Name     string    `json:"name,omitempty"`
	Since    time.Time `json:"since"`            // of the first sign-in
	Seen     time.Time `json:"seen"`             // of the last visit
	Revoked  time.Time `json:"revoked,omitzero"` // tokens made up to then are refused on it
	// Elsewhere is what the device is called for which this one was signed out, which is
	// when Revoked is; "" if it was signed out otherwise, or not.
	Elsewhere string `json:"elsewhere,omitempty"`
	Token     Token  `json:"token,omitzero"` // of the last sign-in
}

// Token is what is known of a token that a session was opened with.
type Token struct {
	ID      string    `json:"id,omitempty"` // its hash; of a session token, that of the token it came from
	Issued  time.Time `json:"issued,omitzero"`
	Expires time.Time `json:"expires,omitzero"`
}

// Account is where a user is and was signed in, and what it says of itself.
type Account struct {
	User   UserID    `json:"-"`
	Status string    `json:"status,omitempty"`
	Seen   time.Time `json:"seen,omitzero"` // when a session was last open; may lag by seconds
	// HideSeen says that Seen is not shown to others: UserSettings.LastSeen, where presence finds it.
	HideSeen bool     `json:"hide_seen,omitempty"`
	Devices  []Device `json:"devices,omitempty"`

	// Deleted is until when the id of an account that was deleted is nobody's.
	Deleted time.Time `json:"deleted,omitzero"`

	// Tokens made up to SignedOut are refused, but for the one that is Kept.
	SignedOut time.Time `json:"signed_out,omitzero"`
	Kept      string    `json:"kept,omitempty"`
	// Revoked are tokens that are refused until they expire by themselves.
	Revoked []Token `json:"revoked,omitempty"`
}

const (
	// maxDevices is how many devices of a user are known; the one not seen longest is forgotten.
	maxDevices = 32
	// maxStatus is the longest status text, in characters.
	maxStatus = 100
)

// Clone answers a copy that shares nothing with a.
func (a *Account) Clone() *Account {
	c := *a
	c.Devices, c.Revoked = slices.Clone(a.Devices), slices.Clone(a.Revoked)
	return &c
}

// Device answers the device of that id, nil if it is not known.
func (a *Account) Device(id string) *Device {
	for i := range a.Devices {
		if a.Devices[i].ID == id {
			return &a.Devices[i]
		}
	}
	return nil
}

// Admits says whether a token is good for signing in on a device ("" for none named),
// as far as signing out goes; the error is CodeRevoked. Times of issue are whole
// seconds: what was made in the second of a revocation is refused.
func (a *Account) Admits(t Token, device string) error {
	madeBy := func(cut time.Time) bool { return !cut.IsZero() && t.Issued.Unix() <= cut.Unix() }
	d := a.Device(device)
	switch {
	case device != "" && d != nil && d.Elsewhere != "" && madeBy(d.Revoked):
		return &Error{Code: CodeElsewhere, Message: "you have signed in on " + d.Elsewhere + ": to use this device, sign in on it again"}
	case slices.ContainsFunc(a.Revoked, func(r Token) bool { return r.ID == t.ID }),
		madeBy(a.SignedOut) && t.ID != a.Kept,
		device != "" && d != nil && madeBy(d.Revoked):
		return &Error{Code: CodeRevoked, Message: "this token was signed out: come back with a new one"}
	}
	return nil
}

// revoke refuses a token from now on, and forgets those that have expired.
func (a *Account) revoke(t Token, now time.Time) {
	a.Revoked = slices.DeleteFunc(a.Revoked, func(r Token) bool { return !r.Expires.IsZero() && r.Expires.Before(now) })
	if t.ID != "" && !slices.ContainsFunc(a.Revoked, func(r Token) bool { return r.ID == t.ID }) {
		a.Revoked = append(a.Revoked, t)
	}
}

// Account answers a user's account, an empty one if nothing is known. Visits that are
// not written yet are not in it.
func (s *Service) Account(ctx context.Context, u UserID) (*Account, error) {
	list, err := s.store.Accounts(ctx, []UserID{u})
	if err != nil {
		return nil, readError(err)
	}
	if len(list) == 0 {
		return &Account{User: u}, nil
	}
	return &list[0], nil
}

// SetStatus sets the caller's status text, "" for none.
func (s *Service) SetStatus(ctx context.Context, a Actor, status string) error {
	if a.User.IsGuest() {
		return forbidden("guests have no status")
	}
	if !utf8.ValidString(status) || utf8.RuneCountInString(status) > maxStatus || strings.ContainsFunc(status, hidden) {
		return invalid("status", "status: one line of at most %d characters", maxStatus)
	}
	return s.changeAccount(ctx, a.User, func(acc *Account, _ time.Time) error {
		acc.Status = status
		return nil
	})
}

// Revocation says what a user signs out.
type Revocation struct {
	Tokens []Token // these, whatever device they are used on
	Device string  // what was made up to now is refused on it, and its last token everywhere
	Others bool    // all tokens made up to now but Keep
	Keep   Token
}

// Revoke refuses tokens from now on; it returns when that is on disk. Closing what is
// live with them is the caller's. A device that is not known is CodeNotFound.
func (s *Service) Revoke(ctx context.Context, u UserID, r Revocation) error {
	if err := s.FlushVisits(ctx); err != nil {
		return err // its devices may be among them
	}
	err := s.changeAccount(ctx, u, func(acc *Account, now time.Time) error {
		if r.Device != "" {
			d := acc.Device(r.Device)
			if d == nil {
				return &Error{Code: CodeNotFound, Message: "there is no such device of yours"}
			}
			d.Revoked, d.Elsewhere = now, ""
			acc.revoke(d.Token, now)
		}
		for _, t := range r.Tokens {
			acc.revoke(t, now)
		}
		if r.Others {
			acc.SignedOut, acc.Kept = now, r.Keep.ID
			for i := range acc.Devices {
				if t := acc.Devices[i].Token; t.ID != r.Keep.ID {
					acc.Devices[i].Revoked, acc.Devices[i].Elsewhere = now, ""
				}
			}
		}
		return nil
	})
	s.revocations.Add(1) // also when the commit's outcome is not known
	return err
}

// Revocations counts the calls of Revoke that are on disk. Who reads it before an
// Account and again after going live knows whether the account may have changed.
func (s *Service) Revocations() int64 { return s.revocations.Load() }

// changeAccount changes a user's account in a commit.
func (s *Service) changeAccount(ctx context.Context, u UserID, change func(acc *Account, now time.Time) error) error {
	_, err := s.await(ctx, &operation{
		keys: func(k *Keys) { k.Accounts = append(k.Accounts, u) },
		decide: func(b *batch) (Place, error) {
			acc := b.account(u).Clone()
			if err := change(acc, b.now); err != nil {
				return Place{}, err
			}
			b.putAccount(acc)
			return Place{}, nil
		},
	})
	return err
}
