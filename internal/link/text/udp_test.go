package text

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// ground is a UDP link and the speakers of its sources.
type ground struct {
	t    *testing.T
	addr *net.UDPAddr

	mu       sync.Mutex
	speakers map[netip.AddrPort]*speaker
}

func serveUDP(t *testing.T) (g *ground, stop func()) {
	t.Helper()
	pc, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	g = &ground{t: t, addr: pc.LocalAddr().(*net.UDPAddr), speakers: make(map[netip.AddrPort]*speaker)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- ServeUDP(ctx, pc, slog.New(slog.DiscardHandler), func(addr netip.AddrPort, write func([]byte)) Speaker {
			g.mu.Lock()
			defer g.mu.Unlock()
			s := &speaker{write: write}
			g.speakers[addr] = s
			return s
		})
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(stop)
	return g, stop
}

func (g *ground) dial() *net.UDPConn {
	g.t.Helper()
	c, err := net.DialUDP("udp", nil, g.addr)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

func (g *ground) send(c *net.UDPConn, s string) {
	g.t.Helper()
	if _, err := c.Write([]byte(s)); err != nil {
		g.t.Fatal(err)
	}
}

func (g *ground) read(c *net.UDPConn) string {
	g.t.Helper()
	buf := make([]byte, 64<<10)
	n, err := c.Read(buf)
	if err != nil {
		g.t.Fatal(err)
	}
	return string(buf[:n])
}

func TestOneDatagramIsOneFrame(t *testing.T) {
	g, stop := serveUDP(t)
	a, b := g.dial(), g.dial()
	g.send(a, "iam:a")
	g.send(a, "msg:hello")
	if got := g.read(a); got != "echo hello\n" {
		t.Errorf("got %q", got)
	}
	g.send(b, "msg:x")
	if got := g.read(b); got != "error: say who you are first: iam:NAME\n" {
		t.Errorf("got %q", got)
	}
	g.send(b, "error: do not answer this")
	g.send(b, "iam:b")
	// Each line is a datagram: a message of three lines comes as three.
	g.send(b, "msg:x\ny\nz\r\n")
	for _, want := range []string{"echo x\n", "y\n", "z\n"} {
		if got := g.read(b); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, bad := range []string{"", "hello", "msg:\xff", "msg:" + strings.Repeat("x", 5000)} {
		g.send(b, bad)
		if got := g.read(b); !strings.HasPrefix(got, "error: ") || strings.Count(got, "\n") != 1 {
			t.Errorf("%.10q: got %q", bad, got)
		}
	}
	stop()
	if len(g.speakers) != 2 {
		t.Fatalf("%d sources", len(g.speakers))
	}
	for addr, s := range g.speakers {
		if s.left != 1 {
			t.Errorf("%v left %d times", addr, s.left)
		}
	}
	if got := g.speakers[a.LocalAddr().(*net.UDPAddr).AddrPort()].said(); got != "iam a|msg hello" {
		t.Errorf("got %q", got)
	}
}

func TestTooManySources(t *testing.T) {
	g, _ := serveUDP(t)
	// The system gives ports again: as many datagrams as it takes.
	for range 20 * maxSources {
		c := g.dial()
		g.send(c, "iam:x")
		g.send(c, "msg:x")
		got := g.read(c)
		_ = c.Close() // to the server it stays
		if got == "echo x\n" {
			continue
		}
		if !strings.HasPrefix(got, "error: too many") {
			t.Errorf("got %q", got)
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		if len(g.speakers) != maxSources {
			t.Errorf("refused at %d sources", len(g.speakers))
		}
		return
	}
	t.Error("nobody was refused")
}

func TestSweep(t *testing.T) {
	now := time.Now()
	old, fresh := &speaker{}, &speaker{}
	sources := map[netip.AddrPort]*source{
		netip.MustParseAddrPort("127.0.0.1:1"): {old, now.Add(-gone - time.Nanosecond)},
		netip.MustParseAddrPort("127.0.0.1:2"): {fresh, now.Add(-gone)},
	}
	sweep(sources, now)
	if len(sources) != 1 || old.left != 1 || fresh.left != 0 {
		t.Errorf("%d stay; left %d and %d", len(sources), old.left, fresh.left)
	}
}

// Answers to a peer that is gone come back as errors of the socket, which others need.
func TestAPeerThatIsGoneStopsNobody(t *testing.T) {
	g, _ := serveUDP(t)
	here := g.dial()
	g.send(here, "iam:here")
	for range 20 {
		away := g.dial()
		g.send(away, "hello")
		_ = away.Close()
		g.send(here, "msg:x")
		if got := g.read(here); got != "echo x\n" {
			t.Fatalf("got %q", got)
		}
	}
	_ = here.SetReadDeadline(time.Now())
	if _, err := here.Read(nil); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}
