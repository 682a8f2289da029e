package chat_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
)

// naming makes a text that names users, "*" for everybody.
func naming(users ...chat.UserID) json.RawMessage {
	type mention struct {
		User chat.UserID `json:"user,omitempty"`
		All  bool        `json:"all,omitempty"`
	}
	var list []mention
	for _, u := range users {
		if u == "*" {
			list = append(list, mention{All: true})
		} else {
			list = append(list, mention{User: u})
		}
	}
	b, err := json.Marshal(map[string]any{"type": "text", "text": "hey", "mentions": list})
	if err != nil {
		panic(err)
	}
	return b
}

func (w *world) wantMentions(u chat.UserID, c chat.ConversationID, want ...chat.Seq) {
	w.t.Helper()
	if got := w.summary(u, c).Mentions; !slices.Equal(got, want) {
		w.t.Errorf("%s is mentioned in %v, want %v", u, got, want)
	}
	page, _, err := w.Conversations(w.t.Context(), as(u), chat.Inbox{Page: "", Limit: 10})
	if err != nil || len(page) == 0 || !slices.Equal(page[0].Mentions, want) {
		w.t.Errorf("%s lists %+v, %v", u, page, err)
	}
}

// Who is mentioned is told where until it is read. Mutants: mark without joined; the
// sender's own mark; unreadMentions without the read position, or without the spans; a row
// a member for everybody.
func TestMentions(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "bob", "carol")
	say := func(u chat.UserID, n int, users ...chat.UserID) chat.Seq {
		m := into(g, n)
		m.Content = naming(users...)
		m.KeepUnread = true
		return w.mustSend(u, m).Seq
	}
	one := say("alice", 2, "bob", "bob", "alice", "zoe")
	w.wantMentions("alice", g)
	w.wantMentions("bob", g, one)
	w.wantMentions("carol", g)

	all := say("alice", 3, "*", "bob")
	w.wantMentions("alice", g)
	w.wantMentions("bob", g, one, all)
	w.wantMentions("carol", g, all)
	for _, u := range []chat.UserID{"alice", "carol"} {
		if d := w.summary(u, g).Member.Details; d != nil {
			t.Errorf("a mention of everybody is in %s's row: %+v", u, d)
		}
	}

	// Everybody is for the owner and the admins to name, unless the group says otherwise.
	m := into(g, 5)
	m.Content = naming("*")
	_, err := w.send("bob", m)
	wantCode(t, err, chat.CodeForbidden)

	// Who comes in later was not meant.
	if _, err := w.AddMembers(t.Context(), as("alice"), change(g, 4, "zoe")); err != nil {
		t.Fatal(err)
	}
	w.wantMentions("zoe", g)

	if _, _, err := w.MarkRead(t.Context(), as("bob"), g, one); err != nil {
		t.Fatal(err)
	}
	w.wantMentions("bob", g, all)
	if _, _, err := w.MarkRead(t.Context(), as("bob"), g, all); err != nil {
		t.Fatal(err)
	}
	w.wantMentions("bob", g)
	if d := w.summary("bob", g).Member.Details; d != nil {
		t.Errorf("what was read past stays: %+v", d)
	}

	// Who was not there when it was said is not told of it later, nor who deleted it.
	if _, err := w.leave("carol", g, 6); err != nil {
		t.Fatal(err)
	}
	say("alice", 7, "carol")
	if d := w.summary("carol", g).Member.Details; d != nil {
		t.Errorf("who has left is marked: %+v", d)
	}
	again := say("alice", 8, "bob")
	w.wantMentions("bob", g, again)
	if err := w.Hide(t.Context(), as("bob"), g, [][2]chat.Seq{{again, again}}); err != nil {
		t.Fatal(err)
	}
	w.wantMentions("bob", g)

	// The oldest of very many are forgotten.
	var seqs []chat.Seq
	for n := range 120 {
		seqs = append(seqs, say("alice", 100+n, "bob"))
	}
	w.wantMentions("bob", g, seqs[20:]...)
}

func TestMentionOfAllInARoom(t *testing.T) {
	w := newWorld(t)
	m := into(chat.Lobby, 1)
	m.Content = naming("*")
	_, err := w.send("alice", m)
	wantCode(t, err, chat.CodeForbidden)
	g := w.group(3, false, "alice", "bob")
	few := into(g, 4)
	few.Content, few.Only = naming("*"), []chat.UserID{"bob"}
	_, err = w.send("alice", few)
	wantCode(t, err, chat.CodeParam)
	m.Content = naming("bob") // says nothing to him, and does no harm
	w.mustSend("alice", m)
}

// A reply names a message that its sender may read. Mutants: message without spans; without
// the kind; the hash without reply_to.
func TestReply(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "bob")
	first := w.mustSend("alice", into(g, 2))
	if _, err := w.AddMembers(t.Context(), as("alice"), change(g, 3, "carol")); err != nil {
		t.Fatal(err)
	}
	reply := func(n int, to chat.Seq) chat.Send {
		m := into(g, n)
		m.ReplyTo = to
		return m
	}
	p := w.mustSend("bob", reply(4, first.Seq))
	events := w.log("bob", g)
	if e := events[p.Seq-1]; e.ReplyTo != first.Seq {
		t.Errorf("listed as %+v", e)
	}
	if again := w.mustSend("bob", reply(4, first.Seq)); again != p {
		t.Errorf("repeated, it is at %+v", again)
	}
	_, err := w.send("bob", reply(4, 0))
	wantCode(t, err, chat.CodeConflict)
	for n, tt := range []struct {
		user chat.UserID
		to   chat.Seq
		want chat.Code
	}{
		{"bob", 1, chat.CodeParam},   // the group's beginning is no message
		{"bob", 99, chat.CodeParam},  // not there
		{"carol", 2, chat.CodeParam}, // before her time
		{"carol", p.Seq, ""},
	} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			_, err := w.send(tt.user, reply(10+n, tt.to))
			wantCode(t, err, tt.want)
		})
	}
	m := toUser("zoe", 30)
	m.ReplyTo = 1
	_, err = w.send("alice", m)
	wantCode(t, err, chat.CodeParam)
}

// Whom a thread's message names is told of the thread, unless it blocks who wrote it, may not
// read there, or is nobody of the parent's. Mutants: callInto without the block, without
// threadIsFor; decide without callInto; mark without the block.
func TestMentionsInThreadsAndByTheBlocked(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "bob", "carol", "dave")
	root := w.mustSend("alice", into(g, 2))
	if _, err := w.AddMembers(t.Context(), as("alice"), change(g, 3, "late")); err != nil {
		t.Fatal(err)
	}
	th, err := w.thread("alice", chat.EventKey{Conversation: g, Seq: root.Seq}, 4)
	if err != nil {
		t.Fatal(err)
	}
	w.mustSend("alice", into(th, 5))
	w.block("carol", "alice")
	m := into(th, 6)
	m.Content = naming("bob", "carol", "late", "zoe")
	p := w.mustSend("alice", m)
	if s := w.summary("bob", th); !s.Joined || s.Unread != 1 || !slices.Equal(s.Mentions, []chat.Seq{p.Seq}) {
		t.Errorf("bob: joined %v, unread %d, mentions %v", s.Joined, s.Unread, s.Mentions)
	}
	if s := w.summary("carol", th); s.Joined {
		t.Error("carol, who blocks alice, follows")
	}
	if n := w.summary("alice", th).Conversation.Members; n != 2 {
		t.Errorf("%d follow", n)
	}
	m = into(g, 7)
	m.Content = naming("bob")
	said := w.mustSend("alice", m)
	m = into(g, 8)
	m.Content = naming("carol")
	w.mustSend("alice", m)
	if _, err := w.Edit(t.Context(), as("alice"), on(said, 9), naming("carol", "dave")); err != nil {
		t.Fatal(err)
	}
	for u, want := range map[chat.UserID][]chat.Seq{"carol": nil, "dave": {said.Seq}} {
		if got := w.summary(u, g).Mentions; !slices.Equal(got, want) {
			t.Errorf("%s is mentioned in %v, want %v", u, got, want)
		}
	}
}
