package auth

import (
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// A session token is known by the token it came from, over any number of renewals, so
// that revoking the one revokes the others. Mutant: IssueSession without the origin.
func TestSessionTokensKnowTheirOrigin(t *testing.T) {
	v := verifier(nil)
	first, err := Sign([]byte(secret), "alice", "", now(), 24*time.Hour, "", "")
	if err != nil {
		t.Fatal(err)
	}
	origin, err := v.Verify(first)
	if err != nil {
		t.Fatal(err)
	}
	want := origin.Token
	if want.ID == "" || !want.Issued.Equal(now()) || !want.Expires.Equal(now().Add(24*time.Hour)) {
		t.Fatalf("the token is known as %+v", want)
	}
	id := origin
	id.Session, id.Device = "s1", "phone"
	for range 3 {
		token, _, err := v.IssueSession(id)
		if err != nil {
			t.Fatal(err)
		}
		if id, err = v.Verify(token); err != nil {
			t.Fatal(err)
		}
		if id.Token.ID != want.ID || !id.Token.Expires.Equal(want.Expires) || id.Device != "phone" {
			t.Errorf("renewed: %+v on %q", id.Token, id.Device)
		}
	}
	other, err := Sign([]byte(secret), "alice", "", now(), 25*time.Hour, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := v.Verify(other); err != nil || got.Token.ID == want.ID {
		t.Errorf("another token is known as %+v, %v", got.Token, err)
	}
	var none chat.Token
	if id, err := v.Verify(first + "x"); err == nil || id.Token != none {
		t.Errorf("a broken token: %+v, %v", id.Token, err)
	}
}
