package chat

import (
	"context"
	"slices"
	"sync"
	"time"
)

// visits are sign-ins and leavings that are not in the accounts yet. Nothing that was
// acknowledged hangs on them, so they are written together, every few seconds.
type visits struct {
	mu      sync.Mutex
	waiting map[UserID]*visit
}

type visit struct {
	seen    time.Time
	devices []Device
}

// visitsStep bounds the accounts that one commit of visits writes.
const visitsStep = 500

// SignedIn notes that a user has signed in on a device, nil for none named. Guests
// leave no trace. It does not block.
func (s *Service) SignedIn(u UserID, d *Device) {
	if u.IsGuest() {
		return
	}
	now := s.cfg.Now().UTC().Truncate(time.Millisecond)
	s.visits.note(u, func(v *visit) {
		v.seen = now
		if d == nil {
			return
		}
		came := *d
		came.Since, came.Seen = now, now
		v.came(came)
	})
}

// Left notes that a session of a user has ended, on a device, "" for none named. It
// does not block.
func (s *Service) Left(u UserID, device string) {
	if u.IsGuest() {
		return
	}
	now := s.cfg.Now().UTC().Truncate(time.Millisecond)
	s.visits.note(u, func(v *visit) {
		v.seen = now
		if device == "" {
			return
		}
		for i := range v.devices {
			if v.devices[i].ID == device {
				v.devices[i].Seen = now
				return
			}
		}
		v.came(Device{ID: device, Seen: now})
	})
}

// came notes a device as the last one. More than are kept of a user need not wait: who
// makes up device after device would have everybody's sign-ins and sends wait for them.
func (v *visit) came(d Device) {
	v.devices = append(slices.DeleteFunc(v.devices, func(o Device) bool { return o.ID == d.ID }), d)
	if len(v.devices) > maxDevices {
		v.devices = slices.Delete(v.devices, 0, 1)
	}
}

func (v *visits) note(u UserID, change func(*visit)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.waiting == nil {
		v.waiting = make(map[UserID]*visit)
	}
	one := v.waiting[u]
	if one == nil {
		one = new(visit)
		v.waiting[u] = one
	}
	change(one)
}

// take takes some of what waits.
func (v *visits) take() map[UserID]*visit {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.waiting) <= visitsStep {
		all := v.waiting
		v.waiting = nil
		return all
	}
	some := make(map[UserID]*visit, visitsStep)
	for u, one := range v.waiting {
		if len(some) == visitsStep {
			break
		}
		some[u] = one
		delete(v.waiting, u)
	}
	return some
}

// FlushVisits writes what SignedIn and Left have noted. Visits that could not be written
// are lost: they would only say more exactly when somebody was seen.
func (s *Service) FlushVisits(ctx context.Context) error {
	if err := s.flushKeyUses(ctx); err != nil {
		return err
	}
	for {
		some := s.visits.take()
		if len(some) == 0 {
			return nil
		}
		var keys Keys
		for u := range some {
			keys.Accounts = append(keys.Accounts, u)
		}
		err := s.store.Update(ctx, keys, func(rows *Rows) *Changes {
			c := &Changes{}
			for u, v := range some {
				acc := &Account{User: u}
				if row := rows.Accounts[u]; row != nil {
					acc = row.Clone()
				}
				acc.visited(v)
				c.Accounts = append(c.Accounts, acc)
			}
			return c
		})
		if err != nil {
			return storeError(err)
		}
	}
}

// visited takes a visit into the account.
func (a *Account) visited(v *visit) {
	if v.seen.After(a.Seen) {
		a.Seen = v.seen
	}
	for _, d := range v.devices {
		known := a.Device(d.ID)
		switch {
		case known == nil && !d.Since.IsZero():
			a.Devices = slices.Insert(a.Devices, 0, d)
		case known == nil: // it left after it was forgotten
		case d.Since.IsZero():
			known.Seen = d.Seen
		default:
			since, revoked, elsewhere := known.Since, known.Revoked, known.Elsewhere
			*known = d
			known.Since, known.Revoked, known.Elsewhere = since, revoked, elsewhere
		}
	}
	if len(a.Devices) > maxDevices {
		slices.SortStableFunc(a.Devices, func(x, y Device) int { return y.Seen.Compare(x.Seen) })
		a.Devices = a.Devices[:maxDevices]
	}
}

// FlushVisitsEvery calls FlushVisits now and then until ctx ends, and once more then.
// failed is told what could not be written.
func (s *Service) FlushVisitsEvery(ctx context.Context, every time.Duration, failed func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for done := false; !done; {
		select {
		case <-ctx.Done():
			done = true
		case <-tick.C:
		}
		if err := s.FlushVisits(context.WithoutCancel(ctx)); err != nil {
			failed(err)
		}
	}
}
