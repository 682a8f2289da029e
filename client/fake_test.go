package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a server of one user's, without time or network of its own. Its methods table
// is what it answers; a method that is not in it is answered with an empty object.
type fake struct {
	t *testing.T

	mu      sync.Mutex
	methods map[string]func(params json.RawMessage) (result any, code string)
	calls   []call
	conns   []*fakeConn
	refuse  error // dialing fails
}

type call struct {
	method string
	params string
}

type fakeConn struct {
	server *fake
	conn   net.Conn
	frozen bool // nothing is answered

	sending sync.Mutex
}

func newFake(t *testing.T) *fake {
	f := &fake{t: t, methods: make(map[string]func(json.RawMessage) (any, string))}
	f.answer("session.open", `{"user":{"id":"alice","name":"Alice"},"session":"s","epoch":"e","cursor":"c0","heartbeat_ms":25000,"proto":1,"limits":{"dedupe_ms":2592000000}}`)
	f.answer("sync", `{"epoch":"e","conversations":[],"cursor":"c1"}`)
	return f
}

// answer makes a method answer always the same.
func (f *fake) answer(method, result string) {
	f.on(method, func(json.RawMessage) (any, string) { return json.RawMessage(result), "" })
}

func (f *fake) on(method string, do func(params json.RawMessage) (result any, code string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.methods[method] = do
}

func (f *fake) dial(context.Context) (Link, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return nil, f.refuse
	}
	near, far := net.Pipe()
	c := &fakeConn{server: f, conn: far}
	f.conns = append(f.conns, c)
	go c.serve()
	return NewLineLink(near), nil
}

func (c *fakeConn) serve() {
	in := bufio.NewScanner(c.conn)
	for in.Scan() {
		var q struct {
			ID     *int64
			Method string
			Params json.RawMessage
		}
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			c.server.t.Errorf("the client sent %s", in.Bytes())
			return
		}
		c.server.mu.Lock()
		c.server.calls = append(c.server.calls, call{q.Method, string(q.Params)})
		do, frozen := c.server.methods[q.Method], c.frozen
		c.server.mu.Unlock()
		if frozen || q.ID == nil {
			continue
		}
		result, code := any(struct{}{}), ""
		if do != nil {
			result, code = do(q.Params)
		}
		if code != "" {
			c.send(fmt.Sprintf(`{"id":%d,"error":{"code":-32000,"message":"m","data":%s}}`, *q.ID, code))
			continue
		}
		b, err := json.Marshal(result)
		if err != nil {
			c.server.t.Error(err)
		}
		c.send(fmt.Sprintf(`{"id":%d,"result":%s}`, *q.ID, b))
	}
}

func (c *fakeConn) send(frame string) {
	c.sending.Lock()
	defer c.sending.Unlock()
	_, _ = c.conn.Write([]byte(frame + "\n")) // the client may have gone
}

// notify sends a notification over the newest connection.
func (f *fake) notify(method, params string) {
	f.last().send(fmt.Sprintf(`{"method":%q,"params":%s}`, method, params))
}

func (f *fake) last() *fakeConn {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.conns[len(f.conns)-1]
}

// count answers how often a method was called, and how many connections were made.
func (f *fake) count(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if c.method == method {
			n++
		}
	}
	return n
}

func (f *fake) dials() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.conns)
}

// freeze answers nothing more on the newest connection.
func (f *fake) freeze() {
	c := f.last()
	f.mu.Lock()
	defer f.mu.Unlock()
	c.frozen = true
}

// cut ends the newest connection.
func (f *fake) cut() { _ = f.last().conn.Close() }

func event(conversation string, seq int, from string) string {
	return fmt.Sprintf(`{"conversation":%q,"seq":%d,"kind":"message","from":%q,"client_id":"id-%d","time":"2026-11-25T08:00:%02d.000Z","count":%d,"content":{"type":"text","text":"m%d"}}`,
		conversation, seq, from, seq, seq%60, seq, seq)
}

// bubble runs f with a client of a fake server in a bubble of synctest.
func bubble(t *testing.T, change func(*Config), f func(t *testing.T, s *fake, c *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newFake(t)
		cfg := Config{Dial: s.dial, Token: func(context.Context) (string, error) { return "token", nil }}
		if change != nil {
			change(&cfg)
		}
		c, err := New(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		f(t, s, c)
	})
}

// running runs the client until the function that it answers is called.
func running(t *testing.T, c *Client) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	synctest.Wait()
	stop = func() error {
		cancel()
		return <-done
	}
	t.Cleanup(func() { cancel() })
	return stop
}

func wantPhase(t *testing.T, c *Client, want Phase) {
	t.Helper()
	synctest.Wait()
	if s := c.State(); s.Phase != want {
		t.Fatalf("the client is %s (%v), want %s", s.Phase, s.Err, want)
	}
}

var errRefused = errors.New("connection refused")

func pass(d time.Duration) {
	time.Sleep(d) // of the bubble
	synctest.Wait()
}
