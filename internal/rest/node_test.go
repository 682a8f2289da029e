package rest

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/auth"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/presence"
	"github.com/linnet-im/linnet/internal/router"
	"github.com/linnet-im/linnet/internal/session"
	"github.com/linnet-im/linnet/internal/store/memory"
	"github.com/linnet-im/linnet/wire"
)

const (
	secret    = "0123456789abcdef0123456789abcdef"
	bodyBytes = 4096
	calls     = 8
)

// node is the HTTP side of a server whose store is in memory.
type node struct {
	http.Handler
	t     *testing.T
	store *gate
	chat  *chat.Service
	ready error // what /readyz is told
}

// gate is a store whose commits wait for open, when that is set.
type gate struct {
	chat.Store
	open chan struct{}
}

func (g *gate) Update(ctx context.Context, keys chat.Keys, decide func(*chat.Rows) *chat.Changes) error {
	if g.open != nil {
		<-g.open
	}
	return g.Store.Update(ctx, keys, decide)
}

// newNode makes a node and gives what ends it.
func newNode(t *testing.T, guests chat.Guests) (n *node, end func()) {
	t.Helper()
	return newNodeOn(t, memory.New(), guests)
}

// newNodeOn is newNode on a store, which another node may be on too.
func newNodeOn(t *testing.T, store chat.Store, guests chat.Guests) (n *node, end func()) {
	t.Helper()
	n = &node{t: t, store: &gate{Store: store}}
	log := slog.New(slog.DiscardHandler)
	var service *chat.Service
	r := router.New(router.Config{
		MaySee: func(u chat.UserID, k chat.ConversationKind) bool { return service.MaySee(u, k) }, Log: log,
	}, n.store)
	service, err := chat.New(t.Context(), chat.Config{Guests: guests}, n.store, r)
	if err != nil {
		t.Fatal(err)
	}
	n.chat = service
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { r.Run(ctx) })
	end = func() {
		service.Close()
		cancel()
		run.Wait()
	}
	table, verifier := api.New(service, nil), auth.New(auth.Config{Secret: []byte(secret)})
	n.Handler, err = New(Config{
		Hub: session.NewHub(session.Config{
			Chat: service, Router: r, Presence: presence.New(), Table: table, Verifier: verifier, Limits: wire.Limits{InFlight: 64}, MaxListeners: 100, Log: log,
		}),
		Table: table, Chat: service, Verifier: verifier, BodyBytes: bodyBytes, QueueBytes: 256 << 10, Calls: calls,
		Hosts: []string{"chat.example.com", "dev.example.com:8443"}, Origins: []string{"https://app.example.com"},
		Ready:  func() error { return n.ready },
		Socket: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
		Log:    log,
	})
	if err != nil {
		end()
		t.Fatal(err)
	}
	return n, end
}

// start makes a node that ends with the test.
func start(t *testing.T, guests chat.Guests) *node {
	t.Helper()
	n, end := newNode(t, guests)
	t.Cleanup(end)
	return n
}

// call makes a good request that calls a method; tests then spoil it.
func call(method, bearer, params string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/v1/"+method, strings.NewReader(params))
	r.Host, r.RemoteAddr = "localhost:7788", "127.0.0.1:50000"
	r.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	return r
}

// do answers a request.
func (n *node) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	n.ServeHTTP(w, r)
	return w
}

// result calls a method and decodes what it answers.
func result[T any](n *node, method, bearer, params string) T {
	n.t.Helper()
	w := n.do(call(method, bearer, params))
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		n.t.Fatalf("%s: %d %s %s", method, w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		n.t.Fatalf("%s: %v in %s", method, err, w.Body)
	}
	return v
}

// wantProblem checks an answer that is an error.
func wantProblem(t *testing.T, w *httptest.ResponseRecorder, status int, code wire.Code) {
	t.Helper()
	var body struct {
		Type, Title, Detail, Code, Outcome string
		Status                             int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Errorf("status %d, want %d %s: %v in %.80q", w.Code, status, code, err, w.Body)
		return
	}
	if w.Code != status || body.Status != status || body.Code != string(code) {
		t.Errorf("got %d, %s; want %d, %s", w.Code, w.Body, status, code)
	}
	if body.Type != "about:blank" || body.Title != http.StatusText(status) || body.Detail == "" || body.Outcome == "" {
		t.Errorf("not a whole problem: %s", w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != wire.ProblemType {
		t.Errorf("content type %q", got)
	}
	if challenged := w.Header().Get("WWW-Authenticate") == "Bearer"; challenged != (status == http.StatusUnauthorized) {
		t.Errorf("%d with the challenge %q", status, w.Header().Get("WWW-Authenticate"))
	}
}

// token is what an app's back end gives its user at a time, good for an hour.
func (n *node) token(user chat.UserID, at time.Time) string {
	n.t.Helper()
	token, err := auth.Sign([]byte(secret), user, "", at, time.Hour, "", "")
	if err != nil {
		n.t.Fatal(err)
	}
	return token
}
