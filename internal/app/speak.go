package app

import (
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/linnet-im/linnet/internal/link/lines"
	"github.com/linnet-im/linnet/internal/link/sock"
	"github.com/linnet-im/linnet/internal/link/ws"
	"github.com/linnet-im/linnet/internal/listen"
	"github.com/linnet-im/linnet/internal/session"
	"github.com/linnet-im/linnet/wire"
)

// lastWords is how long the last frames to a peer may take to go out.
const lastWords = 5 * time.Second

// A connection is set up on the goroutine that it came on, and read by a fresh one: the
// stack of the first has grown, that of one that only waits and cuts frames stays at 2 KB.

// lineConn is a connection that speaks JSON-RPC, one object a line.
type lineConn struct {
	sock.Socket
	session *session.Session
	cutter  lines.Cutter
}

// serveLines speaks JSON-RPC, one object a line, until the connection ends. What the
// peer asked before it closed its side is still answered.
func (l *links) serveLines(nc *listen.Conn) {
	c, first := l.socket(nc, l.sockets.lines)
	lc := &lineConn{Socket: c, session: l.hub.New(c, l.lines, l.remote(nc)), cutter: lines.Cutter{Max: l.frameBytes}}
	if err := lc.feed(first); err != nil {
		lc.end(err)
		return
	}
	go lc.read()
}

func (c *lineConn) read() { c.end(c.ReadLoop(c.feed)) }

func (c *lineConn) feed(p []byte) error { return c.cutter.Feed(p, c.frame) }

func (c *lineConn) frame(line []byte) error {
	c.session.Frame(line)
	return nil
}

// end ends the connection after what reading it ended with.
func (c *lineConn) end(err error) {
	defer c.session.Closed()
	defer func() { _ = c.Close() }() // a second close does nothing
	switch {
	case errors.Is(err, lines.ErrTooLong):
		c.session.Finish(lastWords)
		c.session.Refuse(wire.Errorf(wire.CodeTooLarge, "a line has at most %d bytes", c.cutter.Max))
		c.CloseAfter(nil, lastWords)
		<-c.Done()
	case errors.Is(err, io.EOF):
		if rest := c.cutter.Rest(); len(rest) > 0 {
			c.session.Frame(rest)
		}
		c.session.Finish(lastWords)
		c.CloseAfter(nil, lastWords)
		<-c.Done()
	}
}

// socketConn is a WebSocket that speaks JSON-RPC, one object a message.
type socketConn struct {
	sock.Socket
	session *session.Session
	cutter  ws.Cutter
}

// serveSocket speaks JSON-RPC, one object a WebSocket message. It returns at once, so
// that the request's goroutine and its stack go.
func (l *links) serveSocket(w http.ResponseWriter, r *http.Request) {
	nc, first, err := ws.Accept(w, r)
	if err != nil {
		var refused *ws.Refusal
		if errors.As(err, &refused) {
			http.Error(w, refused.Reason, refused.Status)
		}
		return
	}
	l.speakSocket(nc, first)
}

func (l *links) speakSocket(nc net.Conn, first []byte) {
	c, _ := l.socket(nc, l.sockets.ws)
	sc := &socketConn{Socket: c, session: l.hub.New(c, l.ws, l.remote(nc)), cutter: ws.Cutter{Max: l.frameBytes}}
	if err := sc.feed(first); err != nil {
		go sc.end(err)
		return
	}
	go sc.read()
}

func (c *socketConn) read() { c.end(c.ReadLoop(c.feed)) }

func (c *socketConn) feed(p []byte) error { return c.cutter.Feed(p, c) }

// Text is of ws.Handler, as what follows.
func (c *socketConn) Text(message []byte) error {
	c.session.Frame(message)
	return nil
}

// Ping is a sign of life that is answered.
func (c *socketConn) Ping(payload []byte) error {
	c.session.Heard()
	c.Send(ws.AppendPong(nil, payload))
	return nil
}

// Pong is a sign of life.
func (c *socketConn) Pong() { c.session.Heard() }

// Ended answers the peer's close with the code that it gave.
func (c *socketConn) Ended(code int, _ string) error {
	if code == 1005 {
		code = ws.CloseNormal
	}
	return &ws.Error{Code: code, Reason: ""}
}

// end ends the connection after what reading it ended with.
func (c *socketConn) end(err error) {
	defer c.session.Closed()
	defer func() { _ = c.Close() }() // a second close does nothing
	last := ws.AppendClose(nil, ws.CloseNormal, "")
	var broken *ws.Error
	switch {
	case errors.As(err, &broken):
		last = ws.AppendClose(nil, broken.Code, broken.Reason)
	case !errors.Is(err, io.EOF):
		return
	}
	c.session.Finish(lastWords)
	c.CloseAfter(last, lastWords)
	<-c.Done()
}
