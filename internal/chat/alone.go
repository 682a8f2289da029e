package chat

import (
	"cmp"
	"context"
	"time"
)

// Called is what a device is called: by its name, or its id.
func (d *Device) Called() string { return cmp.Or(d.Name, d.ID) }

// SignInAlone signs a user out of the other devices that same holds for, which are told that
// it was for this one: tokens made up to now are refused on them, and the ones they came
// with everywhere but here. It returns when that is on disk; closing what is live there is
// the caller's.
func (s *Service) SignInAlone(ctx context.Context, u UserID, d Device, same func(platform string) bool) error {
	if err := s.FlushVisits(ctx); err != nil {
		return err // the other devices may be among them
	}
	acc, err := s.Account(ctx, u)
	if err != nil {
		return err
	}
	if !acc.Clone().alone(d, same, s.cfg.Now()) {
		return nil
	}
	err = s.changeAccount(ctx, u, func(acc *Account, now time.Time) error {
		acc.alone(d, same, now)
		return nil
	})
	s.revocations.Add(1) // also when the commit's outcome is not known
	return err
}

// alone signs the other devices out, and says whether that changed anything.
func (a *Account) alone(d Device, same func(platform string) bool, now time.Time) (changed bool) {
	for i := range a.Devices {
		o := &a.Devices[i]
		switch {
		case o.ID == d.ID:
			if o.Elsewhere != "" { // it is back, by a token that was good
				o.Revoked, o.Elsewhere, changed = time.Time{}, "", true
			}
		case same(o.Platform) && a.Admits(o.Token, o.ID) == nil:
			o.Revoked, o.Elsewhere, changed = now, d.Called(), true
			if o.Token.ID != d.Token.ID {
				a.revoke(o.Token, now)
			}
		}
	}
	return changed
}
