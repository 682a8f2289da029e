package hostile

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/testkit"
)

// Tokens that are nearly right.
func TestForgedTokens(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	exp := time.Now().Add(time.Hour).Unix()
	claims := testkit.Claims{"sub": "alice", "exp": exp}
	good := server.Sign(t, claims)
	parts := strings.Split(good, ".")
	tokens := map[string]string{
		"none":             testkit.Token("none", nil, claims),
		"None":             testkit.Token("None", nil, claims),
		"NONE":             testkit.Token("NONE", nil, claims),
		"no alg":           testkit.Token("", nil, claims),
		"none, signed":     server.SignAs(t, "none", claims),
		"RS256, signed":    server.SignAs(t, "RS256", claims),
		"HS384, short sum": server.SignAs(t, "HS384", claims),
		"no secret":        testkit.Token("HS256", []byte{}, claims),
		"no signature":     parts[0] + "." + parts[1] + ".",
		"two parts":        parts[0] + "." + parts[1],
		"four parts":       good + "." + parts[2],
		"other claims":     parts[0] + "." + strings.Split(testkit.Token("HS256", nil, testkit.Claims{"sub": "root", "exp": exp}), ".")[1] + "." + parts[2],
		"expired":          server.Sign(t, testkit.Claims{"sub": "alice", "exp": time.Now().Add(-time.Hour).Unix()}),
		"not yet":          server.Sign(t, testkit.Claims{"sub": "alice", "exp": exp, "nbf": time.Now().Add(time.Hour).Unix()}),
		"no exp":           server.Sign(t, testkit.Claims{"sub": "alice"}),
		"no sub":           server.Sign(t, testkit.Claims{"exp": exp}),
		"empty sub":        server.Sign(t, testkit.Claims{"sub": "", "exp": exp}),
		"sub a number":     server.Sign(t, testkit.Claims{"sub": 7, "exp": exp}),
		"a guest's id":     server.Sign(t, testkit.Claims{"sub": "guest:bystander", "exp": exp}),
		"a colon in sub":   server.Sign(t, testkit.Claims{"sub": "a:b", "exp": exp}),
		"exp a string":     server.Sign(t, testkit.Claims{"sub": "alice", "exp": "never"}),
		"long":             strings.Repeat("a", 60_000),
		"spaces":           " " + good,
	}
	for name, token := range tokens {
		c := server.Dial(t)
		err := c.Call("session.open", map[string]string{"token": token}, nil)
		if code := testkit.Code(err); code != "invalid_token" && code != "token_expired" {
			t.Errorf("%s: session.open answers %v", name, err)
		}
		err = (&testkit.HTTP{Server: server, Token: strings.TrimSpace(token)}).Call("conversations.list", struct{}{}, nil)
		var p *testkit.Problem
		if name == "spaces" || name == "long" {
			continue // a header has no leading space, and not that much room
		}
		if !errors.As(err, &p) || p.Status != http.StatusUnauthorized {
			t.Errorf("%s: over HTTP %v", name, err)
		}
	}
	server.Dial(t).SignIn(t, good)
	b.unhurt()
}

// A web page that a developer visits must not talk to the server behind his back, and a
// name that was made to point here is not this server's.
func TestForeignPages(t *testing.T) {
	server := testkit.Start(t)
	_, port, _ := strings.Cut(server.Addr, ":")
	for _, c := range []struct {
		name, method, path string
		host               string
		header             http.Header
		want               int
	}{
		{name: "own page", want: 200, header: http.Header{"Origin": {"http://" + server.Addr}}},
		{name: "no page", want: 200},
		{name: "by name", want: 200, host: "localhost:" + port, header: http.Header{"Origin": {"http://localhost:" + port}}},
		{name: "foreign page", want: 403, header: http.Header{"Origin": {"https://evil.example"}}},
		{name: "page from a file", want: 403, header: http.Header{"Origin": {"null"}}},
		{name: "page on another port", want: 403, header: http.Header{"Origin": {"http://127.0.0.1:1"}}},
		{name: "two origins", want: 403, header: http.Header{"Origin": {"http://" + server.Addr, "https://evil.example"}}},
		{name: "origin with the host as prefix", want: 403, header: http.Header{"Origin": {"http://" + server.Addr + ".evil.example"}}},
		{name: "rebound name", want: 403, host: "evil.example:" + port},
		{name: "rebound name and its page", want: 403, host: "evil.example:" + port, header: http.Header{"Origin": {"http://evil.example:" + port}}},
		{name: "name that ends like ours", want: 403, host: "localhost.evil.example"},
		{name: "form", want: 415, header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}},
		{name: "text", want: 415, header: http.Header{"Content-Type": {"text/plain"}}},
		{name: "no type", want: 415, header: http.Header{"Content-Type": {""}}},
		{name: "two types", want: 415, header: http.Header{"Content-Type": {"text/plain;application/json"}}},
		{name: "socket of a foreign page", method: "GET", path: "/v1/socket", want: 403, header: http.Header{
			"Origin": {"https://evil.example"}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"},
			"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
		}},
		{name: "socket at a rebound name", method: "GET", path: "/v1/socket", host: "evil.example", want: 403, header: http.Header{
			"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
			"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
		}},
		{name: "preflight", method: "OPTIONS", want: 403, header: http.Header{
			"Origin": {"https://evil.example"}, "Access-Control-Request-Method": {"POST"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			method, path := c.method, c.path
			if method == "" {
				method = http.MethodPost
			}
			if path == "" {
				path = "/v1/ping"
			}
			req, err := http.NewRequest(method, server.URL(path), strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			for name, values := range c.header {
				req.Header[name] = values
			}
			req.Host = c.host
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != c.want {
				t.Errorf("answers %d, want %d", resp.StatusCode, c.want)
			}
			if allow := resp.Header.Get("Access-Control-Allow-Origin"); allow != "" {
				t.Errorf("allows the origin %q", allow)
			}
		})
	}
}
