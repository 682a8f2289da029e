package chat_test

import (
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// Messages of a thread are changed like others, by who is in its parent, and by nobody else;
// what is deleted for oneself is so in the thread alone. Mutants: standing with the thread's
// own row; Hide of the parent's row.
func TestChangesInAThread(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, true, "alice", "bob", "carol")
	root := w.mustSend("alice", into(g, 2))
	cid, key := id(3)
	thread, err := w.CreateThread(t.Context(), as("bob"), chat.EventKey{Conversation: g, Seq: root.Seq}, key, cid)
	if err != nil {
		t.Fatal(err)
	}
	p := w.mustSend("bob", into(thread, 4))
	q := w.mustSend("bob", into(thread, 5))
	if _, err := w.edit("bob", p, 6, "better"); err != nil {
		t.Error(err)
	}
	wantCode(t, w.react("carol", p, "👍", true), "") // she does not follow it
	wantCode(t, w.react("zoe", p, "👍", true), chat.CodeNotFound)
	w.wantReactions(p, chat.Reaction{Emoji: "👍", Count: 1})
	wantCode(t, w.Hide(t.Context(), as("carol"), thread, [][2]chat.Seq{{1, 1}}), chat.CodeForbidden)
	wantCode(t, w.Hide(t.Context(), as("zoe"), thread, [][2]chat.Seq{{1, 1}}), chat.CodeNotFound)
	if err := w.Hide(t.Context(), as("alice"), thread, [][2]chat.Seq{{p.Seq, p.Seq}}); err != nil {
		t.Fatal(err)
	}
	if s := w.summary("alice", thread); s.Unread != 1 || len(s.Member.HiddenRanges()) != 1 {
		t.Errorf("%d unread, hidden %v", s.Unread, s.Member.HiddenRanges())
	}
	if got := w.summary("alice", g).Member.HiddenRanges(); got != nil {
		t.Errorf("in the parent %v is hidden", got)
	}
	_, err = w.recall("carol", q, 7)
	wantCode(t, err, chat.CodeForbidden)
	_, err = w.recall("alice", q, 8) // who owns the group
	wantCode(t, err, "")
	w.nowhere("message 5", "carol", q)
}

// Who changes too much is told to wait, once what it may is known. Mutants: a call without
// the rate; the rate before the rights.
func TestChangesAreRated(t *testing.T) {
	limits := chat.Limits{SendsPerSecond: 1, SendsBurst: 1}
	for name, call := range map[string]func(w *world, p chat.Place, u chat.UserID, n int) error{
		"edit": func(w *world, p chat.Place, u chat.UserID, n int) error {
			_, err := w.Edit(t.Context(), chat.Actor{User: u, Limited: true}, on(p, n), text("x"))
			return err
		},
		"react": func(w *world, p chat.Place, u chat.UserID, n int) error {
			return w.React(t.Context(), chat.Actor{User: u, Limited: true}, chat.EventKey{Conversation: p.Conversation, Seq: p.Seq}, string(rune('a'+n)), true)
		},
		"pin": func(w *world, p chat.Place, u chat.UserID, n int) error {
			_, err := w.Pin(t.Context(), chat.Actor{User: u, Limited: true}, on(p, n), n%2 == 0)
			return err
		},
		"hide": func(w *world, p chat.Place, u chat.UserID, n int) error {
			return w.Hide(t.Context(), chat.Actor{User: u, Limited: true}, p.Conversation, [][2]chat.Seq{{chat.Seq(n - 1), chat.Seq(n - 1)}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, withLimits(limits))
			w.mustSend("alice", toUser("bob", 1))
			w.mustSend("alice", toUser("bob", 1000))
			p := w.mustSend("alice", toUser("bob", 1001))
			if name != "hide" {
				wantCode(t, call(w, p, "zoe", 9), chat.CodeNotFound)
			}
			wantCode(t, call(w, p, "alice", 2), "")
			wantCode(t, call(w, p, "alice", 3), chat.CodeRate)
			w.clock.set(w.clock.now().Add(time.Second))
			wantCode(t, call(w, p, "alice", 3), "")
		})
	}
}
