package chat_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
)

func (a *acts) settings(by chat.UserID, ch chat.SettingsChange) error {
	_, err := a.UpdateGroup(a.t.Context(), as(by), chat.UpdateGroup{GroupCall: a.call(), Settings: &ch})
	return err
}

// join answers how a joining went: "joined", "waiting" or the error's code.
func (a *acts) join(u chat.UserID) string {
	a.t.Helper()
	_, waiting, err := a.Join(a.t.Context(), as(u), a.call(), "let me in")
	switch {
	case err != nil:
		return string(code(err))
	case waiting:
		return "waiting"
	}
	return "joined"
}

func (a *acts) approve(by chat.UserID, list ...chat.UserID) error {
	_, err := a.Approve(a.t.Context(), as(by), a.users(list...))
	return err
}

func (a *acts) wantWaiting(want ...chat.UserID) {
	a.t.Helper()
	list, _, err := a.Requests(a.t.Context(), as("adam"), a.group, "", 100)
	if err != nil {
		a.t.Fatal(err)
	}
	var got []chat.UserID
	for _, r := range list {
		got = append(got, r.User)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		a.t.Errorf("%v wait, want %v", got, want)
	}
}

// ownRequest answers what a user's own state says of its request, "" for nothing.
func (a *acts) ownRequest(u chat.UserID) string {
	a.t.Helper()
	s, err := a.Sync(a.t.Context(), as(u), "", "", 100)
	if err != nil {
		a.t.Fatal(err)
	}
	state := ""
	for _, it := range s.Items {
		if it.Kind == chat.OwnRequestItem && it.Key == string(a.group) && it.Body != nil {
			var body struct {
				State string `json:"state"`
			}
			if err := json.Unmarshal(it.Body, &body); err != nil {
				a.t.Fatal(err)
			}
			state = body.State
		}
	}
	return state
}

// Who may come in how. Mutants: check without banned; check without Dismissed; JoinInvite
// that lets in; room left out.
func TestJoining(t *testing.T) {
	a := crew(t, withLimits(chat.Limits{GroupMembers: 7}))
	if err := a.ban("owner", nil, "ben", "max"); err != nil { // max was in it
		t.Fatal(err)
	}
	if err := a.remove("owner", "mia"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		how                            chat.Join
		stranger, former, banned, kept string
	}{
		{chat.JoinInvite, "not_found", "forbidden", "not_found", "forbidden"},
		{chat.JoinApproval, "waiting", "waiting", "not_found", "forbidden"},
		{chat.JoinOpen, "joined", "joined", "not_found", "forbidden"},
	} {
		if err := a.settings("adam", chat.SettingsChange{Join: tt.how}); err != nil {
			t.Fatal(err)
		}
		for u, want := range map[chat.UserID]string{"sam": tt.stranger, "mia": tt.former, "ben": tt.banned, "max": tt.kept, "guest:ann": "not_found"} {
			if got := a.join(u); got != want {
				t.Errorf("%s: %s: %s, want %s", tt.how, u, got, want)
			}
		}
	}
	a.wantWaiting() // who came in otherwise waits no more
	if a.ownRequest("sam") != "" {
		t.Error("sam is in, and still waits by its own state")
	}
	if got := a.join("sam"); got != "joined" {
		t.Errorf("who is in it: %s", got)
	}
	for _, u := range []chat.UserID{"s1", "s2"} {
		if got := a.join(u); got != "joined" {
			t.Errorf("%s: %s", u, got)
		}
	}
	if got := a.join("s3"); got != "forbidden" {
		t.Errorf("to a full group: %s", got)
	}
	if _, err := a.DismissGroup(t.Context(), as("owner"), a.call()); err != nil {
		t.Fatal(err)
	}
	if got := a.join("s3"); got != "not_found" {
		t.Errorf("to a dismissed group: %s", got)
	}
}

// A request outlives a restart, is told to those who can answer it, and ends once. Mutants:
// Approve without the request; request without notifyUser; settle that leaves the item; a
// ban that leaves the request.
func TestApproval(t *testing.T) {
	store := memory.New()
	w := newWorldOn(t, store)
	a := &acts{world: w, group: w.group(1, false, "owner", "adam", "mia"), n: 1}
	if err := a.role("owner", "adam", chat.Admin); err != nil {
		t.Fatal(err)
	}
	if err := a.settings("owner", chat.SettingsChange{Join: chat.JoinApproval}); err != nil {
		t.Fatal(err)
	}
	a.bus.taken()
	for _, u := range []chat.UserID{"sam", "sue", "sid", "sol"} {
		if got := a.join(u); got != "waiting" {
			t.Fatalf("%s: %s", u, got)
		}
	}
	_, notices := a.bus.taken()
	told := make(map[chat.UserID]int)
	for _, n := range notices {
		if n.Method == "group.request" {
			told[n.Only]++
		}
	}
	if told["owner"] != 4 || told["adam"] != 4 || len(told) != 2 {
		t.Errorf("told %v", told)
	}
	if got := a.join("sam"); got != "waiting" { // again: told once
		t.Error(got)
	}
	if _, notices = a.bus.taken(); len(notices) != 0 {
		t.Errorf("a request repeated is told again: %v", notices)
	}
	w.Close()
	a.world = newWorldOn(t, store)

	a.wantWaiting("sam", "sid", "sol", "sue")
	_, _, err := a.Requests(t.Context(), as("mia"), a.group, "", 10)
	wantCode(t, err, chat.CodeForbidden)
	wantCode(t, a.approve("mia", "sam"), chat.CodeForbidden)
	wantCode(t, a.say("sam"), chat.CodeNotFound)
	if err := a.approve("adam", "sam", "nobody-asked"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, a.say("sam"), "")
	wantCode(t, a.say("nobody-asked"), chat.CodeNotFound)
	before := a.summary("owner", a.group).Head
	if err := a.approve("owner", "sam"); err != nil { // the other admin, at the same time
		t.Fatal(err)
	}
	if after := a.summary("owner", a.group).Head; after != before {
		t.Errorf("approving again logged %d to %d", before, after)
	}
	if err := a.Reject(t.Context(), as("adam"), a.group, []chat.UserID{"sue"}); err != nil {
		t.Fatal(err)
	}
	if err := a.ban("adam", nil, "sid"); err != nil {
		t.Fatal(err)
	}
	if err := a.add("mia", "sol"); err != nil { // added while it waits
		t.Fatal(err)
	}
	a.wantWaiting()
	wantCode(t, a.approve("adam", "sue", "sid"), "")
	wantCode(t, a.say("sue"), chat.CodeNotFound)
	for u, want := range map[chat.UserID]string{"sam": "", "sue": "rejected", "sid": "", "sol": ""} {
		if got := a.ownRequest(u); got != want {
			t.Errorf("%s's own state says %q, want %q", u, got, want)
		}
	}
}

// The first answer, though the caller was removed meanwhile: the repetition does not bring
// it back. Mutant: Join without recall.
func TestJoiningAgainIsTheFirst(t *testing.T) {
	a := crew(t)
	if err := a.settings("owner", chat.SettingsChange{Join: chat.JoinOpen}); err != nil {
		t.Fatal(err)
	}
	gc := a.call()
	first, _, err := a.Join(t.Context(), as("sam"), gc, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.remove("adam", "sam"); err != nil {
		t.Fatal(err)
	}
	again, _, err := a.Join(t.Context(), as("sam"), gc, "")
	if err != nil || again != first {
		t.Errorf("again: %+v, %v; first %+v", again, err, first)
	}
	wantCode(t, a.say("sam"), chat.CodeNotFound)
}
