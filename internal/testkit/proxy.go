package testkit

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy stands between clients and a server and is a bad network when it is told to be.
// What it does to a stream is what TCP allows: late, in other pieces, cut off; never
// changed, and never with a hole in it.
type Proxy struct {
	Addr string // where clients connect

	target   string
	listener net.Listener
	running  sync.WaitGroup

	mu       sync.Mutex
	up, down Way
	changed  chan struct{} // closed when a way is another one
	passages map[*passage]struct{}
	closed   bool
}

// Way is how bytes go in one direction, on all connections. The zero Way is a good one.
type Way struct {
	Delay  time.Duration // of each piece
	Split  bool          // into single bytes
	Freeze bool          // nothing goes on, until the way is another one
	// Swallow loses what comes, as a peer does that is gone: the sender's kernel gets its
	// acknowledgements. The connection then carries nothing more in this direction.
	Swallow bool
}

// NewProxy makes a proxy to a server, which may come and go, until the test ends.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{
		Addr: l.Addr().String(), target: target, listener: l,
		changed: make(chan struct{}), passages: make(map[*passage]struct{}),
	}
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Set makes the ways to the server and back such from now on.
func (p *Proxy) Set(up, down Way) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.up, p.down = up, down
	close(p.changed)
	p.changed = make(chan struct{})
}

// Cut ends all connections on both sides and answers how many there were. A hard cut
// resets them; otherwise each side sees the other close, without the end of what was
// under way.
func (p *Proxy) Cut(hard bool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.passages {
		l.cut(hard)
	}
	return len(p.passages)
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.Cut(true)
	p.running.Wait()
}

// passage is one connection and its other half.
type passage struct {
	client, server *net.TCPConn
	once           sync.Once
	done           chan struct{} // closed when it is cut
}

func (l *passage) cut(hard bool) {
	l.once.Do(func() {
		close(l.done)
		for _, c := range []*net.TCPConn{l.client, l.server} {
			if hard {
				_ = c.SetLinger(0) // it may be closed by its peer
			}
			_ = c.Close()
		}
	})
}

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return // it is closed
		}
		p.running.Go(func() { p.pass(c.(*net.TCPConn)) })
	}
}

func (p *Proxy) pass(client *net.TCPConn) {
	server, err := net.DialTimeout("tcp", p.target, Patience)
	if err != nil {
		_ = client.SetLinger(0) // refused, as the server's own port would
		_ = client.Close()
		return
	}
	l := &passage{client: client, server: server.(*net.TCPConn), done: make(chan struct{})}
	p.mu.Lock()
	p.passages[l] = struct{}{}
	closed := p.closed
	p.mu.Unlock()
	if closed {
		l.cut(true)
	}
	var both sync.WaitGroup
	both.Go(func() { p.carry(l, l.client, l.server, &p.up) })
	both.Go(func() { p.carry(l, l.server, l.client, &p.down) })
	both.Wait()
	l.cut(false)
	p.mu.Lock()
	delete(p.passages, l)
	p.mu.Unlock()
}

// carry takes a stream over from one side to the other, to its end.
func (p *Proxy) carry(l *passage, from, to *net.TCPConn, way *Way) {
	buf := make([]byte, 32<<10)
	lost := false
	for {
		n, err := from.Read(buf)
		w, ok := p.open(l, way)
		if !ok {
			return
		}
		if lost = lost || w.Swallow; !lost && !l.write(to, buf[:n], w) {
			return
		}
		switch {
		case errors.Is(err, io.EOF) && !lost:
			_ = to.CloseWrite() // the other side may be gone
			return
		case err != nil:
			if !lost {
				l.cut(true)
			}
			return
		}
	}
}

// open waits until a way is not frozen and answers how it is then; false if the passage
// was cut before.
func (p *Proxy) open(l *passage, way *Way) (Way, bool) {
	for {
		p.mu.Lock()
		w, changed := *way, p.changed
		p.mu.Unlock()
		if !w.Freeze {
			return w, true
		}
		select {
		case <-changed:
		case <-l.done:
			return w, false
		}
	}
}

// write writes a piece as the way wants it and says whether the passage goes on.
func (l *passage) write(to *net.TCPConn, piece []byte, w Way) bool {
	if w.Delay > 0 {
		select {
		case <-time.After(w.Delay):
		case <-l.done:
			return false
		}
	}
	size := len(piece)
	if w.Split {
		size = 1
	}
	for len(piece) > 0 {
		n := min(size, len(piece))
		if _, err := to.Write(piece[:n]); err != nil {
			l.cut(true)
			return false
		}
		piece = piece[n:]
	}
	return true
}
