package chat_test

import (
	"reflect"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
)

// A server let guests be full users, and then kept them to the lobby: what they were in
// is not for them any more, on any way. Mutant: MaySee answers true.
func TestGuestsKeptToTheLobby(t *testing.T) {
	ctx := t.Context()
	full := newWorld(t, withGuests(chat.GuestsFull))
	const ann = chat.UserID("guest:ann")
	g := full.group(1, false, "owner", ann)
	direct := full.mustSend(ann, toUser("bob", 2)).Conversation
	full.mustSend(ann, into(g, 3))
	if full.Close(); t.Failed() {
		return
	}
	w := newWorldOn(t, full.store, withGuests(chat.GuestsLobby))

	zero := chat.Seq(0)
	for _, c := range []chat.ConversationID{g, direct, "g_none"} {
		_, err := w.List(ctx, as(ann), chat.List{Conversation: c, After: &zero, Limit: 10})
		wantSame(t, "list", c, err, notFound)
		_, err = w.Conversation(ctx, as(ann), c)
		wantSame(t, "get", c, err, notFound)
		_, _, err = w.MarkRead(ctx, as(ann), c, 1)
		wantSame(t, "read", c, err, notFound)
		_, _, err = w.Members(ctx, as(ann), c, chat.MembersPage{Limit: 10})
		wantSame(t, "members", c, err, notFound)
		_, err = w.send(ann, into(c, 10))
		wantSame(t, "send", c, err, notFound)
		_, err = w.AddMembers(ctx, as(ann), change(c, 11, "carol"))
		wantSame(t, "add", c, err, notFound)
		_, err = w.RemoveMembers(ctx, as(ann), change(c, 12, "owner"))
		wantSame(t, "remove", c, err, notFound)
		_, err = w.leave(ann, c, 13)
		wantSame(t, "leave", c, err, notFound)
		if w.MaySee(ann, chat.Group) || w.MaySee(ann, chat.Direct) {
			t.Error("live events of groups go to guests")
		}
	}
	synced, err := w.Sync(ctx, as(ann), "", "", 10)
	if err != nil || len(synced.Conversations) != 0 {
		t.Errorf("sync: %+v, %v", synced, err)
	}
	page, _, err := w.Conversations(ctx, as(ann), chat.Inbox{Page: "", Limit: 10})
	if err != nil || len(page) != 0 {
		t.Errorf("list: %+v, %v", page, err)
	}
	// Whether guest:ann has written to somebody is not to be found out by writing to him.
	const forbidden = "forbidden: guests speak in open rooms here"
	_, err = w.send(ann, toUser("bob", 20))
	wantSame(t, "send to a known one", direct, err, forbidden)
	_, err = w.send(ann, toUser("stranger", 21))
	wantSame(t, "send to a stranger", "", err, forbidden)
	_, errBob := w.DirectWith(ctx, as(ann), "bob")
	_, errNew := w.DirectWith(ctx, as(ann), "stranger")
	if code(errBob) != chat.CodeForbidden || errBob.Error() != errNew.Error() {
		t.Errorf("%v and %v", errBob, errNew)
	}
	cid, key := id(30)
	_, err = w.CreateGroup(ctx, as(ann), chat.CreateGroup{Key: key, ClientID: cid})
	wantCode(t, err, chat.CodeForbidden)
	_, err = w.UpdateUser(ctx, as(ann), named("Bob"))
	wantCode(t, err, chat.CodeForbidden)

	// The lobby is theirs, and the others read on where ann is no more.
	w.mustSend(ann, into(chat.Lobby, 40))
	if got := len(w.log(ann, chat.Lobby)); got != 1 {
		t.Errorf("%d events in the lobby", got)
	}
	wantSeqs(t, w.seqs("owner", g), 1, 2)
	wantSeqs(t, w.seqs("bob", direct), 1)
}

const notFound = "not_found: there is no such conversation, or it is not for you"

func wantSame(t *testing.T, what string, c chat.ConversationID, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("%s %s: got %v, want %s", what, c, err, want)
	}
}

func TestRoomsKeepNoPositions(t *testing.T) {
	w := newWorld(t)
	w.mustSend("alice", into(chat.Lobby, 1))
	_, _, err := w.MarkRead(t.Context(), as("bob"), chat.Lobby, 1)
	wantCode(t, err, chat.CodeForbidden)
	if s := w.summary("bob", chat.Lobby); s.Unread != 0 || s.Head != 1 || s.Member != nil {
		t.Errorf("got %+v", s)
	}
	synced, err := w.Sync(t.Context(), as("alice"), "", "", 10)
	if err != nil || len(synced.Conversations) != 0 {
		t.Errorf("a room is in a user's list: %+v, %v", synced, err)
	}
}

func TestCheckUserID(t *testing.T) {
	long := chat.UserID("0123456789012345678901234567890123456789012345678901234567890123")
	for _, ok := range []chat.UserID{"a", "张三", long, "guest:ann", "guest:ann lee", "a@b.c", "-"} {
		if err := chat.CheckUserID(ok); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for _, bad := range []chat.UserID{
		"", long + "x", "a b", "a\n", "a:b", "guest:", "guest:a:b", ":", "a\u200bb", "a\u202eb", "a\xff", "guest: a", "a\u00a0b", "\u0000",
	} {
		if err := chat.CheckUserID(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestUsers(t *testing.T) {
	w := newWorld(t)
	if p, err := w.UpdateUser(t.Context(), as("alice"), named("Alice 李")); err != nil || p.Name != "Alice 李" {
		t.Fatalf("got %+v, %v", p, err)
	}
	got, err := w.Users(t.Context(), []chat.UserID{"nobody", "alice", "guest:ann", "alice"})
	if err != nil {
		t.Fatal(err)
	}
	want := []chat.Profile{
		{ID: "nobody", Name: "nobody"},
		{ID: "alice", Name: "Alice 李", Version: 1},
		{ID: "guest:ann", Name: "ann", Guest: true},
		{ID: "alice", Name: "Alice 李", Version: 1},
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
	for _, bad := range []string{"", "  ", "a\nb", "a\u2028b", "\xff", string(make([]byte, 65))} {
		_, err := w.UpdateUser(t.Context(), as("alice"), named(bad))
		wantCode(t, err, chat.CodeParam)
	}
}
