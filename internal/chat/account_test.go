package chat_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// What signing out refuses. Mutants: each case of Admits left out; < for <=.
func TestAccountAdmits(t *testing.T) {
	at := time.Date(2026, 11, 25, 8, 0, 0, 500e6, time.UTC)
	token := func(id string, after time.Duration) chat.Token {
		return chat.Token{ID: id, Issued: at.Add(after).Truncate(time.Second), Expires: at.Add(time.Hour)}
	}
	revoked := chat.Account{Revoked: []chat.Token{{ID: "bad"}}}
	device := chat.Account{Devices: []chat.Device{{ID: "phone", Revoked: at}, {ID: "tablet"}}}
	out := chat.Account{SignedOut: at, Kept: "mine"}
	for _, tt := range []struct {
		what   string
		acc    chat.Account
		token  chat.Token
		device string
		ok     bool
	}{
		{"nothing was signed out", chat.Account{}, token("a", 0), "", true},
		{"no time of issue, nothing signed out", chat.Account{}, chat.Token{ID: "a"}, "", true},
		{"a revoked token", revoked, token("bad", time.Hour), "", false},
		{"a revoked token under another device", revoked, token("bad", 0), "tablet", false},
		{"another token", revoked, token("good", 0), "", true},
		{"from before, on the device", device, token("a", -time.Minute), "phone", false},
		{"of the same second, on the device", device, token("a", 0), "phone", false},
		{"from after, on the device", device, token("a", time.Second), "phone", true},
		{"from before, on another device", device, token("a", -time.Minute), "tablet", true},
		{"from before, on no device", device, token("a", -time.Minute), "", true},
		{"signed out elsewhere, from before", out, token("a", -time.Minute), "", false},
		{"signed out elsewhere, no time of issue", out, chat.Token{ID: "a"}, "", false},
		{"signed out elsewhere, from after", out, token("a", time.Second), "", true},
		{"signed out elsewhere, the kept one", out, token("mine", -time.Minute), "phone", true},
	} {
		err := tt.acc.Admits(tt.token, tt.device)
		if own, ok := errors.AsType[*chat.Error](err); (err == nil) != tt.ok || err != nil && (!ok || own.Code != chat.CodeRevoked) {
			t.Errorf("%s: %v", tt.what, err)
		}
	}
}

func TestVisits(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	token := chat.Token{ID: "t1"}
	w.SignedIn("alice", &chat.Device{ID: "phone", Platform: "ios", Token: token})
	w.SignedIn("alice", nil)
	w.SignedIn(chat.GuestID("bob"), &chat.Device{ID: "x"})
	if err := w.FlushVisits(ctx); err != nil {
		t.Fatal(err)
	}
	acc, err := w.Account(ctx, "alice")
	if err != nil {
		t.Fatal(err)
	}
	d := acc.Device("phone")
	if d == nil || d.Platform != "ios" || d.Token != token || d.Since.IsZero() || !d.Seen.Equal(d.Since) || !acc.Seen.Equal(d.Seen) {
		t.Fatalf("%+v", acc)
	}
	if guest, err := w.Account(ctx, chat.GuestID("bob")); err != nil || len(guest.Devices) != 0 || !guest.Seen.IsZero() {
		t.Errorf("a guest leaves %+v, %v", guest, err)
	}
	since := d.Since
	if err := w.Revoke(ctx, "alice", chat.Revocation{Device: "phone"}); err != nil {
		t.Fatal(err)
	}
	w.SignedIn("alice", &chat.Device{ID: "phone", Platform: "ios", Name: "new", Token: chat.Token{ID: "t2"}})
	w.Left("alice", "phone")
	w.Left("alice", "never seen")
	if err := w.FlushVisits(ctx); err != nil {
		t.Fatal(err)
	}
	if acc, err = w.Account(ctx, "alice"); err != nil {
		t.Fatal(err)
	}
	if d = acc.Device("phone"); len(acc.Devices) != 1 || d.Name != "new" || !d.Since.Equal(since) || d.Revoked.IsZero() {
		t.Errorf("after a second visit: %+v", acc)
	}
	if acc.Admits(token, "tablet") == nil {
		t.Error("the revoked device's token is good on another one")
	}

	// One device more than are kept: the one not seen longest goes.
	for i := range 40 {
		w.SignedIn("alice", &chat.Device{ID: fmt.Sprint("d", i)})
		if err := w.FlushVisits(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if acc, err = w.Account(ctx, "alice"); err != nil || len(acc.Devices) != 32 || acc.Device("d39") == nil {
		t.Errorf("%d devices, %v", len(acc.Devices), err)
	}
}

func TestRevoke(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	if err := w.Revoke(ctx, "alice", chat.Revocation{Device: "none"}); err == nil {
		t.Error("an unknown device was revoked")
	}
	before := w.Revocations()
	kept := chat.Token{ID: "mine"}
	if err := w.Revoke(ctx, "alice", chat.Revocation{Others: true, Keep: kept}); err != nil {
		t.Fatal(err)
	}
	if w.Revocations() == before {
		t.Error("who is signing in meanwhile does not hear of it")
	}
	acc, err := w.Account(ctx, "alice")
	if err != nil {
		t.Fatal(err)
	}
	if acc.Admits(kept, "") != nil || acc.Admits(chat.Token{ID: "other"}, "") == nil {
		t.Errorf("%+v", acc)
	}
	// Tokens that have expired by themselves are forgotten, the others are not.
	old := chat.Token{ID: "old", Expires: w.clock.now().Add(-24 * time.Hour)}
	lasting := chat.Token{ID: "lasting"}
	for _, token := range []chat.Token{old, lasting, {ID: "new", Expires: w.clock.now().Add(time.Hour)}} {
		if err := w.Revoke(ctx, "alice", chat.Revocation{Tokens: []chat.Token{token}}); err != nil {
			t.Fatal(err)
		}
	}
	if acc, err = w.Account(ctx, "alice"); err != nil || len(acc.Revoked) != 2 {
		t.Errorf("%+v, %v", acc.Revoked, err)
	}
}
