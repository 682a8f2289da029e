package reach

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/linnet-im/linnet/internal/testkit"
)

// A server whose back end's keys cannot be had serves all the same: tokens by its secret
// are taken, those by keys are told to come again, and are taken when the keys are there.
// Mutant: a Source that is asked once only.
func TestBackEndWithKeys(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var up atomic.Bool
	backEnd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintf(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"2026","x":%q}]}`, base64.RawURLEncoding.EncodeToString(public))
	}))
	defer backEnd.Close()
	server := testkit.Start(t, "--token-jwks", backEnd.URL)
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{"sub": "alice", "exp": time.Now().Add(time.Hour).Unix()})
	token.Header["kid"] = "2026"
	text, err := token.SignedString(private)
	if err != nil {
		t.Fatal(err)
	}
	signIn := func(token string) error {
		return (&testkit.HTTP{Server: server, Token: token}).Call("sync", struct{}{}, nil)
	}
	if err := signIn(server.TokenFor(t, "bob")); err != nil {
		t.Errorf("a token by the secret: %v", err)
	}
	err = signIn(text)
	var p *testkit.Problem
	if !errors.As(err, &p) || p.Status != http.StatusServiceUnavailable || p.Fields["code"] != "busy" || p.Fields["retry_after_ms"] == nil {
		t.Errorf("while there are no keys: %v", err)
	}
	if !strings.Contains(server.Log(), "503") {
		t.Error("the server does not say that the keys cannot be had")
	}
	up.Store(true)
	for deadline := time.Now().Add(testkit.Patience); signIn(text) != nil; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("with keys: %v", signIn(text))
		}
	}
}
