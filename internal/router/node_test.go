package router

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
)

// node is a router with a domain that publishes to it, in a bubble of synctest: time
// stands still until everything waits.
type node struct {
	*Router
	t     *testing.T
	chat  *chat.Service
	store *flaky
	bus   *lossy
	calls int
}

// inBubble runs f on a running node.
func inBubble(t *testing.T, f func(t *testing.T, n *node)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &node{t: t, store: &flaky{Store: memory.New()}}
		n.Router = New(Config{
			MaySee: func(u chat.UserID, k chat.ConversationKind) bool { return n.chat.MaySee(u, k) },
			Log:    slog.New(slog.DiscardHandler),
		}, n.store)
		n.bus = &lossy{router: n.Router}
		var err error
		n.chat, err = chat.New(t.Context(), chat.Config{Guests: chat.GuestsLobby}, n.store, n.bus)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		var run sync.WaitGroup
		run.Go(func() { n.Run(ctx) })
		synctest.Wait()
		defer func() {
			n.chat.Close()
			cancel()
			run.Wait()
		}()
		f(t, n)
	})
}

// lossy is the way from the committer to the router, which can lose and hold back.
type lossy struct {
	router *Router

	mu   sync.Mutex
	lose bool
	hold bool
	held []chat.Commit
}

func (b *lossy) set(lose, hold bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lose, b.hold = lose, hold
}

func (b *lossy) Publish(batch []chat.Commit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.lose && !b.hold {
		b.router.Publish(batch)
		return
	}
	for _, c := range batch {
		c.Answer()
		c.Flush()
		if b.hold {
			// As it comes from another node: nobody waits for its answer here.
			b.held = append(b.held, chat.Commit{Event: c.Event, Conversation: c.Conversation})
		}
	}
}

// release lets what was held go on.
func (b *lossy) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hold = false
	if len(b.held) > 0 {
		b.router.Publish(b.held)
	}
	b.held = nil
}

func (b *lossy) Notify(n chat.Notice) {
	b.mu.Lock()
	lose := b.lose
	b.mu.Unlock()
	if !lose || n.Moved == nil {
		b.router.Notify(n)
	}
}

// flaky is a store whose reads can fail, and that can be followed.
type flaky struct {
	chat.Store

	mu     sync.Mutex
	broken map[string]int // how many calls of a method are yet to fail
	heads  func()         // called once, by the next Heads, before it reads
}

var errBroken = errors.New("the disk is gone for a moment")

func (f *flaky) fail(method string, times int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = map[string]int{method: times}
}

func (f *flaky) fault(method string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken[method] == 0 {
		return nil
	}
	f.broken[method]--
	return errBroken
}

func (f *flaky) Audience(ctx context.Context, id chat.ConversationID, seq chat.Seq) ([]chat.UserID, error) {
	if err := f.fault("Audience"); err != nil {
		return nil, err
	}
	return f.Store.Audience(ctx, id, seq)
}

func (f *flaky) Events(ctx context.Context, r chat.EventRange) ([]chat.Record, error) {
	if err := f.fault("Events"); err != nil {
		return nil, err
	}
	return f.Store.Events(ctx, r)
}

func (f *flaky) Fork(ctx context.Context, id chat.ConversationID, pos chat.Position) (chat.Seq, error) {
	if err := f.fault("Fork"); err != nil {
		return 0, err
	}
	return f.Store.Fork(ctx, id, pos)
}

func (f *flaky) Heads(ctx context.Context, after chat.Position, limit int) ([]chat.Head, error) {
	f.mu.Lock()
	hook := f.heads
	f.heads = nil
	f.mu.Unlock()
	if hook != nil {
		hook()
	}
	if err := f.fault("Heads"); err != nil {
		return nil, err
	}
	return f.Store.Heads(ctx, after, limit)
}

// jsonFormat writes a line for each thing pushed.
func jsonFormat() *Format {
	return &Format{
		Event: func(dst []byte, e *chat.Event) []byte { return append(append(dst, e.JSON...), '\n') },
		Notice: func(dst []byte, method string, params []byte) []byte {
			return fmt.Appendf(dst, "%s %s\n", method, params)
		},
	}
}

// textFormat prints joins, and nothing of notices.
func textFormat() *Format {
	return &Format{
		Event:  func(dst []byte, e *chat.Event) []byte { return fmt.Appendf(dst, "%s: %s\n", e.From, e.Content) },
		Joined: func(dst []byte, u chat.UserID) []byte { return fmt.Appendf(dst, "%s has joined\n", u) },
	}
}

// sink is a session's end that keeps what it is told, a line each.
type sink struct {
	mu     sync.Mutex
	lines  []string
	vouch  []chat.Position
	pushes int
}

func (s *sink) Push(frames []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pushes++
	s.lines = append(s.lines, strings.Split(strings.TrimSuffix(string(frames), "\n"), "\n")...)
}

func (s *sink) Checkpoint(pos chat.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, "checkpoint")
	s.vouch = append(s.vouch, pos)
}

// taken gives what was told since the last call.
func (s *sink) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := s.lines
	s.lines = nil
	return lines
}

// told is taken in short: the seqs of events, and the names of other things.
func (s *sink) told(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, l := range s.taken() {
		if !strings.HasPrefix(l, "{") {
			name, _, _ := strings.Cut(l, " ")
			list = append(list, name)
			continue
		}
		var e struct{ Seq int }
		if err := json.Unmarshal([]byte(l), &e); err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprint(e.Seq))
	}
	return list
}

// online makes a user live.
func (n *node) online(u chat.UserID) (*sink, *Live) {
	s := &sink{}
	return s, n.Add(u, jsonFormat(), s, n.store.Position())
}

func (n *node) key() (key [16]byte) {
	n.calls++
	key[14], key[15] = byte(n.calls>>8), byte(n.calls)
	return key
}

// done is a Reply to wait for.
type done chan error

func (d done) Answer(_ chat.Place, err error) { d <- err }
func (d done) Flush()                         {}

// send sends messages into a conversation and waits until they are committed.
func (n *node) send(u chat.UserID, m chat.Send, times int) {
	n.t.Helper()
	if m.Content == nil {
		m.Content = json.RawMessage(`{"type":"text","text":"hi"}`)
	}
	answers := make(done, times)
	for range times {
		n.chat.Send(chat.Actor{User: u}, m, answers)
	}
	for range times {
		if err := <-answers; err != nil {
			n.t.Fatal(err)
		}
	}
}

func (n *node) group(users ...chat.UserID) chat.ConversationID {
	n.t.Helper()
	p, err := n.chat.CreateGroup(n.t.Context(), chat.Actor{User: users[0]}, chat.CreateGroup{Key: n.key(), Users: users[1:]})
	if err != nil {
		n.t.Fatal(err)
	}
	return p.Conversation
}

func (n *node) add(by chat.UserID, g chat.ConversationID, users ...chat.UserID) {
	n.t.Helper()
	if _, err := n.chat.AddMembers(n.t.Context(), chat.Actor{User: by}, chat.ChangeMembers{GroupCall: chat.GroupCall{Key: n.key(), Conversation: g}, Users: users}); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) remove(by chat.UserID, g chat.ConversationID, users ...chat.UserID) {
	n.t.Helper()
	if _, err := n.chat.RemoveMembers(n.t.Context(), chat.Actor{User: by}, chat.ChangeMembers{GroupCall: chat.GroupCall{Key: n.key(), Conversation: g}, Users: users}); err != nil {
		n.t.Fatal(err)
	}
}

// sweeps lets so many sweeps pass. It is the bubble's time that is slept.
func sweeps(n int) {
	for range n {
		time.Sleep(sweepEvery)
		synctest.Wait()
	}
}

func wantTold(t *testing.T, who string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s was told %v, want %v", who, got, want)
	}
}
