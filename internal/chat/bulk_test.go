package chat_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// A thousand sends, with repetitions and refusals among them, leave no hole, and go in few
// commits: in one, unless another one was under way. Mutants: each submitted by itself and
// waited for; the place of a refused one taken; a batch that is refused for one of them.
func TestSendMany(t *testing.T) {
	var commits atomic.Int64
	w := newWorld(t, func(c *chat.Config) { c.Committed = func(int, time.Duration) { commits.Add(1) } })
	g := w.group(1, false, "olga", "mia")
	before := commits.Load()
	list := make([]chat.SendAs, 1000)
	for i := range list {
		switch i % 4 {
		case 0:
			list[i] = chat.SendAs{From: "shop", Send: into(g, 1000+i)}
		case 1:
			list[i] = chat.SendAs{From: "shop", Send: into("g_none", 1000+i)}
		case 2:
			list[i] = chat.SendAs{From: "shop", Send: into(g, 1000+i-2)} // the one before last again
			list[i].Content = list[i-2].Content
		case 3:
			list[i] = chat.SendAs{From: chat.UserID(fmt.Sprint("user", i)), Send: toUser("bad id", i)}
		}
	}
	sent := w.SendMany(t.Context(), server(""), list)
	if n := commits.Load() - before; n > 2 {
		t.Errorf("%d commits", n)
	}
	for i, one := range sent {
		want := chat.Seq(2 + i/4)
		switch i % 4 {
		case 0, 2:
			if one.Err != nil || one.Place.Seq != want || one.Place.Conversation != g {
				t.Fatalf("%d: %+v", i, one)
			}
		case 1:
			wantCode(t, one.Err, chat.CodeNotFound)
		case 3:
			wantCode(t, one.Err, chat.CodeParam)
		}
	}
	log := w.log("mia", g)
	if len(log) != 251 {
		t.Fatalf("%d events", len(log))
	}
	for i, e := range log {
		if e.Seq != chat.Seq(i+1) || i > 0 && e.Count != int64(i) {
			t.Fatalf("event %d: %+v", i, e)
		}
	}
	// Repeated as a whole it is answered the same.
	for i, one := range w.SendMany(t.Context(), server(""), list) {
		if one.Place != sent[i].Place || (one.Err == nil) != (sent[i].Err == nil) {
			t.Fatalf("%d again: %+v, first %+v", i, one, sent[i])
		}
	}
}

func profileOf(u chat.UserID, name string) chat.Import {
	return chat.Import{User: u, ProfileChange: named(name)}
}

// Profiles are set in one commit, the right ones, once each. Mutants: a wrong one refuses all;
// the first of two holds; rows that are as they were are written.
func TestImportUsers(t *testing.T) {
	w := newWorld(t)
	errs, err := w.ImportUsers(t.Context(), []chat.Import{
		profileOf("alice", "Alice"), profileOf("bad id", "B"), profileOf("guest:zoe", "Zoe"), profileOf("bob", "a\nb"), profileOf("bob", "Bob"), profileOf("alice", "Alice A."),
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, bad := range []bool{false, true, true, true, false, false} {
		if (errs[i] != nil) != bad {
			t.Errorf("%d: %v", i, errs[i])
		}
	}
	list, err := w.Users(t.Context(), []chat.UserID{"alice", "bob"})
	if err != nil || list[0].Name != "Alice A." || list[1].Name != "Bob" {
		t.Errorf("%+v, %v", list, err)
	}
	pos := func() chat.Position {
		t.Helper()
		rows, err := w.store.Users(t.Context(), []chat.UserID{"alice"})
		if err != nil || len(rows) != 1 {
			t.Fatal(rows, err)
		}
		return rows[0].Pos
	}
	before := pos()
	if _, err := w.ImportUsers(t.Context(), []chat.Import{profileOf("alice", "Alice A."), profileOf("bob", "Bob")}); err != nil {
		t.Fatal(err)
	}
	if now := pos(); now != before {
		t.Errorf("what was so already was written at %d, first at %d", now, before)
	}
}
