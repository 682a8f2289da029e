package bench

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// maxFrame bounds what the generator takes for one frame.
const maxFrame = 4 << 20

// conn is one client connection. One goroutine uses it at a time.
type conn struct {
	net.Conn
	framing framing

	in         []byte // the read buffer; in[start:end] is not used yet
	start, end int
	out        []byte // queued frames; they go out together, before the next wait

	id  int64 // of the last request
	ids clientID

	text   string        // of the messages it sends
	cursor string        // that session.open answered
	grace  time.Duration // how long it waits for an answer
}

// framing cuts frames out of a byte stream and makes them.
type framing interface {
	// next cuts the first whole frame off b: used is its length with its framing, 0
	// when it is not whole yet. A nil payload is a frame that carries nothing for us;
	// reply is then written to the peer.
	next(b []byte) (payload []byte, used int, reply []byte, err error)
	// begin and end surround a payload appended to b. begin gives what end needs.
	begin(b []byte) []byte
	end(b []byte, start int) []byte
}

func newConn(c net.Conn, f framing) *conn {
	return &conn{Conn: c, framing: f, in: make([]byte, 2<<10), ids: newClientID(), text: payloadText, grace: grace}
}

// shrink makes the kernel's receive buffer small.
func (c *conn) shrink(bytes int) {
	nc := c.Conn
	if secure, ok := nc.(*tls.Conn); ok {
		nc = secure.NetConn()
	}
	if tcp, ok := nc.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(bytes) // with a larger one it only takes longer
	}
}

// nextID numbers a request.
func (c *conn) nextID() int64 {
	c.id++
	return c.id
}

// queueSend queues a messages.send and gives its id.
func (c *conn) queueSend(conversation string) int64 {
	var id int64
	c.out, id = c.appendSend(c.out, conversation)
	return id
}

// appendSend appends a messages.send with its framing to b and gives its id.
func (c *conn) appendSend(b []byte, conversation string) ([]byte, int64) {
	id, start := c.nextID(), len(b)
	b = appendSend(c.framing.begin(b), id, conversation, c.ids, c.text)
	return c.framing.end(b, start), id
}

// queueList queues a messages.list of the newest events and gives its id.
func (c *conn) queueList(conversation string, limit int64) int64 {
	id := c.nextID()
	start := len(c.out)
	c.out = appendList(c.framing.begin(c.out), id, conversation, limit)
	c.out = c.framing.end(c.out, start)
	return id
}

// queueCall queues a call whose params are JSON already, and gives its id.
func (c *conn) queueCall(method string, params []byte) int64 {
	id := c.nextID()
	start := len(c.out)
	c.out = append(appendHead(c.framing.begin(c.out), id, method), params...)
	c.out = c.framing.end(append(c.out, '}'), start)
	return id
}

// flush writes what is queued.
func (c *conn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.Write(c.out)
	c.out = c.out[:0]
	return err
}

// next gives the next frame; it holds until the call after. Before it waits for the
// peer it writes what is queued, so what was caused by one read goes out in one write.
func (c *conn) next() ([]byte, error) {
	for {
		payload, used, reply, err := c.framing.next(c.in[c.start:c.end])
		if err != nil {
			return nil, err
		}
		c.start += used
		if used > 0 && payload != nil {
			return payload, nil
		}
		if used > 0 {
			c.out = append(c.out, reply...)
			continue
		}
		if err := c.flush(); err != nil {
			return nil, err
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// fill reads once, after it has made room.
func (c *conn) fill() error {
	if c.start > 0 {
		copy(c.in, c.in[c.start:c.end])
		c.start, c.end = 0, c.end-c.start
	}
	if c.end == len(c.in) {
		if len(c.in) >= maxFrame {
			return fmt.Errorf("a frame over %d bytes", maxFrame)
		}
		c.in = append(c.in, make([]byte, len(c.in))...)
	}
	n, err := c.Read(c.in[c.end:])
	c.end += n
	if n > 0 {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return errors.New("the server closed the connection")
	}
	return err
}

// call makes one call and waits for its answer. Events that come before it are given
// to event, which may be nil. It is for what is not measured.
func (c *conn) call(method string, params, result any, event func([]byte) error) error {
	encoded, err := json.Marshal(params)
	if err != nil {
		return fmt.Errorf("encode %s: %w", method, err)
	}
	id := c.queueCall(method, encoded)
	frame, err := c.answer(id, event)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	answer := struct {
		Result any `json:"result"`
	}{result}
	if err := json.Unmarshal(frame, &answer); err != nil {
		return fmt.Errorf("decode the answer to %s: %w", method, err)
	}
	return nil
}

// answer reads up to the answer to request id.
func (c *conn) answer(id int64, event func([]byte) error) ([]byte, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.grace)); err != nil {
		return nil, err
	}
	for {
		frame, err := c.next()
		if err != nil {
			return nil, err
		}
		kind, got, err := classify(frame)
		switch {
		case err != nil:
			return nil, err
		case kind == answerFrame && got == id:
			return frame, c.SetReadDeadline(time.Time{})
		case kind == answerFrame:
			return nil, fmt.Errorf("an answer to request %d while %d was asked", got, id)
		case kind == eventFrame && event != nil:
			if err := event(frame); err != nil {
				return nil, err
			}
		}
	}
}

// isTimeout says whether a read ended at its deadline.
func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// A member that only listens must give a sign of life when it is asked for one.
var (
	pingLine = []byte(`{"jsonrpc":"2.0","method":"ping"`)
	pongLine = []byte(`{"jsonrpc":"2.0","method":"ping","params":{}}` + "\n")
)

// lines is the framing of TCP: one frame a line.
type lines struct{}

func (lines) next(b []byte) (payload []byte, used int, reply []byte, err error) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return nil, 0, nil, nil
	}
	if bytes.HasPrefix(b, pingLine) {
		return nil, i + 1, pongLine, nil
	}
	return b[:i:i], i + 1, nil, nil
}

func (lines) begin(b []byte) []byte      { return b }
func (lines) end(b []byte, _ int) []byte { return append(b, '\n') }
