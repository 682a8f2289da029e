package testkit

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// Text speaks the text protocol over a stream.
type Text struct {
	t    testing.TB
	conn *net.TCPConn
	in   *bufio.Reader
}

// DialText connects as a person at nc does. The connection is closed when the test ends.
func (s *Server) DialText(t testing.TB) *Text {
	t.Helper()
	c, err := net.DialTimeout("tcp", s.Addr, Patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &Text{t: t, conn: c.(*net.TCPConn), in: bufio.NewReader(c)}
}

// Send writes exactly these bytes, in one write.
func (x *Text) Send(s string) {
	x.t.Helper()
	if _, err := io.WriteString(x.conn, s); err != nil {
		x.t.Fatalf("send %q: %v", s, err)
	}
}

// CloseWrite ends this side's stream, as nc does at the end of its input.
func (x *Text) CloseWrite() {
	x.t.Helper()
	if err := x.conn.CloseWrite(); err != nil {
		x.t.Fatal(err)
	}
}

// Close closes the connection.
func (x *Text) Close() { x.conn.Close() }

// Line waits for a line and gives it without its end; io.EOF when the server closed.
func (x *Text) Line() (string, error) {
	if err := x.conn.SetReadDeadline(time.Now().Add(Patience)); err != nil {
		return "", err
	}
	line, err := x.in.ReadString('\n')
	if err != nil {
		if line != "" {
			return "", fmt.Errorf("half a line %q: %w", line, err)
		}
		return "", err
	}
	return strings.TrimSuffix(line, "\n"), nil
}

// Want waits for this very line.
func (x *Text) Want(want string) {
	x.t.Helper()
	got, err := x.Line()
	if err != nil || got != want {
		x.t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

// WantEOF waits for the server to close.
func (x *Text) WantEOF() {
	x.t.Helper()
	if line, err := x.Line(); err != io.EOF {
		x.t.Fatalf("got %q, %v; want the end", line, err)
	}
}

// UDP speaks the text protocol in datagrams.
type UDP struct {
	t    testing.TB
	conn net.Conn
}

// DialUDP makes a UDP peer, closed when the test ends.
func (s *Server) DialUDP(t testing.TB) *UDP {
	t.Helper()
	c, err := net.Dial("udp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &UDP{t: t, conn: c}
}

// Send sends one datagram.
func (u *UDP) Send(s string) {
	u.t.Helper()
	if _, err := io.WriteString(u.conn, s); err != nil {
		u.t.Fatalf("send %q: %v", s, err)
	}
}

// Datagram waits for a datagram.
func (u *UDP) Datagram() (string, error) {
	if err := u.conn.SetReadDeadline(time.Now().Add(Patience)); err != nil {
		return "", err
	}
	b := make([]byte, 64<<10)
	n, err := u.conn.Read(b)
	return string(b[:n]), err
}

// Want waits for a datagram with this text, with or without the line's end.
func (u *UDP) Want(want string) {
	u.t.Helper()
	got, err := u.Datagram()
	if err != nil || strings.TrimSuffix(got, "\n") != want {
		u.t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}
