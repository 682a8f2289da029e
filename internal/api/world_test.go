package api_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/auth"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/presence"
	"github.com/linnet-im/linnet/internal/router"
	"github.com/linnet-im/linnet/internal/search"
	searchindex "github.com/linnet-im/linnet/internal/search/memory"
	"github.com/linnet-im/linnet/internal/session"
	"github.com/linnet-im/linnet/internal/store/memory"
	"github.com/linnet-im/linnet/wire"
)

var secret = []byte("0123456789abcdef0123456789abcdef")

// world is a server without sockets: calls go to the table as the sessions make them.
type world struct {
	t      *testing.T
	chat   *chat.Service
	table  *api.Table
	hub    *session.Hub
	router *router.Router
	keys   int
}

// newWorld serves what is in store until the test ends or stop is called.
func newWorld(t *testing.T, store chat.Store, guests chat.Guests) (w *world, stop func()) {
	t.Helper()
	w = &world{t: t}
	log := slog.New(slog.DiscardHandler)
	w.router = router.New(router.Config{
		MaySee: func(u chat.UserID, k chat.ConversationKind) bool { return w.chat.MaySee(u, k) }, Log: log,
	}, store)
	var err error
	if w.chat, err = chat.New(t.Context(), chat.Config{Guests: guests}, store, w.router); err != nil {
		t.Fatal(err)
	}
	index := searchindex.New()
	indexer := search.NewIndexer(store, index, log)
	w.table = api.New(w.chat, search.New(w.chat, index, indexer))
	w.hub = session.NewHub(session.Config{
		Chat: w.chat, Router: w.router, Presence: presence.New(), Table: w.table, Verifier: auth.New(auth.Config{Secret: secret}), Log: log,
		MaxListeners: 100, Limits: wire.Limits{InFlight: 64},
	})
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { w.router.Run(ctx) })
	run.Go(func() { indexer.Run(ctx) })
	var once sync.Once
	stop = func() {
		once.Do(func() {
			w.chat.Close()
			cancel()
			run.Wait()
		})
	}
	t.Cleanup(stop)
	return w, stop
}

// nowhere is a peer that hears nothing.
type nowhere struct{}

func (nowhere) Send([]byte) bool                 { return true }
func (nowhere) Hold([]byte)                      {}
func (nowhere) WaitRoom()                        {}
func (nowhere) Flush()                           {}
func (nowhere) CloseAfter([]byte, time.Duration) {}
func (nowhere) Close() error                     { return nil }

var framing = session.Framing{
	Format:  &router.Format{Event: func(dst []byte, e *chat.Event) []byte { return append(dst, e.JSON...) }},
	Frame:   func(dst, payload []byte) []byte { return append(dst, payload...) },
	Goodbye: func(dst []byte, _ wire.Close) []byte { return dst },
}

// caller makes a session for a user; without one, for somebody who has not signed in.
func (w *world) caller(u chat.UserID) *session.Session {
	w.t.Helper()
	s := w.hub.New(nowhere{}, &framing, session.Remote{Loopback: true})
	w.t.Cleanup(s.Closed)
	if u == "" {
		return s
	}
	p := &wire.OpenParams{Guest: "ann"}
	if !u.IsGuest() {
		token, err := auth.Sign(secret, u, "", time.Now(), time.Hour, "", "")
		if err != nil {
			w.t.Fatal(err)
		}
		p = &wire.OpenParams{Token: token}
	}
	if _, err := s.Open(w.t.Context(), p); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// keyCaller makes a session of a new server key with one scope, acting for a user.
func (w *world) keyCaller(u chat.UserID, scope chat.Scope) *session.Session {
	w.t.Helper()
	w.keys++
	_, secret, err := w.chat.CreateKey(w.t.Context(), chat.NewKey{Key: [16]byte{byte(w.keys)}, Name: "test", Scopes: []chat.Scope{scope}})
	if err != nil {
		w.t.Fatal(err)
	}
	s := w.hub.New(nowhere{}, &framing, session.Remote{Loopback: true})
	w.t.Cleanup(s.Closed)
	if _, err := s.Open(w.t.Context(), &wire.OpenParams{Key: secret, User: string(u)}); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// reply is a chat.Reply that is waited for.
type reply struct {
	done  chan struct{}
	place chat.Place
	err   error
}

func (r *reply) Answer(p chat.Place, err error) { r.place, r.err = p, err }
func (r *reply) Flush()                         { close(r.done) }

// call calls a method as a link does.
func (w *world) call(c api.Caller, name, params string) (any, *wire.Error) {
	w.t.Helper()
	method, err := w.table.Find(name)
	if err != nil {
		return nil, err
	}
	if !method.Later() {
		return method.Call(w.t.Context(), c, jsontext.Value(params))
	}
	r := &reply{done: make(chan struct{})}
	if err := method.Send(c, jsontext.Value(params), r); err != nil {
		return nil, err
	}
	<-r.done
	if r.err != nil {
		return nil, api.Error(r.err)
	}
	return api.Place(r.place), nil
}

// must is call for what has to work.
func (w *world) must(c api.Caller, name, params string) any {
	w.t.Helper()
	result, err := w.call(c, name, params)
	if err != nil {
		w.t.Fatalf("%s %s: %v", name, params, err)
	}
	return result
}

func lobbyWorld(t *testing.T) *world {
	t.Helper()
	w, _ := newWorld(t, memory.New(), chat.GuestsLobby)
	return w
}
