package session

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/auth"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/presence"
	"github.com/linnet-im/linnet/internal/router"
	"github.com/linnet-im/linnet/internal/store/memory"
	"github.com/linnet-im/linnet/wire"
)

const secret = "0123456789abcdef0123456789abcdef"

// node is a server without sockets, in a bubble of synctest.
type node struct {
	*Hub
	t     *testing.T
	store *gate
	bus   *lossy
	text  *router.Format
}

// lossy is the way from the committer to the router, which can lose commits.
type lossy struct {
	*router.Router
	lose atomic.Bool
}

func (b *lossy) Publish(batch []chat.Commit) {
	if !b.lose.Load() {
		b.Router.Publish(batch)
		return
	}
	for _, c := range batch {
		c.Answer()
		c.Flush()
	}
}

// gate is a store that can hold back commits.
type gate struct {
	chat.Store
	mu   sync.Mutex
	open chan struct{} // nil: open

	afterAccounts func() // called once, after accounts were read and before that is answered
}

func (g *gate) Accounts(ctx context.Context, ids []chat.UserID) ([]chat.Account, error) {
	list, err := g.Store.Accounts(ctx, ids)
	g.mu.Lock()
	after := g.afterAccounts
	g.afterAccounts = nil
	g.mu.Unlock()
	if after != nil {
		after()
	}
	return list, err
}

func (g *gate) shut() (release func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	open := make(chan struct{})
	g.open = open
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.open = nil
		close(open)
	}
}

func (g *gate) Update(ctx context.Context, keys chat.Keys, decide func(*chat.Rows) *chat.Changes) error {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	if open != nil {
		<-open
	}
	return g.Store.Update(ctx, keys, decide)
}

func inBubble(t *testing.T, guests chat.Guests, f func(t *testing.T, n *node)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &node{t: t, store: &gate{Store: memory.New()}, text: TextFormat()}
		log := slog.New(slog.DiscardHandler)
		var service *chat.Service
		r := router.New(router.Config{
			MaySee: func(u chat.UserID, k chat.ConversationKind) bool { return service.MaySee(u, k) }, Log: log,
		}, n.store)
		n.bus = &lossy{Router: r}
		service, err := chat.New(t.Context(), chat.Config{Guests: guests}, n.store, n.bus)
		if err != nil {
			t.Fatal(err)
		}
		board := presence.New()
		n.Hub = NewHub(Config{
			Chat: service, Router: r, Presence: board, Table: api.New(service, nil), Verifier: auth.New(auth.Config{Secret: []byte(secret)}),
			Limits: wire.Limits{InFlight: 64}, MaxListeners: 100, Log: log,
		})
		ctx, cancel := context.WithCancel(context.Background())
		var run sync.WaitGroup
		run.Go(func() { r.Run(ctx) })
		run.Go(func() { board.Run(ctx) })
		defer func() {
			service.Close()
			cancel()
			run.Wait()
		}()
		synctest.Wait()
		f(t, n)
	})
}

// peer is a Peer that keeps what went out, a line each.
type peer struct {
	mu     sync.Mutex
	held   string
	out    string
	last   string // of CloseAfter
	ending bool   // CloseAfter was called
	closed bool   // Close was called
}

func (p *peer) Send(b []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out += p.held + string(b)
	p.held = ""
	return !p.closed
}

func (p *peer) Hold(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held += string(b)
}

func (p *peer) Flush() { p.Send(nil) }

func (p *peer) CloseAfter(last []byte, _ time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ending, p.last = true, p.last+string(last)
}

func (p *peer) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return nil
}

// taken gives the lines that went out since the last call, once everything waits.
func (p *peer) WaitRoom() {}

func (p *peer) taken() []string {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.out
	p.out = ""
	if out == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(out, "\n"), "\n")
}

// ended gives the last words of CloseAfter, and whether it or Close was called.
func (p *peer) ended() (last string, ended bool) {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.TrimSuffix(p.last, "\n"), p.ending || p.closed
}

// lineFraming writes a line for each JSON value.
func lineFraming() *Framing {
	frame := func(dst, payload []byte) []byte { return append(append(dst, payload...), '\n') }
	return &Framing{
		Format: &router.Format{
			Event: func(dst []byte, e *chat.Event) []byte {
				return frame(dst, wire.AppendNotification(nil, "event", e.JSON))
			},
			Notice: func(dst []byte, m string, p []byte) []byte { return frame(dst, wire.AppendNotification(nil, m, p)) },
		},
		Frame: frame,
		Ping:  []byte("PING\n"),
		Goodbye: func(dst []byte, c wire.Close) []byte {
			return fmt.Appendf(dst, "close %s %d\n", c.Code, c.RetryAfterMS)
		},
	}
}

func (n *node) connect() (*Session, *peer) {
	p := &peer{}
	return n.New(p, lineFraming(), Remote{Loopback: true}), p
}

func (n *node) token(u chat.UserID, ttl time.Duration) string {
	n.t.Helper()
	token, err := auth.Sign([]byte(secret), u, "", time.Now(), ttl, "", "")
	if err != nil {
		n.t.Fatal(err)
	}
	return token
}

func open(token, session string) string {
	return fmt.Sprintf(`{"id":1,"method":"session.open","params":{"token":%q,"session":%q}}`, token, session)
}

// online connects a user and opens its session.
func (n *node) online(u chat.UserID) (*Session, *peer) {
	n.t.Helper()
	s, p := n.connect()
	s.Frame([]byte(open(n.token(u, time.Hour), "")))
	if got := kinds(n.t, p.taken()); !slices.Equal(got, []string{"result 1"}) {
		n.t.Fatalf("%s opens a session: %v", u, got)
	}
	return s, p
}

// send makes a call that sends a message to a user, told apart by k.
func send(to chat.UserID, k int) []byte {
	return fmt.Appendf(nil, `{"id":%d,"method":"messages.send","params":{"to":{"user":%q},"client_id":"00000000-0000-7000-8000-%012d","content":{"type":"text","text":"hi"}}}`, k, to, k)
}

type frame struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Seq    int    `json:"seq"`
		Cursor string `json:"cursor"`
	} `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Data struct {
			Code wire.Code `json:"code"`
		} `json:"data"`
	} `json:"error"`
}

func read(t *testing.T, line string) frame {
	t.Helper()
	var f frame
	if err := json.Unmarshal([]byte(line), &f); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return f
}

// kinds says in short what frames are: "result 1", "not_found 2", "event 7", "checkpoint".
func kinds(t *testing.T, lines []string) []string {
	t.Helper()
	var list []string
	for _, l := range lines {
		if !strings.HasPrefix(l, "{") {
			list = append(list, l)
			continue
		}
		switch f := read(t, l); {
		case f.Error != nil:
			list = append(list, fmt.Sprintf("%s %s", f.Error.Data.Code, f.ID))
		case f.Method == "event":
			list = append(list, fmt.Sprint("event ", f.Params.Seq))
		case f.Method != "":
			list = append(list, f.Method)
		default:
			list = append(list, fmt.Sprintf("result %s", f.ID))
		}
	}
	return list
}

func wantKinds(t *testing.T, what string, p *peer, want ...string) {
	t.Helper()
	if got := kinds(t, p.taken()); !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
