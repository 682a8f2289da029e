package kill

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/linnet-im/linnet/internal/testkit"
)

// sender is a user who sends and remembers what became of each send.
type sender struct {
	name, next string // next: whom it writes to directly
	token      string
	webSocket  bool
	sent       []*message      // in the order they were sent first
	client     *testkit.Client // the connection that flood uses up
}

// message is a send. Its place is nil until an answer has come.
type message struct {
	clientID string
	params   map[string]any
	place    *testkit.Place
}

func (s *sender) connect(server *testkit.Server) (*testkit.Client, error) {
	dial := server.DialLines
	if s.webSocket {
		dial = server.DialWebSocket
	}
	conn, err := dial()
	if err != nil {
		return nil, err
	}
	c := testkit.NewClient(conn)
	if err := c.Call("session.open", map[string]string{"token": s.token}, nil); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// compose makes the sender's next message: to its neighbour and to the lobby in turn.
func (s *sender) compose() *message {
	m := &message{clientID: uuid.NewString()}
	m.params = testkit.Message("lobby", m.clientID, fmt.Sprintf("%s %d", s.name, len(s.sent)))
	if len(s.sent)%2 == 1 {
		m.params["to"] = map[string]string{"user": s.next}
	}
	s.sent = append(s.sent, m)
	return m
}

// flood sends over its client, with a window, until the connection is lost or the server
// says that it is stopping. Any other error answer is an error.
func (s *sender) flood(acknowledged func()) error {
	c := s.client
	defer c.Close()
	type begun struct {
		m     *message
		await func(any) error
	}
	var waiting []begun
	for {
		for len(waiting) < window {
			m := s.compose()
			waiting = append(waiting, begun{m, c.Begin("messages.send", m.params)})
		}
		var p testkit.Place
		first := waiting[0]
		waiting = waiting[1:]
		if err := first.await(&p); err != nil {
			if code := testkit.Code(err); code != "" && code != "busy" {
				return err
			}
			break
		}
		first.m.place = &p
		acknowledged()
	}
	// What the server answered before it died counts, in whatever order it was answered.
	for _, w := range waiting {
		var p testkit.Place
		if err := w.await(&p); err == nil {
			w.m.place = &p
		} else if code := testkit.Code(err); code != "" && code != "busy" {
			return err
		}
	}
	return nil
}

// unknown gives the sends that have no answer, in order.
func (s *sender) unknown() []*message {
	var list []*message
	for _, m := range s.sent {
		if m.place == nil {
			list = append(list, m)
		}
	}
	return list
}

// recover repeats what has no answer, and some of what has one, with the same client_id.
func (s *sender) recover(server *testkit.Server) error {
	c, err := s.connect(server)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, m := range s.unknown() {
		var p testkit.Place
		if err := c.Call("messages.send", m.params, &p); err != nil {
			return fmt.Errorf("retry %s: %w", m.clientID, err)
		}
		m.place = &p
	}
	for _, m := range s.sent[max(0, len(s.sent)-window-repeats):] {
		var p testkit.Place
		if err := c.Call("messages.send", m.params, &p); err != nil {
			return fmt.Errorf("repeat %s: %w", m.clientID, err)
		}
		if p != *m.place {
			return fmt.Errorf("%s was answered %v, repeated %v", m.clientID, *m.place, p)
		}
	}
	return nil
}
