package chat_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
)

// falling is a store whose writes end after so many: a server that is killed.
type falling struct {
	chat.Store
	left atomic.Int64
}

var errKilled = errors.New("killed")

func (f *falling) Update(ctx context.Context, keys chat.Keys, decide func(*chat.Rows) *chat.Changes) error {
	if f.left.Add(-1) < 0 {
		return errKilled
	}
	return f.Store.Update(ctx, keys, decide)
}

// leaver is what a deletion is tried on: groups that dora owns, is in, has left, a direct
// conversation, the lobby, and items of its own.
func leaver(t *testing.T, store chat.Store) (groups []chat.ConversationID, direct chat.ConversationID) {
	t.Helper()
	w := newWorldOn(t, store, withGuests(chat.GuestsOff))
	defer w.Close()
	n := 0
	next := func() int { n++; return n }
	for range 3 {
		groups = append(groups, w.group(next(), true, "dora", "mia", "ned"))
	}
	groups = append(groups, w.group(next(), true, "olga", "dora", "mia"))
	direct = w.mustSend("dora", toUser("mia", next())).Conversation
	w.mustSend("mia", toUser("dora", next()))
	for i := range 450 { // more than one step, with others' between
		w.mustSend("dora", into(groups[0], next()))
		if i%3 == 0 {
			w.mustSend("mia", into(groups[0], next()))
		}
	}
	mention := into(groups[1], next())
	mention.Content = json.RawMessage(`{"type":"text","text":"@ned look","mentions":{"users":["ned"]}}`)
	w.mustSend("dora", mention)
	w.mustSend("dora", into(chat.Lobby, next()))
	w.mustSend("mia", into(chat.Lobby, next()))
	later := into(groups[0], next())
	if _, err := w.Schedule(t.Context(), as("dora"), later, w.clock.now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := w.Block(t.Context(), as("dora"), "zed"); err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct{ from, to chat.UserID }{{"dora", "fay"}, {"dora", "gus"}, {"hal", "dora"}} {
		_, key := id(next())
		_, err := w.RequestFriend(t.Context(), as(one.from), chat.AskFriend{Key: key, User: one.to})
		if err == nil && one.to == "fay" {
			err = w.AcceptFriend(t.Context(), as("fay"), "dora")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.UpdateUser(t.Context(), as("dora"), named("Dora")); err != nil {
		t.Fatal(err)
	}
	return groups, direct
}

// gone says what is wrong with a deletion that is done.
func (w *world) gone(groups []chat.ConversationID, direct chat.ConversationID, purged bool) {
	w.t.Helper()
	for i, g := range groups {
		list, _, err := w.Members(w.t.Context(), server("x"), g, chat.MembersPage{Limit: 10})
		if err != nil {
			w.t.Fatal(err)
		}
		owners := 0
		for _, m := range list {
			if m.User == "dora" {
				w.t.Errorf("group %d: it is still in it", i)
			}
			if m.Role == chat.Owner {
				owners++
			}
		}
		if owners != 1 || len(list) != 2 {
			w.t.Errorf("group %d: %d owners of %d members", i, owners, len(list))
		}
	}
	for _, c := range append(slices.Clone(groups), direct, chat.Lobby) {
		zero := chat.Seq(0)
		l, err := w.List(w.t.Context(), server("x"), chat.List{Conversation: c, After: &zero, Limit: 100_000})
		if err != nil {
			w.t.Fatal(err)
		}
		var after chat.Seq
		targets, left := make(map[chat.Seq]int), 0
		for zero = 0; ; zero = after {
			l, err = w.List(w.t.Context(), server("x"), chat.List{Conversation: c, After: &zero, Limit: 200})
			if err != nil {
				w.t.Fatal(err)
			}
			for _, r := range l.Events {
				if r.Seq != after+1 {
					w.t.Fatalf("%s: %d comes after %d", c, r.Seq, after)
				}
				after = r.Seq
				e := chat.ParseEvent(c, r)
				switch {
				case e.Kind == chat.Purged:
					for _, span := range e.Targets {
						for seq := span[0]; seq <= span[1]; seq++ {
							targets[seq]++
						}
					}
				case e.Kind == chat.Message && e.From == "dora":
					left++
				case e.Kind == chat.Void && purged:
					targets[r.Seq] += 0
				}
			}
			if len(l.Events) == 0 {
				break
			}
		}
		if (left == 0) != purged && !(left == 0 && len(targets) == 0) {
			w.t.Errorf("%s: %d messages are left, purged is %v", c, left, purged)
		}
		for seq, n := range targets {
			if n != 1 {
				w.t.Errorf("%s: event %d was told to be purged %d times", c, seq, n)
			}
		}
		if purged && c == groups[0] && len(targets) != 450 {
			w.t.Errorf("%d messages were purged", len(targets))
		}
	}
	for _, h := range []chat.Holder{"u:dora", "h:dora", chat.ServerHolder} {
		items, err := w.store.ChangedItems(w.t.Context(), h, 0, 1<<62, 1000)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, it := range items {
			w.t.Errorf("left behind: %+v", it.ItemKey)
		}
	}
	for _, u := range []chat.UserID{"fay", "gus", "hal"} {
		friends, _, err := w.Friends(w.t.Context(), as(u), "", 10)
		if err != nil || len(friends) != 0 {
			w.t.Errorf("%s has %+v, %v", u, friends, err)
		}
		if asked, _, err := w.FriendRequests(w.t.Context(), as(u), "", 10); err != nil || len(asked) != 0 {
			w.t.Errorf("%s has %+v, %v", u, asked, err)
		}
	}
	if items, err := w.store.Items(w.t.Context(), chat.ItemRange{Holder: "h:zed", Kind: "blocked_by", Limit: 10}); err != nil || len(items) != 0 {
		w.t.Errorf("%v, %v", items, err)
	}
}

// A deletion that is cut off after each of its commits goes on where it was, and ends the
// same; each message is purged once, no seq is missing, ownership passes on, nothing of the
// user's own is left. Mutants: the ties of its friends left; the calls of Leave all with one
// key; the places not noted.
func TestDeletionGoesOnAfterAKill(t *testing.T) {
	for _, purge := range []bool{false, true} {
		t.Run(fmt.Sprint("purge ", purge), func(t *testing.T) {
			store := memory.New()
			groups, direct := leaver(t, store)
			w := newWorldOn(t, store, withGuests(chat.GuestsOff))
			if err := w.DeleteAccount(t.Context(), "dora", purge); err != nil {
				t.Fatal(err)
			}
			w.Close()
			for cuts := 0; ; cuts++ {
				fall := &falling{Store: store}
				fall.left.Store(2) // the lobby of a new start is looked at by one
				w := newWorldOn(t, fall, withGuests(chat.GuestsOff))
				err := w.RunDeletions(t.Context())
				w.Close()
				if err == nil {
					if cuts < 10 {
						t.Errorf("it was cut off only %d times", cuts)
					}
					break
				}
				if cuts > 100 {
					t.Fatalf("it does not end: %v", err)
				}
			}
			w = newWorldOn(t, store, withGuests(chat.GuestsOff))
			w.gone(groups, direct, purge)
			for _, n := range []int{1, 2} { // nothing is done again
				before := w.summary("mia", groups[0]).Head
				if err := w.RunDeletions(t.Context()); err != nil || w.summary("mia", groups[0]).Head != before {
					t.Errorf("run %d: %v", n, err)
				}
			}
		})
	}
}

// Mutants: the profile left; Admitted without Deleted; the id somebody's at once; the one who
// comes after it called deleted.
func TestDeletedAccount(t *testing.T) {
	w := newWorld(t)
	if _, err := w.UpdateUser(t.Context(), as("dora"), named("Dora")); err != nil {
		t.Fatal(err)
	}
	if err := w.DeleteAccount(t.Context(), "dora", false); err != nil {
		t.Fatal(err)
	}
	profile := func() chat.Profile {
		t.Helper()
		list, err := w.Users(t.Context(), []chat.UserID{"dora"})
		if err != nil {
			t.Fatal(err)
		}
		return list[0]
	}
	if p := profile(); p.Name != "Deleted user" || !p.Deleted {
		t.Errorf("%+v", p)
	}
	_, err := w.Admitted(t.Context(), "dora")
	wantCode(t, err, chat.CodeDeleted)
	errs, err := w.ImportUsers(t.Context(), []chat.Import{profileOf("dora", "Dora"), profileOf("mia", "Mia")})
	if err != nil || code(errs[0]) != chat.CodeDeleted || errs[1] != nil {
		t.Errorf("%v, %v", errs, err)
	}
	w.clock.set(w.clock.now().Add(30*24*time.Hour - time.Second))
	_, err = w.Admitted(t.Context(), "dora")
	wantCode(t, err, chat.CodeDeleted)
	w.clock.set(w.clock.now().Add(time.Second))
	acc, err := w.Admitted(t.Context(), "dora")
	if err != nil || !acc.Deleted.IsZero() {
		t.Fatalf("%+v, %v", acc, err)
	}
	if p := profile(); p.Deleted || strings.Contains(p.Name, "Deleted") {
		t.Errorf("%+v", p)
	}
	// What it was signed in with is not good for whoever comes.
	old := chat.Token{ID: "old", Issued: w.clock.now().Add(-31 * 24 * time.Hour)}
	wantCode(t, acc.Admits(old, ""), chat.CodeRevoked)
}

// Whoever is in more conversations than one commit lists is gone from all of them. Mutant: the
// first page of them is thought to be all.
func TestDeletionOfManyPlaces(t *testing.T) {
	w := newWorld(t)
	var directs []chat.ConversationID
	for n := range 450 {
		directs = append(directs, w.mustSend("dora", toUser(chat.UserID(fmt.Sprint("u", n)), n+1)).Conversation)
	}
	if err := w.DeleteAccount(t.Context(), "dora", true); err != nil {
		t.Fatal(err)
	}
	if err := w.RunDeletions(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n, d := range directs {
		if log := w.log(chat.UserID(fmt.Sprint("u", n)), d); len(log) != 2 || log[0].Kind != chat.Void || log[1].Kind != chat.Purged {
			t.Fatalf("%d: %+v", n, log)
		}
	}
}

// That a deleted user wrote a message for a few is told to those alone. Mutants: purge
// without Only; forTheSame that cuts nothing.
func TestDeletionOfWhispers(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "dora", "carol") // seq 1
	for n, only := range [][]chat.UserID{nil, {"alice"}, {"alice"}, nil, nil} {
		m := into(g, 10+n)
		m.Only = only
		w.mustSend("dora", m) // 2 to 6
	}
	if err := w.DeleteAccount(t.Context(), "dora", true); err != nil {
		t.Fatal(err)
	}
	if err := w.RunDeletions(t.Context()); err != nil {
		t.Fatal(err)
	}
	told := func(u chat.UserID) (list []string) {
		for _, e := range w.log(u, g)[6:] {
			list = append(list, fmt.Sprint(e.Kind, e.Targets))
		}
		return list
	}
	want := []string{"purged[[2 2]]", "purged[[3 3]]", "purged[[4 4]]", "purged[[5 6]]", "members[]"}
	if got := told("alice"); !slices.Equal(got, want) {
		t.Errorf("alice is told %v", got)
	}
	want[1], want[2] = "void[]", "void[]"
	if got := told("carol"); !slices.Equal(got, want) {
		t.Errorf("carol is told %v", got)
	}
}
