package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/linnet-im/linnet/wire"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// written is a public key as a JWK, with members added or replaced.
func written(t *testing.T, key crypto.PublicKey, more map[string]any) map[string]any {
	t.Helper()
	k := map[string]any{}
	switch key := key.(type) {
	case *rsa.PublicKey:
		k["kty"], k["n"], k["e"] = "RSA", b64(key.N.Bytes()), b64(big.NewInt(int64(key.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		half := (len(point) - 1) / 2
		k["kty"], k["crv"], k["x"], k["y"] = "EC", key.Curve.Params().Name, b64(point[1:1+half]), b64(point[1+half:])
	case ed25519.PublicKey:
		k["kty"], k["crv"], k["x"] = "OKP", "Ed25519", b64(key)
	}
	for name, v := range more {
		k[name] = v
	}
	return k
}

func set(t *testing.T, keys ...map[string]any) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type signers struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
	ed  ed25519.PrivateKey
}

func newSigners(t *testing.T) signers {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signers{r, e, ed}
}

func by(t *testing.T, method jwt.SigningMethod, key any, id string, change func(*jwt.Token)) string {
	t.Helper()
	token := jwt.NewWithClaims(method, jwt.MapClaims{"sub": "alice", "iat": now().Unix(), "exp": now().Add(time.Hour).Unix()})
	if id != "" {
		token.Header["kid"] = id
	}
	if change != nil {
		change(token)
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Tokens by keys, and the attacks on them. Mutants: keyOf that takes the header's
// algorithm for the key's; kid not compared; one parser for keys and the secret.
func TestTokensByKeys(t *testing.T) {
	s := newSigners(t)
	public := set(t,
		written(t, &s.rsa.PublicKey, map[string]any{"kid": "r"}),
		written(t, &s.ec.PublicKey, map[string]any{"kid": "e", "use": "sig"}),
		written(t, s.ed.Public(), map[string]any{"kid": "d", "alg": "EdDSA", "key_ops": []string{"verify"}}),
		written(t, &s.rsa.PublicKey, map[string]any{"kid": "only512", "alg": "RS512"}),
	)
	keys, err := ParseKeys(public)
	if err != nil || len(keys) != 4 {
		t.Fatal(keys, err)
	}
	other := newSigners(t)
	v := verifier(func(c *Config) { c.Keys = func(string) ([]Key, error) { return keys, nil } })
	for _, tt := range []struct {
		what, token string
		ok          bool
	}{
		{"RS256", by(t, jwt.SigningMethodRS256, s.rsa, "r", nil), true},
		{"PS384", by(t, jwt.SigningMethodPS384, s.rsa, "r", nil), true},
		{"ES256", by(t, jwt.SigningMethodES256, s.ec, "e", nil), true},
		{"EdDSA", by(t, jwt.SigningMethodEdDSA, s.ed, "d", nil), true},
		{"RS512 by the key for it", by(t, jwt.SigningMethodRS512, s.rsa, "only512", nil), true},
		{"the secret's, beside them", by(t, jwt.SigningMethodHS256, []byte(secret), "", nil), true},
		{"RS256 by the key for RS512", by(t, jwt.SigningMethodRS256, s.rsa, "only512", nil), false},
		{"another's key under its name", by(t, jwt.SigningMethodRS256, other.rsa, "r", nil), false},
		{"another key of the set", by(t, jwt.SigningMethodES256, s.ec, "r", nil), false},
		{"a key that is not there", by(t, jwt.SigningMethodES256, s.ec, "none", nil), false},
		{"no key named of several", by(t, jwt.SigningMethodES256, s.ec, "", nil), false},
		{"HS256 with the public key as secret", by(t, jwt.SigningMethodHS256, public, "r", nil), false},
		{"HS256 with the modulus as secret", by(t, jwt.SigningMethodHS256, s.rsa.N.Bytes(), "r", nil), false},
		{"none", by(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "r", nil), false},
		{"a critical extension", by(t, jwt.SigningMethodEdDSA, s.ed, "d", func(t *jwt.Token) { t.Header["crit"] = []string{"x"} }), false},
		{"a key in the header", by(t, jwt.SigningMethodEdDSA, other.ed, "d", func(token *jwt.Token) {
			token.Header["jwk"] = written(t, other.ed.Public(), nil)
		}), false},
		{"a kid that is no text", by(t, jwt.SigningMethodEdDSA, s.ed, "", func(t *jwt.Token) { t.Header["kid"] = 7 }), false},
		{"a guest's", by(t, jwt.SigningMethodEdDSA, s.ed, "d", func(t *jwt.Token) { t.Claims.(jwt.MapClaims)["sub"] = "guest:ann" }), false},
		{"no end", by(t, jwt.SigningMethodEdDSA, s.ed, "d", func(t *jwt.Token) { delete(t.Claims.(jwt.MapClaims), "exp") }), false},
		{"a session token's audience", by(t, jwt.SigningMethodEdDSA, s.ed, "d", func(t *jwt.Token) {
			t.Claims.(jwt.MapClaims)["aud"], t.Claims.(jwt.MapClaims)["sid"] = "linnet:session", "s"
		}), true}, // and no session: below
	} {
		id, err := v.Verify(tt.token)
		if (err == nil) != tt.ok || tt.ok && (id.User != "alice" || id.Session != "" || id.Token.ID == "") {
			t.Errorf("%s: %+v, %v", tt.what, id, err)
		}
	}
	if _, err := verifier(nil).Verify(by(t, jwt.SigningMethodRS256, s.rsa, "r", nil)); err == nil {
		t.Error("without keys a token by one is taken")
	}
	one := verifier(func(c *Config) { c.Keys = func(string) ([]Key, error) { return keys[:1], nil } })
	if _, err := one.Verify(by(t, jwt.SigningMethodRS256, s.rsa, "", nil)); err != nil {
		t.Errorf("the only key, not named: %v", err)
	}
	away := verifier(func(c *Config) {
		c.Keys = func(string) ([]Key, error) { return nil, &wire.Error{Code: wire.CodeBusy, RetryAfter: time.Second} }
	})
	var busy *wire.Error
	if _, err := away.Verify(by(t, jwt.SigningMethodRS256, s.rsa, "r", nil)); !errors.As(err, &busy) || busy.Code != wire.CodeBusy {
		t.Errorf("keys that cannot be had: %v", err)
	}
}

// Of an ECDSA signature (r, s) everybody can make another, (r, n-s). It is the same token:
// who revoked the one has revoked the other. Mutant: tokenID of the whole token.
func TestSignatureMadeFromAnother(t *testing.T) {
	s := newSigners(t)
	keys, err := ParseKeys(set(t, written(t, &s.ec.PublicKey, nil)))
	if err != nil {
		t.Fatal(err)
	}
	v := verifier(func(c *Config) { c.Keys = func(string) ([]Key, error) { return keys, nil } })
	token := by(t, jwt.SigningMethodES256, s.ec, "", nil)
	at := strings.LastIndexByte(token, '.') + 1
	signature := number(token[at:])
	half := new(big.Int).SetBytes(signature[32:])
	half.Sub(s.ec.Params().N, half).FillBytes(signature[32:])
	other := token[:at] + b64(signature)
	first, err := v.Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	second, err := v.Verify(other)
	if err != nil || other == token || first.Token.ID != second.Token.ID {
		t.Errorf("%v and %v, %v", first.Token, second.Token, err)
	}
}

func TestParseKeys(t *testing.T) {
	s := newSigners(t)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("this system makes no short keys")
	}
	good := written(t, s.ed.Public(), map[string]any{"kid": "good"})
	for _, tt := range []struct {
		what string
		key  map[string]any
	}{
		{"for encryption", written(t, &s.rsa.PublicKey, map[string]any{"use": "enc"})},
		{"for signing only", written(t, &s.rsa.PublicKey, map[string]any{"key_ops": []string{"sign"}})},
		{"short", written(t, &short.PublicKey, nil)},
		{"an even exponent", written(t, &s.rsa.PublicKey, map[string]any{"e": "Ag"})},
		{"not on the curve", written(t, &s.ec.PublicKey, map[string]any{"y": b64(make([]byte, 32))})},
		{"another curve", written(t, &s.ec.PublicKey, map[string]any{"crv": "P-384"})},
		{"an unknown curve", written(t, &s.ec.PublicKey, map[string]any{"crv": "secp256k1"})},
		{"another algorithm", written(t, &s.ec.PublicKey, map[string]any{"alg": "RS256"})},
		{"HS256 as its algorithm", written(t, &s.rsa.PublicKey, map[string]any{"alg": "HS256"})},
		{"an unknown kind", map[string]any{"kty": "new"}},
		{"numbers for texts", map[string]any{"kty": 7}},
	} {
		keys, err := ParseKeys(set(t, good, tt.key))
		if err != nil || len(keys) != 1 || keys[0].ID != "good" {
			t.Errorf("%s: %v, %v", tt.what, keys, err)
		}
	}
	for what, text := range map[string]string{
		"nothing":       "",
		"no set":        `{"kty":"OKP"}`,
		"an empty set":  `{"keys":[]}`,
		"a secret":      `{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`,
		"a private key": string(set(t, good, written(t, s.ed.Public(), map[string]any{"d": b64(s.ed.Seed())}))),
		"too many":      `{"keys":[` + strings.Repeat(`{},`, maxKeys) + `{}]}`,
	} {
		if keys, err := ParseKeys([]byte(text)); err == nil {
			t.Errorf("%s: %v", what, keys)
		}
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"a"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		keys, err := ParseKeys(b)
		if err == nil && len(keys) == 0 || len(keys) > maxKeys {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		for _, k := range keys {
			if k.Public == nil || len(k.Algorithms) == 0 {
				t.Fatalf("%+v", k)
			}
		}
	})
}
