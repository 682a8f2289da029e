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
