package chat_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// streamed is a streamed message as it is listed.
type streamed struct {
	Kind    chat.EventKind `json:"kind"`
	Stream  string         `json:"stream"`
	Changed chat.Seq       `json:"changed"`
	Targets [][2]chat.Seq  `json:"targets"`
	Content struct {
		Type, Text  string
		Interrupted bool `json:"interrupted"`
	} `json:"content"`
}

func (w *world) openStream(u chat.UserID, m chat.Send, begin string) chat.EventKey {
	w.t.Helper()
	m.Content = text(begin)
	p, err := w.OpenStream(w.t.Context(), as(u), m)
	if err != nil {
		w.t.Fatal(err)
	}
	return chat.EventKey{Conversation: p.Conversation, Seq: p.Seq}
}

func (w *world) finishStream(u chat.UserID, key chat.EventKey, n int) (chat.Place, error) {
	cid, k := id(n)
	return w.FinishStream(w.t.Context(), as(u), key, k, cid)
}

func (w *world) at(u chat.UserID, key chat.EventKey) streamed {
	w.t.Helper()
	after := key.Seq - 1
	l, err := w.List(w.t.Context(), as(u), chat.List{Conversation: key.Conversation, After: &after, Limit: 1})
	if err != nil || len(l.Events) != 1 {
		w.t.Fatalf("%+v, %v", l, err)
	}
	var s streamed
	if err := json.Unmarshal(l.Events[0].JSON, &s); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// A stream is two events, and what comes between is told live. Mutants: append without
// comparing what was taken; finish without revising the message.
func TestStream(t *testing.T) {
	w := newWorld(t)
	key := w.openStream("alice", toUser("bob", 1), "你")
	if got := w.at("bob", key); got.Kind != chat.Message || got.Stream != "open" || got.Content.Text != "你" {
		t.Errorf("opened: %+v", got)
	}
	w.bus.taken()
	for i, tt := range []struct {
		offset int
		text   string
		taken  int
		code   chat.Code
	}{
		{3, "好 ", 7, ""},
		{7, "bob", 10, ""},
		{7, "bob", 10, ""},  // repeated: its answer was lost
		{7, "bob!", 11, ""}, // and went on
		{11, "", 11, ""},    // nothing
		{12, "x", 0, "invalid_param"},
		{-1, "x", 0, "invalid_param"},
		{7, "BOB!", 0, "invalid_param"}, // other text in its place
		{3, "好", 0, "invalid_param"},    // all of it and more was taken
		{11, "\xff", 0, "invalid_param"},
		{11, strings.Repeat("x", 128<<10), 0, "invalid_param"},
	} {
		got, err := w.AppendStream(t.Context(), as("alice"), key, tt.offset, tt.text)
		if code(err) != tt.code || got.Offset != tt.taken || err == nil && got.Durable != 3 {
			t.Errorf("append %d: %+v, %v", i, got, err)
		}
	}
	_, notices := w.bus.taken()
	told := "你"
	for _, n := range notices {
		var p struct {
			Seq    chat.Seq
			Offset int
			Text   string
		}
		if err := json.Unmarshal(n.Params, &p); err != nil || n.Method != "stream" || p.Seq != key.Seq || p.Offset != len(told) {
			t.Errorf("told %s %s", n.Method, n.Params)
		}
		told += p.Text
	}
	if told != "你好 bob!" {
		t.Errorf("told in all: %q", told)
	}
	for _, u := range []chat.UserID{"bob", "carol"} {
		_, err := w.AppendStream(t.Context(), as(u), key, 11, "x")
		wantCode(t, err, chat.CodeNotFound)
		_, err = w.finishStream(u, key, 5)
		wantCode(t, err, chat.CodeNotFound)
	}

	// Written within a second, without another event.
	w.pass(time.Second)
	if got := w.at("bob", key); got.Content.Text != told || got.Stream != "open" || got.Changed != 0 {
		t.Errorf("a second later: %+v", got)
	}
	if got, err := w.AppendStream(t.Context(), as("alice"), key, 11, " 再见"); err != nil || got.Durable != 11 {
		t.Errorf("%+v, %v", got, err)
	}
	end, err := w.finishStream("alice", key, 2)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.finishStream("alice", key, 2); err != nil || again != end {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	if got := w.at("bob", key); got.Content.Text != told+" 再见" || got.Stream != "" || got.Changed != end.Seq {
		t.Errorf("finished: %+v", got)
	}
	if got := w.at("bob", chat.EventKey{Conversation: key.Conversation, Seq: end.Seq}); got.Kind != "finished" ||
		fmt.Sprint(got.Targets) != "[[1 1]]" || got.Content.Interrupted {
		t.Errorf("its end: %+v", got)
	}
	if s := w.summary("bob", key.Conversation); s.Unread != 1 || s.Last.Seq != key.Seq {
		t.Errorf("unread %d, last %d", s.Unread, s.Last.Seq)
	}
	_, err = w.AppendStream(t.Context(), as("alice"), key, 18, "more")
	wantCode(t, err, chat.CodeNotFound)
	_, err = w.finishStream("alice", key, 3)
	wantCode(t, err, chat.CodeNotFound)
	w.pass(2 * time.Minute) // and nothing is due any more
	if got := len(w.log("bob", key.Conversation)); got != 2 {
		t.Errorf("%d events", got)
	}
}

// A server that is gone leaves a stream that its writer can go on with; that nobody goes on
// with is interrupted. Mutants: no item put by sendOp; FlushStreams without moving its Due.
func TestStreamAfterRestart(t *testing.T) {
	w := newWorld(t)
	key := w.openStream("alice", toUser("bob", 1), "")
	lost := w.openStream("alice", toUser("carol", 2), "half")
	for _, text := range []string{"abc", "def"} {
		if _, err := w.AppendStream(t.Context(), as("alice"), key, len(w.at("bob", key).Content.Text), text); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
	}
	if _, err := w.AppendStream(t.Context(), as("alice"), key, 6, "lost"); err != nil {
		t.Fatal(err)
	}
	next := newWorldOn(t, w.store) // the first one is not closed: it is gone
	next.clock.set(w.clock.now().Add(58 * time.Second))
	got, err := next.AppendStream(t.Context(), as("alice"), key, 6, "ghi")
	if err != nil || got.Offset != 9 || got.Durable != 6 {
		t.Fatalf("%+v, %v", got, err)
	}
	next.pass(3 * time.Second)
	if got := next.at("carol", lost); got.Stream != "interrupted" || got.Content.Text != "half" || got.Changed != 2 {
		t.Errorf("nobody went on with it: %+v", got)
	}
	if got := next.at("bob", key); got.Stream != "open" || got.Content.Text != "abcdefghi" {
		t.Errorf("its writer went on: %+v", got)
	}
	// Silence in memory too: what was taken is kept.
	if _, err := next.AppendStream(t.Context(), as("alice"), key, 9, "jkl"); err != nil {
		t.Fatal(err)
	}
	next.pass(2 * time.Minute)
	next.pass(2 * time.Minute)
	if got := next.at("bob", key); got.Stream != "interrupted" || got.Content.Text != "abcdefghijkl" {
		t.Errorf("silent for long: %+v", got)
	}
	_, err = next.AppendStream(t.Context(), as("alice"), key, 12, "x")
	wantCode(t, err, chat.CodeNotFound)
}

// Who is removed writes nothing more. Mutant: FlushStreams without joined.
func TestStreamOfOneRemoved(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "bob")
	key := w.openStream("bob", into(g, 2), "a")
	if _, err := w.RemoveMembers(t.Context(), as("alice"), change(g, 3, "bob")); err != nil {
		t.Fatal(err)
	}
	_, err := w.AppendStream(t.Context(), as("bob"), key, 1, "b")
	wantCode(t, err, chat.CodeNotFound)
	key = w.openStream("alice", into(g, 4), "a")
	if _, err := w.AppendStream(t.Context(), as("alice"), key, 1, "b"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.leave("alice", g, 5); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Second)
	_, err = w.AppendStream(t.Context(), as("alice"), key, 2, "c")
	wantCode(t, err, chat.CodeNotFound)
}

// A stream ends where its writer may no longer speak, with what it had said before. A server
// key's goes on, in the group or not. Mutants: FlushStreams that asks standing alone;
// FinishStream without mayStream; mayStream without the stream's server.
func TestStreamOfOneMuted(t *testing.T) {
	a := crew(t)
	stops := map[string]func() error{
		"muted":     func() error { return a.mute("owner", nil, "mia") },
		"dismissed": func() error { return second(a.DismissGroup(t.Context(), as("owner"), a.call())) },
	}
	for i, how := range []string{"muted", "dismissed"} {
		key, other := a.openStream("mia", into(a.group, 600+i), "a"), a.openStream("mia", into(a.group, 610+i), "a")
		if err := stops[how](); err != nil {
			t.Fatal(err)
		}
		for _, k := range []chat.EventKey{key, other} {
			if _, err := a.AppendStream(t.Context(), as("mia"), k, 1, "bc"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := a.finishStream("mia", other, 620+i); err == nil {
			t.Errorf("%s: it finishes", how)
		}
		a.pass(time.Second)
		if got := a.at("adam", key); got.Stream != "interrupted" || got.Content.Text != "a" {
			t.Errorf("%s: %+v", how, got)
		}
		_, err := a.AppendStream(t.Context(), as("mia"), key, 3, "d")
		wantCode(t, err, chat.CodeNotFound)
		if how == "muted" {
			if _, err := a.UnmuteMembers(t.Context(), as("owner"), a.users("mia")); err != nil {
				t.Fatal(err)
			}
		}
	}

	w := newWorld(t)
	g := w.group(1, false, "alice", "bob")
	m := into(g, 2)
	m.Content = text("a")
	p, err := w.OpenStream(t.Context(), asServer("bot"), m)
	if err != nil {
		t.Fatal(err)
	}
	key := chat.EventKey{Conversation: g, Seq: p.Seq}
	for i, more := range []string{"b", "c"} {
		if _, err := w.AppendStream(t.Context(), asServer("bot"), key, 1+i, more); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
	}
	if got := w.at("bob", key); got.Stream != "open" || got.Content.Text != "abc" {
		t.Errorf("a server key's: %+v", got)
	}
}

// What was streamed is nowhere once it is recalled. Mutant: the content in the event finished.
func TestStreamRecalled(t *testing.T) {
	w := newWorld(t)
	key := w.openStream("alice", toUser("bob", 1), "sec")
	if _, err := w.AppendStream(t.Context(), as("alice"), key, 3, "ret"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.finishStream("alice", key, 2); err != nil {
		t.Fatal(err)
	}
	p := chat.Place{Conversation: key.Conversation, Seq: key.Seq}
	if _, err := w.recall("alice", p, 3); err != nil {
		t.Fatal(err)
	}
	w.nowhere("secret", "bob", p)
}

// A user holds the text of few streams in memory. Mutant: openStream without the limit.
func TestStreamsOfOneUser(t *testing.T) {
	w := newWorld(t)
	for n := range 21 {
		key := w.openStream("alice", toUser("bob", n), "a")
		_, err := w.AppendStream(t.Context(), as("alice"), key, 1, "b")
		if n < 20 {
			wantCode(t, err, "")
		} else {
			wantCode(t, err, chat.CodeForbidden)
		}
	}
	first := chat.EventKey{Conversation: chat.DirectID("alice", "bob"), Seq: 1}
	if _, err := w.finishStream("alice", first, 30); err != nil {
		t.Fatal(err)
	}
	first.Seq = 21
	_, err := w.AppendStream(t.Context(), as("alice"), first, 1, "b")
	wantCode(t, err, "")
}

// Nothing is told of a stream whose message is gone. Mutants: Recall, Purge without stopStream.
func TestStreamOfOneGone(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "bob")
	for n, end := range []func(chat.Place) error{
		func(p chat.Place) error { return second(w.recall("alice", p, 40)) },
		func(p chat.Place) error {
			return second(w.Purge(t.Context(), as("alice"), call(g, 41), [][2]chat.Seq{{p.Seq, p.Seq}}))
		},
	} {
		key := w.openStream("alice", into(g, 10+n), "a")
		if _, err := w.AppendStream(t.Context(), as("alice"), key, 1, "b"); err != nil {
			t.Fatal(err)
		}
		if err := end(chat.Place{Conversation: g, Seq: key.Seq}); err != nil {
			t.Fatal(err)
		}
		_, err := w.AppendStream(t.Context(), as("alice"), key, 2, "c")
		wantCode(t, err, chat.CodeNotFound)
	}
}
