package chat_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

func (w *world) react(u chat.UserID, p chat.Place, emoji string, on bool) error {
	return w.React(w.t.Context(), as(u), chat.EventKey{Conversation: p.Conversation, Seq: p.Seq}, emoji, on)
}

// reactions answers the totals of a message, as a list has them.
func (w *world) reactions(u chat.UserID, p chat.Place) (totals []chat.Reaction, changed chat.Seq) {
	w.t.Helper()
	after := p.Seq - 1
	l, err := w.List(w.t.Context(), as(u), chat.List{Conversation: p.Conversation, After: &after, Limit: 1})
	if err != nil {
		w.t.Fatal(err)
	}
	var e struct {
		Changed   chat.Seq
		Reactions []chat.Reaction
	}
	if err := json.Unmarshal(l.Events[0].JSON, &e); err != nil {
		w.t.Fatal(err)
	}
	return e.Reactions, e.Changed
}

func (w *world) wantReactions(p chat.Place, want ...chat.Reaction) {
	w.t.Helper()
	if got, _ := w.reactions("alice", p); !slices.Equal(got, want) {
		w.t.Errorf("reactions %v, want %v", got, want)
	}
}

func (w *world) itemsOf(c chat.ConversationID, kind chat.ItemKind) int {
	w.t.Helper()
	items, err := w.store.Items(w.t.Context(), chat.ItemRange{Holder: chat.ConversationHolder(c), Kind: kind, Limit: 1 << 20})
	if err != nil {
		w.t.Fatal(err)
	}
	return len(items)
}

// Where few are, each reaction is told at once, once. Mutants: has not looked at; revise left
// out; totals that keep zero; mine of another user, or of the whole conversation.
func TestReactions(t *testing.T) {
	w := newWorld(t)
	p := w.mustSend("alice", toUser("bob", 1))
	other := w.mustSend("alice", toUser("bob", 2))
	for _, set := range []struct {
		user  chat.UserID
		emoji string
		on    bool
	}{
		{"bob", "👍", true},
		{"bob", "👍", true}, // again: nothing
		{"alice", "👍", true},
		{"alice", "❤️", true},
		{"bob", "🎉", false}, // never there
		{"bob", "👍", false},
		{"bob", "👍", false},
		{"bob", "🎉", true},
	} {
		if err := w.react(set.user, p, set.emoji, set.on); err != nil {
			t.Fatal(err)
		}
	}
	w.wantReactions(p, chat.Reaction{Emoji: "👍", Count: 1}, chat.Reaction{Emoji: "❤️", Count: 1}, chat.Reaction{Emoji: "🎉", Count: 1})
	w.wantReactions(other)
	log := w.log("bob", p.Conversation)
	if len(log) != 7 {
		t.Errorf("%d events", len(log))
	}
	for _, e := range log[2:] {
		if e.Kind != chat.Reacted || e.Targets[0] != [2]chat.Seq{p.Seq, p.Seq} {
			t.Errorf("told as %+v", e)
		}
	}
	if _, changed := w.reactions("bob", p); changed != 7 {
		t.Errorf("changed by %d", changed)
	}
	if s := w.summary("bob", p.Conversation); s.Unread != 2 || s.Last.Seq != other.Seq {
		t.Errorf("%d unread, last %s", s.Unread, s.Last.JSON)
	}

	l, err := w.List(t.Context(), as("alice"), chat.List{Conversation: p.Conversation, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	mine, err := w.Mine(t.Context(), as("alice"), p.Conversation, l.Events)
	if err != nil || len(mine) != 1 || mine[0].Seq != p.Seq || !slices.Equal(mine[0].Emoji, []string{"👍", "❤️"}) {
		t.Errorf("alice's are %v, %v", mine, err)
	}

	if _, err := w.edit("alice", p, 20, "edited"); err != nil {
		t.Fatal(err)
	}
	w.wantReactions(p, chat.Reaction{Emoji: "👍", Count: 1}, chat.Reaction{Emoji: "❤️", Count: 1}, chat.Reaction{Emoji: "🎉", Count: 1})
	for _, tt := range []struct {
		user  chat.UserID
		at    chat.Place
		emoji string
		want  chat.Code
	}{
		{"zoe", p, "👍", chat.CodeNotFound},
		{"bob", chat.Place{Conversation: p.Conversation, Seq: 3}, "👍", chat.CodeNotFound},
		{"bob", p, "", chat.CodeParam},
		{"bob", p, "a b", chat.CodeParam},
		{"bob", p, "a\tb", chat.CodeParam},
		{"bob", p, fmt.Sprintf("%033d", 0), chat.CodeParam},
	} {
		wantCode(t, w.react(tt.user, tt.at, tt.emoji, true), tt.want)
	}
	for n := range 47 {
		if err := w.react("bob", p, fmt.Sprint("e", n), true); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, w.react("bob", p, "one more", true), chat.CodeParam)
	wantCode(t, w.react("bob", p, "51st", true), chat.CodeForbidden)
	wantCode(t, w.react("bob", p, "❤️", true), "")
}

// Where many are, reactions are told together, after a while, and after a restart too; who
// reacted is known at once. Mutants: at once for all; the item without Due; Due moved on by
// each reaction; totals from the changes, of which only some are named.
func TestManyReactions(t *testing.T) {
	users := make([]chat.UserID, 600)
	for i := range users {
		users[i] = chat.UserID(fmt.Sprintf("u%03d", i))
	}
	w := newWorld(t)
	g := w.group(1, true, append([]chat.UserID{"alice"}, users...)...)
	p := w.mustSend("alice", into(g, 2))
	for i, u := range users[:150] {
		if i == 100 {
			w.clock.set(w.clock.now().Add(1900 * time.Millisecond))
		}
		if err := w.react(u, p, "👍", true); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.react(users[0], p, "👍", false); err != nil {
		t.Fatal(err)
	}
	if err := w.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.wantReactions(p)
	list, page, err := w.Reactors(t.Context(), as("alice"), chat.EventKey{Conversation: g, Seq: p.Seq}, "👍", "", 100)
	if err != nil || len(list) != 100 || list[0].User != "u001" || page == "" {
		t.Errorf("%d reactors from %v on, %q, %v", len(list), list[0], page, err)
	}
	list, page, err = w.Reactors(t.Context(), as("alice"), chat.EventKey{Conversation: g, Seq: p.Seq}, "", page, 100)
	if err != nil || len(list) != 49 || list[0].User != "u101" || page != "" {
		t.Errorf("%d reactors from %v on, %q, %v", len(list), list[0], page, err)
	}

	w.Close() // and another server goes on
	w = func(old *world) *world {
		fresh := newWorldOn(t, old.store)
		fresh.clock.set(old.clock.now().Add(100 * time.Millisecond))
		return fresh
	}(w)
	for range 2 {
		if err := w.RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.wantReactions(p, chat.Reaction{Emoji: "👍", Count: 149})
	log := w.log("alice", g)
	e := log[len(log)-1]
	if len(log) != int(p.Seq)+1 || e.Kind != chat.Reacted || e.Content.Changed != 151 || e.Targets[0] != [2]chat.Seq{p.Seq, p.Seq} {
		t.Errorf("%d events, told as %+v", len(log), e)
	}

	// Given and taken back before it is told: nothing happened.
	for _, on := range []bool{true, false} {
		if err := w.react(users[0], p, "🎉", on); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.set(w.clock.now().Add(time.Minute))
	if err := w.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(w.log("alice", g)); got != len(log) {
		t.Errorf("%d events", got)
	}

	// Recalled: its reactions go, in steps, and those that wait are told no more.
	if err := w.react(users[0], p, "🎉", true); err != nil {
		t.Fatal(err)
	}
	if _, err := w.recall("alice", p, 30); err != nil {
		t.Fatal(err)
	}
	w.clock.set(w.clock.now().Add(time.Minute))
	if err := w.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []chat.ItemKind{"reaction", "reactions_of", "reacting", "unreact"} {
		if n := w.itemsOf(g, kind); n != 0 {
			t.Errorf("%d items of the kind %s are left", n, kind)
		}
	}
	if log := w.log("alice", g); log[len(log)-1].Kind != chat.Recalled {
		t.Errorf("the last event is %+v", log[len(log)-1])
	}
	wantCode(t, w.react(users[1], p, "👍", true), chat.CodeNotFound)
	_, _, err = w.Reactors(t.Context(), as("alice"), chat.EventKey{Conversation: g, Seq: p.Seq}, "", "", 10)
	wantCode(t, err, chat.CodeNotFound)
}
