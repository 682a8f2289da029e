package client

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	"github.com/coder/websocket"
)

// Link is a connection to a server that carries JSON-RPC frames. Send is called by one
// goroutine at a time, Receive by one other; Close may be called at any time, more than
// once, and ends both.
type Link interface {
	// Send writes one frame. It may block for as long as the network takes.
	Send(frame []byte) error
	// Receive waits for the next frame. io.EOF says that the server has closed in good order.
	Receive() ([]byte, error)
	Close() error
}

// Dialer makes a Link within the time of ctx.
type Dialer func(ctx context.Context) (Link, error)

const (
	// maxFrame is the longest frame that is read.
	maxFrame = 16 << 20
	// writeTime is how long the network may take for a frame.
	writeTime = 20 * time.Second
)

// Dial gives the Dialer of a URL: tcp://HOST:PORT and tls://HOST:PORT are JSON lines,
// ws://HOST:PORT and wss://HOST:PORT are WebSocket at /v1/socket unless the URL has
// another path. config is used by tls and wss; nil is the usual one.
func Dial(rawURL string, config *tls.Config) (Dialer, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("server URL: %w", err)
	}
	if u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("server URL %q: tcp://HOST:PORT, tls://HOST:PORT, ws://HOST:PORT or wss://HOST:PORT", rawURL)
	}
	switch u.Scheme {
	case "tcp":
		return func(ctx context.Context) (Link, error) {
			return lineLink((&net.Dialer{}).DialContext(ctx, "tcp", u.Host))
		}, nil
	case "tls":
		return func(ctx context.Context) (Link, error) {
			return lineLink((&tls.Dialer{Config: config}).DialContext(ctx, "tcp", u.Host))
		}, nil
	case "ws", "wss":
		if u.Path == "" || u.Path == "/" {
			u.Path = "/v1/socket"
		}
		return webSocketDialer(u, config), nil
	}
	return nil, fmt.Errorf("server URL %q: the scheme is tcp, tls, ws or wss", rawURL)
}

// NewLineLink makes a Link of a stream that carries one JSON object a line: a socket, a
// USB cable, one end of net.Pipe.
func NewLineLink(conn net.Conn) Link {
	return &lines{conn: conn, in: bufio.NewReader(conn)}
}

func lineLink(conn net.Conn, err error) (Link, error) {
	if err != nil {
		return nil, err
	}
	return NewLineLink(conn), nil
}

type lines struct {
	conn net.Conn
	in   *bufio.Reader
}

func (l *lines) Send(frame []byte) error {
	if err := l.conn.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	_, err := l.conn.Write(append(append(make([]byte, 0, len(frame)+1), frame...), '\n'))
	return err
}

func (l *lines) Receive() ([]byte, error) {
	var line []byte
	for {
		part, err := l.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line[:len(line)-1], nil
		case len(line) > maxFrame:
			return nil, fmt.Errorf("the server sent a line of over %d bytes", maxFrame)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

func (l *lines) Close() error { return l.conn.Close() }

func webSocketDialer(u *url.URL, config *tls.Config) Dialer {
	return func(ctx context.Context) (Link, error) {
		conn, resp, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{HTTPClient: httpClient(config)})
		if err != nil {
			if resp != nil && resp.Body != nil {
				_ = resp.Body.Close()
			}
			return nil, err
		}
		conn.SetReadLimit(maxFrame)
		reading, stop := context.WithCancel(context.Background())
		return &webSocket{conn: conn, reading: reading, stop: stop}, nil
	}
}

type webSocket struct {
	conn    *websocket.Conn
	reading context.Context
	stop    context.CancelFunc
}

func (w *webSocket) Send(frame []byte) error {
	ctx, cancel := context.WithTimeout(w.reading, writeTime)
	defer cancel()
	return w.conn.Write(ctx, websocket.MessageText, frame)
}

func (w *webSocket) Receive() ([]byte, error) {
	kind, frame, err := w.conn.Read(w.reading)
	switch {
	case err == nil && kind != websocket.MessageText:
		return nil, errors.New("the server sent a binary message")
	case websocket.CloseStatus(err) != -1:
		return nil, io.EOF
	}
	return frame, err
}

func (w *webSocket) Close() error {
	w.stop()
	return w.conn.CloseNow()
}
