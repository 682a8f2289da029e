package presence

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

// sink keeps what it is told, as "alice away".
type sink struct {
	mu   sync.Mutex
	told []string
	last wire.Presence
}

func (s *sink) Notify(method string, params []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := json.Unmarshal(params, &s.last); err != nil || method != "presence" {
		panic(fmt.Sprint(method, err))
	}
	s.told = append(s.told, s.last.User+" "+s.last.State)
}

// taken answers what was told since the last call, once a tick has passed.
func (s *sink) taken() []string {
	time.Sleep(tellEvery + time.Millisecond)
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	told := s.told
	s.told = nil
	return told
}

func inBubble(t *testing.T, f func(t *testing.T, b *Board)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := New()
		ctx, cancel := context.WithCancel(context.Background())
		var run sync.WaitGroup
		run.Go(func() { b.Run(ctx) })
		defer run.Wait()
		defer cancel()
		f(t, b)
	})
}

// Who may see a user no more is told so at once, and nothing after it. Mutants: Part that
// only unwatches; that leaves the watch; hideSeen not looked at, by a watcher or in Show.
func TestPart(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Board) {
		s := &sink{}
		mine, other := b.NewWatcher("bob", s), b.NewWatcher("carl", &sink{})
		alice := b.Enter("alice", "ios", "")
		hidden := &chat.Account{User: "alice", HideSeen: true}
		for _, w := range []*Watcher{mine, other} {
			if got := watch(t, b, w, hidden); !got.Online {
				t.Fatalf("%+v", got)
			}
		}
		if got := b.WatchersOf("alice"); !slices.Equal(got, []chat.UserID{"bob", "carl"}) {
			t.Errorf("watched by %v", got)
		}
		b.Part("bob", "alice")
		if got := s.taken(); !slices.Equal(got, []string{"alice offline"}) || s.last.Devices != nil || s.last.Online {
			t.Errorf("told %v %+v", got, s.last)
		}
		b.Set(alice, Away)
		if got := s.taken(); len(got) != 0 {
			t.Errorf("told after it %v", got)
		}
		if got := b.WatchersOf("alice"); !slices.Equal(got, []chat.UserID{"carl"}) {
			t.Errorf("watched by %v", got)
		}
		b.Leave(alice)
		time.Sleep(time.Minute)
		if got := watch(t, b, other, hidden); got.State != "offline" || got.LastSeen != "" {
			t.Errorf("a watcher is shown %+v", got)
		}
		b.Unwatch(other, []chat.UserID{"alice"})
		time.Sleep(time.Minute)
		if got := b.Show(&chat.Account{User: "alice", Seen: time.Now(), HideSeen: true}); got.LastSeen != "" {
			t.Errorf("shown %+v", got)
		}
	})
}

func account(u chat.UserID) *chat.Account { return &chat.Account{User: u} }

func want(t *testing.T, what string, s *sink, told ...string) {
	t.Helper()
	if got := s.taken(); !slices.Equal(got, told) {
		t.Errorf("%s: told %q, want %q", what, got, told)
	}
}

func watch(t *testing.T, b *Board, w *Watcher, a *chat.Account) wire.Presence {
	t.Helper()
	list, ok := b.Watch(w, []*chat.Account{a})
	if !ok || len(list) != 1 {
		t.Fatalf("watching %s: %v %v", a.User, list, ok)
	}
	return list[0]
}

func TestBoard_Watch(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Board) {
		s := &sink{}
		w := b.NewWatcher("me", s)
		seen := time.Date(1999, 12, 31, 10, 20, 30, 0, time.UTC)
		got := watch(t, b, w, &chat.Account{User: "alice", Status: "away till Monday", Seen: seen})
		if got.Online || got.State != "offline" || got.Status != "away till Monday" || got.LastSeen != "1999-12-31T10:20:00.000Z" {
			t.Errorf("before: %+v", got)
		}
		want(t, "nothing happens", s)
		phone := b.Enter("alice", "ios", "")
		want(t, "she comes", s, "alice active")
		laptop := b.Enter("alice", "web", "")
		b.Set(phone, Background)
		want(t, "a second device", s, "alice active")
		if d := s.last.Devices; len(d) != 2 || d[0] != (wire.PresenceDevice{Platform: "web", State: "active"}) || d[1].State != "background" {
			t.Errorf("devices %+v", d)
		}
		b.Set(laptop, Away)
		b.SetStatus("alice", "busy")
		want(t, "two changes at once", s, "alice away")
		if s.last.Status != "busy" || !s.last.Online {
			t.Errorf("%+v", s.last)
		}
		b.Leave(laptop)
		b.Leave(laptop)
		want(t, "one device goes", s, "alice background")
		if s.last.Online {
			t.Error("nobody looks, and she is online")
		}
		b.Leave(phone)
		want(t, "the last one goes", s)
		time.Sleep(grace)
		want(t, "the grace has ended", s, "alice offline")
		if s.last.LastSeen == "" {
			t.Error("nobody knows when she was seen")
		}
		b.End(w)
		b.Enter("alice", "", "")
		want(t, "the watcher has ended", s)
	})
}

// Who comes back at once was never gone. Mutant: grace 0.
func TestBoard_Reconnect(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Board) {
		s := &sink{}
		alice := b.Enter("alice", "ios", "")
		watch(t, b, b.NewWatcher("me", s), account("alice"))
		want(t, "it was in the answer", s)
		for range 3 {
			b.Leave(alice)
			time.Sleep(grace / 2)
			if got := b.Show(account("alice")); got.State != "active" {
				t.Errorf("in the grace she is shown %+v", got)
			}
			alice = b.Enter("alice", "ios", "")
		}
		want(t, "a flapping phone", s)
	})
}

// What a new watcher is shown, the older ones know, and it hears of every change after
// it. Mutant: changed not called by Watch.
func TestBoard_WatchBetweenTwoChanges(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Board) {
		first, second := &sink{}, &sink{}
		alice := b.Enter("alice", "", "")
		watch(t, b, b.NewWatcher("me", first), account("alice"))
		want(t, "first", first)
		b.Set(alice, Away)
		if got := watch(t, b, b.NewWatcher("me", second), account("alice")); got.State != "away" {
			t.Errorf("shown %+v", got)
		}
		b.Set(alice, Active)
		want(t, "first", first, "alice away", "alice active")
		want(t, "second", second, "alice active")
	})
}

// A lease that is not renewed ends. Mutant: until not looked at.
func TestBoard_Lease(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Board) {
		s, renewing := &sink{}, &sink{}
		w := b.NewWatcher("me", renewing)
		watch(t, b, b.NewWatcher("me", s), account("alice"))
		watch(t, b, w, account("alice"))
		time.Sleep(Lease / 2)
		watch(t, b, w, account("alice"))
		time.Sleep(Lease/2 + time.Second)
		alice := b.Enter("alice", "", "")
		want(t, "the lease has ended", s)
		want(t, "the lease was renewed", renewing, "alice active")
		b.Unwatch(w, []chat.UserID{"alice", "nobody"})
		b.Set(alice, Away)
		want(t, "unwatched", renewing)
		b.Leave(alice)
		time.Sleep(Lease + sweepEvery)
		synctest.Wait()
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.users) != 0 || len(b.dirty) != 0 {
			t.Errorf("%d users and %d changes are left", len(b.users), len(b.dirty))
		}
	})
}

func TestBoard_WatchAtMost(t *testing.T) {
	inBubble(t, func(t *testing.T, b *Board) {
		w := b.NewWatcher("me", &sink{})
		var many []*chat.Account
		for i := range MaxWatched {
			many = append(many, account(chat.UserID(fmt.Sprint("u", i))))
		}
		if _, ok := b.Watch(w, many); !ok {
			t.Fatal("the limit is lower than it says")
		}
		if _, ok := b.Watch(w, many[:10]); !ok {
			t.Error("renewing counts twice")
		}
		if _, ok := b.Watch(w, []*chat.Account{account("one more")}); ok {
			t.Error("there is no limit")
		}
		b.Unwatch(w, []chat.UserID{"u0"})
		if _, ok := b.Watch(w, []*chat.Account{account("one more")}); !ok {
			t.Error("unwatching makes no room")
		}
	})
}

func TestParseState(t *testing.T) {
	for text, ok := range map[string]bool{"active": true, "away": true, "background": true, "offline": false, "": false, "Active": false} {
		if _, got := ParseState(text); got != ok {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// Comings, goings and watchers at once leave nothing behind.
func TestBoard_AtOnce(t *testing.T) {
	b := New()
	ctx, cancel := context.WithCancel(t.Context())
	var run, all sync.WaitGroup
	run.Go(func() { b.Run(ctx) })
	for i := range 8 {
		all.Go(func() {
			u := chat.UserID(fmt.Sprint("u", i%3))
			for range 200 {
				s := b.Enter(u, "", "")
				w := b.NewWatcher("me", &sink{})
				if _, ok := b.Watch(w, []*chat.Account{account("u0"), account("u1")}); !ok {
					t.Error("not watched")
				}
				b.Set(s, Away)
				b.Present(u)
				b.Show(account(u))
				b.Leave(s)
				b.End(w)
			}
		})
	}
	all.Wait()
	cancel()
	run.Wait()
	b.tellChanges(time.Now().Add(2 * grace))
	if len(b.users) != 0 || len(b.dirty) != 0 {
		t.Errorf("%d users and %d changes are left", len(b.users), len(b.dirty))
	}
}
