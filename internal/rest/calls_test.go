package rest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/auth"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

// hello is a send to the lobby; the text may be another one.
func hello(text string) string {
	return `{"to":{"conversation":"lobby"},"client_id":"01938d5e-0000-7000-8000-000000000001","content":{"type":"text","text":"` + text + `"}}`
}

// listed is what messages.list answers, as far as it is looked at.
type listed struct {
	Events []struct {
		Seq     int64
		From    string
		Content struct{ Text string }
	}
}

const lobby = `{"conversation":"lobby"}`

// A guest's whole life over HTTP, on a real connection.
func TestGuestOverHTTP(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	server := httptest.NewServer(n)
	defer server.Close()
	post := func(method, bearer, params string, result any) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/"+method, strings.NewReader(params))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		if bearer != "" {
			r.Header.Set("Authorization", "bearer "+bearer) // a scheme's case says nothing
		}
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %s, %v", method, resp.Status, body, err)
		}
		if got := resp.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s may be cached: %q", method, got)
		}
		if err := json.Unmarshal(body, result); err != nil {
			t.Fatal(err)
		}
	}
	var opened, renewed wire.OpenResult
	post("session.open", "", `{"guest":"zhang san"}`, &opened)
	if opened.User.ID != "guest:zhang san" || !opened.User.Guest || opened.Token == "" || opened.Session == "" {
		t.Fatalf("opened %+v", opened)
	}
	var first, again wire.Place
	post("messages.send", opened.Token, hello("吃了吗"), &first)
	post("messages.send", opened.Token, hello("吃了吗"), &again)
	if first.Conversation != "lobby" || first.Seq != 1 || again != first {
		t.Errorf("sent %+v, then %+v", first, again)
	}
	var list listed
	post("messages.list", opened.Token, lobby, &list)
	if len(list.Events) != 1 || list.Events[0].Seq != 1 || list.Events[0].From != "guest:zhang san" || list.Events[0].Content.Text != "吃了吗" {
		t.Errorf("listed %+v", list)
	}
	post("session.open", "", `{"token":"`+opened.Token+`"}`, &renewed)
	if renewed.Session != opened.Session || renewed.User.ID != opened.User.ID || renewed.Token == "" {
		t.Errorf("renewed %+v, was %+v", renewed, opened)
	}
}

// A token of the back end is a bearer token as it is.
func TestBackEndsToken(t *testing.T) {
	n := start(t, chat.GuestsOff)
	alice := n.token("alice", time.Now())
	if got := result[wire.Place](n, "messages.send", alice, hello("hi")); got.Seq != 1 {
		t.Errorf("sent %+v", got)
	}
	if got := result[listed](n, "messages.list", alice, lobby); len(got.Events) != 1 || got.Events[0].From != "alice" {
		t.Errorf("listed %+v", got)
	}
	w := n.do(call("messages.send", alice, hello("other words")))
	wantProblem(t, w, http.StatusConflict, wire.CodeConflict)
}

func TestRefused(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	ann := result[wire.OpenResult](n, "session.open", "", `{"guest":"ann"}`).Token
	header := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	for _, tt := range []struct {
		name                   string
		method, bearer, params string
		spoil                  func(r *http.Request)
		status                 int
		code                   wire.Code
	}{
		{"no content type", "ping", "", "{}", header("Content-Type"), 415, wire.CodeMedia},
		{"a form", "ping", "", "{}", header("Content-Type", "application/x-www-form-urlencoded"), 415, wire.CodeMedia},
		{"plain text", "ping", "", "{}", header("Content-Type", "text/plain"), 415, wire.CodeMedia},
		{"a content type that is none", "ping", "", "{}", header("Content-Type", "application/json; charset"), 415, wire.CodeMedia},
		{"too large", "messages.send", ann, hello(strings.Repeat("x", bodyBytes)), nil, 413, wire.CodeTooLarge},
		{"too large, of unknown length", "messages.send", ann, hello(strings.Repeat("x", bodyBytes)), func(r *http.Request) { r.ContentLength = -1 }, 413, wire.CodeTooLarge},
		{"a body that breaks", "ping", "", "", func(r *http.Request) { r.Body = io.NopCloser(broken{}) }, 400, wire.CodeInvalid},
		{"no JSON", "users.get", ann, `{"ids":`, nil, 400, wire.CodeParse},
		{"an unknown parameter", "users.get", ann, `{"ids":["a"],"more":1}`, nil, 400, wire.CodeUnknownParam},
		{"an unknown method", "no.such", ann, "{}", nil, 404, wire.CodeMethod},
		{"the socket is no method", "socket", ann, "{}", nil, 404, wire.CodeMethod},
		{"no session", "messages.list", "", lobby, nil, 401, wire.CodeSession},
		{"no scheme", "ping", "", "{}", header("Authorization", ann), 401, wire.CodeToken},
		{"another scheme", "ping", "", "{}", header("Authorization", "Basic "+ann), 401, wire.CodeToken},
		{"no token behind the scheme", "ping", "", "{}", header("Authorization", "Bearer "), 401, wire.CodeToken},
		{"blanks behind the scheme", "ping", "", "{}", header("Authorization", "Bearer  "), 401, wire.CodeToken},
		{"a token of nobody", "ping", "x.y.z", "{}", nil, 401, wire.CodeToken},
		{"an expired token", "ping", n.token("alice", time.Now().Add(-2*time.Hour)), "{}", nil, 401, wire.CodeExpired},
		{"a bad token in session.open", "session.open", "", `{"token":"x.y.z"}`, nil, 401, wire.CodeToken},
		{"session.close", "session.close", ann, "{}", nil, 403, wire.CodeForbidden},
		{"session.ack", "session.ack", ann, `{"cursor":"x"}`, nil, 403, wire.CodeForbidden},
		{"rooms.join", "rooms.join", ann, `{"room":"lobby"}`, nil, 403, wire.CodeForbidden},
		{"rooms.leave", "rooms.leave", ann, `{"room":"lobby"}`, nil, 403, wire.CodeForbidden},
		{"rooms in session.open", "session.open", "", `{"guest":"ann","rooms":["lobby"]}`, nil, 403, wire.CodeForbidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := call(tt.method, tt.bearer, tt.params)
			if tt.spoil != nil {
				tt.spoil(r)
			}
			wantProblem(t, n.do(r), tt.status, tt.code)
		})
	}
	if got := result[listed](n, "messages.list", ann, lobby); len(got.Events) != 0 {
		t.Errorf("what was refused is stored: %+v", got)
	}
}

// broken is a body whose client went away.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestGuestsOff(t *testing.T) {
	n := start(t, chat.GuestsOff)
	wantProblem(t, n.do(call("session.open", "", `{"guest":"ann"}`)), http.StatusForbidden, wire.CodeGuests)
}

// What a browser may be made to do. Mutants: no look at the host, or at the origin.
func TestHostsAndOrigins(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	for _, tt := range []struct {
		host    string
		origins []string
		ok      bool
	}{
		{"localhost", nil, true},
		{"LocalHost.:7788", nil, true},
		{"127.0.0.1:7788", nil, true},
		{"[::1]:7788", nil, true},
		{"[::1]", nil, true},
		{"192.168.1.7:7788", nil, true},
		{"chat.example.com", nil, true},
		{"Chat.example.com:443", nil, true},
		{"dev.example.com:8443", nil, true},
		{"dev.example.com", nil, false},
		{"evil.example", nil, false},
		{"localhost.evil.example", nil, false},
		{"127.0.0.1.evil.example:7788", nil, false},
		{"", nil, false},
		{"localhost:7788", []string{"http://localhost:7788"}, true},
		{"localhost:7788", []string{"https://localhost:7788"}, true},
		{"localhost:7788", []string{"https://app.example.com"}, true},
		{"localhost:7788", []string{"http://localhost:3000"}, false}, // another server's page
		{"localhost:7788", []string{"http://app.example.com"}, false},
		{"localhost:7788", []string{"https://app.example.com.evil.example"}, false},
		{"localhost:7788", []string{"https://app.example.com", "https://evil.example"}, false},
		{"localhost:7788", []string{"null"}, false}, // a sandboxed frame, a file
		{"localhost:7788", []string{""}, false},
		{"evil.example", []string{"http://evil.example"}, false}, // DNS rebinding
	} {
		for _, path := range []string{"/healthz", "/", "/v1/socket", "/v1/openapi.json"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Host = tt.host
			if tt.origins != nil {
				r.Header["Origin"] = tt.origins
			}
			w := n.do(r)
			switch {
			case !tt.ok:
				wantProblem(t, w, http.StatusForbidden, wire.CodeForbidden)
			case w.Code == http.StatusForbidden:
				t.Errorf("host %q, origins %q, %s: %s", tt.host, tt.origins, path, w.Body)
			}
		}
	}
}

// A foreign page's call is not run. Mutant: guard behind the methods.
func TestForeignPagesCallsAreNotRun(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	ann := result[wire.OpenResult](n, "session.open", "", `{"guest":"ann"}`).Token
	r := call("messages.send", ann, hello("forged"))
	r.Header.Set("Origin", "https://evil.example")
	wantProblem(t, n.do(r), http.StatusForbidden, wire.CodeForbidden)
	if got := result[listed](n, "messages.list", ann, lobby); len(got.Events) != 0 {
		t.Errorf("stored %+v", got)
	}
}

func TestPaths(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	for _, tt := range []struct {
		verb, path string
		status     int
		code       wire.Code // of the problem, if it is one
	}{
		{"GET", "/healthz", 200, ""},
		{"HEAD", "/healthz", 200, ""},
		{"GET", "/readyz", 200, ""},
		{"GET", "/", 200, ""},
		{"GET", "/v1/openapi.json", 200, ""},
		{"GET", "/v1/socket", 418, ""}, // the test's own
		{"GET", "/v1/ping", 405, wire.CodeVerb},
		{"PUT", "/v1/messages.send", 405, wire.CodeVerb},
		{"DELETE", "/v1/messages.send", 405, wire.CodeVerb},
		{"OPTIONS", "/v1/messages.send", 405, wire.CodeVerb},
		{"GET", "/v1/no.such", 404, wire.CodeMethod},
		{"GET", "/v2/ping", 404, wire.CodeMethod},
		{"GET", "/index.html", 404, wire.CodeMethod},
		{"POST", "/", 404, wire.CodeMethod},
		{"POST", "/ping", 404, wire.CodeMethod},
		{"POST", "/v1/ping/", 404, wire.CodeMethod},
	} {
		t.Run(tt.verb+" "+tt.path, func(t *testing.T) {
			r := httptest.NewRequest(tt.verb, tt.path, nil)
			r.Host = "localhost"
			w := n.do(r)
			if tt.code != "" {
				wantProblem(t, w, tt.status, tt.code)
			} else if w.Code != tt.status {
				t.Errorf("got %d, want %d", w.Code, tt.status)
			}
			if allow := w.Header().Get("Allow"); (allow == "POST") != (tt.status == 405) {
				t.Errorf("Allow: %q", allow)
			}
			if w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Error("a browser may guess the type")
			}
		})
	}
}

func TestReadiness(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	n.ready = errors.New("the disk failed")
	get := func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = "localhost"
		return n.do(r)
	}
	if w := get("/readyz"); w.Code != http.StatusServiceUnavailable || w.Body.String() != "the disk failed\n" {
		t.Errorf("readyz: %d %s", w.Code, w.Body)
	}
	if w := get("/healthz"); w.Code != http.StatusOK {
		t.Errorf("healthz: %d %s", w.Code, w.Body)
	}
}

func TestPage(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host = "localhost"
	w := n.do(r)
	if got := w.Header().Get("Content-Type"); got != "text/html; charset=utf-8" || !strings.HasPrefix(w.Body.String(), "<!doctype html>") {
		t.Errorf("%s: %.80q", got, w.Body)
	}
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q has no %s", policy, want)
		}
	}
	// The policy lets the page load nothing: it must hold all it needs.
	for _, loads := range []string{" src=", "<link", "@import", "url("} {
		if strings.Contains(w.Body.String(), loads) {
			t.Errorf("the page has %q, which its policy forbids", loads)
		}
	}
}

func TestOpenAPI(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	r := httptest.NewRequest(http.MethodGet, "/v1/openapi.json", nil)
	r.Host = "localhost"
	w := n.do(r)
	var doc struct {
		OpenAPI string
		Paths   map[string]any
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || doc.OpenAPI == "" || doc.Paths["/v1/messages.send"] == nil {
		t.Errorf("%v: %.200s", err, w.Body)
	}
}

// Who hung up gets no answer, but what was taken is stored. Mutant: run with the
// request's own context.
func TestAClientThatGoes(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	alice := n.token("alice", time.Now())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if w := n.do(call("messages.send", alice, hello("last words")).WithContext(ctx)); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := result[listed](n, "messages.list", alice, lobby); len(got.Events) != 1 {
		t.Errorf("stored %+v", got)
	}
}

// A store that hangs: the answer says that the send's fate is open, and repeating it with
// the same client_id finds out.
func TestAStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, end := newNode(t, chat.GuestsLobby)
		defer end()
		n.store.open = make(chan struct{})
		alice, began := n.token("alice", time.Now()), time.Now()
		w := n.do(call("messages.send", alice, hello("slow")))
		wantProblem(t, w, http.StatusInternalServerError, wire.CodeUnknown)
		if !strings.Contains(w.Body.String(), `"outcome":"unknown"`) || time.Since(began) != 30*time.Second {
			t.Errorf("after %v: %s", time.Since(began), w.Body)
		}
		close(n.store.open)
		if got := result[wire.Place](n, "messages.send", alice, hello("slow")); got.Seq != 1 {
			t.Errorf("the repeated one is %+v", got)
		}
	})
}

func TestIsLoopback(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:80": true, "127.8.9.1:80": true, "[::1]:80": true, "[::ffff:127.0.0.1]:80": true,
		"192.168.1.7:80": false, "[2001:db8::1]:80": false, "localhost:80": false, "": false, "@": false,
	} {
		if got := isLoopback(addr); got != want {
			t.Errorf("%q: %v", addr, got)
		}
	}
}

// Every method refuses a token that has expired, is forged or was signed out, and one that
// needs a session refuses none at all. Mutant: a method whose row lets it be called first.
func TestEveryMethodRefusesBadTokens(t *testing.T) {
	n := start(t, chat.GuestsFull)
	// Made before the second of the revocation, like any that is in use.
	revoked := n.token("bob", time.Now().Add(-time.Minute))
	result[wire.OpenResult](n, "session.open", "", `{"token":"`+revoked+`"}`)
	result[wire.RevokeResult](n, "sessions.revoke_others", n.token("bob", time.Now().Add(-30*time.Second)), "{}")
	forged, err := auth.Sign([]byte("another secret of thirty-two byte"), "alice", "", time.Now(), time.Hour, "", "")
	if err != nil {
		t.Fatal(err)
	}
	bad := map[wire.Code]string{
		wire.CodeExpired: n.token("alice", time.Now().Add(-2*time.Hour)), wire.CodeToken: forged, wire.CodeRevoked: revoked,
	}
	for _, m := range api.New(n.chat, nil).Methods() {
		if m.Live {
			continue // refused over HTTP, whoever calls
		}
		for code, token := range bad {
			wantProblem(t, n.do(call(m.Name, token, "{}")), http.StatusUnauthorized, code)
		}
		if m.Access == api.Sessions || m.Access == api.Users {
			wantProblem(t, n.do(call(m.Name, "", "{}")), http.StatusUnauthorized, wire.CodeSession)
		}
	}
}
