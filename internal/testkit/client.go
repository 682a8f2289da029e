package testkit

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

// Error is an error answer.
type Error struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    struct {
		Code         string          `json:"code"`
		Outcome      string          `json:"outcome"`
		Param        string          `json:"param"`
		RetryAfterMS int64           `json:"retry_after_ms"`
		First        json.RawMessage `json:"first"`
	} `json:"data"`
}

func (e *Error) Error() string { return e.Data.Code + ": " + e.Message }

// Code gives the stable code of an error answer, "" for other errors.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Data.Code
	}
	return ""
}

// Notice is a notification.
type Notice struct {
	Method string
	Params json.RawMessage
}

// Place is where something stands in the log.
type Place struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq"`
	Time         string `json:"time"`
}

// Event is an entry of a conversation's log.
type Event struct {
	Conversation string          `json:"conversation"`
	Seq          int64           `json:"seq"`
	Kind         string          `json:"kind"`
	From         string          `json:"from"`
	ClientID     string          `json:"client_id"`
	Content      json.RawMessage `json:"content"`
}

// Client calls methods over a Conn. Its methods may be called concurrently.
type Client struct {
	conn Conn

	mu      sync.Mutex
	lastID  int64
	waiting map[int64]chan<- reply
	notices []Notice
	more    chan struct{} // holds a token when notices have come
	ended   chan struct{} // closed when nothing more comes
	err     error         // why
}

type reply struct {
	result json.RawMessage
	err    error
}

// NewClient makes a client that owns conn.
func NewClient(conn Conn) *Client {
	c := &Client{
		conn: conn, waiting: make(map[int64]chan<- reply),
		more: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	go c.read()
	return c
}

// Dial makes a client over JSON lines, closed when the test ends.
func (s *Server) Dial(t testing.TB) *Client {
	t.Helper()
	return dialed(t, s.DialLines)
}

// DialWS makes a client over WebSocket, closed when the test ends.
func (s *Server) DialWS(t testing.TB) *Client {
	t.Helper()
	return dialed(t, s.DialWebSocket)
}

func dialed(t testing.TB, dial func() (Conn, error)) *Client {
	t.Helper()
	conn, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient(conn)
	t.Cleanup(func() { c.Close() })
	return c
}

// Close closes the connection and waits until its reader has ended.
func (c *Client) Close() {
	_ = c.conn.Close() // the server may have been first
	<-c.ended
}

// Ended is closed when the connection is over.
func (c *Client) Ended() <-chan struct{} { return c.ended }

func (c *Client) read() {
	defer close(c.ended)
	for {
		frame, err := c.conn.Receive(time.Hour)
		if err == nil {
			err = c.take(frame)
		}
		if err != nil {
			c.end(err)
			return
		}
	}
}

// end gives everybody who waits the reason why nothing comes.
func (c *Client) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	for id, w := range c.waiting {
		w <- reply{err: fmt.Errorf("connection lost: %w", err)}
		delete(c.waiting, id)
	}
}

func (c *Client) take(frame []byte) error {
	var m struct {
		ID     *int64
		Method string
		Params json.RawMessage
		Result json.RawMessage
		Error  *Error
	}
	if err := json.Unmarshal(frame, &m); err != nil {
		return fmt.Errorf("frame %q: %w", frame, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.Method != "" {
		c.notices = append(c.notices, Notice{m.Method, m.Params})
		select {
		case c.more <- struct{}{}:
		default:
		}
		return nil
	}
	if m.ID == nil {
		return fmt.Errorf("an answer to nothing: %s", frame)
	}
	w := c.waiting[*m.ID]
	if w == nil {
		return fmt.Errorf("nobody asked: %s", frame)
	}
	delete(c.waiting, *m.ID)
	if m.Error != nil {
		w <- reply{err: m.Error}
	} else {
		w <- reply{result: m.Result}
	}
	return nil
}

// Begin sends a call and returns; the answer is taken by the function it returns, once.
func (c *Client) Begin(method string, params any) func(result any) error {
	answer := make(chan reply, 1)
	c.mu.Lock()
	c.lastID++
	id := c.lastID
	if c.err != nil {
		answer <- reply{err: fmt.Errorf("connection lost: %w", c.err)}
	} else {
		c.waiting[id] = answer
	}
	c.mu.Unlock()
	frame, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params})
	if err == nil {
		err = c.conn.Send(frame)
	}
	if err != nil {
		return func(any) error { return err }
	}
	return func(result any) error {
		select {
		case r := <-answer:
			if r.err != nil || result == nil {
				return r.err
			}
			return json.Unmarshal(r.result, result)
		case <-time.After(Patience):
			return fmt.Errorf("%s: no answer in %v", method, Patience)
		}
	}
}

// Call sends a call and waits for its answer. Error answers are *Error.
func (c *Client) Call(method string, params, result any) error {
	return c.Begin(method, params)(result)
}

// Guest opens a session as a guest and answers the user's id.
func (c *Client) Guest(t testing.TB, name string) string {
	t.Helper()
	return c.open(t, map[string]any{"guest": name})
}

// SignIn opens a session with a token and answers the user's id.
func (c *Client) SignIn(t testing.TB, token string) string {
	t.Helper()
	return c.open(t, map[string]any{"token": token})
}

func (c *Client) open(t testing.TB, params map[string]any) string {
	t.Helper()
	var r struct{ User struct{ ID string } }
	if err := c.Call("session.open", params, &r); err != nil {
		t.Fatalf("session.open: %v", err)
	}
	return r.User.ID
}

// Any is every method, for Next.
const Any = ""

// Next waits for the next notification of a method and drops the others before it.
func (c *Client) Next(method string) (Notice, error) { return c.NextIn(method, Patience) }

// NextIn is Next with another time to wait.
func (c *Client) NextIn(method string, wait time.Duration) (Notice, error) {
	late := time.After(wait)
	for {
		if n, ok := c.pop(method); ok {
			return n, nil
		}
		select {
		case <-c.more:
		case <-c.ended:
			if n, ok := c.pop(method); ok {
				return n, nil
			}
			return Notice{}, fmt.Errorf("no %s before the connection ended: %w", method, c.err)
		case <-late:
			return Notice{}, fmt.Errorf("no %s in %v", method, wait)
		}
	}
}

func (c *Client) pop(method string) (Notice, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.notices) > 0 {
		n := c.notices[0]
		c.notices = c.notices[1:]
		if method == Any || n.Method == method {
			return n, true
		}
	}
	return Notice{}, false
}

// Count says how many notifications of a method have come and were not taken.
func (c *Client) Count(method string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, notice := range c.notices {
		if notice.Method == method {
			n++
		}
	}
	return n
}

// NextEvent waits for the next event.
func (c *Client) NextEvent(t testing.TB) Event {
	t.Helper()
	n, err := c.Next("event")
	if err != nil {
		t.Fatal(err)
	}
	var e Event
	if err := json.Unmarshal(n.Params, &e); err != nil {
		t.Fatalf("event %s: %v", n.Params, err)
	}
	return e
}

// History lists a whole conversation and checks that its seqs are 1, 2, 3… without a gap.
func (c *Client) History(conversation string) ([]Event, error) {
	var all []Event
	for {
		var page struct {
			Events  []Event
			HeadSeq int64 `json:"head_seq"`
		}
		err := c.Call("messages.list", map[string]any{
			"conversation": conversation, "after_seq": len(all), "limit": 200,
		}, &page)
		if err != nil {
			return nil, err
		}
		for _, e := range page.Events {
			if e.Seq != int64(len(all))+1 {
				return nil, fmt.Errorf("%s: seq %d after %d", conversation, e.Seq, len(all))
			}
			all = append(all, e)
		}
		if len(page.Events) == 0 {
			if int64(len(all)) != page.HeadSeq {
				return nil, fmt.Errorf("%s: the list ends at %d, its head is %d", conversation, len(all), page.HeadSeq)
			}
			return all, nil
		}
	}
}

// Message makes the parameters of messages.send for a text to a conversation.
func Message(conversation, clientID, text string) map[string]any {
	return map[string]any{
		"to": map[string]string{"conversation": conversation}, "client_id": clientID,
		"content": map[string]string{"type": "text", "text": text},
	}
}
