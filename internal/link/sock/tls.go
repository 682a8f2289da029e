package sock

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Socket is a Conn, or one under TLS. What Conn says of its methods holds for all.
type Socket interface {
	Send(p []byte) bool
	Hold(p []byte)
	Flush()
	WaitRoom()
	CloseAfter(last []byte, wait time.Duration)
	Close() error
	Done() <-chan struct{}
	ReadLoop(onData func(p []byte) error) error
	SetReadDeadline(t time.Time) error
	RemoteAddr() net.Addr
}

var (
	_ Socket = (*Conn)(nil)
	_ Socket = (*TLS)(nil)
)

// Layer lies below TLS. At first it is the connection; once a TLS is made of what is
// above it, it takes every byte at once, and what the kernel does not take waits: a
// write that were short would end TLS for good.
type Layer struct {
	net.Conn
	below atomic.Pointer[Conn]
}

// NewLayer makes the layer of a connection, for tls.Server.
func NewLayer(nc net.Conn) *Layer { return &Layer{Conn: nc} }

// Write writes to the connection, or to the queue of a TLS.
func (l *Layer) Write(p []byte) (int, error) {
	c := l.below.Load()
	if c == nil {
		return l.Conn.Write(p)
	}
	if !c.Send(p) {
		return 0, net.ErrClosed
	}
	return len(p), nil
}

// SetWriteDeadline does nothing once nothing waits in a write.
func (l *Layer) SetWriteDeadline(t time.Time) error {
	if l.below.Load() != nil {
		return nil
	}
	return l.Conn.SetWriteDeadline(t)
}

// NetConn gives the connection below.
func (l *Layer) NetConn() net.Conn { return l.Conn }

// TLS is a Socket under TLS. It encrypts where it is called, which costs time but waits
// for nobody. A peer that does not take what it is sent is closed without last words:
// they would have to be read after what it did not take.
type TLS struct {
	tc    *tls.Conn
	below *Conn

	mu   sync.Mutex // held over a write to tc, which does not block
	held []byte
	max  int
}

// NewTLS takes over tc, whose handshake is done and which lies on layer.
func NewTLS(tc *tls.Conn, layer *Layer, cfg *Config) *TLS {
	silent := *cfg
	silent.Overflowed = nil
	c := New(layer.Conn, &silent)
	layer.below.Store(c)
	return &TLS{tc: tc, below: c, max: cfg.MaxQueue}
}

// RemoteAddr gives the peer's address.
func (t *TLS) RemoteAddr() net.Addr { return t.tc.RemoteAddr() }

// SetReadDeadline sets when ReadLoop gives up; the zero time is never.
func (t *TLS) SetReadDeadline(at time.Time) error { return t.tc.SetReadDeadline(at) }

// Done is closed when the connection is.
func (t *TLS) Done() <-chan struct{} { return t.below.Done() }

// WaitRoom is Conn's.
func (t *TLS) WaitRoom() { t.below.WaitRoom() }

// Send is Conn's.
func (t *TLS) Send(p []byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.write(p)
}

// write writes what is held and p, under t.mu.
func (t *TLS) write(p []byte) bool {
	if len(t.held) > 0 {
		p = append(t.held, p...)
		t.held = nil
	}
	if len(p) == 0 {
		return true
	}
	_, err := t.tc.Write(p)
	return err == nil
}

// Hold is Conn's.
func (t *TLS) Hold(p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held = append(t.held, p...)
	if len(t.held) > t.max {
		t.write(nil) // the queue below has the bound
	}
}

// Flush is Conn's.
func (t *TLS) Flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write(nil)
}

// CloseAfter is Conn's.
func (t *TLS) CloseAfter(last []byte, wait time.Duration) {
	t.mu.Lock()
	t.write(last)
	_ = t.tc.CloseWrite() // says that it is the end; a closed connection fails below
	t.mu.Unlock()
	t.below.CloseAfter(nil, wait)
}

// Close is Conn's.
func (t *TLS) Close() error { return t.below.Close() }

// readBuffer is what a TLS connection reads with: an idle one keeps it.
const readBuffer = 2 << 10

// ReadLoop is Conn's.
func (t *TLS) ReadLoop(onData func(p []byte) error) error {
	buf := make([]byte, readBuffer)
	for {
		n, err := t.tc.Read(buf)
		if n > 0 {
			if err := onData(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}
