package testkit

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// through answers the two ends of a connection through a proxy.
func through(t *testing.T) (p *Proxy, client, server *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p = NewProxy(t, l.Addr().String())
	c, err := net.Dial("tcp", p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); s.Close() })
	for _, conn := range []net.Conn{c, s} {
		if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
			t.Fatal(err)
		}
	}
	// What goes through has been taken note of: the kernel connects before the proxy does.
	write(t, c, "hello")
	wantRead(t, s, "hello")
	return p, c.(*net.TCPConn), s.(*net.TCPConn)
}

func write(t *testing.T, c net.Conn, s string) {
	t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		t.Fatal(err)
	}
}

func wantRead(t *testing.T, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

// wantNothing checks that nothing has come.
func wantNothing(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if err := c.SetReadDeadline(time.Now().Add(Patience)); err != nil {
		t.Fatal(err)
	}
}

func TestProxyCarries(t *testing.T) {
	p, client, server := through(t)
	for _, w := range []Way{{}, {Split: true}, {Delay: time.Millisecond}} {
		p.Set(w, w)
		text := string(bytes.Repeat([]byte("there "), 1000))
		write(t, client, text)
		wantRead(t, server, text)
		write(t, server, "and back")
		wantRead(t, client, "and back")
	}
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(server); err != nil || len(rest) > 0 {
		t.Fatalf("%q, %v", rest, err)
	}
	write(t, server, "still open")
	wantRead(t, client, "still open")
}

func TestProxyFreezes(t *testing.T) {
	p, client, server := through(t)
	p.Set(Way{Freeze: true}, Way{})
	write(t, client, "late")
	wantNothing(t, server)
	write(t, server, "the other way")
	wantRead(t, client, "the other way")
	p.Set(Way{}, Way{})
	wantRead(t, server, "late")
}

func TestProxySwallows(t *testing.T) {
	p, client, server := through(t)
	p.Set(Way{}, Way{Swallow: true})
	write(t, server, "lost")
	wantNothing(t, client)
	p.Set(Way{}, Way{})
	write(t, server, "after a hole")
	wantNothing(t, client)
	write(t, client, "the other way")
	wantRead(t, server, "the other way")
}

func TestProxyCuts(t *testing.T) {
	for hard, want := range map[bool]error{false: io.EOF, true: syscall.ECONNRESET} {
		p, client, server := through(t)
		p.Set(Way{Freeze: true}, Way{Freeze: true})
		if n := p.Cut(hard); n != 1 {
			t.Errorf("%d connections", n)
		}
		for _, c := range []net.Conn{client, server} {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, want) {
				t.Errorf("hard %v: %v", hard, err)
			}
		}
	}
}

func TestProxyToNowhere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	p := NewProxy(t, l.Addr().String())
	c, err := net.Dial("tcp", p.Addr)
	if err != nil {
		return // it was faster
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(Patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("it says %v", err)
	}
}
