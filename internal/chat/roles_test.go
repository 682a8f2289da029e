package chat_test

import (
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// acts are calls on a group, each with a client_id of its own.
type acts struct {
	*world
	group chat.ConversationID
	n     int
}

func (a *acts) call() chat.GroupCall { a.n++; return call(a.group, a.n) }

func (a *acts) users(list ...chat.UserID) chat.ChangeMembers {
	return chat.ChangeMembers{GroupCall: a.call(), Users: list}
}

func (a *acts) role(by, u chat.UserID, r chat.Role) error {
	_, err := a.UpdateMember(a.t.Context(), as(by), chat.UpdateMember{GroupCall: a.call(), User: u, Role: &r})
	return err
}

func (a *acts) nickname(by, u chat.UserID, name string) error {
	_, err := a.UpdateMember(a.t.Context(), as(by), chat.UpdateMember{GroupCall: a.call(), User: u, Nickname: &name})
	return err
}

func (a *acts) add(by chat.UserID, list ...chat.UserID) error {
	_, err := a.AddMembers(a.t.Context(), as(by), a.users(list...))
	return err
}

func (a *acts) remove(by chat.UserID, list ...chat.UserID) error {
	_, err := a.RemoveMembers(a.t.Context(), as(by), a.users(list...))
	return err
}

func (a *acts) mute(by chat.UserID, until *time.Time, list ...chat.UserID) error {
	_, err := a.MuteMembers(a.t.Context(), as(by), a.users(list...), until)
	return err
}

func (a *acts) ban(by chat.UserID, until *time.Time, list ...chat.UserID) error {
	_, err := a.BanMembers(a.t.Context(), as(by), a.users(list...), until, "")
	return err
}

func (a *acts) muteAll(by chat.UserID, until *time.Time, except ...chat.UserID) error {
	_, err := a.MuteGroup(a.t.Context(), as(by), a.call(), until, except)
	return err
}

func (a *acts) say(u chat.UserID) error {
	a.n++
	_, err := a.send(u, into(a.group, a.n))
	return err
}

// crew makes a group with an owner, two admins and members.
func crew(t *testing.T, options ...option) *acts {
	t.Helper()
	w := newWorld(t, options...)
	a := &acts{world: w, group: w.group(1, false, "owner", "adam", "ada", "mia", "max"), n: 1}
	for _, u := range []chat.UserID{"adam", "ada"} {
		if err := a.role("owner", u, chat.Admin); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func (w *world) wantStaff(c chat.ConversationID, want ...chat.UserID) {
	w.t.Helper()
	row, err := w.store.Conversation(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	var got []chat.UserID
	for _, s := range row.Staff() {
		got = append(got, s.User)
		m, err := w.store.Member(w.t.Context(), chat.MemberKey{Conversation: c, User: s.User})
		if err != nil || m.Role != s.Role {
			w.t.Errorf("%s is listed as %s, its row says %s (%v)", s.User, s.Role, m.Role, err)
		}
	}
	if len(got) != len(want) {
		w.t.Fatalf("staff %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			w.t.Fatalf("staff %v, want %v", got, want)
		}
	}
}

// Mutants: outranks without the comparison; may without RightOwn; setRole leaves Staff.
func TestRanks(t *testing.T) {
	a := crew(t)
	for _, tt := range []struct {
		name string
		do   func() error
		want chat.Code
	}{
		{"an admin gives a role", func() error { return a.role("adam", "mia", chat.Admin) }, chat.CodeForbidden},
		{"a member gives itself a role", func() error { return a.role("mia", "mia", chat.Admin) }, chat.CodeForbidden},
		{"an admin takes its equal's", func() error { return a.role("adam", "ada", chat.Plain) }, chat.CodeForbidden},
		{"the owner takes its own", func() error { return a.role("owner", "owner", chat.Plain) }, chat.CodeParam},
		{"an admin mutes an admin", func() error { return a.mute("adam", nil, "ada") }, chat.CodeForbidden},
		{"an admin mutes the owner", func() error { return a.mute("adam", nil, "owner") }, chat.CodeForbidden},
		{"a member mutes", func() error { return a.mute("mia", nil, "max") }, chat.CodeForbidden},
		{"an admin removes an admin among others", func() error { return a.remove("adam", "mia", "ada") }, chat.CodeForbidden},
		{"an admin removes the owner", func() error { return a.remove("adam", "owner") }, chat.CodeForbidden},
		{"an admin bans an admin", func() error { return a.ban("adam", nil, "ada") }, chat.CodeForbidden},
		{"a member bans", func() error { return a.ban("mia", nil, "who") }, chat.CodeForbidden},
		{"a member names itself", func() error { return a.nickname("mia", "mia", "M") }, ""},
		{"a member names another", func() error { return a.nickname("mia", "max", "M") }, chat.CodeForbidden},
		{"an admin names a member", func() error { return a.nickname("adam", "max", "Maxi") }, ""},
		{"an admin names an admin", func() error { return a.nickname("adam", "ada", "A") }, chat.CodeForbidden},
		{"a stranger names itself", func() error { return a.nickname("sam", "sam", "S") }, chat.CodeNotFound},
		{"a role of one who is not in it", func() error { return a.role("owner", "sam", chat.Admin) }, chat.CodeParam},
		{"an admin removes a member", func() error { return a.remove("adam", "max") }, ""},
		{"the owner takes a role", func() error { return a.role("owner", "ada", chat.Plain) }, ""},
		{"who is no admin any more mutes", func() error { return a.mute("ada", nil, "mia") }, chat.CodeForbidden},
	} {
		t.Run(tt.name, func(t *testing.T) { wantCode(t, tt.do(), tt.want) })
	}
	a.wantStaff(a.group, "owner", "adam")
	if err := a.remove("owner", "adam"); err != nil {
		t.Fatal(err)
	}
	a.wantStaff(a.group, "owner")
	if err := a.add("mia", "adam"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, a.mute("adam", nil, "mia"), chat.CodeForbidden) // back, and an admin no more
	if _, err := a.leave("owner", a.group, 900); err != nil {
		t.Fatal(err)
	}
	a.wantStaff(a.group, "ada") // in it as long as mia, and before her by id
}

// A mute holds until its end and not a moment longer, whoever was asleep meanwhile.
// Mutants: speak without Before; speak that asks the wall clock; MutedUntil cleared on leaving.
func TestMuteEndsByItself(t *testing.T) {
	a := crew(t)
	start := a.clock.now()
	end := start.Add(time.Minute)
	if err := a.mute("adam", &end, "max"); err != nil {
		t.Fatal(err)
	}
	err := a.say("max")
	wantCode(t, err, chat.CodeMuted)
	if own := err.(*chat.Error); !own.Until.Equal(end) || own.RetryAfter != time.Minute {
		t.Errorf("until %v, retry after %v", own.Until, own.RetryAfter)
	}
	wantCode(t, a.say("mia"), "")
	if _, err := a.leave("max", a.group, 900); err != nil {
		t.Fatal(err)
	}
	if err := a.add("mia", "max"); err != nil {
		t.Fatal(err)
	}
	a.clock.set(end.Add(-time.Millisecond))
	wantCode(t, a.say("max"), chat.CodeMuted) // leaving does not help
	a.clock.set(end)
	wantCode(t, a.say("max"), "")

	past := end.Add(-time.Hour)
	wantCode(t, a.mute("adam", &past, "max"), chat.CodeParam)
	if err := a.mute("adam", nil, "max"); err != nil {
		t.Fatal(err)
	}
	a.clock.set(end.AddDate(50, 0, 0))
	err = a.say("max")
	wantCode(t, err, chat.CodeMuted)
	if own := err.(*chat.Error); own.RetryAfter != 0 {
		t.Errorf("retry after %v of a mute without an end", own.RetryAfter)
	}
	if _, err := a.UnmuteMembers(t.Context(), as("owner"), a.users("max")); err != nil {
		t.Fatal(err)
	}
	wantCode(t, a.say("max"), "")
}

// Mutants: MuteAll binds admins; Except is not looked at.
func TestMuteAll(t *testing.T) {
	a := crew(t)
	end := a.clock.now().Add(time.Hour)
	wantCode(t, a.muteAll("mia", nil), chat.CodeForbidden)
	if err := a.muteAll("adam", &end, "mia"); err != nil {
		t.Fatal(err)
	}
	for u, want := range map[chat.UserID]chat.Code{"owner": "", "ada": "", "mia": "", "max": chat.CodeMuted} {
		wantCode(t, a.say(u), want)
	}
	a.clock.set(end)
	wantCode(t, a.say("max"), "")
	if err := a.muteAll("owner", nil); err != nil {
		t.Fatal(err)
	}
	wantCode(t, a.say("mia"), chat.CodeMuted)
	if _, err := a.UnmuteGroup(t.Context(), as("owner"), a.call()); err != nil {
		t.Fatal(err)
	}
	wantCode(t, a.say("max"), "")
}

// Mutants: AddMembers without banned; banned without Until.
func TestBanKeepsOut(t *testing.T) {
	a := crew(t)
	end := a.clock.now().Add(time.Hour)
	if err := a.ban("adam", &end, "max", "never-was-here"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, a.say("max"), chat.CodeNotFound)
	wantCode(t, a.add("owner", "max"), chat.CodeForbidden)
	wantCode(t, a.add("owner", "carl", "never-was-here"), chat.CodeForbidden)
	bans, more, err := a.Bans(t.Context(), as("ada"), a.group, "", 1)
	if err != nil || !more || len(bans) != 1 || bans[0].User != "max" || bans[0].By != "adam" || !bans[0].Until.Equal(end) {
		t.Errorf("bans %+v, more %v, %v", bans, more, err)
	}
	_, _, err = a.Bans(t.Context(), as("mia"), a.group, "", 10)
	wantCode(t, err, chat.CodeForbidden)
	_, _, err = a.Bans(t.Context(), as("sam"), a.group, "", 10)
	wantCode(t, err, chat.CodeNotFound)
	a.clock.set(end)
	wantCode(t, a.add("mia", "max"), "")
	if err := a.ban("owner", nil, "max"); err != nil {
		t.Fatal(err)
	}
	a.clock.set(end.AddDate(50, 0, 0))
	wantCode(t, a.add("owner", "max"), chat.CodeForbidden)
	if _, err := a.UnbanMembers(t.Context(), as("ada"), a.users("max")); err != nil {
		t.Fatal(err)
	}
	wantCode(t, a.add("mia", "max"), "")
}

// A call is answered what it was first, also when the end that it names is over by then.
// Mutant: toCome before the call is looked up.
func TestMutesAndBansRepeatedAfterTheirEnd(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "owner", "bob", "carol")
	end := w.clock.now().Add(time.Minute)
	for n, do := range []func(n int) (chat.Place, error){
		func(n int) (chat.Place, error) {
			return w.MuteMembers(t.Context(), as("owner"), change(g, n, "bob"), &end)
		},
		func(n int) (chat.Place, error) {
			return w.BanMembers(t.Context(), as("owner"), change(g, n, "carol"), &end, "")
		},
		func(n int) (chat.Place, error) { return w.MuteGroup(t.Context(), as("owner"), call(g, n), &end, nil) },
	} {
		w.clock.set(end.Add(-time.Minute))
		first, err := do(10 + n)
		if err != nil {
			t.Fatal(err)
		}
		w.clock.set(end)
		if again, err := do(10 + n); err != nil || again != first {
			t.Errorf("%d: repeated %+v, %v; first %+v", n, again, err, first)
		}
		_, err = do(20 + n)
		wantCode(t, err, chat.CodeParam)
	}
}
