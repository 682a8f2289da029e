package testkit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/coder/websocket"
)

// Patience is how long the kit waits for what must come.
const Patience = 10 * time.Second

// maxFrame is the longest frame the kit reads.
const maxFrame = 16 << 20

// Conn carries JSON frames. Send and Receive may run at the same time, each once.
type Conn interface {
	Send(frame []byte) error
	// Receive waits for the next frame; io.EOF says that the server closed in good order.
	Receive(wait time.Duration) ([]byte, error)
	Close() error
}

// DialLines connects by TCP: one frame a line.
func (s *Server) DialLines() (Conn, error) { return DialLines(s.Addr) }

// DialLines connects to an address, of a server or of a proxy to one.
func DialLines(addr string) (Conn, error) {
	c, err := net.DialTimeout("tcp", addr, Patience)
	if err != nil {
		return nil, err
	}
	return &lines{conn: c, in: bufio.NewReader(c)}, nil
}

type lines struct {
	conn net.Conn
	in   *bufio.Reader
}

func (l *lines) Send(frame []byte) error {
	if err := l.conn.SetWriteDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	_, err := l.conn.Write(append(append([]byte(nil), frame...), '\n'))
	return err
}

func (l *lines) Receive(wait time.Duration) ([]byte, error) {
	if err := l.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return nil, err
	}
	line, err := l.in.ReadBytes('\n')
	if err != nil {
		if err == io.EOF && len(line) > 0 {
			return nil, fmt.Errorf("the stream ends inside a line: %q", line)
		}
		return nil, err
	}
	return line[:len(line)-1], nil
}

func (l *lines) Close() error { return l.conn.Close() }

// DialWebSocket connects by WebSocket: one frame a message.
func (s *Server) DialWebSocket() (Conn, error) { return DialWebSocket(s.Addr) }

// DialWebSocket connects to an address, of a server or of a proxy to one.
func DialWebSocket(addr string) (Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	c, resp, err := websocket.Dial(ctx, "ws://"+addr+"/v1/socket", nil)
	if err != nil {
		if resp != nil && resp.Body != nil {
			resp.Body.Close()
		}
		return nil, err
	}
	c.SetReadLimit(maxFrame)
	return &messages{conn: c}, nil
}

type messages struct{ conn *websocket.Conn }

func (m *messages) Send(frame []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	return m.conn.Write(ctx, websocket.MessageText, frame)
}

func (m *messages) Receive(wait time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	kind, b, err := m.conn.Read(ctx)
	if err != nil {
		if websocket.CloseStatus(err) != -1 || errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return nil, err
	}
	if kind != websocket.MessageText {
		return nil, fmt.Errorf("a binary message: %q", b)
	}
	return b, nil
}

func (m *messages) Close() error { return m.conn.Close(websocket.StatusNormalClosure, "") }
