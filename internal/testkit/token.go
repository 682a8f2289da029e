package testkit

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TokenFor makes a token as the operator does: with `linnet token`.
func (s *Server) TokenFor(t testing.TB, user string, args ...string) string {
	t.Helper()
	cmd := Command(t, append(append([]string{"token", "--data", s.Data}, args...), user)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("linnet token: %v\n%s", err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out))
}

// Key makes a server key as the operator does: with `linnet key create`, while the server runs.
func (s *Server) Key(t testing.TB, scopes string) string {
	t.Helper()
	cmd := Command(t, "key", "create", "--data", s.Data, "--name", "test", "--scopes", scopes)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("linnet key create: %v\n%s", err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out))
}

// Claims are what a token says.
type Claims map[string]any

// Sign makes a token with the server's own secret, as an app's back end does.
func (s *Server) Sign(t testing.TB, c Claims) string {
	t.Helper()
	return s.SignAs(t, "HS256", c)
}

// SignAs is Sign with a header that says another algorithm.
func (s *Server) SignAs(t testing.TB, alg string, c Claims) string {
	t.Helper()
	secret, err := os.ReadFile(filepath.Join(s.Data, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	return Token(alg, bytes.TrimSpace(secret), c)
}

// Token makes a JWT whose header says alg. It is signed with HMAC-SHA256 whatever alg
// says, or not at all when there is no secret.
func Token(alg string, secret []byte, c Claims) string {
	text := segment(map[string]string{"alg": alg, "typ": "JWT"}) + "." + segment(c) + "."
	if secret == nil {
		return text
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(strings.TrimSuffix(text, ".")))
	return text + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func segment(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of plain values always encode
	}
	return base64.RawURLEncoding.EncodeToString(b)
}
