// Package listen is the one port: it reads a connection's first bytes, finds out what it
// speaks, and hands it to the link for that. It counts connections and can end them all.
package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// firstWait is how long the first byte may take: a person types slowly.
	firstWait = 2 * time.Minute
	// restWait is how long the rest of a verb may take.
	restWait = 5 * time.Second
	// maxPeek bounds the blanks before a verb.
	maxPeek = 64
	// unanswered is how long what is sent may wait for the peer's system to acknowledge it.
	unanswered = 75 * time.Second
	// sendBuffer bounds what the kernel takes from the HTTP server for a peer that does not
	// read: megabytes, left to itself.
	sendBuffer = 128 << 10
)

// Config configures a Server. The handlers own the connection they are given and return
// at once or when it is over.
type Config struct {
	JSON func(*Conn)
	Text func(*Conn)

	// TLS makes the server's side of TLS on a connection; nil: TLS is refused.
	TLS func(*Conn) *tls.Conn
	// Admit says who may connect at all; nil: everybody.
	Admit func(netip.Addr) bool
	// Plain says who may speak without TLS; nil: everybody.
	Plain func(netip.Addr) bool
	// Refuse ends a connection that is not served, in what it speaks.
	Refuse func(kind Kind, c *Conn)
	// Proxies are who may state a peer's address, by the PROXY protocol. Not empty, only
	// they are served.
	Proxies []netip.Prefix

	MaxConns   int // in all
	PerAddress int // of one address, not signed in yet
	Log        *slog.Logger
}

// Server accepts connections. What speaks HTTP is accepted from it as a net.Listener.
type Server struct {
	cfg Config
	ln  net.Listener

	http   chan net.Conn
	closed chan struct{}
	once   sync.Once
	wg     sync.WaitGroup

	mu        sync.Mutex
	stopped   bool // nothing is added to conns any more
	conns     map[*Conn]struct{}
	anonymous map[netip.Addr]int
	empty     chan struct{} // closed when stopped and conns is empty
}

// New makes a server on a listener. Serve accepts from it.
func New(ln net.Listener, cfg Config) *Server {
	return &Server{
		cfg: cfg, ln: ln, http: make(chan net.Conn), closed: make(chan struct{}),
		conns: make(map[*Conn]struct{}), anonymous: make(map[netip.Addr]int), empty: make(chan struct{}),
	}
}

// Serve accepts until Close; then it returns nil, when all it started has ended. It
// returns an error at once when it cannot accept any more.
func (s *Server) Serve() error {
	wait := 5 * time.Millisecond
	for {
		nc, err := s.ln.Accept()
		select {
		case <-s.closed:
			if err == nil {
				_ = nc.Close()
			}
			s.wg.Wait()
			return nil
		default:
		}
		if err != nil {
			// Out of descriptors or memory: those who are connected go on.
			if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOBUFS) ||
				errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.ECONNABORTED) {
				s.cfg.Log.Warn("connection not accepted", slog.Any("error", err))
				select {
				case <-time.After(wait):
				case <-s.closed:
				}
				wait = min(2*wait, time.Second)
				continue
			}
			return fmt.Errorf("accept: %w", err)
		}
		wait = 5 * time.Millisecond
		if c := s.admit(nc); c != nil {
			s.wg.Go(func() { s.sort(c) })
		}
	}
}

// admit counts a connection in, or closes it when there are too many or the
// server has closed.
func (s *Server) admit(nc net.Conn) *Conn {
	c := &Conn{Conn: nc, server: s, addr: addrOf(nc)}
	s.mu.Lock()
	defer s.mu.Unlock()
	proxied := len(s.cfg.Proxies) > 0
	if s.stopped || len(s.conns) >= s.cfg.MaxConns ||
		proxied && !isProxy(s.cfg.Proxies, c.addr) || !proxied && !s.allowed(c.addr) {
		_ = nc.Close()
		return nil
	}
	s.conns[c] = struct{}{}
	s.anonymous[c.addr]++
	if raw, err := c.SyscallConn(); err == nil {
		giveUpAfter(raw, unanswered)
	}
	return c
}

// allowed says whether another connection of an address is let in, under s.mu. What
// loopback has is its own affair.
func (s *Server) allowed(addr netip.Addr) bool {
	if s.cfg.Admit != nil && !s.cfg.Admit(addr) {
		return false
	}
	return s.anonymous[addr] < s.cfg.PerAddress || addr.IsLoopback()
}

func addrOf(nc net.Conn) netip.Addr {
	ap, err := netip.ParseAddrPort(nc.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// sort reads until it is known what a connection speaks and hands it on.
func (s *Server) sort(c *Conn) {
	if len(s.cfg.Proxies) > 0 {
		if err := s.readProxy(c); err != nil {
			if !errors.Is(err, errSilent) {
				s.cfg.Log.Warn("a proxy's connection was refused", slog.String("proxy", c.Conn.RemoteAddr().String()),
					slog.String("from", c.RemoteAddr().String()), slog.Any("error", err))
			}
			_ = c.Close()
			return
		}
	}
	kind, err := c.peek()
	if err == nil && s.cfg.Log.Enabled(context.Background(), slog.LevelDebug) {
		s.cfg.Log.Debug("a connection", slog.String("from", c.RemoteAddr().String()), slog.String("speaks", kind.String()))
	}
	switch {
	case err != nil:
		_ = c.Close()
	case kind == TLS && s.cfg.TLS != nil:
		s.secure(c)
	case !s.told(c):
		_ = c.Close()
	case kind == TLS, s.cfg.Plain != nil && !s.cfg.Plain(c.addr):
		s.cfg.Refuse(kind, c)
	default:
		s.dispatch(kind, c)
	}
}

// dispatch hands a connection to the link for what it speaks.
func (s *Server) dispatch(kind Kind, c *Conn) {
	switch kind {
	case HTTP:
		below := c
		if c.outer != nil {
			below = c.outer
		}
		s.handHTTP(c, below)
	case JSON:
		s.cfg.JSON(c)
	case TLS: // inside TLS
		_ = c.Close()
	default:
		s.cfg.Text(c)
	}
}

// handHTTP hands c, which lies on the socket below, to who accepts HTTP.
func (s *Server) handHTTP(c net.Conn, below *Conn) {
	_ = below.SetWriteBuffer(sendBuffer) // a larger one only costs memory
	select {
	case s.http <- c:
	case <-s.closed:
		_ = c.Close()
	}
}

// peek reads c's first bytes into its prefix until they tell.
func (c *Conn) peek() (Kind, error) {
	deadline := time.Now().Add(firstWait)
	buf := make([]byte, len(c.prefix)+maxPeek)
	n := copy(buf, c.prefix) // what came behind a PROXY header
	if n > 0 {
		deadline = time.Now().Add(restWait)
		if kind := classify(buf[:n]); kind != Undecided {
			return kind, c.Conn.SetReadDeadline(time.Time{})
		}
	}
	for {
		if err := c.Conn.SetReadDeadline(deadline); err != nil {
			return Undecided, err
		}
		m, err := c.Conn.Read(buf[n:])
		if m > 0 && n == 0 {
			// For all of the rest: a trickle does not hold a connection.
			deadline = time.Now().Add(restWait)
		}
		n += m
		kind := classify(buf[:n])
		switch {
		case kind == Undecided && n > 0 && errors.Is(err, io.EOF), kind == Undecided && n == len(buf):
			kind = Text // which answers that this is no verb
		case kind == Undecided && errors.Is(err, os.ErrDeadlineExceeded) && isVerbStart(buf[:n]):
			kind, err = Text, nil // a person who stopped in the middle of a verb goes on, or is told
		case kind == Undecided && err != nil:
			return Undecided, err
		}
		if kind != Undecided {
			c.prefix = buf[:n:n]
			c.ended = err
			return kind, c.Conn.SetReadDeadline(time.Time{})
		}
	}
}

// told notes that c has told what it speaks. It answers false when the server has
// closed meanwhile.
func (s *Server) told(c *Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.told = !s.stopped
	return c.told
}

// Accept gives the next connection that speaks HTTP.
func (s *Server) Accept() (net.Conn, error) {
	select {
	case c := <-s.http:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

// Addr gives the address listened on.
func (s *Server) Addr() net.Addr { return s.ln.Addr() }

// Close stops accepting and closes the connections that have not told yet what they
// speak; the others stay.
func (s *Server) Close() error {
	var err error
	s.once.Do(func() {
		s.mu.Lock()
		s.stopped = true
		if len(s.conns) == 0 {
			close(s.empty)
		}
		var silent []*Conn
		for c := range s.conns {
			if !c.told {
				silent = append(silent, c)
			}
		}
		s.mu.Unlock()
		close(s.closed)
		err = s.ln.Close()
		for _, c := range silent {
			_ = c.Close()
		}
	})
	return err
}

// Wait waits, after Close, until every connection has ended. When ctx ends first it
// closes those that are left.
func (s *Server) Wait(ctx context.Context) {
	select {
	case <-s.empty:
		return
	case <-ctx.Done():
	}
	s.mu.Lock()
	left := make([]*Conn, 0, len(s.conns))
	for c := range s.conns {
		left = append(left, c)
	}
	s.mu.Unlock()
	for _, c := range left {
		_ = c.Close()
	}
}

// Count answers how many connections are open.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// forget takes a closed connection out of the counts.
func (s *Server) forget(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.conns[c]; !ok {
		return
	}
	delete(s.conns, c)
	s.signedIn(c)
	if s.stopped && len(s.conns) == 0 {
		close(s.empty)
	}
}

// signedIn takes c out of its address's count, under s.mu.
func (s *Server) signedIn(c *Conn) {
	if c.known {
		return
	}
	c.known = true
	if s.anonymous[c.addr]--; s.anonymous[c.addr] == 0 {
		delete(s.anonymous, c.addr)
	}
}
