package chat_test

import (
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
)

func (w *world) thread(u chat.UserID, root chat.EventKey, n int) (chat.ConversationID, error) {
	cid, key := id(n)
	return w.CreateThread(w.t.Context(), as(u), root, key, cid)
}

// A thread counts, is read and is told apart from its parent. Mutants: replies appended to
// the parent; follow without the head as read position.
func TestThread(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "bob", "carol")
	root := w.mustSend("bob", into(g, 2))
	key := chat.EventKey{Conversation: g, Seq: root.Seq}
	if _, left, err := w.MarkRead(t.Context(), as("bob"), g, root.Seq); err != nil || left != 0 {
		t.Fatal(left, err)
	}
	th, err := w.thread("alice", key, 3)
	if err != nil || th != chat.ThreadID(key) {
		t.Fatal(th, err)
	}
	if again, err := w.thread("alice", key, 3); err != nil || again != th {
		t.Errorf("repeated: %v, %v", again, err)
	}
	if again, err := w.thread("carol", key, 4); err != nil || again != th {
		t.Errorf("there is one already: %v, %v", again, err)
	}
	log := w.log("bob", g)
	if len(log) != 3 || log[2].Kind != "thread" {
		t.Fatalf("the parent's log: %+v", log)
	}
	first := w.mustSend("alice", into(th, 5))
	w.mustSend("alice", into(th, 6))
	if first.Seq != 1 || first.Conversation != th {
		t.Errorf("the first reply is at %+v", first)
	}
	for _, tt := range []struct {
		user           chat.UserID
		parent, thread int64
	}{{"alice", 1, 0}, {"bob", 0, 2}, {"carol", 1, 2}} {
		if s := w.summary(tt.user, g); s.Unread != tt.parent || s.Head != 3 || s.Last.Seq != root.Seq {
			t.Errorf("%s: unread %d, head %d, last %d in the parent", tt.user, s.Unread, s.Head, s.Last.Seq)
		}
		if s := w.summary(tt.user, th); s.Unread != tt.thread || s.Head != 2 || !s.Joined || s.Conversation.Count != 2 {
			t.Errorf("%s, in the thread: %+v", tt.user, s)
		}
	}
	if _, left, err := w.MarkRead(t.Context(), as("bob"), th, 1); err != nil || left != 1 {
		t.Errorf("%d unread, %v", left, err)
	}

	// It is in sync, not in the list of conversations, and in that of threads.
	synced, err := w.Sync(t.Context(), as("bob"), "", "", 10)
	if err != nil || len(synced.Conversations) != 2 {
		t.Errorf("sync: %+v, %v", synced.Conversations, err)
	}
	list, _, err := w.Conversations(t.Context(), as("bob"), chat.Inbox{Page: "", Limit: 10})
	if err != nil || len(list) != 1 || list[0].Conversation.ID != g {
		t.Errorf("list: %+v, %v", list, err)
	}
	later := w.mustSend("alice", into(g, 7))
	second, err := w.thread("bob", chat.EventKey{Conversation: g, Seq: later.Seq}, 8)
	if err != nil {
		t.Fatal(err)
	}
	threads, more, err := w.Threads(t.Context(), as("carol"), g, 0, 1)
	if err != nil || !more || len(threads) != 1 || threads[0].Conversation.ID != second {
		t.Errorf("threads: %+v, %v, %v", threads, more, err)
	}
	threads, more, err = w.Threads(t.Context(), as("carol"), g, later.Seq, 1)
	if err != nil || more || len(threads) != 1 || threads[0].Conversation.ID != th {
		t.Errorf("threads before: %+v, %v, %v", threads, more, err)
	}
}

// Who is in the parent now reads and writes in a thread, and nobody else. Mutants: readable
// without the parent; standing with the thread's own row.
func TestThreadRights(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "bob", "carol")
	key := chat.EventKey{Conversation: g, Seq: w.mustSend("bob", into(g, 2)).Seq}
	th, err := w.thread("bob", key, 3)
	if err != nil {
		t.Fatal(err)
	}
	w.mustSend("bob", into(th, 4))
	w.mustSend("carol", into(th, 5)) // and follows it
	if _, err := w.RemoveMembers(t.Context(), as("alice"), change(g, 6, "carol")); err != nil {
		t.Fatal(err)
	}
	for _, u := range []chat.UserID{"carol", "zoe"} {
		_, err := w.send(u, into(th, 7))
		wantCode(t, err, chat.CodeNotFound)
		_, err = w.Conversation(t.Context(), as(u), th)
		wantCode(t, err, chat.CodeNotFound)
		_, err = w.List(t.Context(), as(u), chat.List{Conversation: th, Limit: 10})
		wantCode(t, err, chat.CodeNotFound)
		_, _, err = w.MarkRead(t.Context(), as(u), th, 1)
		wantCode(t, err, chat.CodeNotFound)
		wantCode(t, w.Follow(t.Context(), as(u), th, true), chat.CodeNotFound)
		wantCode(t, w.Signal(t.Context(), as(u), chat.Signal{Conversation: th, Type: "x"}), chat.CodeNotFound)
		synced, err := w.Sync(t.Context(), as(u), "", "", 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range synced.Conversations {
			if s.Conversation.ID == th {
				t.Errorf("sync tells %s of the thread", u)
			}
		}
	}
	// Who does not follow reads all, has no position, and follows by writing.
	if got := len(w.log("alice", th)); got != 2 {
		t.Errorf("alice reads %d", got)
	}
	if s := w.summary("alice", th); s.Unread != 0 || s.Joined {
		t.Errorf("alice: %+v", s)
	}
	_, _, err = w.MarkRead(t.Context(), as("alice"), th, 1)
	wantCode(t, err, chat.CodeForbidden)
	w.mustSend("alice", into(th, 8))
	if s := w.summary("alice", th); !s.Joined || s.Member.ReadSeq != 3 {
		t.Errorf("alice, who wrote: %+v", s.Member)
	}
	if err := w.Follow(t.Context(), as("alice"), th, false); err != nil {
		t.Fatal(err)
	}
	if s := w.summary("alice", th); s.Joined || s.Conversation.Members != 2 {
		t.Errorf("alice, who unfollowed: %+v", s)
	}
	if err := w.Follow(t.Context(), as("alice"), th, true); err != nil {
		t.Fatal(err)
	}

	_, err = w.thread("alice", chat.EventKey{Conversation: th, Seq: 1}, 9)
	wantCode(t, err, chat.CodeForbidden)
	whisper := into(g, 10)
	whisper.Only = []chat.UserID{"bob"}
	p := w.mustSend("alice", whisper)
	_, err = w.thread("bob", chat.EventKey{Conversation: g, Seq: p.Seq}, 11)
	wantCode(t, err, chat.CodeForbidden)
	for _, seq := range []chat.Seq{0, 1, 99} { // 1 is the group's beginning
		_, err = w.thread("bob", chat.EventKey{Conversation: g, Seq: seq}, 12)
		wantCode(t, err, chat.CodeNotFound)
	}
	dave, err := w.AddMembers(t.Context(), as("alice"), change(g, 13, "dave"))
	if err != nil || dave.Seq == 0 {
		t.Fatal(err)
	}
	if threads, more, err := w.Threads(t.Context(), as("dave"), g, 0, 10); err != nil || more || len(threads) != 0 {
		t.Errorf("threads on what was before dave came: %+v, %v, %v", threads, more, err)
	}
}

// Who came after a message was said is told nothing of before by its thread. Mutants:
// threadIsFor that asks only who is in the parent, in readable, and in standing.
func TestThreadOfBefore(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "bob")
	root := w.mustSend("alice", into(g, 2))
	key := chat.EventKey{Conversation: g, Seq: root.Seq}
	th, err := w.thread("alice", key, 3)
	if err != nil {
		t.Fatal(err)
	}
	w.mustSend("bob", into(th, 4))
	if _, err := w.AddMembers(t.Context(), as("alice"), change(g, 5, "carol")); err != nil {
		t.Fatal(err)
	}
	_, err = w.List(t.Context(), as("carol"), chat.List{Conversation: th, Limit: 10})
	wantCode(t, err, chat.CodeNotFound)
	_, err = w.Conversation(t.Context(), as("carol"), th)
	wantCode(t, err, chat.CodeNotFound)
	_, err = w.send("carol", into(th, 6))
	wantCode(t, err, chat.CodeNotFound)
	wantCode(t, w.Follow(t.Context(), as("carol"), th, true), chat.CodeNotFound)
	wantCode(t, w.react("carol", chat.Place{Conversation: th, Seq: 1}, "x", true), chat.CodeNotFound)
	wantCode(t, w.Signal(t.Context(), as("carol"), chat.Signal{Conversation: th, Type: "x"}), chat.CodeNotFound)

	later := w.mustSend("alice", into(g, 7)) // and of what was said since it reads and writes
	if th, err = w.thread("bob", chat.EventKey{Conversation: g, Seq: later.Seq}, 8); err != nil {
		t.Fatal(err)
	}
	w.mustSend("carol", into(th, 9))
}

// What is deleted for oneself in the parent is not hidden in its threads, nor the other way
// round. Mutant: message with the row in the parent.
func TestThreadHasItsOwnHidden(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "bob")
	root := w.mustSend("alice", into(g, 2))
	th, err := w.thread("bob", chat.EventKey{Conversation: g, Seq: root.Seq}, 3)
	if err != nil {
		t.Fatal(err)
	}
	first, second := w.mustSend("alice", into(th, 4)), w.mustSend("alice", into(th, 5))
	if err := w.Clear(t.Context(), as("alice"), g, 0); err != nil {
		t.Fatal(err)
	}
	if err := w.Hide(t.Context(), as("alice"), th, [][2]chat.Seq{{second.Seq, second.Seq}}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, w.react("alice", second, "x", true), chat.CodeNotFound)
	_, err = w.recall("alice", first, 6)
	wantCode(t, err, "")
}

// Who may not speak begins no threads and pins nothing, and beginning them is rated as
// speaking is. Mutants: CreateThread without speak, without rate; Pin without speak.
func TestThreadIsSpeaking(t *testing.T) {
	w := newWorld(t, withLimits(chat.Limits{SendsPerSecond: 1, SendsBurst: 1}))
	p := w.mustSend("alice", toUser("bob", 1))
	key := chat.EventKey{Conversation: p.Conversation, Seq: p.Seq}
	w.block("alice", "bob")
	_, err := w.thread("bob", key, 2)
	wantCode(t, err, chat.CodeNotAccepted)
	_, err = w.Pin(t.Context(), as("bob"), on(p, 3), true)
	wantCode(t, err, chat.CodeNotAccepted)

	g := w.group(4, false, "carol", "bob")
	a := chat.Actor{User: "bob", Limited: true}
	for n, want := range []chat.Code{"", chat.CodeRate} {
		cid, k := id(20 + n)
		root := chat.EventKey{Conversation: g, Seq: w.mustSend("carol", into(g, 10+n)).Seq}
		_, err := w.CreateThread(t.Context(), a, root, k, cid)
		wantCode(t, err, want)
	}
}

// A block and a mute hold in the threads too. Mutants: apartIn without the parent, in each
// place; Typing that asks the thread itself.
func TestThreadOfTwoApart(t *testing.T) {
	w := newWorld(t)
	p := w.mustSend("alice", toUser("bob", 1))
	th, err := w.thread("bob", chat.EventKey{Conversation: p.Conversation, Seq: p.Seq}, 2)
	if err != nil {
		t.Fatal(err)
	}
	r := w.mustSend("alice", into(th, 3))
	w.block("alice", "bob")
	w.notices()
	rev := w.summary("alice", th).Conversation.Rev
	w.read("bob", th, r.Seq)
	for _, u := range []chat.UserID{"alice", "bob"} {
		if err := w.Typing(t.Context(), as(u), th, true, chat.TypingText); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range w.notices() {
		if n.Only != "bob" {
			t.Errorf("told: %s %s", n.Method, n.Params)
		}
	}
	if now := w.summary("alice", th).Conversation.Rev; now != rev {
		t.Errorf("its rev moves from %d to %d", rev, now)
	}
	_, err = w.CountReceipts(t.Context(), as("alice"), th, r.Seq)
	wantCode(t, err, chat.CodeForbidden)
	rows, _, err := w.Members(t.Context(), as("alice"), th, chat.MembersPage{Limit: 10})
	if err != nil || len(rows) != 2 || rows[1].ReadSeq != 0 {
		t.Errorf("%+v, %v", rows, err)
	}

	a := crew(t)
	root := a.mustSend("owner", into(a.group, 500))
	if th, err = a.thread("owner", chat.EventKey{Conversation: a.group, Seq: root.Seq}, 501); err != nil {
		t.Fatal(err)
	}
	if err := a.muteAll("owner", nil); err != nil {
		t.Fatal(err)
	}
	a.notices()
	if err := a.Typing(t.Context(), as("mia"), th, true, chat.TypingText); err != nil {
		t.Fatal(err)
	}
	if list := a.notices(); len(list) != 0 {
		t.Errorf("a muted member types: %+v", list)
	}
}

// What one has deleted for oneself in the parent is another log's: a message of the thread
// at the same seq can be changed, and one that was hidden there cannot. Mutant: message with
// the row that standing answers.
func TestHiddenInTheParentIsNotHiddenInTheThread(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "bob")
	root := w.mustSend("bob", into(g, 2))
	th, err := w.thread("alice", chat.EventKey{Conversation: g, Seq: root.Seq}, 3)
	if err != nil {
		t.Fatal(err)
	}
	w.mustSend("alice", into(th, 4))
	w.mustSend("alice", into(th, 5))
	if err := w.Clear(t.Context(), as("alice"), g, 0); err != nil {
		t.Fatal(err)
	}
	if err := w.Clear(t.Context(), as("alice"), th, 1); err != nil {
		t.Fatal(err)
	}
	for seq, want := range map[chat.Seq]chat.Code{1: chat.CodeNotFound, 2: ""} {
		_, err := w.Edit(t.Context(), as("alice"), chat.MessageCall{GroupCall: call(th, 10+int(seq)), Seq: seq}, text("edited"))
		wantCode(t, err, want)
	}
	reply := into(th, 20)
	reply.ReplyTo = 2
	w.mustSend("alice", reply)
	// A beginning that is repeated is answered what it was, though the message is hidden by now.
	if again, err := w.thread("alice", chat.EventKey{Conversation: g, Seq: root.Seq}, 3); err != nil || again != th {
		t.Errorf("repeated: %v, %v", again, err)
	}
}

// Threads in a room are everybody's, its owner's too, who has a row there; and what is unread
// in them is in the sum.
func TestThreadInARoom(t *testing.T) {
	w := newWorld(t)
	r := w.room("alice", 1)
	root := w.mustSend("bob", into(r, 2))
	th, err := w.thread("alice", chat.EventKey{Conversation: r, Seq: root.Seq}, 3)
	if err != nil {
		t.Fatal(err)
	}
	w.mustSend("bob", into(th, 4))
	w.mustSend("carol", into(th, 5))
	for u, unread := range map[chat.UserID]int64{"alice": 2, "bob": 1, "carol": 0} {
		if got := len(w.log(u, th)); got != 2 {
			t.Errorf("%s lists %d of the thread", u, got)
		}
		if s := w.summary(u, th); s.Unread != unread {
			t.Errorf("%s has %d unread in it", u, s.Unread)
		}
		if sum, err := w.Unread(t.Context(), as(u)); err != nil || sum.Total != unread {
			t.Errorf("%s has %+v, %v", u, sum, err)
		}
	}
}

// Who may not see a thread is not told by joining that there is one.
func TestJoiningAThreadTellsNothing(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "bob")
	root := w.mustSend("bob", into(g, 2))
	th, err := w.thread("alice", chat.EventKey{Conversation: g, Seq: root.Seq}, 3)
	if err != nil {
		t.Fatal(err)
	}
	for n, id := range []chat.ConversationID{th, "t_9_" + g} {
		_, _, err := w.Join(t.Context(), as("zoe"), call(id, 10+n), "")
		wantCode(t, err, chat.CodeNotFound)
	}
}

// A thread that is no longer for who follows it has no part in what is unread altogether: it
// left where history goes with leaving, and came back. Mutant: Unread that asks only who is in the parent.
func TestUnreadOfAThreadOfBefore(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "bob")
	if _, err := w.UpdateGroup(t.Context(), as("alice"), chat.UpdateGroup{
		GroupCall: call(g, 2), Settings: &chat.SettingsChange{AfterLeave: chat.HistoryGone},
	}); err != nil {
		t.Fatal(err)
	}
	root := w.mustSend("bob", into(g, 3))
	th, err := w.thread("alice", chat.EventKey{Conversation: g, Seq: root.Seq}, 4)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.leave("bob", g, 5); err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddMembers(t.Context(), as("alice"), change(g, 6, "bob")); err != nil {
		t.Fatal(err)
	}
	w.mustSend("alice", into(th, 7))
	_, err = w.Conversation(t.Context(), as("bob"), th)
	wantCode(t, err, chat.CodeNotFound)
	if sum, err := w.Unread(t.Context(), as("bob")); err != nil || sum.Total != 0 {
		t.Errorf("%+v, %v", sum, err)
	}
}
