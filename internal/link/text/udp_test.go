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
	return serveUDPTo(t, func(netip.Addr) bool { return true })
}

// serveUDPTo serves sources of which the trusted ones need no code.
func serveUDPTo(t *testing.T, trusted func(netip.Addr) bool) (g *ground, stop func()) {
	t.Helper()
	pc, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	g = &ground{t: t, addr: pc.LocalAddr().(*net.UDPAddr), speakers: make(map[netip.AddrPort]*speaker)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- ServeUDP(ctx, pc, UDPConfig{
			Open: func(addr netip.AddrPort, write func([]byte)) Speaker {
				g.mu.Lock()
				defer g.mu.Unlock()
				s := &speaker{write: write}
				g.speakers[addr] = s
				return s
			},
			Admit: func(netip.Addr) bool { return true }, Trusted: trusted, Log: slog.New(slog.DiscardHandler),
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
	u := &udp{sources: map[netip.AddrPort]*source{
		netip.MustParseAddrPort("127.0.0.1:1"): {old, now.Add(-gone - time.Nanosecond)},
		netip.MustParseAddrPort("127.0.0.1:2"): {fresh, now.Add(-gone)},
	}}
	u.sweep(now)
	if len(u.sources) != 1 || old.left != 1 || fresh.left != 0 {
		t.Errorf("%d stay; left %d and %d", len(u.sources), old.left, fresh.left)
	}
}

// Whose address may be forged gets no more than three times what it sent, and is in the
// lobby only when it has sent back the code that went to its address.
//
// Mutants: every source trusted; no limit of the answer; a code that is not looked at; a
// code of another address that is taken; the name with the code in it.
func TestForgedSources(t *testing.T) {
	g, stop := serveUDPTo(t, func(netip.Addr) bool { return false })
	victim, other := g.dial(), g.dial()
	var code string
	// What ought not to be answered would show in place of the next one's answer.
	for _, tt := range []struct{ sent, want string }{
		{"", ""},
		{"x", ""},
		{"iam:", ""},
		{"iam:a", "iam:a#"},
		{"msg:x", "error: iam:?\n"},
		{"hello", "error: iam:?\n"},
		{"msg:did you have dinner", "error: say who you are first: iam:NAME\n"},
		{"iam:zhangsan", "iam:zhangsan#"},
		{"iam:a\x1b[2J", "error: iam:?\n"},
		{"iam:a:b:c:d:e", "error: a name has no ':'\n"},
		{"iam:a#aaaaaaaa", "error: wrong or old code; send iam:NAME\n"},
		{strings.Repeat("x", 4097), "error: a line has at most 4096 bytes; send it in parts\n"},
	} {
		g.send(victim, tt.sent)
		if tt.want == "" {
			continue
		}
		got := g.read(victim)
		if !strings.HasPrefix(got, tt.want) || len(got) > 3*len(tt.sent) {
			t.Errorf("%.20q: got %q", tt.sent, got)
		}
		if _, c, ok := strings.Cut(strings.TrimSuffix(got, "\n"), "#"); ok && tt.sent != "iam:a#aaaaaaaa" {
			code = c
		}
	}
	g.send(other, "iam:lisi#"+code) // which did not go to it
	if got := g.read(other); !strings.HasPrefix(got, "error: wrong") {
		t.Errorf("another's code: %q", got)
	}
	if g.mu.Lock(); len(g.speakers) != 0 {
		t.Errorf("%d have signed in", len(g.speakers))
	}
	g.mu.Unlock()
	g.send(other, "iam:lisi")
	g.send(other, g.read(other)) // as it came, its LF too
	g.send(other, "msg:x")
	if got := g.read(other); got != "echo x\n" {
		t.Errorf("after its code: %q", got)
	}
	g.send(victim, "iam:zhangsan#"+code)
	g.send(victim, "iam:zhangsan#"+code) // a datagram may come twice
	g.send(victim, "iam:a#aaaaaaaa")     // it is known by now, and this is a name
	g.send(victim, "hello")
	if got := g.read(victim); !strings.HasPrefix(got, "error: write iam:NAME") {
		t.Errorf("known: %q", got)
	}
	stop()
	if len(g.speakers) != 2 {
		t.Fatalf("%d sources", len(g.speakers))
	}
	if got := g.speakers[victim.LocalAddr().(*net.UDPAddr).AddrPort()].said(); got != "iam zhangsan|iam zhangsan|iam a#aaaaaaaa" {
		t.Errorf("got %q", got)
	}
}

// Mutants: a key of zeroes; the address or the time left out; codes that stay, or that end at once.
func TestCodes(t *testing.T) {
	c, addr, now := newCodes(), netip.MustParseAddrPort("192.0.2.1:7000"), time.Unix(1_800_000_000, 0) // begins a codeTime
	code := c.code(addr, now)
	for what, valid := range map[string]bool{
		"at once":             c.valid(addr, code, now),
		"a codeTime later":    c.valid(addr, code, now.Add(2*codeTime-time.Second)),
		"two later":           !c.valid(addr, code, now.Add(2*codeTime)),
		"before it was given": !c.valid(addr, code, now.Add(-time.Second)),
		"of another port":     !c.valid(netip.MustParseAddrPort("192.0.2.1:7001"), code, now),
		"of another address":  !c.valid(netip.MustParseAddrPort("192.0.2.2:7000"), code, now),
		"of another server":   !newCodes().valid(addr, code, now),
		"none":                !c.valid(addr, "", now),
	} {
		if !valid {
			t.Error(what)
		}
	}
	for text, want := range map[string][2]string{
		"a#" + code:   {"a", code},
		"a#b#" + code: {"a#b", code},
		"#" + code:    {"", code},
		code:          {code, ""},
		"a#b":         {"a#b", ""},
		"a#ABCDEFGH":  {"a#ABCDEFGH", ""},
		"":            {"", ""},
	} {
		if name, code := cutCode(text); name != want[0] || code != want[1] {
			t.Errorf("%q: %q and %q", text, name, code)
		}
	}
}

// Who is not admitted is not answered. Mutant: Admit that is not asked.
func TestDatagramsNotAdmitted(t *testing.T) {
	pc, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan netip.Addr, 1)
	done := make(chan error, 1)
	go func() {
		done <- ServeUDP(ctx, pc, UDPConfig{
			Admit:   func(a netip.Addr) bool { asked <- a; return false },
			Trusted: func(netip.Addr) bool { t.Error("it was listened to"); return true },
			Open:    func(netip.AddrPort, func([]byte)) Speaker { return &speaker{} },
		})
	}()
	g := &ground{t: t, addr: pc.LocalAddr().(*net.UDPAddr)}
	g.send(g.dial(), "iam:a")
	select {
	case a := <-asked:
		if a != netip.MustParseAddr("127.0.0.1") {
			t.Errorf("asked about %s", a)
		}
	case <-time.After(20 * time.Second):
		t.Error("nobody asks")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
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
