package chat_test

import (
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// server is a key with every scope, acting for a user.
func server(u chat.UserID) chat.Actor {
	return chat.Actor{User: u, Server: true, Key: &chat.Key{ID: "k", Scopes: []chat.Scope{chat.ScopeAdmin}}}
}

func newKey(n int, life time.Duration, scopes ...chat.Scope) chat.NewKey {
	_, cid := id(n)
	return chat.NewKey{Key: cid, Name: "orders", Scopes: scopes, Time: life}
}

// Mutants: the hash not compared; known left out of FindKey; expired answers false;
// RevokeKey puts nothing; the message of one of them another.
func TestKeysThatAreNoneAreAlike(t *testing.T) {
	w := newWorld(t)
	make := func(n int, life time.Duration) (chat.Key, string) {
		t.Helper()
		k, text, err := w.CreateKey(t.Context(), newKey(n, life, chat.ScopeRead))
		if err != nil {
			t.Fatal(err)
		}
		return k, text
	}
	good, text := make(1, 0)
	short, shortText := make(2, time.Hour)
	gone, goneText := make(3, 0)
	for _, k := range []string{text, shortText, goneText} {
		found, err := w.FindKey(t.Context(), k)
		if err != nil || !strings.HasPrefix(k, "lk_"+found.ID+"_") || len(k) < len("lk__")+52 {
			t.Errorf("%+v, %v", found, err)
		}
	}
	if err := w.RevokeKey(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, w.RevokeKey(t.Context(), gone.ID), chat.CodeNotFound)
	w.clock.set(w.clock.now().Add(time.Hour))
	_, wrong, _ := strings.Cut(shortText[3:], "_")
	for what, k := range map[string]string{
		"revoked": goneText, "expired": shortText, "unknown": "lk_abcdefgh_" + wrong, "of another": "lk_" + good.ID + "_" + wrong,
		"no secret": "lk_" + good.ID, "empty secret": "lk_" + good.ID + "_", "nothing": "lk_", "one too long": text + "a",
		"endless": "lk_" + strings.Repeat("a", 5000) + "_b", "a prefix of its id": "lk_" + good.ID[:3] + "_" + text[len(text)-52:],
	} {
		_, err := w.FindKey(t.Context(), k)
		if err == nil || err.Error() != "invalid_token: this is no server key, or it was revoked or has expired" {
			t.Errorf("%s: %v", what, err)
		}
	}
	for id, want := range map[string]bool{good.ID: true, short.ID: false, gone.ID: false, "": false} {
		if holds, err := w.KeyHolds(t.Context(), id); err != nil || holds != want {
			t.Errorf("%q holds: %v, %v", id, holds, err)
		}
	}
}

// Mutants: Keys answers the hash's item as name; recall left out; the secret answered again.
func TestKeyIsMadeOnce(t *testing.T) {
	w := newWorld(t)
	first, secret, err := w.CreateKey(t.Context(), newKey(1, 0, chat.ScopeSend, chat.ScopeRead))
	if err != nil || secret == "" {
		t.Fatal(secret, err)
	}
	again, none, err := w.CreateKey(t.Context(), newKey(1, 0, chat.ScopeSend, chat.ScopeRead))
	if err != nil || again.ID != first.ID || none != "" {
		t.Errorf("got %+v, %q, %v", again, none, err)
	}
	_, _, err = w.CreateKey(t.Context(), newKey(1, 0, chat.ScopeAdmin))
	wantCode(t, err, chat.CodeConflict)
	for n, bad := range []chat.NewKey{
		newKey(2, 0), newKey(2, 0, "all"), newKey(2, 0, chat.ScopeNone), newKey(2, 0, chat.ScopeRead, chat.ScopeRead),
		newKey(2, -1, chat.ScopeRead), newKey(2, 11*365*24*time.Hour, chat.ScopeRead),
		{Scopes: chat.Scopes()},
	} {
		if _, _, err := w.CreateKey(t.Context(), bad); code(err) != chat.CodeParam {
			t.Errorf("%d: %v", n, err)
		}
	}
	list, err := w.Keys(t.Context())
	if err != nil || len(list) != 1 || list[0].ID != first.ID || len(list[0].Scopes) != 2 || list[0].Scopes[0] != chat.ScopeRead {
		t.Errorf("got %+v, %v", list, err)
	}
	for n := 10; n < 109; n++ {
		if _, _, err := w.CreateKey(t.Context(), newKey(n, 0, chat.ScopeRead)); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err = w.CreateKey(t.Context(), newKey(109, 0, chat.ScopeRead))
	wantCode(t, err, chat.CodeForbidden)
	// What was answered once is answered again, whatever holds now.
	if again, _, err = w.CreateKey(t.Context(), newKey(1, 0, chat.ScopeSend, chat.ScopeRead)); err != nil || again.ID != first.ID {
		t.Errorf("got %+v, %v", again, err)
	}
}

// The last use is written now and then, and does not bring back what was revoked meanwhile.
// Mutants: the item of a revoked key put anyway; every use written.
func TestLastUseOfAKey(t *testing.T) {
	w := newWorld(t)
	made, _, err := w.CreateKey(t.Context(), newKey(1, 0, chat.ScopeRead))
	if err != nil {
		t.Fatal(err)
	}
	use := func() {
		t.Helper()
		list, err := w.Keys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a := chat.Actor{Server: true, Key: &made}
		if len(list) == 1 {
			a.Key = &list[0]
		}
		if err := w.KeyUsed(a, 1); err != nil {
			t.Fatal(err)
		}
	}
	used := func() time.Time {
		t.Helper()
		if err := w.FlushVisits(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := w.Keys(t.Context())
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		return list[0].Used
	}
	if at := used(); !at.IsZero() {
		t.Errorf("used at %v before it was", at)
	}
	first := w.clock.now()
	use()
	if at := used(); !at.Equal(first) {
		t.Errorf("used at %v", at)
	}
	w.clock.set(first.Add(30 * time.Second))
	use()
	if at := used(); !at.Equal(first) {
		t.Errorf("used at %v: that is written too often", at)
	}
	w.clock.set(first.Add(2 * time.Minute))
	use()
	if at := used(); !at.Equal(first.Add(2 * time.Minute)) {
		t.Errorf("used at %v", at)
	}
	w.clock.set(first.Add(5 * time.Minute))
	use()
	if err := w.RevokeKey(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.FlushVisits(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list, err := w.Keys(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("it is back: %+v, %v", list, err)
	}
}

// A key has a rate of its own, by what it does; people's limits do not hold for it. Mutants:
// things left out; the user's bucket taken from.
func TestKeysHaveTheirOwnRate(t *testing.T) {
	w := newWorld(t, withLimits(chat.Limits{SendsPerSecond: 1, SendsBurst: 1, KeyCallsPerSecond: 10, KeyCallsBurst: 20}))
	a := server("alice")
	a.Rated = true
	for n := range 3 {
		if _, err := w.start(a, toUser("bob", n+1)).wait(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.KeyUsed(a, 20); err != nil {
		t.Fatal(err)
	}
	err := w.KeyUsed(a, 5)
	wantCode(t, err, chat.CodeRate)
	if wait := err.(*chat.Error).RetryAfter; wait < 500*time.Millisecond || wait > 502*time.Millisecond {
		t.Errorf("wait %v", wait)
	}
	w.clock.set(w.clock.now().Add(500 * time.Millisecond))
	if err := w.KeyUsed(a, 5); err != nil {
		t.Error(err)
	}
	a.Rated = false
	if err := w.KeyUsed(a, 1000); err != nil {
		t.Error(err)
	}
}

// What a key may do for a user who is in nothing, has left, and is in it. Mutants: find
// answers a member's spans to a key; reveal hides from a key; a send of a key counts as its
// user's own though it is not in it.
func TestKeyActsForAUser(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "olga", "mia", "fred")
	w.mustSend("olga", into(g, 2))
	if _, err := w.RemoveMembers(t.Context(), as("olga"), change(g, 3, "fred")); err != nil {
		t.Fatal(err)
	}
	w.mustSend("olga", into(g, 4))
	zero := chat.Seq(0)
	for _, u := range []chat.UserID{"sam", "fred", "mia"} {
		l, err := w.List(t.Context(), server(u), chat.List{Conversation: g, After: &zero, Limit: 100})
		if err != nil || l.Head != 4 || len(l.Events) != 4 || decode(t, l.Events[3]).Kind != chat.Message {
			t.Errorf("%s: %+v, %v", u, l, err)
		}
		sum, err := w.Conversation(t.Context(), server(u), g)
		if err != nil || sum.Head != 4 || sum.Last == nil || sum.Last.Seq != 4 || sum.Joined != (u == "mia") {
			t.Errorf("%s: %+v, %v", u, sum, err)
		}
		if list, _, err := w.Members(t.Context(), server(u), g, chat.MembersPage{Limit: 10}); err != nil || len(list) != 2 {
			t.Errorf("%s: %v, %v", u, list, err)
		}
	}
	for n, u := range []chat.UserID{"sam", "fred"} {
		if _, err := w.start(server(u), into(g, 10+n)).wait(); err != nil {
			t.Errorf("%s: %v", u, err)
		}
		_, err := w.leave(u, g, 20+n)
		wantCode(t, err, chat.CodeNotFound)
		_, err = w.Service.Leave(t.Context(), server(u), change(g, 30+n).GroupCall)
		wantCode(t, err, chat.CodeNotFound)
	}
	if _, err := w.AddMembers(t.Context(), server("sam"), change(g, 40, "sam", "neo")); err != nil {
		t.Error(err)
	}
	// What sam said before it was in it does not make its unread wrong.
	w.mustSend("olga", into(g, 41))
	if got := w.summary("sam", g).Unread; got != 1 {
		t.Errorf("sam has %d unread", got)
	}
	_, err := w.RemoveMembers(t.Context(), server("zoe"), change(g, 42, "olga"))
	wantCode(t, err, chat.CodeForbidden) // a group keeps its owner
	if _, err := w.RemoveMembers(t.Context(), server("zoe"), change(g, 43, "neo")); err != nil {
		t.Error(err)
	}
	// What is for a few a key reads too; what a key sends for one who has left moves nothing of its.
	secret := into(g, 44)
	secret.Only = []chat.UserID{"mia"}
	whisper := w.mustSend("olga", secret).Seq
	before := whisper - 1
	l, err := w.List(t.Context(), server("sam"), chat.List{Conversation: g, After: &before, Limit: 1})
	if err != nil || len(l.Events) != 1 || decode(t, l.Events[0]).Kind != chat.Message {
		t.Errorf("%+v, %v", l, err)
	}
	left := w.summary("fred", g).Member.ReadSeq
	if _, err := w.start(server("fred"), into(g, 45)).wait(); err != nil {
		t.Error(err)
	}
	if now := w.summary("fred", g).Member.ReadSeq; now != left {
		t.Errorf("fred, who has left, has read up to %d, not %d", now, left)
	}
	// A direct conversation is read, and written in by its two.
	d := w.mustSend("olga", toUser("mia", 50)).Conversation
	if l, err := w.List(t.Context(), server("sam"), chat.List{Conversation: d, Limit: 10}); err != nil || len(l.Events) != 1 {
		t.Errorf("%+v, %v", l, err)
	}
	_, err = w.start(server("sam"), into(d, 51)).wait()
	wantCode(t, err, chat.CodeForbidden)
	if _, err := w.start(server("mia"), into(d, 52)).wait(); err != nil {
		t.Error(err)
	}
	_, err = w.start(server("sam"), into("g_none", 53)).wait()
	wantCode(t, err, chat.CodeNotFound)
	_, err = w.List(t.Context(), server("sam"), chat.List{Conversation: "g_none", Limit: 10})
	wantCode(t, err, chat.CodeNotFound)
}
