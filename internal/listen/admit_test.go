package listen

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pires/go-proxyproto"
)

// claimed is a listener whose connections come from an address of the test's choice.
type claimed struct {
	net.Listener
	from net.Addr
}

func (c *claimed) Accept() (net.Conn, error) {
	nc, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &claimedConn{nc.(*net.TCPConn), c.from}, nil
}

type claimedConn struct {
	*net.TCPConn
	from net.Addr
}

func (c *claimedConn) RemoteAddr() net.Addr { return c.from }

// from serves connections as if they came from an address: each is answered what it
// speaks, and from where it is thought to come.
func from(t *testing.T, addr string, cfg Config) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	say := func(what string) func(*Conn) {
		return func(c *Conn) {
			_, _ = io.WriteString(c, what+" "+c.RemoteAddr().String()+"\n")
			_ = c.Close()
		}
	}
	cfg.JSON, cfg.Text, cfg.MaxConns = say("json"), say("text"), 100
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Refuse = func(_ Kind, c *Conn) { say("refused")(c) }
	if cfg.PerAddress == 0 {
		cfg.PerAddress = 100
	}
	s := New(&claimed{ln, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))}, cfg)
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	go func() {
		for {
			nc, err := s.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(nc, "http "+nc.RemoteAddr().String()+"\n")
			_ = nc.Close()
		}
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	return ln.Addr().String()
}

// ask sends bytes and reads a line; "" when the connection closes.
func ask(t *testing.T, addr, bytes string) string {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.WriteString(nc, bytes)
	line, _ := bufio.NewReader(nc).ReadString('\n')
	return strings.TrimSuffix(line, "\n")
}

// Who may connect, and how. Mutants: Admit or Plain not asked.
func TestAdmitAndPlain(t *testing.T) {
	private := func(a netip.Addr) bool { return a.IsPrivate() }
	for _, tt := range []struct {
		from string
		cfg  Config
		want string
	}{
		{"192.168.1.9:5", Config{Admit: private}, "text 192.168.1.9:5"},
		{"203.0.113.9:5", Config{Admit: private}, ""},
		{"203.0.113.9:5", Config{Plain: netip.Addr.IsLoopback}, "refused 203.0.113.9:5"},
		{"127.0.0.1:5", Config{Plain: netip.Addr.IsLoopback}, "text 127.0.0.1:5"},
	} {
		if got := ask(t, from(t, tt.from, tt.cfg), "iam:x\n"); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.from, got, tt.want)
		}
	}
}

// header makes a PROXY header.
func header(t *testing.T, version byte, source string) string {
	t.Helper()
	h := proxyproto.HeaderProxyFromAddrs(version,
		net.TCPAddrFromAddrPort(netip.MustParseAddrPort(source)), net.TCPAddrFromAddrPort(netip.MustParseAddrPort("10.0.0.1:443")))
	b, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Mutants: Proxies not asked; the address counted as the proxy's; what is glued to the
// header lost.
func TestProxies(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("127.0.0.1/32")}
	local := "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00" // version 2, LOCAL: the proxy's own check
	for _, tt := range []struct{ what, from, sends, want string }{
		{"version 1, glued", "10.0.0.5:9", header(t, 1, "203.0.113.7:7000") + "iam:x\n", "text 203.0.113.7:7000"},
		{"version 2, glued", "10.0.0.5:9", header(t, 2, "203.0.113.7:7000") + `{"id":1}`, "json 203.0.113.7:7000"},
		{"HTTP", "127.0.0.1:9", header(t, 2, "203.0.113.7:7000") + "GET / HTTP/1.1\r\n", "http 203.0.113.7:7000"},
		{"a client that says it is on loopback", "10.0.0.5:9", header(t, 1, "127.0.0.1:7000") + "iam:x\n", "text 127.0.0.1:7000"},
		{"without a header", "10.0.0.5:9", "GET / HTTP/1.1\r\n", "http unstated"},
		{"the proxy's own check", "10.0.0.5:9", local + "GET / HTTP/1.1\r\n", "http unstated"},
		{"not a proxy", "203.0.113.9:9", header(t, 1, "10.0.0.9:7000") + "iam:x\n", ""},
		{"a broken header", "10.0.0.5:9", "PROXY TCP4 1.2.3.4\r\niam:x\n", ""},
		{"a header that promises too much", "10.0.0.5:9", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff", ""},
	} {
		t.Run(tt.what, func(t *testing.T) {
			t.Parallel()
			addr := from(t, tt.from, Config{Proxies: proxies})
			if got := ask(t, addr, tt.sends); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// What is refused of a proxy is in the log, but not that it looks whether the port is
// open. Mutants: silence logged; the proxy's address logged as the peer's; nothing logged.
func TestProxiesInTheLog(t *testing.T) {
	var text bytes.Buffer // behind the handler's own lock, and read when the server has ended
	t.Run("serve", func(t *testing.T) {
		addr := from(t, "10.0.0.5:9", Config{
			Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32")}, Admit: func(a netip.Addr) bool { return a != netip.MustParseAddr("203.0.113.7") },
			Log: slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = nc.(*net.TCPConn).CloseWrite()
		_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
		if n, err := nc.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("silence is answered with %d bytes, %v", n, err)
		}
		_ = nc.Close()
		for _, sent := range []string{"PROXY x\r\n", header(t, 1, "203.0.113.7:7000") + "iam:x\n", header(t, 2, "203.0.113.8:8000") + "iam:x\n"} {
			ask(t, addr, sent)
		}
	})
	var got []string
	for line := range strings.Lines(text.String()) {
		_, line, _ = strings.Cut(line, "level=")
		line, _, _ = strings.Cut(line, " error=")
		got = append(got, strings.TrimSpace(line))
	}
	want := []string{
		`WARN msg="a proxy's connection was refused" proxy=10.0.0.5:9 from=10.0.0.5:9`,
		`WARN msg="a proxy's connection was refused" proxy=10.0.0.5:9 from=203.0.113.7:7000`,
		`DEBUG msg="a connection" from=203.0.113.8:8000 speaks=text`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
}

// A stated address has its own count of connections that are not signed in.
func TestProxiesCountStatedAddresses(t *testing.T) {
	addr := from(t, "10.0.0.5:9", Config{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32")}, PerAddress: 2})
	hold := func(source string) net.Conn {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = nc.Close() })
		_, _ = io.WriteString(nc, header(t, 1, source)+"ia") // and no more
		return nc
	}
	hold("203.0.113.7:1")
	hold("203.0.113.7:2")
	deadline := time.Now().Add(20 * time.Second)
	for ask(t, addr, header(t, 1, "203.0.113.7:3")+"iam:x\n") != "" {
		if time.Now().After(deadline) {
			t.Fatal("a third connection of the address is served")
		}
	}
	if got := ask(t, addr, header(t, 1, "203.0.113.8:3")+"iam:x\n"); got != "text 203.0.113.8:3" {
		t.Errorf("another address: %q", got)
	}
}

func FuzzProxyHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\niam:x\n"))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x00\x02{"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		near, far := net.Pipe()
		s := New(nil, Config{PerAddress: 10, Log: slog.New(slog.DiscardHandler)})
		c := &Conn{Conn: near, server: s}
		s.conns[c] = struct{}{}
		s.anonymous[c.addr]++
		go func() {
			_, _ = far.Write(sent)
			_ = far.Close()
		}()
		err := s.readProxy(c)
		if len(c.prefix) > headerSize || err == nil && c.stated == nil {
			t.Fatalf("%d bytes kept, stated %v", len(c.prefix), c.stated)
		}
		_ = near.Close()
		_ = far.Close()
	})
}

// selfSigned makes a certificate for tests.
func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// What is inside TLS is told by what was negotiated, else by the first bytes. Mutants:
// no ALPN taken for HTTP; HTTP given anything but the *tls.Conn.
func TestSecure(t *testing.T) {
	cert := selfSigned(t)
	addr := from(t, "203.0.113.9:5", Config{
		TLS: func(c *Conn) *tls.Conn {
			return tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1", "acme-tls/1"}})
		},
		Plain: netip.Addr.IsLoopback,
	})
	for _, tt := range []struct {
		what, sends, want string
		protocols         []string
	}{
		{"text", "iam:x\n", "text 203.0.113.9:5", nil},
		{"JSON", `{"id":1}`, "json 203.0.113.9:5", nil},
		{"HTTP without ALPN", "GET / HTTP/1.1\r\n", "http 203.0.113.9:5", nil},
		{"HTTP/1.1", "", "http 203.0.113.9:5", []string{"http/1.1"}},
		{"HTTP/2", "", "http 203.0.113.9:5", []string{"h2", "http/1.1"}},
		{"TLS in TLS", "\x16\x03\x01\x00\x00", "", nil},
		{"an authority's probe", "", "", []string{"acme-tls/1"}},
	} {
		tc, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: tt.protocols})
		if err != nil {
			t.Errorf("%s: %v", tt.what, err)
			continue
		}
		_ = tc.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.WriteString(tc, tt.sends)
		line, _ := bufio.NewReader(tc).ReadString('\n')
		if got := strings.TrimSuffix(line, "\n"); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.what, got, tt.want)
		}
		_ = tc.Close()
	}
	if got := ask(t, addr, "iam:x\n"); got != "refused 203.0.113.9:5" {
		t.Errorf("plain text: %q", got)
	}
	if got := ask(t, addr, "\x16\x03\x01\x00\x05hello"); !strings.Contains(got, "\x15") && got != "" {
		t.Errorf("no handshake: %q", got)
	}
}
