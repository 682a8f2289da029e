package chat

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A deletion of an account is asked for in one commit, by which the user is signed out
// everywhere and its profile is gone. What takes longer is a job, in steps of one bounded
// commit each, whose state is with them: it goes on after a restart where it was.

const (
	deletionKind ItemKind = "deletion"    // the server's, by user: what is under way
	placeKind    ItemKind = "deletion_in" // … by user and conversation: what is still to be done there

	// deletedKept is how long the id of a deleted account is nobody's: who signs in with it
	// afterwards is somebody new.
	deletedKept = 30 * 24 * time.Hour
	// deletionStep bounds what one commit of a deletion removes or notes.
	deletionStep = 200
)

// deletedName is what a user whose account was deleted is called.
const deletedName = "Deleted user"

// deletion is the state of a job.
type deletion struct {
	Purge bool      `json:"purge,omitempty"` // its messages go too
	At    time.Time `json:"at"`
	// Listed is that all conversations are noted in which something is to be done.
	Listed bool `json:"listed,omitempty"`
}

// DeleteAccount deletes a user's account. When it returns, that is on disk: its tokens are
// refused, its name and settings are gone. Its own items, its places in groups and, with
// purge, its messages go by RunDeletions. Closing what is live is the caller's.
func (s *Service) DeleteAccount(ctx context.Context, u UserID, purge bool) error {
	if err := s.FlushVisits(ctx); err != nil {
		return err
	}
	key := ItemKey{ServerHolder, deletionKind, string(u)}
	_, err := s.await(ctx, &operation{
		keys: func(k *Keys) {
			k.Accounts = append(k.Accounts, u)
			k.Users = append(k.Users, u)
			k.Items = append(k.Items, key)
		},
		decide: func(b *batch) (Place, error) {
			b.putAccount(&Account{User: u, SignedOut: b.now, Deleted: b.now.Add(deletedKept)})
			row := b.user(u)
			row.Name = ""
			row.setDetails(UserDetails{Deleted: true, Version: row.details().Version + 1})
			b.users.add(row)
			b.putItem(&Item{ItemKey: key, Body: mustJSON(deletion{Purge: purge, At: b.now}), Due: b.now})
			return Place{}, nil
		},
	})
	s.revocations.Add(1) // also when the commit's outcome is not known
	return err
}

// RunDeletions goes on with the deletions there are until they are done or ctx ends.
func (s *Service) RunDeletions(ctx context.Context) error {
	items, err := s.store.DueItems(ctx, deletionKind, s.cfg.Now(), dueStep)
	if err != nil {
		return readError(err)
	}
	var errs []error
	for i := range items {
		for done := false; !done && ctx.Err() == nil; {
			if done, err = s.deletionStep(ctx, &items[i]); err != nil {
				errs = append(errs, fmt.Errorf("delete an account: %w", err))
				break // the next look goes on
			}
		}
	}
	return errors.Join(errs...)
}

// RunDeletionsEvery calls RunDeletions now and then until ctx ends. failed is told what
// could not be done.
func (s *Service) RunDeletionsEvery(ctx context.Context, every time.Duration, failed func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := s.RunDeletions(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// deletionStep does one commit's worth of a job, and says whether that was the last one.
func (s *Service) deletionStep(ctx context.Context, it *Item) (done bool, err error) {
	u := UserID(it.Key)
	var job deletion
	if err := json.Unmarshal(it.Body, &job); err != nil {
		return false, fmt.Errorf("the state of a deletion: %w", err)
	}
	for _, holder := range []Holder{UserHolder(u), unseenHolder(u)} {
		if more, err := s.eraseItems(ctx, u, holder); err != nil || more {
			return false, err
		}
	}
	if !job.Listed {
		it.Body = mustJSON(deletion{Purge: job.Purge, At: job.At, Listed: true})
		return false, s.listPlaces(ctx, u, job.Purge, it)
	}
	places, err := s.store.Items(ctx, ItemRange{Holder: ServerHolder, Kind: placeKind, Prefix: placePrefix(u), Limit: 1})
	if err != nil {
		return false, readError(err)
	}
	if len(places) > 0 {
		return false, s.clearPlace(ctx, u, &places[0], job.Purge)
	}
	return true, s.change(ctx, func(b *batch) { b.forgetItem(it.ItemKey) })
}

// change commits what needs no rows.
func (s *Service) change(ctx context.Context, change func(*batch)) error {
	_, err := s.await(ctx, &operation{
		keys: func(*Keys) {},
		decide: func(b *batch) (Place, error) {
			change(b)
			return Place{}, nil
		},
	})
	return err
}

// eraseItems forgets some of a deleted user's items, with what others hold of them, and
// says whether there may be more.
func (s *Service) eraseItems(ctx context.Context, u UserID, holder Holder) (more bool, err error) {
	items, err := s.store.ChangedItems(ctx, holder, 0, farFuture, deletionStep)
	if err != nil {
		return false, readError(err)
	}
	if len(items) == 0 {
		return false, nil
	}
	for i := range items {
		if err := s.endTie(ctx, u, &items[i]); err != nil {
			return false, err
		}
	}
	return true, s.change(ctx, func(b *batch) {
		for _, it := range items {
			b.forgetItem(it.ItemKey)
			switch it.Kind {
			case OwnRequestItem:
				b.forgetItem(requestKey(ConversationID(it.Key), u))
			case tagKind:
				b.forgetItem(ItemKey{tagHolder(it.Key), taggedKind, string(u)})
			}
		}
	})
}

// endTie ends what an item is one side of, on the other side too: that one is told, or
// counts it.
func (s *Service) endTie(ctx context.Context, u UserID, it *Item) error {
	if it.Body == nil {
		return nil
	}
	self, other := Actor{User: u, Server: true}, UserID(it.Key)
	switch it.Kind {
	case friendKind:
		return s.RemoveFriend(ctx, self, other)
	case requestKind:
		return s.changeFriend(ctx, self, other, func(b *batch) error {
			b.endRequest(u, other)
			b.endRequest(other, u)
			return nil
		})
	case blockKind:
		return s.Unblock(ctx, self, other)
	}
	return nil
}

func placePrefix(u UserID) string { return string(u) + "\n" } // no id has a line feed

// listPlaces notes the conversations in which something is to be done, and with the last of
// them that all are noted. Done again after a restart, it notes the same.
func (s *Service) listPlaces(ctx context.Context, u UserID, purge bool, listed *Item) error {
	var ids []ConversationID
	if purge {
		ids = append(ids, Lobby)
	}
	// Who is written to while the pages are read moves to the front, where they do not come
	// again: so what has moved since is read, until that is one page, of one moment.
	known := make(map[ConversationID]bool)
	for after, whole := Position(0), false; !whole; {
		began, before := s.store.Position(), farFuture
		whole = true
		for {
			page, err := s.store.Changed(ctx, Changed{User: u, After: after, Before: before, Limit: deletionStep})
			if err != nil {
				return readError(err)
			}
			for i := range page {
				if id := page[i].Conversation.ID; !known[id] {
					known[id] = true
					ids = append(ids, id)
				}
			}
			if len(page) < deletionStep {
				break
			}
			whole, before = false, page[len(page)-1].Pos()
		}
		after = began
	}
	for last := false; !last; {
		page := ids[:min(deletionStep, len(ids))]
		ids = ids[len(page):]
		last = len(ids) == 0
		err := s.change(ctx, func(b *batch) {
			for _, id := range page {
				b.putItem(&Item{ItemKey: ItemKey{ServerHolder, placeKind, placePrefix(u) + string(id)}, Body: mustJSON(Seq(1))})
			}
			if last {
				b.putItem(listed)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// clearPlace does one commit's worth in a conversation: it removes messages, and when there
// are no more, takes the user out of it.
func (s *Service) clearPlace(ctx context.Context, u UserID, place *Item, purge bool) error {
	id := ConversationID(strings.TrimPrefix(place.Key, placePrefix(u)))
	var next Seq
	if err := json.Unmarshal(place.Body, &next); err != nil {
		return fmt.Errorf("the state of a deletion: %w", err)
	}
	if purge {
		found, upTo, err := s.written(ctx, u, id, next)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			found, upTo = forTheSame(found, upTo)
			place.Body = mustJSON(upTo + 1)
			return s.purge(ctx, u, id, found, place)
		}
	}
	return s.leaveForGood(ctx, u, id, place)
}

// forTheSame cuts messages before the first for a few, which has an event of its own that is
// for the same: others are not to be told who wrote it.
func forTheSame(found []*Event, upTo Seq) ([]*Event, Seq) {
	for i, e := range found {
		switch {
		case e.Only == nil:
		case i == 0:
			return found[:1], e.Seq
		default:
			return found[:i], found[i].Seq - 1
		}
	}
	return found, upTo
}

// written answers the next of the user's messages from seq next on, some of them, and up to
// which seq it looked; none, when there are no more.
func (s *Service) written(ctx context.Context, u UserID, id ConversationID, next Seq) (found []*Event, upTo Seq, err error) {
	for len(found) == 0 {
		records, err := s.store.Events(ctx, EventRange{Conversation: id, From: next, To: Seq(1) << 53, Limit: deletionStep, Messages: true})
		if errors.Is(err, ErrNotFound) || err == nil && len(records) == 0 {
			return nil, 0, nil
		}
		if err != nil {
			return nil, 0, readError(err)
		}
		for _, r := range records {
			if e := ParseEvent(id, r); e.Kind == Message && e.From == u && !e.Erased {
				found = append(found, e)
			}
		}
		upTo = records[len(records)-1].Seq
		next = upTo + 1
	}
	return found, upTo, nil
}

// purge makes voids of messages, with one event that targets them, and notes how far it is.
func (s *Service) purge(ctx context.Context, u UserID, id ConversationID, found []*Event, place *Item) error {
	_, err := s.await(ctx, &operation{
		keys: func(k *Keys) {
			k.Conversations = append(k.Conversations, id)
			for _, e := range found {
				k.Events = append(k.Events, EventKey{id, e.Seq})
				named := mentions(e.Content)
				named.keys(k, id)
			}
		},
		decide: func(b *batch) (Place, error) {
			c := b.rows.Conversations[id]
			var gone []*Event
			for _, seen := range found {
				e := b.event(EventKey{id, seen.Seq})
				if c == nil || e == nil || e.Erased || e.Kind != Message {
					continue
				}
				named := mentions(seen.Content)
				if !named.holds(mentions(e.Content)) {
					return Place{}, errNamed // it was edited just now: the next look does it
				}
				gone = append(gone, e)
			}
			if len(gone) > 0 {
				told := &Event{Kind: Purged, From: u, Content: mustJSON(textOnly{"messages of a deleted account were removed"})}
				told.Only = gone[0].Only
				b.eraseAll(c, gone, told)
				b.append(c, told)
			}
			b.putItem(place)
			return Place{}, nil
		},
	})
	return err
}

// leaveForGood takes a deleted user out of a group, drops what its row says of it, and with
// that the place, which is done.
func (s *Service) leaveForGood(ctx context.Context, u UserID, id ConversationID, place *Item) error {
	key := MemberKey{id, u}
	m, err := s.store.Member(ctx, key)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return readError(err)
	}
	c, err := s.store.Conversation(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return readError(err)
	}
	if _, thread := id.thread(); c.Kind.Grouped() && !thread && joined(&m) {
		sum := sha256.Sum256([]byte("deletion\n" + string(u) + "\n" + string(id) + "\n" + fmt.Sprint(m.Since)))
		call := GroupCall{Conversation: id, Key: [16]byte(sum[:])} // its own: done again after a restart it is answered
		_, err := s.Leave(ctx, Actor{User: u, Server: true}, call)
		var own *Error
		if errors.As(err, &own) && (own.Code == CodeNotFound || own.Code == CodeForbidden) {
			err = nil // it was put out meanwhile, or the group is dismissed
		}
		if err != nil {
			return err
		}
	}
	_, err = s.await(ctx, &operation{
		keys: func(k *Keys) { k.Members = append(k.Members, key) },
		decide: func(b *batch) (Place, error) {
			if m := b.rows.Members[key]; m != nil && m.Details != nil && m.Details.Nickname != "" {
				d := m.details()
				d.Nickname = ""
				m.setDetails(d)
				b.putMember(m)
			}
			b.forgetItem(place.ItemKey)
			return Place{}, nil
		},
	})
	return err
}

// Admitted answers a user's account for a sign-in. The id of one that was deleted is nobody's
// for a while; then who comes is somebody new.
func (s *Service) Admitted(ctx context.Context, u UserID) (*Account, error) {
	acc, err := s.Account(ctx, u)
	switch {
	case err != nil:
		return nil, err
	case acc.Deleted.IsZero():
		return acc, nil
	case s.cfg.Now().Before(acc.Deleted):
		return nil, deletedAccount()
	}
	_, err = s.await(ctx, &operation{
		keys: func(k *Keys) {
			k.Accounts = append(k.Accounts, u)
			k.Users = append(k.Users, u)
		},
		decide: func(b *batch) (Place, error) {
			acc := b.account(u).Clone()
			acc.Deleted = time.Time{}
			b.putAccount(acc)
			if row := b.rows.Users[u]; row != nil {
				b.revive(row)
			}
			return Place{}, nil
		},
	})
	acc.Deleted = time.Time{}
	return acc, err
}

// revive has a user's row be that of somebody who is there.
func (b *batch) revive(row *User) {
	if d := row.details(); d.Deleted {
		d.Deleted = false
		d.Version++
		row.setDetails(d)
		b.users.add(row)
	}
}

func deletedAccount() error {
	return &Error{Code: CodeDeleted, Message: "this account was deleted"}
}
