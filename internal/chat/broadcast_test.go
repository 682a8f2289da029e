package chat_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
	"github.com/linnet-im/linnet/internal/store/sqlite"
)

// known makes users known: some by a profile, some by a sign-in.
func (w *world) known(n int) []chat.UserID {
	w.t.Helper()
	users := make([]chat.UserID, n)
	list := make([]chat.Import, n)
	for i := range users {
		users[i] = chat.UserID(fmt.Sprintf("u%04d", i))
		list[i] = chat.Import{User: users[i], ProfileChange: chat.ProfileChange{Name: value("N")}}
	}
	for some := range slices.Chunk(list, 1000) {
		errs, err := w.ImportUsers(w.t.Context(), some)
		if err := errors.Join(append(errs, err)...); err != nil {
			w.t.Fatal(err)
		}
	}
	return users
}

func (w *world) broadcast(n int, tag string) chat.Broadcast {
	w.t.Helper()
	_, key := id(n)
	bc, err := w.CreateBroadcast(w.t.Context(), chat.NewBroadcast{Key: key, From: "news", Tag: tag, Content: text("hello all")})
	if err != nil {
		w.t.Fatal(err)
	}
	return bc
}

// got counts the messages that a user has of news.
func (w *world) got(u chat.UserID) int {
	w.t.Helper()
	l, err := w.List(w.t.Context(), as(u), chat.List{Conversation: chat.DirectID("news", u), Limit: 100})
	if code(err) == chat.CodeNotFound {
		return 0
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return len(l.Events)
}

func at(ctx context.Context, _ time.Duration) {}

// A server that is killed in the middle of a broadcast goes on with it: each gets it once.
// On both stores. Mutants: the position moved in a commit of its own, before or after; a
// step that does not look whether another one was first; guests left in.
func TestBroadcastGoesOnAfterAKill(t *testing.T) {
	for name, open := range map[string]func() chat.Store{
		"memory": func() chat.Store { return memory.New() },
		"sqlite": func() chat.Store {
			s, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "linnet.db")})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := open()
			w := newWorldOn(t, store)
			users := w.known(330)
			w.mustSend("u0007", toUser("news", 1)) // some have written before
			bc := w.broadcast(2, "")
			ctx, kill := context.WithCancel(t.Context())
			steps := 0
			err := w.RunBroadcasts(ctx, func(context.Context, time.Duration) {
				if steps++; steps == 3 {
					kill()
				}
			})
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			w.Close()

			again := newWorldOn(t, store)
			if same := again.broadcast(2, ""); same.ID != bc.ID || same.Sent != 150 || same.State != chat.BroadcastRunning {
				t.Errorf("after the kill: %+v", same)
			}
			// Two of them at once, as of two nodes.
			other := make(chan error)
			go func() { other <- again.RunBroadcasts(t.Context(), at) }()
			if err := errors.Join(again.RunBroadcasts(t.Context(), at), <-other); err != nil {
				t.Fatal(err)
			}
			for _, u := range users {
				want := 1
				if u == "u0007" {
					want = 2
				}
				if got := again.got(u); got != want {
					t.Errorf("%s has %d messages, want %d", u, got, want)
				}
			}
			end, err := again.Broadcast(t.Context(), bc.ID)
			if err != nil || end.State != chat.BroadcastDone || end.Sent != 330 || end.Refused != 0 {
				t.Errorf("%+v, %v", end, err)
			}
			if s := again.summary("u0001", chat.DirectID("news", "u0001")); s.Unread != 1 {
				t.Errorf("%d unread", s.Unread)
			}
			again.clock.set(again.clock.now().Add(31 * 24 * time.Hour))
			if err := again.RunBroadcasts(t.Context(), at); err != nil {
				t.Fatal(err)
			}
			_, err = again.Broadcast(t.Context(), bc.ID)
			wantCode(t, err, chat.CodeNotFound) // forgotten
		})
	}
}

// Mutants: to everybody whatever the tag; a cancelled one goes on; guests, deleted users or the
// account itself get it.
func TestBroadcastByTagAndCancelled(t *testing.T) {
	w := newWorld(t)
	users := w.known(120)
	if err := w.TagUsers(t.Context(), asServer("root"), users[:70], []string{"vip"}, nil); err != nil {
		t.Fatal(err)
	}
	// Whom nothing is sent to.
	if err := w.TagUsers(t.Context(), asServer("root"), []chat.UserID{"news", "guest:zoe", "gone"}, []string{"vip"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := w.DeleteAccount(t.Context(), "gone", false); err != nil {
		t.Fatal(err)
	}
	tagged := w.broadcast(1, "vip")
	if err := w.RunBroadcasts(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if a, b := w.got(users[69]), w.got(users[70]); a != 1 || b != 0 {
		t.Errorf("%d and %d messages", a, b)
	}
	w.clock.set(w.clock.now().Add(time.Minute))
	stopped := w.broadcast(2, "")
	if err := w.RunBroadcasts(t.Context(), func(ctx context.Context, _ time.Duration) {
		if _, err := w.CancelBroadcast(ctx, stopped.ID); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	list, more, err := w.Broadcasts(t.Context(), "", 10)
	if err != nil || more || len(list) != 2 || list[0].ID != stopped.ID || list[0].State != chat.BroadcastCancelled || list[0].Sent != 49 ||
		list[1].ID != tagged.ID || list[1].State != chat.BroadcastDone || list[1].Sent != 70 {
		t.Errorf("%+v, %v, %v", list, more, err)
	}
	if page, more, err := w.Broadcasts(t.Context(), stopped.ID, 10); err != nil || more || len(page) != 1 || page[0].ID != tagged.ID {
		t.Errorf("%+v, %v, %v", page, more, err)
	}
	_, key := id(2)
	_, err = w.CreateBroadcast(t.Context(), chat.NewBroadcast{Key: key, From: "news", Content: text("something else")})
	wantCode(t, err, chat.CodeConflict)
	_, err = w.CreateBroadcast(t.Context(), chat.NewBroadcast{Key: key, From: "guest:zoe", Content: text("x")})
	wantCode(t, err, chat.CodeParam)
}
