package app

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/config"
	"github.com/linnet-im/linnet/internal/link/sock"
	"github.com/linnet-im/linnet/internal/link/text"
	"github.com/linnet-im/linnet/internal/link/ws"
	"github.com/linnet-im/linnet/internal/listen"
	"github.com/linnet-im/linnet/internal/router"
	"github.com/linnet-im/linnet/internal/session"
	"github.com/linnet-im/linnet/wire"
	"github.com/linnet-im/linnet/wire/line"
)

// links joins the sockets to the sessions: it is the one place that knows both.
type links struct {
	hub        *session.Hub
	frameBytes int
	lines      *session.Framing
	ws         *session.Framing
	text       *router.Format
	sockets    socketConfigs
	proxied    bool
	log        *slog.Logger
}

// socketConfigs are what all sockets of a kind share.
type socketConfigs struct{ lines, ws, text, refused *sock.Config }

func newLinks(hub *session.Hub, limits config.Limits, cfg config.Config, slow func(), log *slog.Logger) *links {
	l := &links{
		proxied: len(cfg.Proxies) > 0, hub: hub, frameBytes: limits.FrameBytes,
		lines: linesFraming(), ws: wsFraming(), text: session.TextFormat(), log: log,
	}
	kind := func(goodbye []byte) *sock.Config {
		return &sock.Config{MaxQueue: limits.OutboxBytes, Overflowed: goodbye, OnOverflow: slow}
	}
	l.sockets = socketConfigs{
		lines: kind(l.lines.Goodbye(nil, session.Slow)), ws: kind(l.ws.Goodbye(nil, session.Slow)),
		text: kind(line.Error(nil, session.Slow.Message)), refused: kind(nil),
	}
	return l
}

// linesFraming is JSON-RPC, one object a line.
func linesFraming() *session.Framing {
	frame := func(dst, payload []byte) []byte { return append(append(dst, payload...), '\n') }
	return &session.Framing{
		Link: "tcp", Format: jsonFormat(frame),
		Frame: frame,
		Ping:  frame(nil, wire.AppendNotification(nil, "ping", []byte("{}"))),
		Goodbye: func(dst []byte, c wire.Close) []byte {
			return frame(dst, closeNotification(c))
		},
	}
}

// wsFraming is JSON-RPC, one object a WebSocket message.
func wsFraming() *session.Framing {
	return &session.Framing{
		Link: "websocket", Format: jsonFormat(ws.AppendText),
		Frame: ws.AppendText,
		End:   ws.AppendClose(nil, ws.CloseNormal, ""),
		Ping:  ws.AppendPing(nil, nil),
		Goodbye: func(dst []byte, c wire.Close) []byte {
			dst = ws.AppendText(dst, closeNotification(c))
			return ws.AppendClose(dst, closeCode(c.Code), c.Code)
		},
	}
}

// closeCode gives the WebSocket close code for a reason: those that say "come back"
// are RFC 6455's and IANA's 1012 and 1013.
func closeCode(reason string) int {
	switch reason {
	case "restarting":
		return 1012
	case "slow", "idle":
		return 1013
	}
	return 1008
}

func closeNotification(c wire.Close) []byte {
	params, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return wire.AppendNotification(nil, "close", params)
}

func jsonFormat(frame func(dst, payload []byte) []byte) *router.Format {
	return &router.Format{
		Event: func(dst []byte, e *chat.Event) []byte {
			return frame(dst, wire.AppendNotification(make([]byte, 0, len(e.JSON)+64), "event", e.JSON))
		},
		Notice: func(dst []byte, method string, params []byte) []byte {
			return frame(dst, wire.AppendNotification(nil, method, params))
		},
	}
}

// socket takes a connection over, with the bytes that were read already. It may be one
// of the port, TLS inside one, or TLS that an HTTP request came by.
func (l *links) socket(nc net.Conn, cfg *sock.Config) (sock.Socket, []byte) {
	var first []byte
	if c, ok := nc.(*listen.Conn); ok {
		first = c.TakePrefix()
		if _, ok := c.Conn.(*tls.Conn); ok {
			nc = c.Conn
		}
	}
	if tc, ok := nc.(*tls.Conn); ok {
		if layer, ok := tc.NetConn().(*sock.Layer); ok {
			return sock.NewTLS(tc, layer, cfg), first
		}
	}
	return sock.New(nc, cfg), first
}

// remote says where a connection's peer is. Behind a proxy nobody is on loopback.
func (l *links) remote(nc net.Conn) session.Remote {
	r := session.Remote{Loopback: !l.proxied && isLoopback(nc.RemoteAddr())}
	for nc != nil {
		if c, ok := nc.(*listen.Conn); ok {
			r.SignedIn = c.SignedIn
			break
		}
		below, ok := nc.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		nc = below.NetConn()
	}
	return r
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// serveText speaks the text protocol.
func (l *links) serveText(nc *listen.Conn) {
	c, first := l.socket(nc, l.sockets.text)
	text.Serve(c, first, l.hub.NewText(c, l.text, l.remote(nc)))
}

// refuse ends a connection that is not served, in what it speaks: TLS where there is
// none, with the alert protocol_version (RFC 8446, section 6), and plain text where TLS
// is needed.
func (l *links) refuse(kind listen.Kind, nc *listen.Conn) {
	const why = "this server is spoken to with TLS"
	var last []byte
	switch kind {
	case listen.TLS:
		l.log.Debug("a client tried TLS, which is not served", slog.String("from", nc.RemoteAddr().String()))
		last = []byte{0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46}
	case listen.JSON:
		e := wire.Errorf(wire.CodeForbidden, "%s", why)
		last = l.lines.Frame(nil, wire.AppendError(nil, nil, e))
	case listen.HTTP:
		body := why + ": https://\n"
		last = fmt.Appendf(nil, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"+
			"Content-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
	default:
		last = line.Error(nil, why)
	}
	c, _ := l.socket(nc, l.sockets.refused)
	c.CloseAfter(last, time.Second)
}

// serveUDP speaks the text protocol over datagrams until ctx ends. admit says who is
// answered.
func (l *links) serveUDP(ctx context.Context, pc *net.UDPConn, admit func(netip.Addr) bool) error {
	// Behind a proxy, loopback may be a proxy that passes on what strangers send.
	local := func(a netip.Addr) bool { return !l.proxied && a.IsLoopback() }
	return text.ServeUDP(ctx, pc, text.UDPConfig{
		Open: func(addr netip.AddrPort, write func([]byte)) text.Speaker {
			return l.hub.NewText(datagrams(write), l.text, session.Remote{Loopback: local(addr.Addr().Unmap())})
		},
		Admit: admit, Trusted: local, Log: l.log,
	})
}

// datagrams is a session.Peer without a connection: nothing waits, nothing is closed.
type datagrams func(lines []byte)

func (d datagrams) Send(p []byte) bool { d(p); return true }
func (d datagrams) Hold(p []byte)      { d(p) }
func (d datagrams) Flush()             {}
func (d datagrams) WaitRoom()          {}
func (d datagrams) Close() error       { return nil }

func (d datagrams) CloseAfter(last []byte, _ time.Duration) { d(last) }
