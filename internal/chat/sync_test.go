package chat_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
)

// syncAll walks to the end and gives what was told, in order, and the new cursor.
func (w *world) syncAll(u chat.UserID, cursor string, limit int) (list []chat.Summary, next string, reset bool) {
	w.t.Helper()
	page := ""
	for {
		s, err := w.Sync(w.t.Context(), as(u), cursor, page, limit)
		if err != nil {
			w.t.Fatalf("%s syncs: %v", u, err)
		}
		if (s.Page == "") == (s.Cursor == "") {
			w.t.Fatalf("page %q and cursor %q: one comes, the cursor with the last page", s.Page, s.Cursor)
		}
		if len(s.Conversations) > limit {
			w.t.Fatalf("%d conversations on a page of %d", len(s.Conversations), limit)
		}
		list = append(list, s.Conversations...)
		reset = reset || s.Reset
		if s.Page == "" {
			return list, s.Cursor, reset
		}
		cursor, page = "", s.Page
	}
}

func ids(list []chat.Summary) []chat.ConversationID {
	var out []chat.ConversationID
	for _, s := range list {
		out = append(out, s.Conversation.ID)
	}
	return out
}

func TestSyncTellsWhatChanged(t *testing.T) {
	w := newWorld(t)
	var convs []chat.ConversationID
	for n := range 7 {
		convs = append(convs, w.mustSend(chat.UserID(fmt.Sprint("u", n)), toUser("alice", n)).Conversation)
	}
	slices.Reverse(convs) // newest first
	for limit := 1; limit <= 8; limit++ {
		list, _, reset := w.syncAll("alice", "", limit)
		if got := ids(list); !slices.Equal(got, convs) || reset {
			t.Errorf("limit %d: %v, want %v; reset %v", limit, got, convs, reset)
		}
	}
	_, cursor, _ := w.syncAll("alice", "", 3)
	if list, again, _ := w.syncAll("alice", cursor, 3); len(list) != 0 || !w.KnowsCursor("alice", again) {
		t.Errorf("nothing changed, and sync tells %v", ids(list))
	}
	w.mustSend("u2", toUser("alice", 100))
	w.mustSend("u5", toUser("alice", 100))
	list, _, _ := w.syncAll("alice", cursor, 1)
	if got := ids(list); !slices.Equal(got, []chat.ConversationID{chat.DirectID("alice", "u5"), chat.DirectID("alice", "u2")}) {
		t.Errorf("sync tells %v", got)
	}
	if s := list[0]; s.Head != 2 || s.Unread != 2 || s.Fork != nil || s.Reset {
		t.Errorf("got %+v", s)
	}
}

// What moves while a device walks is told by the walk or by the next one. Mutant: the
// cursor's position taken with the last page (Sync: s.Position() for walk.upTo).
func TestSyncWhileHeadsMove(t *testing.T) {
	w := newWorld(t)
	for n := range 6 {
		w.mustSend(chat.UserID(fmt.Sprint("u", n)), toUser("alice", n))
	}
	known := make(map[chat.ConversationID]chat.Seq)
	keep := func(list []chat.Summary) {
		for _, s := range list {
			known[s.Conversation.ID] = max(known[s.Conversation.ID], s.Head)
		}
	}
	first, err := w.Sync(t.Context(), as("alice"), "", "", 2)
	if err != nil {
		t.Fatal(err)
	}
	keep(first.Conversations)
	// The oldest moves to the top, where the walk has been already.
	w.mustSend("u0", toUser("alice", 100))
	var cursor string
	for page := first.Page; page != ""; {
		s, err := w.Sync(t.Context(), as("alice"), "", page, 2)
		if err != nil {
			t.Fatal(err)
		}
		keep(s.Conversations)
		page, cursor = s.Page, s.Cursor
	}
	list, _, _ := w.syncAll("alice", cursor, 2)
	keep(list)
	for n := range 6 {
		c := chat.DirectID("alice", chat.UserID(fmt.Sprint("u", n)))
		if want := w.summary("alice", c).Head; known[c] != want {
			t.Errorf("%s is known up to %d of %d", c, known[c], want)
		}
	}
}

func TestSyncTellsTheOwnProfileOnce(t *testing.T) {
	w := newWorld(t)
	if _, err := w.UpdateUser(t.Context(), as("alice"), named("Alice")); err != nil {
		t.Fatal(err)
	}
	s, err := w.Sync(t.Context(), as("alice"), "", "", 10)
	if err != nil || s.User == nil || s.User.Name != "Alice" {
		t.Fatalf("got %+v, %v", s, err)
	}
	s, err = w.Sync(t.Context(), as("alice"), s.Cursor, "", 10)
	if err != nil || s.User != nil {
		t.Errorf("told again: %+v, %v", s, err)
	}
}

func TestSyncWithACursorThatIsNone(t *testing.T) {
	w := newWorld(t)
	w.mustSend("alice", toUser("bob", 1))
	_, bobs, _ := w.syncAll("bob", "", 10)
	first, err := w.Sync(t.Context(), as("alice"), "", "", 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, cursor := range []string{
		bobs, "garbage", "!", strings.Repeat("A", 10_000),
		base64.RawURLEncoding.EncodeToString([]byte{1}), first.Cursor + "AAAA", first.Cursor[:len(first.Cursor)-4],
	} {
		list, next, reset := w.syncAll("alice", cursor, 10)
		if !reset || len(list) != 1 || list[0].Fork == nil || *list[0].Fork != 0 {
			t.Errorf("cursor %.40q: reset %v, %+v", cursor, reset, list)
		}
		if !w.KnowsCursor("alice", next) || w.KnowsCursor("alice", cursor) {
			t.Errorf("cursor %.40q is known, or the one after it is not", cursor)
		}
	}
	for _, page := range []string{bobs, first.Cursor, "garbage"} {
		_, err := w.Sync(t.Context(), as("alice"), "", page, 10)
		wantCode(t, err, chat.CodeParam)
		_, _, err = w.Conversations(t.Context(), as("alice"), chat.Inbox{Page: page, Limit: 10})
		wantCode(t, err, chat.CodeParam)
	}
}

func TestSyncStartsOverWhenTooMuchIsMissing(t *testing.T) {
	w := newWorld(t)
	w.mustSend("bob", toUser("alice", 0))
	_, cursor, _ := w.syncAll("alice", "", 10)
	answers := make([]*answer, 10_001)
	for n := range answers {
		answers[n] = w.start(as("bob"), toUser("alice", n+1))
		if n == len(answers)-2 {
			if _, err := answers[n].wait(); err != nil {
				t.Fatal(err)
			}
			if list, _, reset := w.syncAll("alice", cursor, 10); reset || list[0].Reset {
				t.Error("10,000 events are missing, and all is to be thrown away")
			}
		}
	}
	if _, err := answers[10_000].wait(); err != nil {
		t.Fatal(err)
	}
	if list, _, reset := w.syncAll("alice", cursor, 10); reset || !list[0].Reset {
		t.Error("10,001 events are missing, and nothing is said of it")
	}
	// A device that has nothing has nothing to throw away.
	if list, _, reset := w.syncAll("alice", "", 10); reset || list[0].Reset {
		t.Error("a new device is to throw away what it has")
	}
}

// What goes on in a group after somebody was removed is not told to him, and not that
// anything goes on. Mutant: Sync without the check of Joined.
func TestFormerMembersHearNothing(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t)
	g := w.group(1, false, "owner", "bob")
	w.mustSend("owner", into(g, 2))
	if _, err := w.RemoveMembers(ctx, as("owner"), change(g, 3, "bob")); err != nil {
		t.Fatal(err)
	}
	list, cursor, _ := w.syncAll("bob", "", 10)
	if len(list) != 1 || list[0].Joined || list[0].Head != 3 {
		t.Fatalf("the removal: %+v", list)
	}
	for n := range 5 {
		w.mustSend("owner", into(g, 10+n))
	}
	if _, err := w.AddMembers(ctx, as("owner"), change(g, 20, "carol")); err != nil {
		t.Fatal(err)
	}
	if list, _, _ := w.syncAll("bob", cursor, 10); len(list) != 0 {
		t.Errorf("bob is told of what came after: %+v", list)
	}
	list, _, reset := w.syncAll("bob", "garbage", 10)
	if !reset || len(list) != 1 || list[0].Head != 3 || decode(t, *list[0].Last).Seq != 3 || *list[0].Fork > 3 {
		t.Errorf("after a reset: %+v", list)
	}
}
