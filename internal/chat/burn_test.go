package chat_test

import (
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

func (w *world) open(u chat.UserID, p chat.Place, n int) (chat.Place, error) {
	cid, key := id(n)
	return w.Open(w.t.Context(), as(u), chat.MessageCall{
		GroupCall: chat.GroupCall{Key: key, ClientID: cid, Conversation: p.Conversation}, Seq: p.Seq,
	})
}

// A message burns so long after the other one has opened it, also when the server was gone
// meanwhile, and what was only read past does not. Mutants: burning by the read position; a
// burn that leaves the content; a second opening that begins the time anew.
func TestBurn(t *testing.T) {
	w := newWorld(t)
	burning := func(n int) chat.Place {
		m := toUser("bob", n)
		m.Burn = time.Minute
		return w.mustSend("alice", m)
	}
	first, second := burning(1), burning(2)
	if _, _, err := w.MarkRead(t.Context(), as("bob"), first.Conversation, second.Seq); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	if log := w.log("bob", first.Conversation); log[0].Content.Text != "message 1" || log[1].Content.Text != "message 2" {
		t.Fatalf("read past, they are %+v", log)
	}
	opened, err := w.open("bob", first, 3)
	if err != nil || opened.Seq != 3 {
		t.Fatal(opened, err)
	}
	if again, err := w.open("bob", first, 3); err != nil || again != opened {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	w.pass(40 * time.Second)
	if _, err := w.open("bob", first, 4); err != nil { // from another device
		t.Error(err)
	}
	_, err = w.open("alice", first, 5)
	wantCode(t, err, chat.CodeForbidden)
	_, err = w.open("carol", first, 5)
	wantCode(t, err, chat.CodeNotFound)
	_, err = w.open("bob", w.mustSend("alice", toUser("bob", 6)), 7)
	wantCode(t, err, chat.CodeForbidden)

	next := newWorldOn(t, w.store)
	next.clock.set(w.clock.now())
	next.pass(19 * time.Second)
	if log := next.log("bob", first.Conversation); log[0].Kind != chat.Message {
		t.Errorf("too early: %+v", log[0])
	}
	next.pass(2 * time.Second)
	log := next.log("bob", first.Conversation)
	if len(log) != 5 || log[0].Kind != chat.Void || log[0].Content.Text != "" || log[1].Kind != chat.Message || log[2].Kind != "opened" || log[4].Kind != "burned" {
		t.Errorf("burnt: %+v", log)
	}
	next.pass(time.Hour)
	if got := len(next.log("bob", first.Conversation)); got != 5 {
		t.Errorf("%d events", got)
	}

	// Recalled before its time, there is nothing left to burn.
	third := w.mustSend("alice", func() chat.Send { m := toUser("bob", 8); m.Burn = time.Minute; return m }())
	if _, err := w.open("bob", third, 9); err != nil {
		t.Fatal(err)
	}
	cid, key := id(10)
	if _, err := w.Recall(t.Context(), as("alice"), chat.MessageCall{GroupCall: chat.GroupCall{Key: key, ClientID: cid, Conversation: third.Conversation}, Seq: third.Seq}); err != nil {
		t.Fatal(err)
	}
	before := len(w.log("bob", third.Conversation))
	w.pass(time.Hour)
	if got := len(w.log("bob", third.Conversation)); got != before {
		t.Errorf("%d events, were %d", got, before)
	}
	g := w.group(11, false, "alice", "bob")
	for _, tt := range []struct {
		m    chat.Send
		burn time.Duration
	}{{into(g, 12), time.Minute}, {toUser("bob", 13), time.Millisecond}, {toUser("bob", 14), 8 * 24 * time.Hour}, {toUser("new", 15), -1}} {
		tt.m.Burn = tt.burn
		_, err := w.send("alice", tt.m)
		wantCode(t, err, chat.CodeParam)
	}
}

// A message that burns leaves no copy. Mutant: forwardContent without asking.
func TestBurningIsNotForwarded(t *testing.T) {
	w := newWorld(t)
	m := toUser("bob", 1)
	m.Burn = time.Minute
	p := w.mustSend("alice", m)
	_, err := w.Forward(t.Context(), as("bob"), chat.Forward{Send: toUser("carol", 2), From: p.Conversation, Seqs: []chat.Seq{p.Seq}})
	wantCode(t, err, chat.CodeForbidden)
}
