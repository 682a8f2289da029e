package chat_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
)

func (a *acts) update(by chat.UserID, up chat.UpdateGroup) error {
	up.GroupCall = a.call()
	_, err := a.UpdateGroup(a.t.Context(), as(by), up)
	return err
}

// last answers the newest event's content.
func (a *acts) last(u chat.UserID) (kind chat.EventKind, content map[string]any) {
	a.t.Helper()
	zero := chat.Seq(0)
	l, err := a.List(a.t.Context(), as(u), chat.List{Conversation: a.group, After: &zero, Limit: 1000})
	if err != nil {
		a.t.Fatal(err)
	}
	var e struct {
		Kind    chat.EventKind `json:"kind"`
		Content map[string]any `json:"content"`
	}
	if err := json.Unmarshal(l.Events[len(l.Events)-1].JSON, &e); err != nil {
		a.t.Fatal(err)
	}
	return e.Kind, e.Content
}

func ptr[T any](v T) *T { return &v }

// Mutants: changes that are none are logged; Attributes changed in place.
func TestUpdateGroup(t *testing.T) {
	a := crew(t)
	if err := a.update("adam", chat.UpdateGroup{
		Name: ptr("tea"), Announcement: ptr("at five"), Attributes: map[string]*string{"colour": ptr("green"), "none": nil},
	}); err != nil {
		t.Fatal(err)
	}
	kind, content := a.last("mia")
	want := map[string]any{
		"text": "adam changed the name, announcement, attributes", "name": "tea", "announcement": "at five",
		"attributes": map[string]any{"colour": "green"},
	}
	if diff := cmp.Diff(want, content); diff != "" || kind != chat.Updated {
		t.Errorf("%s (-want +got):\n%s", kind, diff)
	}
	before := a.summary("mia", a.group)
	if err := a.update("adam", chat.UpdateGroup{Name: ptr("tea"), Attributes: map[string]*string{"colour": ptr("green")}}); err != nil {
		t.Fatal(err)
	}
	if got := a.summary("mia", a.group).Head; got != before.Head {
		t.Errorf("nothing new, and the head went from %d to %d", before.Head, got)
	}
	if err := a.update("owner", chat.UpdateGroup{Attributes: map[string]*string{"colour": nil, "size": ptr("")}}); err != nil {
		t.Fatal(err)
	}
	if d := before.Conversation.Details; d.Attributes["colour"] != "green" || len(d.Attributes) != 1 {
		t.Errorf("what was read before has changed: %v", d.Attributes)
	}
	after := a.summary("mia", a.group)
	if d := after.Conversation.Details; fmt.Sprint(d.Attributes) != "map[size:]" || d.Announcement != "at five" || d.Updated != after.Head {
		t.Errorf("got %+v", d)
	}
	for name, up := range map[string]chat.UpdateGroup{
		"nothing":            {},
		"a long picture":     {Picture: ptr(strings.Repeat("x", 1025))},
		"a bad name":         {Name: ptr("a\nb")},
		"many attributes":    {Attributes: attributes(65, 1)},
		"long ones together": {Attributes: attributes(10, 1000)},
		"a long attribute":   {Attributes: attributes(1, 1025)},
		"a wrong setting":    {Settings: &chat.SettingsChange{Pin: "some"}},
		"a wrong slow mode":  {Settings: &chat.SettingsChange{SlowModeMS: ptr(int64(-1))}},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, a.update("owner", up), chat.CodeParam) })
	}
}

func attributes(n, size int) map[string]*string {
	m := make(map[string]*string)
	for i := range n {
		m[fmt.Sprint("a", i)] = ptr(strings.Repeat("x", size))
	}
	return m
}

// Each right, by role and setting. Mutants: who answers Everybody; the rights to settings
// given by edit.
func TestRights(t *testing.T) {
	for _, tt := range []struct {
		who                 chat.Who
		mia, adam, stranger chat.Code
	}{
		{chat.Everybody, "", "", chat.CodeNotFound},
		{chat.Admins, chat.CodeForbidden, "", chat.CodeNotFound},
	} {
		a := crew(t)
		if err := a.settings("adam", chat.SettingsChange{Edit: tt.who, Invite: tt.who}); err != nil {
			t.Fatal(err)
		}
		for u, want := range map[chat.UserID]chat.Code{"mia": tt.mia, "adam": tt.adam, "owner": "", "sam": tt.stranger} {
			wantCode(t, a.update(u, chat.UpdateGroup{Name: ptr("by " + string(u))}), want)
			wantCode(t, a.add(u, "new-by-"+u), want)
		}
		wantCode(t, a.settings("mia", chat.SettingsChange{Edit: chat.Everybody}), chat.CodeForbidden)
		wantCode(t, a.update("mia", chat.UpdateGroup{Name: ptr("n"), Settings: &chat.SettingsChange{}}), chat.CodeForbidden)
		// A server key may what people may not.
		server := chat.Actor{User: "mia", Server: true}
		if _, err := a.MuteMembers(t.Context(), server, a.users("adam"), nil); err != nil {
			t.Error(err)
		}
	}
}

// Mutants: slow takes before the other checks; admins wait too.
func TestSlowMode(t *testing.T) {
	a := crew(t)
	if err := a.settings("owner", chat.SettingsChange{SlowModeMS: ptr(int64(30_000))}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, a.say("mia"), "")
	err := a.say("mia")
	wantCode(t, err, chat.CodeRate)
	if got := err.(*chat.Error).RetryAfter; got < 30*time.Second || got > 31*time.Second {
		t.Errorf("retry after %v", got)
	}
	for range 3 {
		wantCode(t, a.say("ada"), "")
	}
	wantCode(t, a.say("max"), "") // each has its own
	a.clock.set(a.clock.now().Add(31 * time.Second))
	// A repetition is the first one, and takes nothing.
	first := into(a.group, 500)
	place := a.mustSend("mia", first)
	if again, err := a.send("mia", first); err != nil || again != place {
		t.Errorf("again: %+v, %v", again, err)
	}
	if err := a.settings("owner", chat.SettingsChange{SlowModeMS: ptr(int64(0))}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, a.say("mia"), "")
}

// One event, whoever many they are; the past stays. Mutants: alive left out of groupOf, of
// speak; a row per member.
func TestDismissedGroup(t *testing.T) {
	a := crew(t)
	wantCode(t, a.say("mia"), "")
	if _, err := a.leave("max", a.group, 900); err != nil {
		t.Fatal(err)
	}
	row := func(u chat.UserID) chat.Position {
		m, err := a.store.Member(t.Context(), chat.MemberKey{Conversation: a.group, User: u})
		if err != nil {
			t.Fatal(err)
		}
		return m.Pos
	}
	before := row("mia")
	_, err := a.DismissGroup(t.Context(), as("adam"), a.call())
	wantCode(t, err, chat.CodeForbidden)
	gc := a.call()
	place, err := a.DismissGroup(t.Context(), as("owner"), gc)
	if err != nil {
		t.Fatal(err)
	}
	if row("mia") != before {
		t.Error("a member's row was written")
	}
	if again, err := a.DismissGroup(t.Context(), as("owner"), gc); err != nil || again != place {
		t.Errorf("again: %+v, %v", again, err)
	}
	if kind, _ := a.last("mia"); kind != chat.Closed {
		t.Errorf("the last event is %s", kind)
	}
	if got := len(a.seqs("mia", a.group)); got != int(place.Seq) {
		t.Errorf("mia sees %d of %d events", got, place.Seq)
	}
	if head := a.summary("max", a.group).Head; head != place.Seq-1 {
		t.Errorf("max, who left before, sees up to %d", head)
	}
	for name, do := range map[string]func() error{
		"a message": func() error { return a.say("owner") },
		"an update": func() error { return a.update("owner", chat.UpdateGroup{Name: ptr("x")}) },
		"adding":    func() error { return a.add("owner", "sam") },
		"removing":  func() error { return a.remove("owner", "mia") },
		"a ban":     func() error { return a.ban("owner", nil, "mia") },
		"a role":    func() error { return a.role("owner", "mia", chat.Admin) },
		"leaving":   func() error { _, err := a.leave("mia", a.group, 901); return err },
		"again":     func() error { _, err := a.DismissGroup(t.Context(), as("owner"), a.call()); return err },
		"a server's message": func() error {
			a.n++
			_, err := a.start(chat.Actor{User: "owner", Server: true}, into(a.group, a.n)).wait()
			return err
		},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, do(), chat.CodeForbidden) })
	}
	wantCode(t, a.say("sam"), chat.CodeNotFound)
}

// The owner gives the group away and leaves, in one commit; and leaves, and would give it
// away, in one. Mutants: Leave looks at the role before the batch; Transfer without joined.
func TestTransferWithLeave(t *testing.T) {
	for _, leaveFirst := range []bool{false, true} {
		t.Run(fmt.Sprint("leave first: ", leaveFirst), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := memory.New()
				first := newWorldOn(t, store)
				g := first.group(1, false, "owner", "amy", "zoe")
				gate := &gate{Store: store, open: make(chan struct{})}
				w := newWorldOn(t, gate)
				a := &acts{world: w, group: g, n: 1}
				warm := w.start(as("x"), toUser("y", 1))
				synctest.Wait() // the committer is in it
				run := func(f func() error) <-chan error {
					done := make(chan error, 1)
					go func() { done <- f() }()
					synctest.Wait()
					return done
				}
				give := func() error {
					_, err := a.Transfer(t.Context(), as("owner"), call(g, 50), "zoe")
					return err
				}
				depart := func() error { _, err := a.leave("owner", g, 51); return err }
				var given, left <-chan error
				if leaveFirst {
					left, given = run(depart), run(give)
				} else {
					given, left = run(give), run(depart)
				}
				close(gate.open)
				wantCode(t, <-left, "")
				if leaveFirst {
					wantCode(t, <-given, chat.CodeNotFound)
					w.wantStaff(g, "amy") // first of those who are in it longest
				} else {
					wantCode(t, <-given, "")
					w.wantStaff(g, "zoe")
				}
				if _, err := warm.wait(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestTransfer(t *testing.T) {
	a := crew(t)
	give := func(by, to chat.UserID) error {
		_, err := a.Transfer(t.Context(), as(by), a.call(), to)
		return err
	}
	wantCode(t, give("adam", "adam"), chat.CodeForbidden)
	wantCode(t, give("owner", "sam"), chat.CodeParam)
	wantCode(t, give("owner", "owner"), "")
	wantCode(t, give("owner", "mia"), "")
	a.wantStaff(a.group, "mia", "ada", "adam", "owner")
	wantCode(t, give("owner", "owner"), chat.CodeForbidden)
	wantCode(t, a.mute("mia", nil, "owner"), "")
}

// What was said while bob was away stays away, though he came back twice; unread is of the
// last time. Mutants: admit extends the first span; admit without the read position.
func TestSpansAfterReturning(t *testing.T) {
	a := crew(t)
	head := func() chat.Seq { return a.summary("owner", a.group).Head }
	for range 3 {
		wantCode(t, a.say("owner"), "")
	}
	if err := a.add("owner", "bob"); err != nil {
		t.Fatal(err)
	}
	in1 := head()
	wantCode(t, a.say("owner"), "")
	wantCode(t, a.say("owner"), "")
	// He sleeps, and is removed: what came before that is his.
	if err := a.remove("adam", "bob"); err != nil {
		t.Fatal(err)
	}
	out1 := head()
	for range 4 {
		wantCode(t, a.say("owner"), "")
	}
	wantRange := func(what string, ranges ...[2]chat.Seq) {
		t.Helper()
		var want []chat.Seq
		for _, r := range ranges {
			for s := r[0]; s <= r[1]; s++ {
				want = append(want, s)
			}
		}
		if diff := cmp.Diff(want, a.seqs("bob", a.group)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	wantRange("removed while he slept", [2]chat.Seq{in1, out1})
	sync, err := a.Sync(t.Context(), as("bob"), "", "", 10)
	if err != nil || len(sync.Conversations) != 1 || sync.Conversations[0].Joined || sync.Conversations[0].Head != out1 {
		t.Errorf("sync tells %+v, %v", sync.Conversations, err)
	}
	if err := a.add("adam", "bob"); err != nil {
		t.Fatal(err)
	}
	in2 := head()
	wantCode(t, a.say("owner"), "")
	wantRange("back", [2]chat.Seq{in1, out1}, [2]chat.Seq{in2, head()})
	if got := a.summary("bob", a.group).Unread; got != 1 {
		t.Errorf("%d unread", got)
	}
}

// Who leaves reads no more than that it left, and is told so by sync; coming back opens what
// comes then. Mutant: dismiss without AfterLeave; Erased kept by admit.
func TestHistoryGoneAfterLeave(t *testing.T) {
	a := crew(t)
	if err := a.settings("owner", chat.SettingsChange{AfterLeave: chat.HistoryGone}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, a.say("owner"), "")
	cursor := a.Cursor("mia", a.Position())
	if err := a.remove("adam", "mia"); err != nil {
		t.Fatal(err)
	}
	out := a.summary("owner", a.group).Head
	wantSeqs(t, a.seqs("mia", a.group), out)
	s, err := a.Sync(t.Context(), as("mia"), cursor, "", 10)
	if err != nil || len(s.Conversations) != 1 {
		t.Fatalf("sync: %+v, %v", s, err)
	}
	if c := s.Conversations[0]; c.Joined || c.Head != out || !c.Member.Details.Erased {
		t.Errorf("sync tells %+v", c)
	}
	wantCode(t, a.say("owner"), "")
	if err := a.add("owner", "mia"); err != nil {
		t.Fatal(err)
	}
	wantSeqs(t, a.seqs("mia", a.group), out, out+2)
	if d := a.summary("mia", a.group).Member.Details; d != nil && d.Erased {
		t.Error("she is back, and erased")
	}
}

// Members by role. Mutants: After is not looked at for the staff; plain members with the staff among them.
func TestMembersByRole(t *testing.T) {
	a := crew(t)
	var many []chat.UserID
	for i := range 50 {
		many = append(many, chat.UserID(fmt.Sprintf("u%02d", i)))
	}
	if err := a.add("owner", many...); err != nil {
		t.Fatal(err)
	}
	pages := func(limit int, roles ...chat.Role) (got []chat.UserID) {
		for more, after := true, chat.UserID(""); more; {
			var page []chat.Member
			var err error
			page, more, err = a.Members(t.Context(), as("mia"), a.group, chat.MembersPage{Roles: roles, After: after, Limit: limit})
			if err != nil {
				t.Fatal(err)
			}
			if len(page) > limit || more && len(page) != limit {
				t.Fatalf("a page of %d, of %d, more %v", len(page), limit, more)
			}
			for _, m := range page {
				got = append(got, m.User)
				after = m.User
			}
		}
		return got
	}
	for limit := 1; limit < 5; limit++ {
		if diff := cmp.Diff([]chat.UserID{"ada", "adam", "owner"}, pages(limit, chat.Owner, chat.Admin)); diff != "" {
			t.Errorf("staff (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]chat.UserID{"owner"}, pages(limit, chat.Owner)); diff != "" {
			t.Errorf("owner (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(append([]chat.UserID{"max", "mia"}, many...), pages(limit, chat.Plain)); diff != "" {
			t.Errorf("plain (-want +got):\n%s", diff)
		}
		if got := len(pages(limit)); got != 55 {
			t.Errorf("%d of 55", got)
		}
	}
	_, _, err := a.Members(t.Context(), as("mia"), a.group, chat.MembersPage{Roles: []chat.Role{"king"}, Limit: 1})
	wantCode(t, err, chat.CodeParam)
}
