package chat_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
)

func (w *world) channel(u chat.UserID, n int, sharedPast bool) chat.ConversationID {
	w.t.Helper()
	cid, key := id(n)
	p, err := w.CreateGroup(w.t.Context(), as(u), chat.CreateGroup{Key: key, ClientID: cid, Kind: chat.Channel, Name: "the news", SharedPast: sharedPast})
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Conversation
}

func (w *world) join(u chat.UserID, c chat.ConversationID, n int) chat.Place {
	w.t.Helper()
	p, waiting, err := w.Join(w.t.Context(), as(u), call(c, n), "")
	if err != nil || waiting {
		w.t.Fatalf("%s joins: %v, %v", u, waiting, err)
	}
	return p
}

// Mutants: a join is logged; goes is the next seq; dismiss keeps a span that ends before it
// begins; speak without the channel; Members without the staff; a repeated join joins again.
func TestChannel(t *testing.T) {
	w := newWorld(t)
	c := w.channel("alice", 1, false)
	w.mustSend("alice", into(c, 2)) // 2
	place := w.join("bob", c, 3)
	w.join("carol", c, 4)
	if place.Seq != 2 {
		t.Errorf("joined at %d: it is not logged", place.Seq)
	}
	w.mustSend("alice", into(c, 5)) // 3
	s := w.summary("bob", c)
	if s.Conversation.Members != 3 || s.Unread != 1 || s.Head != 3 || !s.Joined {
		t.Errorf("%d members, %d unread, head %d, joined %v", s.Conversation.Members, s.Unread, s.Head, s.Joined)
	}
	if log := w.log("bob", c); len(log) != 2 || log[0].Kind != chat.Void || log[1].Seq != 3 {
		t.Errorf("bob reads %+v", log)
	}
	for _, refused := range []error{
		second(w.send("bob", into(c, 6))),
		second(w.MuteMembers(t.Context(), as("alice"), change(c, 7, "bob"), nil)),
		second(w.MuteGroup(t.Context(), as("alice"), call(c, 8), nil, nil)),
		second(w.AddMembers(t.Context(), as("bob"), change(c, 9, "dave"))),
		second(w.leave("alice", c, 10)), // its owner
	} {
		wantCode(t, refused, chat.CodeForbidden)
	}
	cid, key := id(11)
	_, err := w.CreateThread(t.Context(), as("bob"), chat.EventKey{Conversation: c, Seq: 3}, key, cid)
	wantCode(t, err, chat.CodeForbidden)
	_, _, err = w.Members(t.Context(), as("bob"), c, chat.MembersPage{Limit: 10})
	wantCode(t, err, chat.CodeForbidden)
	list, _, err := w.Members(t.Context(), as("alice"), c, chat.MembersPage{Limit: 10})
	if err != nil || len(list) != 3 {
		t.Errorf("alice sees %d members, %v", len(list), err)
	}

	// Reading tells nobody; reacting is for everybody.
	w.bus.taken()
	if _, left, err := w.MarkRead(t.Context(), as("bob"), c, 3); err != nil || left != 0 {
		t.Errorf("%d left, %v", left, err)
	}
	if err := w.React(t.Context(), as("bob"), chat.EventKey{Conversation: c, Seq: 3}, "👍", true); err != nil { // 4
		t.Error(err)
	}
	if _, err := w.send("bob", into(c, 19)); err == nil { // after what was told before
		t.Error("bob writes")
	}
	_, notices := w.bus.taken()
	for _, n := range notices {
		if n.Method == "read" && n.Only != "bob" {
			t.Errorf("told %+v", n)
		}
	}

	if p, err := w.leave("bob", c, 20); err != nil || p.Seq != 4 {
		t.Errorf("left at %+v, %v", p, err)
	}
	w.mustSend("alice", into(c, 21)) // 5
	if s := w.summary("bob", c); s.Joined || s.Head != 4 {
		t.Errorf("bob reads up to %d, joined %v", s.Head, s.Joined)
	}
	// The first call to join, again: it is answered as it was, and bob stays out.
	if again := w.join("bob", c, 3); again != place || w.summary("bob", c).Joined {
		t.Errorf("the repeated join: %+v", again)
	}
	w.join("bob", c, 22)
	if again, err := w.leave("bob", c, 20); err != nil || again.Seq != 4 || !w.summary("bob", c).Joined {
		t.Errorf("the repeated leaving: %+v, %v", again, err)
	}
	_, err = w.CountReceipts(t.Context(), as("bob"), c, 3)
	wantCode(t, err, chat.CodeForbidden)
	if n, err := w.CountReceipts(t.Context(), as("alice"), c, 3); err != nil {
		t.Errorf("%+v, %v", n, err)
	}
	w.mustSend("alice", into(c, 23)) // 6; 5 was said while he was out
	if log := w.log("bob", c); len(log) != 5 || log[3].Seq != 5 || log[3].Kind != chat.Void || log[4].Content.Text != "message 23" {
		t.Errorf("bob reads %+v", log)
	}
	// Who comes and goes between two posts has read nothing, and has it in no list.
	w.join("eve", c, 24)
	if _, err := w.leave("eve", c, 25); err != nil {
		t.Fatal(err)
	}
	_, err = w.Conversation(t.Context(), as("eve"), c)
	wantCode(t, err, chat.CodeNotFound)
	if synced, err := w.Sync(t.Context(), as("eve"), "", "", 10); err != nil || len(synced.Conversations) != 0 {
		t.Errorf("eve: %+v, %v", synced.Conversations, err)
	}
	// A ban and a removal are not told to the others either.
	head := w.summary("alice", c).Head
	if _, err := w.BanMembers(t.Context(), as("alice"), change(c, 26, "carol"), nil, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := w.RemoveMembers(t.Context(), as("alice"), change(c, 27, "bob")); err != nil {
		t.Fatal(err)
	}
	if s := w.summary("alice", c); s.Head != head || s.Conversation.Members != 1 {
		t.Errorf("head %d, was %d; %d members", s.Head, head, s.Conversation.Members)
	}
	_, _, err = w.Join(t.Context(), as("carol"), call(c, 28), "")
	wantCode(t, err, chat.CodeForbidden)
}

// A channel by approval, with all its past.
func TestChannelByApproval(t *testing.T) {
	w := newWorld(t)
	c := w.channel("alice", 1, true)
	w.mustSend("alice", into(c, 2))
	if _, err := w.UpdateGroup(t.Context(), as("alice"), chat.UpdateGroup{GroupCall: call(c, 3), Settings: &chat.SettingsChange{Join: chat.JoinApproval}}); err != nil {
		t.Fatal(err)
	}
	if _, waiting, err := w.Join(t.Context(), as("bob"), call(c, 4), "please"); err != nil || !waiting {
		t.Fatalf("%v, %v", waiting, err)
	}
	w.bus.taken()
	if _, err := w.Approve(t.Context(), as("alice"), change(c, 5, "bob")); err != nil {
		t.Fatal(err)
	}
	if log := w.log("bob", c); len(log) != 3 || log[1].Content.Text != "message 2" {
		t.Errorf("bob reads %+v", log)
	}
	w.mustSend("alice", into(c, 6)) // after what was told before
	_, notices := w.bus.taken()
	if !slices.ContainsFunc(notices, func(n chat.Notice) bool {
		return n.Only == "bob" && n.Method == "membership" && strings.Contains(string(n.Params), "joined")
	}) {
		t.Errorf("told %+v", notices)
	}
}

// A channel's threads tell no subscriber of another. Mutants: mayName without homeOf, in
// Members and in Receipts; tellPosition and MarkRead without the channel.
func TestThreadsOfAChannel(t *testing.T) {
	w := newWorld(t)
	c := w.channel("alice", 1, false)
	w.join("bob", c, 2)
	w.join("carol", c, 3)
	p := w.mustSend("alice", into(c, 4))
	th, err := w.thread("alice", chat.EventKey{Conversation: c, Seq: p.Seq}, 5)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []chat.UserID{"bob", "carol"} {
		if err := w.Follow(t.Context(), as(u), th, true); err != nil {
			t.Fatal(err)
		}
	}
	r := w.mustSend("alice", into(th, 6))
	w.notices()
	rev := w.summary("carol", th).Conversation.Rev
	w.read("bob", th, r.Seq)
	for _, n := range w.notices() {
		if n.Only != "bob" {
			t.Errorf("told: %s %s", n.Method, n.Params)
		}
	}
	if now := w.summary("carol", th).Conversation.Rev; now != rev {
		t.Errorf("its rev moves from %d to %d", rev, now)
	}
	_, _, err = w.Members(t.Context(), as("carol"), th, chat.MembersPage{Limit: 10})
	wantCode(t, err, chat.CodeForbidden)
	_, err = w.CountReceipts(t.Context(), as("carol"), th, r.Seq)
	wantCode(t, err, chat.CodeForbidden)
	if list, _, err := w.Members(t.Context(), as("alice"), th, chat.MembersPage{Limit: 10}); err != nil || len(list) != 3 {
		t.Errorf("the owner: %d, %v", len(list), err)
	}
}
