package chat_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
)

// seqs lists what a user sees of a conversation; voids are left out.
func (w *world) seqs(u chat.UserID, c chat.ConversationID) []chat.Seq {
	w.t.Helper()
	var list []chat.Seq
	for _, e := range w.log(u, c) {
		if e.Kind != chat.Void {
			list = append(list, e.Seq)
		}
	}
	return list
}

func wantSeqs(t *testing.T, got []chat.Seq, want ...chat.Seq) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("seqs %v, want %v", got, want)
	}
}

func TestGroupSpans(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t)
	g := w.group(1, false, "owner", "bob") // 1
	w.mustSend("owner", into(g, 2))        // 2
	if _, err := w.RemoveMembers(ctx, as("owner"), change(g, 3, "bob")); err != nil {
		t.Fatal(err) // 3
	}
	w.mustSend("owner", into(g, 4)) // 4: of bob, without him
	wantSeqs(t, w.seqs("bob", g), 1, 2, 3)
	if _, err := w.AddMembers(ctx, as("owner"), change(g, 5, "bob", "carol")); err != nil {
		t.Fatal(err) // 5
	}
	w.mustSend("owner", into(g, 6)) // 6
	if _, err := w.leave("carol", g, 7); err != nil {
		t.Fatal(err) // 7
	}
	w.mustSend("bob", into(g, 8)) // 8
	wantSeqs(t, w.seqs("owner", g), 1, 2, 3, 4, 5, 6, 7, 8)
	wantSeqs(t, w.seqs("bob", g), 1, 2, 3, 5, 6, 7, 8)
	wantSeqs(t, w.seqs("carol", g), 5, 6, 7)

	carol := w.summary("carol", g)
	if carol.Joined || carol.Head != 7 || carol.Unread != 0 || decode(t, *carol.Last).Seq != 7 {
		t.Errorf("carol, who left, sees %+v", carol)
	}
	if m := w.summary("bob", g).Conversation.Members; m != 2 {
		t.Errorf("%d members", m)
	}
	created := w.log("owner", g)[0]
	if created.Kind != chat.Created || created.Content.Name != "the group" || created.Content.Owner != "owner" || created.Content.Members != 2 {
		t.Errorf("the first event is %+v", created)
	}
	added := w.log("owner", g)[4].Content
	if diff := cmp.Diff([]chat.UserID{"bob", "carol"}, added.Added); diff != "" || added.Members != 3 || added.Changed != 2 {
		t.Errorf("event 5: %+v", added)
	}
}

func TestSharedPast(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, true, "owner")
	w.mustSend("owner", into(g, 2))
	if _, err := w.AddMembers(t.Context(), as("owner"), change(g, 3, "bob")); err != nil {
		t.Fatal(err)
	}
	wantSeqs(t, w.seqs("bob", g), 1, 2, 3)
	if got := w.summary("bob", g).Unread; got != 0 {
		t.Errorf("what was said before bob came is unread: %d", got)
	}
}

func TestWhoMayChangeMembers(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, withLimits(chat.Limits{GroupMembers: 4, MembersPerCall: 3}))
	g := w.group(1, false, "owner", "bob")
	direct := w.mustSend("alice", toUser("bob", 1)).Conversation
	n := 100
	next := func(c chat.ConversationID, users ...chat.UserID) chat.ChangeMembers {
		n++
		return change(c, n, users...)
	}
	add := func(by chat.UserID, ch chat.ChangeMembers) error {
		_, err := w.AddMembers(ctx, as(by), ch)
		return err
	}
	remove := func(by chat.UserID, ch chat.ChangeMembers) error {
		_, err := w.RemoveMembers(ctx, as(by), ch)
		return err
	}
	for _, tt := range []struct {
		name string
		err  error
		want chat.Code
	}{
		{"a stranger adds itself", add("carol", next(g, "carol")), chat.CodeNotFound},
		{"a member adds", add("bob", next(g, "carol")), ""},
		{"a member removes", remove("bob", next(g, "carol")), chat.CodeForbidden},
		{"the owner removes itself", remove("owner", next(g, "owner")), chat.CodeParam},
		{"the owner removes", remove("owner", next(g, "carol")), ""},
		{"a former member adds itself", add("carol", next(g, "carol")), chat.CodeNotFound},
		{"nobody", add("owner", next(g)), chat.CodeParam},
		{"a guest", add("owner", next(g, "guest:ann")), chat.CodeParam},
		{"not an id", add("owner", next(g, "a:b")), chat.CodeParam},
		{"more than a call names", add("owner", next(g, "a", "b", "c", "d")), chat.CodeParam},
		{"more than a group has", add("owner", next(g, "a", "b", "c")), chat.CodeForbidden},
		{"to a direct conversation", add("alice", next(direct, "carol")), chat.CodeForbidden},
		{"to somebody else's direct conversation", add("carol", next(direct, "carol")), chat.CodeNotFound},
		{"to the lobby", add("alice", next(chat.Lobby, "carol")), chat.CodeForbidden},
		{"to nothing", add("alice", next("g_none", "carol")), chat.CodeNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) { wantCode(t, tt.err, tt.want) })
	}
	wantSeqs(t, w.seqs("owner", g), 1, 2, 3)
	cid, key := id(999)
	_, err := w.CreateGroup(ctx, as("alice"), chat.CreateGroup{Key: key, ClientID: cid, Users: []chat.UserID{"a", "b", "c"}})
	wantCode(t, err, "")
	w2 := newWorld(t, withLimits(chat.Limits{GroupMembers: 3}))
	_, err = w2.CreateGroup(ctx, as("alice"), chat.CreateGroup{Key: key, ClientID: cid, Users: []chat.UserID{"a", "b", "c"}})
	wantCode(t, err, chat.CodeForbidden)
}

func TestRepeatedGroupCallsAreTheFirst(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t)
	cid, key := id(1)
	create := chat.CreateGroup{Key: key, ClientID: cid, Name: "g", Users: []chat.UserID{"bob", "carol"}}
	first, err := w.CreateGroup(ctx, as("owner"), create)
	if err != nil {
		t.Fatal(err)
	}
	create.Users = []chat.UserID{"carol", "owner", "bob", "bob"} // the same set
	if again, err := w.CreateGroup(ctx, as("owner"), create); err != nil || again != first {
		t.Errorf("created again: %+v, %v", again, err)
	}
	create.Name = "another"
	_, err = w.CreateGroup(ctx, as("owner"), create)
	wantCode(t, err, chat.CodeConflict)

	g := first.Conversation
	removed, err := w.RemoveMembers(ctx, as("owner"), change(g, 2, "bob"))
	if err != nil {
		t.Fatal(err)
	}
	left, err := w.leave("owner", g, 3)
	if err != nil {
		t.Fatal(err)
	}
	// The owner is out of it, and still gets the answers that were lost.
	if again, err := w.RemoveMembers(ctx, as("owner"), change(g, 2, "bob")); err != nil || again != removed {
		t.Errorf("removed again: %+v, %v", again, err)
	}
	if again, err := w.leave("owner", g, 3); err != nil || again != left {
		t.Errorf("left again: %+v, %v", again, err)
	}
	wantSeqs(t, w.seqs("carol", g), 1, 2, 3)
}

func TestNoChangeIsNotLogged(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t)
	g := w.group(1, false, "owner", "bob")
	p, err := w.AddMembers(ctx, as("owner"), change(g, 2, "bob", "owner"))
	if err != nil || p.Seq != 1 {
		t.Errorf("got %+v, %v", p, err)
	}
	p, err = w.RemoveMembers(ctx, as("owner"), change(g, 3, "carol"))
	if err != nil || p.Seq != 1 {
		t.Errorf("got %+v, %v", p, err)
	}
	wantSeqs(t, w.seqs("owner", g), 1)
}

func TestOwnerLeaves(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t)
	g := w.group(1, false, "owner", "zoe", "yan")
	if _, err := w.AddMembers(ctx, as("owner"), change(g, 2, "adam")); err != nil {
		t.Fatal(err)
	}
	for n, leaver := range []chat.UserID{"owner", "yan", "zoe"} {
		if _, err := w.leave(leaver, g, 10+n); err != nil {
			t.Fatal(err)
		}
	}
	log := w.log("adam", g)
	// Who has been in it longest follows, of several the first by id.
	var heirs []chat.UserID
	for _, e := range log[len(log)-3:] {
		heirs = append(heirs, e.Content.Owner)
	}
	if diff := cmp.Diff([]chat.UserID{"yan", "zoe", "adam"}, heirs); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	if _, err := w.RemoveMembers(ctx, as("yan"), change(g, 20, "adam")); code(err) != chat.CodeNotFound {
		t.Errorf("yan, who left, removes: %v", err)
	}
	if _, err := w.AddMembers(ctx, as("adam"), change(g, 21, "owner")); err != nil {
		t.Fatal(err)
	}
	_, err := w.RemoveMembers(ctx, as("owner"), change(g, 22, "adam"))
	wantCode(t, err, chat.CodeForbidden) // back, and not the owner any more
	if _, err := w.leave("adam", g, 23); err != nil {
		t.Fatal(err)
	}
	if _, err := w.leave("owner", g, 24); err != nil {
		t.Fatal(err) // the last one
	}
	if s := w.summary("owner", g); s.Conversation.Members != 0 || s.Joined {
		t.Errorf("got %+v", s)
	}
}

// The heir leaves, somebody else speaks and the owner leaves, all in one commit: who is
// next is not among the rows that were read. Mutant: heir takes the best of those.
func TestOwnerLeavesWithTheHeir(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New()
		g := newWorldOn(t, store).group(1, false, "owner", "a-heir", "b-next", "c-talker")
		gate := &gate{Store: store, open: make(chan struct{})}
		w := newWorldOn(t, gate)
		warm := w.start(as("x"), toUser("y", 1))
		synctest.Wait() // the committer is in it
		leave := func(u chat.UserID, n int) <-chan error {
			result := make(chan error, 1)
			go func() {
				_, err := w.leave(u, g, n)
				result <- err
			}()
			synctest.Wait()
			return result
		}
		heir := leave("a-heir", 2)
		talk := w.start(as("c-talker"), into(g, 3))
		owner := leave("owner", 4)
		close(gate.open)
		wantCode(t, <-heir, "")
		wantCode(t, <-owner, chat.CodeBusy)
		for _, a := range []*answer{warm, talk} {
			if _, err := a.wait(); err != nil {
				t.Error(err)
			}
		}
		if _, err := w.leave("owner", g, 4); err != nil { // as it was told to
			t.Fatal(err)
		}
		log := w.log("b-next", g)
		if got := log[len(log)-1].Content.Owner; got != "b-next" {
			t.Errorf("the owner is %q", got)
		}
	})
}

func TestMembersPages(t *testing.T) {
	w := newWorld(t)
	users := []chat.UserID{"owner"}
	for n := range 9 {
		users = append(users, chat.UserID(fmt.Sprint("u", n)))
	}
	g := w.group(1, false, users...)
	if _, err := w.leave("u3", g, 2); err != nil {
		t.Fatal(err)
	}
	var got []chat.UserID
	for more, after := true, chat.UserID(""); more; {
		var page []chat.Member
		var err error
		if page, more, err = w.Members(t.Context(), as("u1"), g, chat.MembersPage{After: after, Limit: 4}); err != nil {
			t.Fatal(err)
		}
		for _, m := range page {
			got = append(got, m.User)
			after = m.User
		}
	}
	want := slices.DeleteFunc(slices.Clone(users), func(u chat.UserID) bool { return u == "u3" })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, _, err := w.Members(t.Context(), as("u3"), g, chat.MembersPage{Limit: 4})
	wantCode(t, err, chat.CodeForbidden)
	_, _, err = w.Members(t.Context(), as("stranger"), g, chat.MembersPage{Limit: 4})
	wantCode(t, err, chat.CodeNotFound)
}

// The names in an event are bounded, the totals are not.
func TestLargeChangeIsOneSmallEvent(t *testing.T) {
	w := newWorld(t)
	users := []chat.UserID{"owner"}
	for n := range 500 {
		users = append(users, chat.UserID(fmt.Sprintf("u%03d", n)))
	}
	g := w.group(1, false, users...)
	e := w.log("u499", g)[0]
	if len(e.Content.Added) != 100 || e.Content.Changed != 500 || e.Content.Members != 501 {
		t.Errorf("%d names, %d changed, %d members", len(e.Content.Added), e.Content.Changed, e.Content.Members)
	}
}
