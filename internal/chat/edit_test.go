package chat_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
)

// on makes the n-th call about a message.
func on(p chat.Place, n int) chat.MessageCall {
	cid, key := id(n)
	return chat.MessageCall{
		GroupCall: chat.GroupCall{Key: key, ClientID: cid, Conversation: p.Conversation}, Seq: p.Seq,
	}
}

func (w *world) edit(u chat.UserID, p chat.Place, n int, to string) (chat.Place, error) {
	return w.Edit(w.t.Context(), as(u), on(p, n), text(to))
}

func (w *world) recall(u chat.UserID, p chat.Place, n int) (chat.Place, error) {
	return w.Recall(w.t.Context(), as(u), on(p, n))
}

// nowhere fails if a text stands in anything that a user is shown of a conversation.
func (w *world) nowhere(what string, u chat.UserID, p chat.Place) {
	w.t.Helper()
	var shown strings.Builder
	for limit := 1; limit <= 50; limit += 49 {
		for after := chat.Seq(0); ; {
			l, err := w.List(w.t.Context(), as(u), chat.List{Conversation: p.Conversation, After: &after, Limit: limit})
			if err != nil {
				w.t.Fatal(err)
			}
			if l.To <= after {
				break
			}
			for _, r := range l.Events {
				shown.Write(r.JSON)
			}
			after = l.To
		}
	}
	if last := w.summary(u, p.Conversation).Last; last != nil {
		shown.Write(last.JSON)
	}
	if versions, err := w.Versions(w.t.Context(), as(u), chat.EventKey{Conversation: p.Conversation, Seq: p.Seq}); err == nil {
		fmt.Fprintf(&shown, "%s", versions)
	}
	items, err := w.store.Items(w.t.Context(), chat.ItemRange{Holder: chat.ConversationHolder(p.Conversation), Kind: "versions", Limit: 100})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, it := range items {
		shown.Write(it.Body)
	}
	if strings.Contains(shown.String(), what) {
		w.t.Errorf("%q is still shown to %s: %s", what, u, shown.String())
	}
}

// An edited message is listed as it is now, at its place, and its earlier versions are kept.
// Mutants: revise left out; the window not looked at; from not compared; keepVersion after
// the content is set; Targets left out; the time of a version that of the message.
func TestEdit(t *testing.T) {
	w := newWorld(t, withLimits(chat.Limits{EditWindow: time.Hour}))
	p := w.mustSend("alice", toUser("bob", 1))
	w.mustSend("bob", toUser("alice", 2))
	w.clock.set(w.clock.now().Add(time.Minute))
	said, err := w.edit("alice", p, 3, "better")
	if err != nil || said.Seq != 3 {
		t.Fatalf("%+v, %v", said, err)
	}
	if again, err := w.edit("alice", p, 3, "better"); err != nil || again != said {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	log := w.log("bob", p.Conversation)
	if e := log[0]; e.Kind != chat.Message || e.Content.Text != "better" || e.Changed != 3 || e.From != "alice" || e.Count != 1 || !e.Time.Equal(p.Time) {
		t.Errorf("listed as %+v", e)
	}
	if e := log[2]; e.Kind != chat.Edited || e.From != "alice" || len(e.Targets) != 1 || e.Targets[0] != [2]chat.Seq{1, 1} || e.Count != 2 {
		t.Errorf("told as %+v", e)
	}
	if last := w.summary("bob", p.Conversation).Last; last.Seq != 2 {
		t.Errorf("the last is %s", last.JSON)
	}
	versions, err := w.Versions(t.Context(), as("bob"), chat.EventKey{Conversation: p.Conversation, Seq: p.Seq})
	if err != nil || len(versions) != 2 || string(versions[0].Content) != string(text("message 1")) || !versions[0].Time.Equal(p.Time) ||
		string(versions[1].Content) != string(text("better")) || !versions[1].Time.Equal(w.clock.now()) {
		t.Errorf("versions %s, %v", versions, err)
	}

	for n, tt := range []struct {
		user chat.UserID
		at   chat.Place
		want chat.Code
	}{
		{"bob", p, chat.CodeForbidden},
		{"zoe", p, chat.CodeNotFound},
		{"alice", said, chat.CodeNotFound}, // an edit is no message
		{"alice", chat.Place{Conversation: p.Conversation, Seq: 99}, chat.CodeNotFound},
		{"alice", chat.Place{Conversation: "g_none", Seq: 1}, chat.CodeNotFound},
	} {
		_, err := w.edit(tt.user, tt.at, 10+n, "x")
		if code(err) != tt.want {
			t.Errorf("%+v: %v", tt, err)
		}
	}
	w.clock.set(p.Time.Add(time.Hour + time.Millisecond))
	_, err = w.edit("alice", p, 30, "too late")
	wantCode(t, err, chat.CodeForbidden)
	_, err = w.Edit(t.Context(), chat.Actor{User: "alice", Server: true}, on(p, 31), text("by the server"))
	wantCode(t, err, "")
	if _, err := w.edit("alice", p, 3, "better"); err != nil {
		t.Errorf("a repetition after the window: %v", err)
	}
}

func TestVersionsAreBounded(t *testing.T) {
	w := newWorld(t)
	p := w.mustSend("alice", toUser("bob", 1))
	key := chat.EventKey{Conversation: p.Conversation, Seq: p.Seq}
	for n := range 30 {
		if _, err := w.edit("alice", p, 100+n, fmt.Sprint("version ", n)); err != nil {
			t.Fatal(err)
		}
	}
	list, err := w.Versions(t.Context(), as("bob"), key)
	if err != nil || len(list) != 21 || string(list[0].Content) != string(text("message 1")) || string(list[1].Content) != string(text("version 10")) {
		t.Errorf("%d versions, %s, %v", len(list), list[:2], err)
	}
	for n := range 10 {
		if _, err := w.edit("alice", p, 200+n, strings.Repeat("x", 15<<10)); err != nil {
			t.Fatal(err)
		}
	}
	list, _ = w.Versions(t.Context(), as("bob"), key)
	sum := 0
	for _, v := range list[:len(list)-1] {
		sum += len(v.Content)
	}
	if sum > 64<<10 || string(list[0].Content) != string(text("message 1")) {
		t.Errorf("%d bytes of versions", sum)
	}
}

// A recalled message is nowhere any more: not in a list of any window, not in its versions,
// not in the preview. Mutants: erase without the versions; without revise; the preview from
// the head; the window not looked at; RightManage for everybody.
func TestRecall(t *testing.T) {
	w := newWorld(t, withLimits(chat.Limits{RecallWindow: time.Minute}))
	g := w.group(1, true, "alice", "bob", "carol")
	m := into(g, 2)
	m.Content = text("the password is hunter2")
	p := w.mustSend("bob", m)
	if _, err := w.edit("bob", p, 3, "hunter2 it was"); err != nil {
		t.Fatal(err)
	}
	for n := range 60 {
		w.mustSend("carol", into(g, 100+n))
	}
	_, err := w.recall("carol", p, 4)
	wantCode(t, err, chat.CodeForbidden)
	said, err := w.recall("bob", p, 5)
	wantCode(t, err, "")
	if again, err := w.recall("bob", p, 5); err != nil || again != said {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	_, err = w.recall("bob", p, 6)
	wantCode(t, err, chat.CodeNotFound)
	_, err = w.edit("bob", p, 7, "hunter2 again")
	wantCode(t, err, chat.CodeNotFound)
	for _, u := range []chat.UserID{"alice", "bob", "carol"} {
		w.nowhere("hunter2", u, p)
	}
	log := w.log("alice", g)
	if e := log[p.Seq-1]; e.Kind != chat.Void || e.Changed != said.Seq || e.From != "" {
		t.Errorf("listed as %+v", e)
	}
	if e := log[said.Seq-1]; e.Kind != chat.Recalled || e.From != "bob" || e.Targets[0] != [2]chat.Seq{p.Seq, p.Seq} {
		t.Errorf("told as %+v", e)
	}
	if e := decode(t, *w.summary("alice", g).Last); e.Kind != chat.Message || e.Seq != said.Seq-1 {
		t.Errorf("the preview is %+v", e)
	}

	// Its sender may for a time; who manages the group always.
	late := w.mustSend("bob", into(g, 8))
	of := w.mustSend("alice", into(g, 9))
	w.clock.set(w.clock.now().Add(time.Minute + time.Millisecond))
	_, err = w.recall("bob", late, 10)
	wantCode(t, err, chat.CodeForbidden)
	_, err = w.recall("bob", of, 11)
	wantCode(t, err, chat.CodeForbidden)
	_, err = w.recall("alice", late, 12)
	wantCode(t, err, "")
	_, err = w.Recall(t.Context(), chat.Actor{User: "backend", Server: true}, on(of, 13))
	wantCode(t, err, "")
	direct := w.mustSend("alice", toUser("bob", 14))
	_, err = w.recall("bob", direct, 15)
	wantCode(t, err, chat.CodeForbidden)
}

// What a message meant to others goes with it; what counts stays until it is read past.
// Mutants: erase without mark; Sent or Count taken back.
func TestRecallTakesMentionsBack(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, true, "alice", "bob", "carol")
	m := into(g, 2)
	m.Content = naming("bob", "*")
	p := w.mustSend("alice", m)
	w.wantMentions("bob", g, p.Seq)
	w.wantMentions("carol", g, p.Seq)
	// Edited, it names somebody else.
	if _, err := w.Edit(t.Context(), as("alice"), on(p, 3), naming("carol")); err != nil {
		t.Fatal(err)
	}
	w.wantMentions("bob", g)
	w.wantMentions("carol", g, p.Seq)
	if _, err := w.recall("alice", p, 4); err != nil {
		t.Fatal(err)
	}
	w.wantMentions("carol", g)
	if got := w.summary("carol", g).Unread; got != 1 {
		t.Errorf("%d unread", got)
	}
	if _, left, err := w.MarkRead(t.Context(), as("carol"), g, p.Seq); err != nil || left != 0 {
		t.Errorf("%d unread, %v", left, err)
	}
}

// Sent and recalled in one commit, by who guessed its seq: the message counts, and is a void
// in the store and for everybody it is pushed to. Mutant: Kind set to Void.
func TestRecallInTheSameCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New()
		p := newWorldOn(t, store).mustSend("alice", toUser("bob", 1))
		gate := &gate{Store: store, open: make(chan struct{})}
		w := newWorldOn(t, gate)
		warm := w.start(as("x"), toUser("y", 1))
		synctest.Wait() // the committer is in it
		sent := w.start(as("alice"), toUser("bob", 2))
		next := chat.Place{Conversation: p.Conversation, Seq: p.Seq + 1}
		recalled := make(chan error, 1)
		go func() {
			_, err := w.recall("alice", next, 3)
			recalled <- err
		}()
		synctest.Wait()
		close(gate.open)
		for _, a := range []*answer{warm, sent} {
			if _, err := a.wait(); err != nil {
				t.Fatal(err)
			}
		}
		wantCode(t, <-recalled, "")
		w.nowhere("message 2", "bob", next)
		if s := w.summary("bob", p.Conversation); s.Unread != 2 || s.Conversation.Count != 2 {
			t.Errorf("%+v", s)
		}
		zero := chat.Seq(0)
		l, err := w.List(t.Context(), as("bob"), chat.List{Conversation: p.Conversation, After: &zero, Limit: 9, Messages: true})
		if err != nil || len(l.Events) != 2 {
			t.Errorf("%d messages are listed, %v", len(l.Events), err)
		}
		commits, _ := w.bus.taken()
		for _, c := range commits {
			if e := c.Event; e.Conversation == next.Conversation && e.Seq == next.Seq &&
				string(e.JSON) != fmt.Sprintf(`{"conversation":%q,"seq":2,"kind":"void","changed":3}`, p.Conversation) {
				t.Errorf("pushed %s", e.JSON)
			}
		}
		if m, err := store.Member(t.Context(), chat.MemberKey{Conversation: p.Conversation, User: "alice"}); err != nil || m.Sent != 2 {
			t.Errorf("%+v, %v", m, err)
		}
	})
}

// Guests' names are anybody's: where they are no users, they change nothing that was said.
func TestGuestsEditNothing(t *testing.T) {
	for guests, want := range map[chat.Guests]chat.Code{chat.GuestsLobby: chat.CodeForbidden, chat.GuestsFull: ""} {
		w := newWorld(t, withGuests(guests))
		p := w.mustSend("guest:ann", into(chat.Lobby, 1))
		_, err := w.edit("guest:ann", p, 2, "x")
		wantCode(t, err, want)
		_, err = w.recall("guest:ann", p, 3)
		wantCode(t, err, want)
	}
}
