package listen

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const patience = 20 * time.Second

// port is a Server whose links say their kind and echo what they read.
type port struct {
	*Server
	web   *http.Server
	ended sync.WaitGroup
}

func start(t *testing.T, ln net.Listener, cfg Config) *port {
	t.Helper()
	echo := func(kind string) func(*Conn) {
		return func(c *Conn) {
			defer func() { _ = c.Close() }()
			if _, err := io.WriteString(c, kind+" "); err != nil {
				return
			}
			buf := make([]byte, 7) // less than the first bytes
			for {
				n, err := c.Read(buf)
				if err != nil {
					return
				}
				if _, err := c.Write(buf[:n]); err != nil {
					return
				}
			}
		}
	}
	cfg.JSON, cfg.Text = echo("json"), echo("text")
	cfg.Refuse = func(kind Kind, c *Conn) { echo(map[Kind]string{TLS: "tls"}[kind])(c) }
	if cfg.MaxConns == 0 {
		cfg.MaxConns = 1000
	}
	if cfg.PerAddress == 0 {
		cfg.PerAddress = 1000
	}
	cfg.Log = slog.New(slog.DiscardHandler)
	p := &port{Server: New(ln, cfg), web: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, body)
	})}}
	p.ended.Go(func() {
		if err := p.Serve(); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	p.ended.Go(func() { _ = p.web.Serve(p.Server) })
	return p
}

// stop closes everything.
func (p *port) stop() {
	_ = p.Close()
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	p.Wait(gone)
	_ = p.web.Close()
	p.ended.Wait()
}

func listenTCP(t *testing.T, cfg Config) *port {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, ln, cfg)
	t.Cleanup(p.stop)
	return p
}

func (p *port) dial(t *testing.T) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn)
}

var kinds = []struct{ name, send, want string }{
	{"text", "iam:zhangsan", "text iam:zhangsan"},
	{"glued text", "iam:amsg:b\nmsg:c", "text iam:amsg:b\nmsg:c"},
	{"no verb", "hello\n", "text hello\n"},
	{"json", "{\"id\":1}\n{\"id\":2}\n", "json {\"id\":1}\n{\"id\":2}\n"},
	{"json after blanks", "\r\n  {}\n", "json \r\n  {}\n"},
	{"batch", "[{}]\n", "json [{}]\n"},
	{"tls", "\x16\x03\x01\x02\x00", "tls \x16\x03\x01\x02\x00"},
	{"blanks only", strings.Repeat(" ", 200), "text " + strings.Repeat(" ", 200)},
	{"longer than the peek", "msg:" + strings.Repeat("x", 5000), "text msg:" + strings.Repeat("x", 5000)},
}

func TestEachKindGetsAllItsBytes(t *testing.T) {
	p := listenTCP(t, Config{})
	for _, tt := range kinds {
		for _, split := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, " split ", split), func(t *testing.T) {
				c := p.dial(t)
				if split {
					_ = c.SetNoDelay(true)
					for i := range len(tt.send) {
						if _, err := io.WriteString(c, tt.send[i:i+1]); err != nil {
							t.Fatal(err)
						}
					}
				} else if _, err := io.WriteString(c, tt.send); err != nil {
					t.Fatal(err)
				}
				_ = c.CloseWrite()
				got, err := io.ReadAll(c)
				if err != nil || string(got) != tt.want {
					t.Errorf("got %.80q, %v; want %.80q", got, err, tt.want)
				}
			})
		}
	}
}

func TestHTTP(t *testing.T) {
	p := listenTCP(t, Config{})
	c := p.dial(t)
	// Pipelined, the first verb cut.
	for _, part := range []string{"P", "OST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHo", "st: x\r\n\r\n"} {
		if _, err := io.WriteString(c, part); err != nil {
			t.Fatal(err)
		}
	}
	in := bufio.NewReader(c)
	for _, want := range []string{"POST /a abc", "GET /b "} {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		if err != nil || string(got) != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	p := listenTCP(t, Config{})
	var all sync.WaitGroup
	for i := range 200 {
		c := p.dial(t)
		all.Go(func() {
			tt := kinds[i%len(kinds)]
			_, _ = io.WriteString(c, tt.send)
			_ = c.CloseWrite()
			if got, err := io.ReadAll(c); err != nil || string(got) != tt.want {
				t.Errorf("%s: got %.80q, %v", tt.name, got, err)
			}
		})
	}
	all.Wait()
}

// away is a connection from an address that is not loopback.
type away struct {
	net.Conn
	addr string
}

func (a away) RemoteAddr() net.Addr { return stringAddr(a.addr) }

type stringAddr string

func (stringAddr) Network() string  { return "tcp" }
func (a stringAddr) String() string { return string(a) }

// queue is a listener that is given its connections.
type queue struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newQueue() *queue { return &queue{make(chan net.Conn), make(chan struct{})} }

func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.closed:
		return nil, net.ErrClosed
	}
}
func (q *queue) Close() error   { close(q.closed); return nil }
func (q *queue) Addr() net.Addr { return stringAddr("queue") }

// connect gives the server a connection from addr and answers the peer's end.
func (q *queue) connect(addr string) net.Conn {
	server, peer := net.Pipe()
	q.conns <- away{server, addr}
	return peer
}

// isClosed says whether the server has closed the connection without a word.
func isClosed(peer net.Conn) bool {
	_ = peer.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := peer.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}

// These run on a clock of their own: minutes pass at once.

func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		p := start(t, q, Config{MaxConns: 6, PerAddress: 2})
		defer p.stop()
		a1, a2 := q.connect("192.0.2.1:1"), q.connect("192.0.2.1:2")
		a3 := q.connect("192.0.2.1:3")
		synctest.Wait()
		if isClosed(a1) || isClosed(a2) || !isClosed(a3) {
			t.Fatal("two of an address, and not three")
		}
		// One that is signed in counts no more; closing it later takes nothing more away.
		for c := range p.conns {
			c.SignedIn()
			c.SignedIn()
			break
		}
		a4 := q.connect("192.0.2.1:4")
		a5 := q.connect("192.0.2.1:5")
		synctest.Wait()
		if isClosed(a4) || !isClosed(a5) {
			t.Fatal("one place was free")
		}
		// Loopback has no limit of its own, but that of all.
		for i, want := range []bool{false, false, false, true} {
			if c := q.connect("127.0.0.1:9"); isClosed(c) != want {
				t.Errorf("loopback %d: closed is not %v", i, want)
			}
		}
		// A closed one makes room.
		_ = a1.Close()
		synctest.Wait()
		if c := q.connect("[2001:db8::1]:1"); isClosed(c) {
			t.Error("no room after one has gone")
		}
	})
}

func TestSilenceAndTrickle(t *testing.T) {
	for _, tt := range []struct {
		name  string
		bytes string        // one every step
		step  time.Duration // before each
		want  string        // what is answered; "" closed
		after time.Duration // from the start
	}{
		{"silent", "", 0, "", firstWait},
		{"blanks for ever", strings.Repeat(" ", 60), time.Second, "", time.Second + restWait},
		{"late first byte", "{", firstWait - time.Second, "json ", firstWait - time.Second},
		{"half an HTTP verb", "GE", time.Second, "", time.Second + restWait},
		{"an HTTP verb trickles", "OPTIONS ", time.Second, "", time.Second + restWait},
		{"half a text verb", "ms", time.Second, "text ", time.Second + restWait},
		{"a text verb trickles", "msg:", time.Second, "text ", 4 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := newQueue()
				p := start(t, q, Config{})
				defer p.stop()
				began := time.Now()
				c := q.connect("192.0.2.1:1")
				var writing sync.WaitGroup
				writing.Go(func() {
					for i := range len(tt.bytes) {
						time.Sleep(tt.step)
						if _, err := c.Write([]byte(tt.bytes[i : i+1])); err != nil {
							return
						}
					}
				})
				got := make([]byte, 5)
				n, err := c.Read(got)
				if string(got[:n]) != tt.want || (tt.want == "") != errors.Is(err, io.EOF) {
					t.Errorf("got %q, %v", got[:n], err)
				}
				if after := time.Since(began); after != tt.after {
					t.Errorf("after %v, not %v", after, tt.after)
				}
				_ = c.Close()
				writing.Wait()
			})
		})
	}
}

func TestCloseAndWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		p := start(t, q, Config{})
		silent, talking := q.connect("192.0.2.1:1"), q.connect("192.0.2.1:2")
		hello := make([]byte, 5)
		_, _ = talking.Write([]byte("{"))
		if _, err := io.ReadFull(talking, hello); err != nil {
			t.Fatal(err)
		}
		_ = p.Close()
		if !isClosed(silent) {
			t.Error("who has said nothing holds the stop up")
		}
		if _, err := p.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept: %v", err)
		}
		if got, err := talking.Read(hello); err != nil || string(hello[:got]) != "{" {
			t.Errorf("a connection that is there was cut off: %q, %v", hello[:got], err)
		}
		began := time.Now()
		limit, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		p.Wait(limit)
		if time.Since(began) != 3*time.Second || !isClosed(talking) {
			t.Error("the rest is closed at the limit, not before and not later")
		}
		p.Wait(t.Context()) // all have ended: at once
		p.stop()
	})
}

// fails is a listener that is broken.
type fails struct{ *queue }

func (fails) Accept() (net.Conn, error) { return nil, errors.New("broken") }

func TestServeAnswersThatItCannotAccept(t *testing.T) {
	s := New(fails{newQueue()}, Config{Log: slog.New(slog.DiscardHandler)})
	if err := s.Serve(); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("got %v", err)
	}
	_ = s.Close()
}
