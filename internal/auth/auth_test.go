package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

const secret = "a secret of thirty-two characters"

func now() time.Time { return time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC) }

func in(d time.Duration) int64 { return now().Add(d).Unix() }

func verifier(change func(c *Config)) *Verifier {
	c := Config{Secret: []byte(secret), Now: now}
	if change != nil {
		change(&c)
	}
	return New(c)
}

// compact writes a token by hand, so that no library keeps it from being wrong.
func compact(header, payload any, key []byte) string {
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	signed := part(header) + "." + part(payload)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// nextCharacter changes only bits of a token's last character that decode to nothing:
// the last of the 43 characters of a signature holds four bits of it.
func nextCharacter(token string) string {
	last := len(token) - 1
	return token[:last] + string(token[last]+1)
}

type object map[string]any

func hs256() object { return object{"alg": "HS256", "typ": "JWT"} }

func good() object { return object{"sub": "alice", "exp": in(time.Hour)} }

// with gives good claims and one more, or without one where the value is nil.
func with(name string, value any) object {
	o := good()
	o[name] = value
	if value == nil {
		delete(o, name)
	}
	return o
}

func backEnd(claims object) string { return compact(hs256(), claims, []byte(secret)) }

func TestVerify(t *testing.T) {
	alice := Identity{User: "alice", Expires: now().Add(time.Hour)}
	for _, tt := range []struct {
		name   string
		change func(c *Config)
		token  string
		want   func(id *Identity)
	}{
		{name: "sub and exp", token: backEnd(good())},
		{name: "a name", token: backEnd(with("name", "Alice 爱丽丝")), want: func(id *Identity) { id.Name = "Alice 爱丽丝" }},
		{name: "a name that is none", token: backEnd(with("name", "two\nlines"))},
		{name: "claims of the app's own", token: backEnd(with("role", []string{"x"}))},
		{name: "sid is the server's to give", token: backEnd(with("sid", "another's"))},
		{name: "kid says nothing", token: compact(object{"alg": "HS256", "kid": "../../dev/null"}, good(), []byte(secret))},
		{name: "expired within the Leeway", token: backEnd(with("exp", in(-29*time.Second))), want: func(id *Identity) {
			id.Expires = now().Add(-29 * time.Second)
		}},
		{name: "nbf within the Leeway", token: backEnd(with("nbf", in(29*time.Second)))},
		{name: "good for years", token: backEnd(with("exp", in(10*365*24*time.Hour))), want: func(id *Identity) {
			id.Expires = now().Add(10 * 365 * 24 * time.Hour)
		}},
		{name: "iss", change: func(c *Config) { c.Issuer = "app" }, token: backEnd(with("iss", "app"))},
		{name: "iss nobody asked for", token: backEnd(with("iss", "app"))},
		{name: "aud", change: func(c *Config) { c.Audience = "chat" }, token: backEnd(with("aud", "chat"))},
		{name: "aud among others", change: func(c *Config) { c.Audience = "chat" }, token: backEnd(with("aud", []string{"shop", "chat"}))},
		{name: "64 bytes", token: backEnd(with("sub", strings.Repeat("界", 21)+"x")), want: func(id *Identity) {
			id.User = chat.UserID(strings.Repeat("界", 21) + "x")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := verifier(tt.change).Verify(tt.token)
			if err != nil {
				t.Fatal(err)
			}
			want := alice
			if tt.want != nil {
				tt.want(&want)
			}
			if diff := cmp.Diff(want, got, cmp.Comparer(time.Time.Equal), cmpopts.IgnoreFields(Identity{}, "Token")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Mutants: no WithValidMethods (here and below); no WithStrictDecoding; one key for both kinds of tokens; no check of ours
// before a guest; no WithExpirationRequired; no Leeway.
func TestVerifyRefuses(t *testing.T) {
	issuer := func(c *Config) { c.Issuer = "app" }
	audience := func(c *Config) { c.Audience = "chat" }
	none := strings.Join(strings.Split(compact(object{"alg": "none"}, good(), nil), ".")[:2], ".") + "."
	parts := strings.Split(backEnd(good()), ".")
	for _, tt := range []struct {
		name   string
		change func(c *Config)
		token  string
		want   wire.Code
	}{
		{name: "nothing", token: ""},
		{name: "no token", token: "alice"},
		{name: "dots", token: ".."},
		{name: "two parts", token: parts[0] + "." + parts[1]},
		{name: "four parts", token: backEnd(good()) + ".x"},
		{name: "padding", token: backEnd(good()) + "="},
		{name: "bits behind the signature", token: nextCharacter(backEnd(good()))},
		{name: "blanks around it", token: " " + backEnd(good())},
		{name: "too long", token: backEnd(with("more", strings.Repeat("x", maxToken)))},
		{name: "alg none", token: none},
		{name: "alg none, signed all the same", token: compact(object{"alg": "none"}, good(), []byte(secret))},
		{name: "alg None", token: compact(object{"alg": "None"}, good(), []byte(secret))},
		{name: "no alg", token: compact(object{"typ": "JWT"}, good(), []byte(secret))},
		{name: "alg is no text", token: compact(object{"alg": 256}, good(), []byte(secret))},
		{name: "alg HS384 over HS256", token: compact(object{"alg": "HS384"}, good(), []byte(secret))},
		{name: "alg RS256 over HS256", token: compact(object{"alg": "RS256"}, good(), []byte(secret))},
		{name: "crit", token: compact(object{"alg": "HS256", "crit": []string{"exp2"}, "exp2": 1}, good(), []byte(secret))},
		{name: "another secret", token: compact(hs256(), good(), []byte("another secret of so many characters"))},
		{name: "no secret", token: compact(hs256(), good(), nil)},
		{name: "other claims under the signature", token: parts[0] + "." + strings.Split(backEnd(with("sub", "bob")), ".")[1] + "." + parts[2]},
		{name: "no signature", token: parts[0] + "." + parts[1] + "."},
		{name: "no exp", token: backEnd(with("exp", nil))},
		{name: "exp is text", token: backEnd(with("exp", "tomorrow"))},
		{name: "exp is null", token: backEnd(object{"sub": "alice", "exp": nil})},
		{name: "expired", token: backEnd(with("exp", in(-31*time.Second))), want: wire.CodeExpired},
		{name: "expired, another secret", token: compact(hs256(), with("exp", in(-time.Hour)), []byte("another secret of so many characters"))},
		{name: "not yet", token: backEnd(with("nbf", in(31*time.Second)))},
		{name: "another iss", change: issuer, token: backEnd(with("iss", "other"))},
		{name: "no iss", change: issuer, token: backEnd(good())},
		{name: "another aud", change: audience, token: backEnd(with("aud", []string{"shop"}))},
		{name: "no aud", change: audience, token: backEnd(good())},
		{name: "no sub", token: backEnd(with("sub", nil))},
		{name: "an empty sub", token: backEnd(with("sub", ""))},
		{name: "sub is a number", token: backEnd(with("sub", 7))},
		{name: "65 bytes", token: backEnd(with("sub", strings.Repeat("x", 65)))},
		{name: "a colon", token: backEnd(with("sub", "a:b"))},
		{name: "a blank", token: backEnd(with("sub", "a b"))},
		{name: "a control character", token: backEnd(with("sub", "a\x00b"))},
		{name: "an invisible character", token: backEnd(with("sub", "a\u200bb"))},
		{name: "a guest", token: backEnd(with("sub", "guest:alice"))},
		{name: "a guest in a session's clothes", token: backEnd(object{"sub": "guest:alice", "exp": in(time.Hour), "aud": sessionAudience})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id, err := verifier(tt.change).Verify(tt.token)
			if err == nil {
				t.Fatalf("taken for %+v", id)
			}
			want := tt.want
			if want == "" {
				want = wire.CodeToken
			}
			e, ok := errors.AsType[*wire.Error](err)
			if !ok || e.Code != want {
				t.Errorf("got %v, want %s", err, want)
			}
			if strings.Contains(err.Error(), secret) || len(tt.token) > 20 && strings.Contains(err.Error(), tt.token) {
				t.Errorf("%q tells the secret or the token", err)
			}
			if diff := cmp.Diff(Identity{}, id); diff != "" {
				t.Errorf("an identity beside the error:\n%s", diff)
			}
		})
	}
}

// A token whose signature is right by an algorithm that is not ours is refused. It
// keeps a public key, once one is set, from being taken for a secret.
func TestVerifyRefusesOtherAlgorithms(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for method, key := range map[jwt.SigningMethod]any{
		jwt.SigningMethodHS384: []byte(secret),
		jwt.SigningMethodHS512: []byte(secret),
		jwt.SigningMethodRS256: rsaKey,
		jwt.SigningMethodNone:  jwt.UnsafeAllowNoneSignatureType,
	} {
		token, err := jwt.NewWithClaims(method, jwt.MapClaims(good())).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		if id, err := verifier(nil).Verify(token); err == nil {
			t.Errorf("%s: taken for %+v", method.Alg(), id)
		}
	}
}

func TestSessionTokens(t *testing.T) {
	for _, tt := range []struct {
		name    string
		id      Identity
		expires time.Duration
	}{
		{"a user", Identity{User: "alice", Name: "Alice", Session: "s1", Expires: now().Add(24 * time.Hour)}, time.Hour},
		{"not longer than the token it came from", Identity{User: "alice", Session: "s1", Expires: now().Add(time.Minute)}, time.Minute},
		{"a user who does not expire", Identity{User: "alice", Session: "s1"}, time.Hour},
		{"a guest", Identity{User: chat.GuestID("zhang san"), Guest: true, Session: "s2"}, time.Hour},
		{"a guest again", Identity{User: chat.GuestID("张三"), Guest: true, Session: "s2", Expires: now().Add(time.Minute)}, time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// What back ends' tokens must hold is not asked of the server's own.
			v := verifier(func(c *Config) { c.Issuer, c.Audience = "app", "chat" })
			token, expires, err := v.IssueSession(tt.id)
			if err != nil {
				t.Fatal(err)
			}
			want := tt.id
			want.Expires = now().Add(tt.expires)
			if !expires.Equal(want.Expires) {
				t.Errorf("expires %v, want %v", expires, want.Expires)
			}
			got, err := v.Verify(token)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmp.Comparer(time.Time.Equal), cmpopts.IgnoreFields(Identity{}, "Token")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			later := verifier(func(c *Config) {
				c.Now = func() time.Time { return expires.Add(Leeway + time.Second) }
			})
			_, err = later.Verify(token)
			if e, ok := errors.AsType[*wire.Error](err); !ok || e.Code != wire.CodeExpired {
				t.Errorf("afterwards: %v", err)
			}
			if _, err := verifier(func(c *Config) { c.Secret = []byte("another secret of so many characters") }).Verify(token); err == nil {
				t.Error("another server takes it")
			}
		})
	}
}

func TestSign(t *testing.T) {
	token, err := Sign([]byte(secret), "alice", "Alice", now(), time.Hour, "app", "chat")
	if err != nil {
		t.Fatal(err)
	}
	got, err := verifier(func(c *Config) { c.Issuer, c.Audience = "app", "chat" }).Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	want := Identity{User: "alice", Name: "Alice", Expires: now().Add(time.Hour)}
	if diff := cmp.Diff(want, got, cmp.Comparer(time.Time.Equal), cmpopts.IgnoreFields(Identity{}, "Token")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, tt := range []struct {
		what string
		user chat.UserID
		name string
		ttl  time.Duration
	}{
		{"a guest", "guest:alice", "", time.Hour},
		{"no user id", "a:b", "", time.Hour},
		{"no user", "", "", time.Hour},
		{"no time", "alice", "", 0},
		{"time that is over", "alice", "", -time.Hour},
		{"no name", "alice", "two\nlines", time.Hour},
	} {
		if token, err := Sign([]byte(secret), tt.user, tt.name, now(), tt.ttl, "", ""); err == nil {
			t.Errorf("%s: signed %s", tt.what, token)
		}
	}
}

// Whatever a token is: no panic, an error of ours or an identity that may be.
func FuzzVerify(f *testing.F) {
	for _, payload := range []object{good(), with("sub", "guest:a"), with("exp", 1e300), with("nbf", -1), with("aud", []int{1})} {
		f.Add(backEnd(payload), "", "")
		header, err := json.Marshal(hs256())
		if err != nil {
			f.Fatal(err)
		}
		claims, err := json.Marshal(payload)
		if err != nil {
			f.Fatal(err)
		}
		f.Add("", string(header), string(claims))
	}
	f.Add("..", `{"alg":"none"}`, `{"exp":18446744073709551616,"sub":null}`)
	f.Fuzz(func(t *testing.T, token, header, claims string) {
		if token == "" {
			// Signed with the right key, so that what lies behind the signature is reached.
			signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write([]byte(signed))
			token = signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		}
		id, err := verifier(nil).Verify(token)
		if err != nil {
			if e, ok := errors.AsType[*wire.Error](err); !ok || e.Code != wire.CodeToken && e.Code != wire.CodeExpired {
				t.Fatalf("%v", err)
			}
			return
		}
		if err := chat.CheckUserID(id.User); err != nil || id.Guest || id.User.IsGuest() || id.Session != "" {
			t.Fatalf("%+v: %v", id, err)
		}
		if id.Expires.Add(Leeway).Before(now()) {
			t.Fatalf("%+v has expired", id)
		}
		if _, _, err := verifier(nil).IssueSession(id); err != nil {
			t.Fatalf("no session for %+v: %v", id, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	v, token := verifier(nil), backEnd(good())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(token); err != nil {
			b.Fatal(err)
		}
	}
}
