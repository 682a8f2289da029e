package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// grace is how long the server may keep silent where something is due.
const grace = 15 * time.Second

// target is what is measured: Linnet, or one of the bare programs it is compared with.
type target struct {
	name string
	addr string
	pid  int
	link string
	tls  *tls.Config // of LinkTLS
	// grace is how long a connection waits for an answer.
	grace time.Duration
	// rooms are joined with session.open.
	rooms []string
	// restart kills the server, removes files of its folder and starts it again, on the same
	// folder and address. nil: not ours.
	restart func(ctx context.Context, without ...string) error
	data    string // the folder, where it may be restarted
	// open makes a fresh connection one that speaks for user.
	open func(c *conn, user string) error
	// bare programs have no log to ask and no groups.
	bare bool
}

// dial opens a connection for user.
func (t *target) dial(ctx context.Context, user string) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, t.grace)
	defer cancel()
	var dialer net.Dialer
	raw, err := dialer.DialContext(ctx, "tcp", t.addr)
	if err != nil {
		return nil, err
	}
	c := newConn(raw, lines{})
	c.grace = t.grace
	switch {
	case t.bare: // speaks lines
	case t.link == LinkWS:
		c.framing = websocket{}
		err = upgrade(raw, t.addr, t.grace)
	case t.link == LinkTLS:
		secure := tls.Client(raw, t.tls)
		c.Conn = secure
		err = secure.HandshakeContext(ctx)
	}
	if err == nil {
		err = t.open(c, user)
	}
	if err != nil {
		raw.Close()
		return nil, fmt.Errorf("open a connection for %s: %w", user, err)
	}
	return c, nil
}

// fleet is the connections of one workload.
type fleet struct {
	conns []*conn
	stop  func() bool
}

// dialAll opens one connection for each user, in their order. Cancelling ctx closes them.
func (t *target) dialAll(ctx context.Context, users []string) (*fleet, error) {
	f := &fleet{conns: make([]*conn, len(users))}
	err := forEach(len(users), func(i int) (err error) {
		f.conns[i], err = t.dial(ctx, users[i])
		return err
	})
	if err != nil {
		f.close()
		return nil, err
	}
	f.stop = context.AfterFunc(ctx, f.hangUp)
	return f, nil
}

// close closes all connections. It may be called again, and from anywhere.
func (f *fleet) close() {
	if f.stop != nil {
		f.stop()
	}
	f.hangUp()
}

func (f *fleet) hangUp() {
	for _, c := range f.conns {
		if c != nil {
			c.Close()
		}
	}
}

// names makes n user ids.
func names(prefix string, n int) []string {
	users := make([]string, n)
	for i := range users {
		users[i] = fmt.Sprintf("%s-%d", prefix, i)
	}
	return users
}

// openSession signs in at Linnet.
func openSession(t *target, secret []byte) func(*conn, string) error {
	return func(c *conn, user string) error {
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
			Subject:   user,
			ExpiresAt: jwt.NewNumericDate(time.Now().Add(24 * time.Hour)),
		}).SignedString(secret)
		if err != nil {
			return fmt.Errorf("sign a token: %w", err)
		}
		var opened struct{ Cursor string }
		params := map[string]any{"token": token, "client": "linnet bench"}
		if len(t.rooms) > 0 {
			params["rooms"] = t.rooms
		}
		err = c.call("session.open", params, &opened, nil)
		c.cursor = opened.Cursor
		return err
	}
}

// readSecret reads the secret that tokens are signed with.
func readSecret(file string) ([]byte, error) {
	secret, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	return bytes.TrimSpace(secret), nil
}

// place is the answer to what is logged.
type place struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq"`
}

// send sends one message outside the measurement; to is the JSON member "to".
func (c *conn) send(to map[string]string, event func([]byte) error) (place, error) {
	var at place
	err := c.call("messages.send", map[string]any{
		"to":        to,
		"client_id": string(c.ids.append(nil, c.id+1)),
		"content":   map[string]string{"type": "text", "text": c.text},
	}, &at, event)
	return at, err
}

// createGroup makes a group of c's user and the members, and gives its id.
func createGroup(c *conn, members []string, event func([]byte) error) (string, error) {
	var created struct {
		ID string `json:"id"`
	}
	err := c.call("conversations.create", map[string]any{
		"kind":      "group",
		"client_id": string(c.ids.append(nil, c.id+1)),
		"name":      "bench",
		"members":   members,
	}, &created, event)
	if err == nil && created.ID == "" {
		err = errors.New("conversations.create answered no id")
	}
	return created.ID, err
}

// checkHead asks the server how far the conversation goes: no further, and no less,
// than what this connection was told. What comes before the answer must not be an event.
func (c *conn) checkHead(conversation string, last int64) error {
	var page struct {
		Head int64 `json:"head_seq"`
	}
	err := c.call("messages.list", map[string]any{"conversation": conversation, "limit": 1}, &page,
		func(frame []byte) error { return fmt.Errorf("an event more than was sent: %.200q", frame) })
	if err != nil {
		return err
	}
	if page.Head != last {
		return fmt.Errorf("%s: the server has %d events, this connection was told of %d", conversation, page.Head, last)
	}
	return nil
}
