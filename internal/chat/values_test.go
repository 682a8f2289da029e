package chat_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
)

// set makes a map of values.
func set(pairs ...string) map[string]json.RawMessage {
	m := make(map[string]json.RawMessage)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = json.RawMessage(pairs[i+1])
	}
	return m
}

func (w *world) values(p chat.Place) string {
	w.t.Helper()
	after := p.Seq - 1
	l, err := w.List(w.t.Context(), as("alice"), chat.List{Conversation: p.Conversation, After: &after, Limit: 1})
	if err != nil {
		w.t.Fatal(err)
	}
	var e struct{ Values json.RawMessage }
	if err := json.Unmarshal(l.Events[0].JSON, &e); err != nil {
		w.t.Fatal(err)
	}
	return string(e.Values)
}

// Values change from a revision to the next, by those who may. Mutants: IfRev not looked at;
// Rev that stays; By not looked at; the map begun anew.
func TestValues(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, true, "alice", "bob", "carol")
	m := into(g, 2)
	m.Values = &chat.Values{By: chat.ValuesByEverybody, Set: set("yes", `["alice"]`)}
	p := w.mustSend("alice", m)
	if again := w.mustSend("alice", m); again != p {
		t.Errorf("repeated: %+v", again)
	}
	change := func(u chat.UserID, at chat.Place, n int, ifRev int64, values map[string]json.RawMessage, remove ...string) error {
		sv := chat.SetValues{MessageCall: on(at, n), Set: values, Remove: remove}
		if ifRev > 0 {
			sv.IfRev = &ifRev
		}
		_, err := w.SetValues(t.Context(), as(u), sv)
		return err
	}
	wantCode(t, change("bob", p, 3, 1, set("yes", `["alice","bob"]`)), "")
	wantCode(t, change("bob", p, 3, 1, set("yes", `["alice","bob"]`)), "") // the same call
	wantCode(t, change("carol", p, 4, 1, set("yes", `["alice","carol"]`)), chat.CodeStale)
	wantCode(t, change("carol", p, 5, 2, set("no", `["carol"]`), "yes"), "")
	wantCode(t, change("bob", p, 6, 0, set("x", `1`)), "")
	if got, want := w.values(p), `{"rev":4,"by":"everybody","set":{"no":["carol"],"x":1}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if log := w.log("alice", g); log[len(log)-1].Kind != chat.ValuesSet || log[len(log)-1].Targets[0] != [2]chat.Seq{p.Seq, p.Seq} || len(log) != 5 {
		t.Errorf("told as %+v, of %d", log[len(log)-1], len(log))
	}
	if _, err := w.edit("alice", p, 7, "edited"); err != nil {
		t.Fatal(err)
	}
	if got := w.values(p); !strings.Contains(got, `"rev":4`) {
		t.Errorf("after an edit: %s", got)
	}

	own := into(g, 8)
	own.Values = &chat.Values{By: chat.ValuesBySender, Set: set("left", "3")}
	mine := w.mustSend("bob", own)
	none := w.mustSend("bob", into(g, 9))
	wantCode(t, change("alice", mine, 10, 1, set("left", "2")), chat.CodeForbidden)
	wantCode(t, change("bob", mine, 11, 1, set("left", "2")), "")
	wantCode(t, change("bob", none, 12, 0, set("left", "2")), chat.CodeForbidden)
	wantCode(t, change("zoe", mine, 13, 0, set("left", "2")), chat.CodeNotFound)
	wantCode(t, change("bob", mine, 14, 0, nil), chat.CodeParam)

	many := make(map[string]json.RawMessage)
	for i := range 51 {
		many[fmt.Sprint("k", i)] = json.RawMessage("1")
	}
	long := json.RawMessage(`"` + strings.Repeat("x", 1000) + `"`)
	big := make(map[string]json.RawMessage)
	for i := range 9 {
		big[fmt.Sprint("k", i)] = long
	}
	for n, bad := range []map[string]json.RawMessage{
		many, big, {"": long}, {strings.Repeat("k", 65): long}, {"a\x00": long}, {"a": json.RawMessage(`"` + strings.Repeat("x", 1023) + `"`)},
	} {
		wantCode(t, change("bob", mine, 20+n, 0, bad), chat.CodeParam)
		m := into(g, 40+n)
		m.Values = &chat.Values{By: chat.ValuesBySender, Set: bad}
		_, err := w.send("bob", m)
		wantCode(t, err, chat.CodeParam)
	}
	if _, err := w.recall("bob", mine, 60); err != nil {
		t.Fatal(err)
	}
	w.nowhere("left", "alice", mine)
}

// Pins are of the conversation, until the message is gone. Mutants: erase without unpin; a
// pin twice; RightPin for everybody.
func TestPins(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "bob")
	p, q := w.mustSend("bob", into(g, 2)), w.mustSend("bob", into(g, 3))
	pin := func(u chat.UserID, at chat.Place, n int, on_ bool) error {
		_, err := w.Pin(t.Context(), as(u), on(at, n), on_)
		return err
	}
	pins := func(u chat.UserID) (seqs []chat.Seq) {
		for _, p := range w.summary(u, g).Pins {
			seqs = append(seqs, p.Seq)
		}
		return seqs
	}
	wantCode(t, pin("bob", p, 4, true), chat.CodeForbidden)
	wantCode(t, pin("alice", p, 5, true), "")
	wantCode(t, pin("alice", p, 6, true), "") // nothing
	wantCode(t, pin("alice", q, 7, true), "")
	wantSeqs(t, pins("bob"), p.Seq, q.Seq)
	log := w.log("bob", g)
	if e := log[len(log)-1]; len(log) != 5 || e.Kind != chat.Pinned || e.Content.Text != "alice pinned a message" {
		t.Errorf("%d events, the last %+v", len(log), e)
	}
	if _, err := w.AddMembers(t.Context(), as("alice"), change(g, 8, "carol")); err != nil {
		t.Fatal(err)
	}
	wantSeqs(t, pins("carol")) // from before her time
	wantCode(t, pin("alice", p, 9, false), "")
	wantSeqs(t, pins("bob"), q.Seq)
	if _, err := w.recall("bob", q, 10); err != nil {
		t.Fatal(err)
	}
	wantSeqs(t, pins("bob"))
	for n := range 50 {
		wantCode(t, pin("alice", w.mustSend("bob", into(g, 100+n)), 200+n, true), "")
	}
	wantCode(t, pin("alice", w.mustSend("bob", into(g, 150)), 250, true), chat.CodeForbidden)
	few := into(g, 300)
	few.Only = []chat.UserID{"bob"}
	wantCode(t, pin("alice", w.mustSend("alice", few), 301, true), chat.CodeForbidden)
}

// What one may read one may send on, as it is now, to where one may write. Mutants: the
// content of the stored call; readMessage without spans; mentions kept; the depth not counted.
func TestForward(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "bob")
	m := into(g, 2)
	m.Content = naming("bob")
	p := w.mustSend("alice", m)
	q := w.mustSend("bob", into(g, 3))
	if _, err := w.AddMembers(t.Context(), as("alice"), change(g, 4, "carol")); err != nil {
		t.Fatal(err)
	}
	to := w.group(5, true, "alice", "bob", "carol")
	forward := func(u chat.UserID, n int, merged bool, at ...chat.Place) (chat.Place, error) {
		cid, key := id(n)
		f := chat.Forward{Send: chat.Send{Conversation: to, ClientID: cid, Key: key}, From: at[0].Conversation, Merged: merged}
		for _, p := range at {
			f.Seqs = append(f.Seqs, p.Seq)
		}
		return w.Forward(t.Context(), as(u), f)
	}
	content := func(p chat.Place) string {
		t.Helper()
		after := p.Seq - 1
		l, err := w.List(t.Context(), as("alice"), chat.List{Conversation: to, After: &after, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		var e struct{ Content json.RawMessage }
		if err := json.Unmarshal(l.Events[0].JSON, &e); err != nil {
			t.Fatal(err)
		}
		return string(e.Content)
	}
	first, err := forward("alice", 10, false, p)
	if err != nil || content(first) != `{"text":"hey","type":"text"}` {
		t.Errorf("%v: %s", err, content(first))
	}
	w.wantMentionsIn(to, "bob")
	if _, err := w.edit("bob", q, 11, "as it is now"); err != nil {
		t.Fatal(err)
	}
	both, err := forward("bob", 12, true, p, q)
	want := fmt.Sprintf(`{"type":"forward","text":"2 messages","items":[{"from":"alice","time":%q,"content":{"text":"hey","type":"text"}},{"from":"bob","time":%q,"content":%s}]}`,
		chat.AppendTime(nil, p.Time), chat.AppendTime(nil, q.Time), text("as it is now"))
	if err != nil || content(both) != want {
		t.Errorf("%v: got %s, want %s", err, content(both), want)
	}
	twice, err := forward("bob", 13, true, both)
	wantCode(t, err, "")
	_, err = forward("bob", 14, true, twice)
	wantCode(t, err, chat.CodeParam)
	_, err = forward("bob", 15, false, twice) // a copy is no deeper
	wantCode(t, err, "")

	_, err = forward("carol", 16, false, p) // from before her time
	wantCode(t, err, chat.CodeNotFound)
	_, err = forward("zoe", 17, false, p)
	wantCode(t, err, chat.CodeNotFound)
	_, err = forward("bob", 18, false, p, q)
	wantCode(t, err, chat.CodeParam)
	// Repeated after the source is gone, it is what it was.
	if _, err := w.recall("bob", q, 19); err != nil {
		t.Fatal(err)
	}
	if again, err := forward("bob", 12, true, p, q); err != nil || again != both {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	_, err = forward("bob", 20, true, p, q)
	wantCode(t, err, chat.CodeNotFound)
	// Where one may not write.
	if _, err := w.leave("bob", to, 21); err != nil {
		t.Fatal(err)
	}
	_, err = forward("bob", 22, false, p)
	wantCode(t, err, chat.CodeNotFound)
}

// wantMentionsIn says that a user is mentioned nowhere in a conversation.
func (w *world) wantMentionsIn(c chat.ConversationID, u chat.UserID) {
	w.t.Helper()
	if got := w.summary(u, c).Mentions; len(got) != 0 {
		w.t.Errorf("%s is mentioned in %v", u, got)
	}
}
