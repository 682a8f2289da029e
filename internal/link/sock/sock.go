// Package sock is a socket that is written to without blocking and read without holding
// a buffer, which is what lets one goroutine serve a thousand slow peers and an idle
// connection cost next to nothing.
package sock

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// Config configures a Conn.
type Config struct {
	// MaxQueue is how many bytes may wait for the peer; with more the connection is
	// closed. The kernel's buffers are not counted.
	MaxQueue int
	// Overflowed are the last bytes to a peer that is closed for that.
	Overflowed []byte
	// OnOverflow is told that a peer is closed for that; it must not block. nil: nobody is.
	OnOverflow func()
}

const (
	// stallTime is how long a peer may take nothing while something waits for it.
	stallTime = 10 * time.Second
	// sendBuffer bounds what the kernel takes from us for a peer that does not read.
	sendBuffer = 128 << 10
	// chunk is how much a waiting writer hands to the kernel at a time.
	chunk = 64 << 10
)

// state says who is writing. At most one goroutine is ever inside a write.
type state uint8

const (
	idle    state = iota // nobody; nothing waits but what is held
	writing              // somebody, who will see what is appended meanwhile
	waiting              // a goroutine that waits for the kernel to take more
)

// Conn is a connection. Its methods may be called concurrently, ReadLoop by one
// goroutine at a time. But for ReadLoop and WaitRoom none blocks.
type Conn struct {
	nc  net.Conn
	raw rawConn
	cfg *Config

	mu     sync.Mutex
	room   *sync.Cond // less waits than before, or the connection is closed; nil until somebody waits
	state  state
	ending bool // nothing more is taken; closes when the queue is out
	ended  bool // the peer has sent everything
	closed bool
	queue  []byte        // what waits, in order
	out    int           // bytes of the queue that somebody is writing
	done   chan struct{} // nil until somebody asks for it
}

// New takes over nc. Connections may share cfg, which does not change any more.
func New(nc net.Conn, cfg *Config) *Conn {
	c := &Conn{nc: nc, cfg: cfg, raw: rawOf(nc)}
	if tcp, ok := nc.(interface{ SetWriteBuffer(int) error }); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // a larger one only costs memory
	}
	return c
}

// RemoteAddr gives the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// SetReadDeadline sets when ReadLoop gives up; the zero time is never.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.nc.SetReadDeadline(t) }

// Done is closed when the connection is.
func (c *Conn) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.closed {
			close(c.done)
		}
	}
	return c.done
}

// Send writes p behind everything queued before. What the kernel does not take at once
// waits in the queue. It answers false when the connection takes nothing any more. p is
// not kept and not written to.
func (c *Conn) Send(p []byte) bool {
	c.mu.Lock()
	if c.closed || c.ending {
		c.mu.Unlock()
		return false
	}
	if c.state != idle {
		ok := c.append(p)
		c.mu.Unlock()
		return ok
	}
	if len(c.queue) > 0 {
		if !c.append(p) {
			c.mu.Unlock()
			return false
		}
		p = nil
	}
	c.write(p) // unlocks
	return true
}

// WaitRoom blocks while more than a quarter of the queue is used, so that who answers
// calls of the peer does not overflow a peer that reads. It returns at once when the
// connection is closed. It is the one method besides ReadLoop that blocks.
func (c *Conn) WaitRoom() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queue)+c.out > c.cfg.MaxQueue/4 && !c.closed {
		if c.room == nil {
			c.room = sync.NewCond(&c.mu)
		}
		c.room.Wait()
	}
}

// roomier wakes who waits for room, under c.mu.
func (c *Conn) roomier() {
	if c.room != nil {
		c.room.Broadcast()
	}
}

// Hold queues p without writing it: it leaves with the next Send or Flush.
func (c *Conn) Hold(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed && !c.ending {
		c.append(p)
	}
}

// Flush writes what is held.
func (c *Conn) Flush() {
	c.mu.Lock()
	if c.closed || c.state != idle || len(c.queue) == 0 {
		c.mu.Unlock()
		return
	}
	c.write(nil) // unlocks
}

// append queues p under c.mu, or ends the connection when that is too much.
func (c *Conn) append(p []byte) bool {
	// One frame may be longer than the queue: an answer that the peer has asked for.
	if n := len(c.queue) + c.out; n > 0 && n+len(p) > c.cfg.MaxQueue {
		c.overflow()
		return false
	}
	if c.queue == nil && len(p) <= len(queueBuffer{}) {
		c.queue = queues.Get().(*queueBuffer)[:0]
	}
	c.queue = append(c.queue, p...)
	return true
}

// overflow ends the connection under c.mu. Nobody could tell where a frame begins in what
// waits, so the last words go behind it, and the peer has as long to take all that as one
// that stalls: who was busy for a moment is told why, who is gone is held no longer.
func (c *Conn) overflow() {
	if c.cfg.OnOverflow != nil {
		c.cfg.OnOverflow()
	}
	c.ending = true
	c.queue = append(c.queue, c.cfg.Overflowed...)
	time.AfterFunc(stallTime, func() { _ = c.Close() })
}

// write writes p, or the queue when p is nil, and what is appended meanwhile. It is
// called with c.mu held in state idle, and lets it go.
func (c *Conn) write(p []byte) {
	c.state = writing
	fromQueue := p == nil
	var own []byte
	if fromQueue {
		own, c.queue = c.queue, nil
		p = own
	}
	for {
		c.out = len(own)
		c.mu.Unlock()
		n, err := c.raw.tryWrite(p)
		c.mu.Lock()
		c.out = 0
		c.roomier()
		if err != nil {
			c.state = idle
			c.mu.Unlock()
			_ = c.Close()
			return
		}
		if n < len(p) {
			// The rest goes before what others have appended.
			c.queue = append(append(make([]byte, 0, len(p)-n+len(c.queue)), p[n:]...), c.queue...)
			c.state = waiting
			c.mu.Unlock()
			go c.drain()
			return
		}
		if len(c.queue) == 0 {
			reuse(own)
			c.queue, c.state = nil, idle
			end := c.ending
			c.mu.Unlock()
			if end {
				c.finish()
			}
			return
		}
		reuse(own)
		own, c.queue = c.queue, nil
		p = own
	}
}

// drain waits until the kernel has taken the queue. It is the one writer meanwhile.
func (c *Conn) drain() {
	for {
		c.mu.Lock()
		if c.closed || len(c.queue) == 0 {
			c.queue, c.state = nil, idle
			end := c.ending
			c.mu.Unlock()
			if end {
				c.finish()
			}
			return
		}
		n := min(len(c.queue), chunk)
		p := append(make([]byte, 0, n), c.queue[:n]...)
		c.mu.Unlock()
		_ = c.nc.SetWriteDeadline(time.Now().Add(stallTime)) // a closed connection fails below
		written, err := c.nc.Write(p)
		_ = c.nc.SetWriteDeadline(time.Time{})
		c.mu.Lock()
		c.queue = c.queue[written:]
		c.roomier()
		c.mu.Unlock()
		// A slow peer that takes something is no stalled one.
		if err != nil && (written == 0 || !errors.Is(err, os.ErrDeadlineExceeded)) {
			_ = c.Close()
		}
	}
}

// CloseAfter queues last, takes nothing more, and closes when everything is out, after
// wait at the latest.
func (c *Conn) CloseAfter(last []byte, wait time.Duration) {
	c.mu.Lock()
	if c.closed || c.ending {
		c.mu.Unlock()
		return
	}
	c.queue = append(c.queue, last...)
	c.ending = true
	time.AfterFunc(wait, func() { _ = c.Close() })
	switch {
	case c.state != idle:
		c.mu.Unlock()
	case len(c.queue) == 0:
		c.mu.Unlock()
		c.finish()
	default:
		c.write(nil) // unlocks
	}
}

// finish closes when the peer has sent everything. Otherwise it half-closes, since what
// comes to a closed socket makes the peer lose what it has not read yet, and closes when
// the peer has closed or a moment later.
func (c *Conn) finish() {
	c.mu.Lock()
	ended := c.ended
	c.mu.Unlock()
	if ended {
		_ = c.Close()
		return
	}
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		_ = c.Close()
		return
	}
	// The reader sees the peer's end and closes; this is for a peer that does not.
	time.AfterFunc(time.Second, func() { _ = c.Close() })
}

// Close closes at once; what waits is lost.
func (c *Conn) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	c.roomier()
	if c.done != nil {
		close(c.done)
	}
	c.mu.Unlock()
	return c.nc.Close()
}

// sawEnd notes that the peer has sent everything.
func (c *Conn) sawEnd() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
}

// queueBuffer is what a queue begins with; an empty queue has none.
type queueBuffer [4 << 10]byte

var queues = sync.Pool{New: func() any { return new(queueBuffer) }}

// reuse takes back what was a queue.
func reuse(queue []byte) {
	if cap(queue) == len(queueBuffer{}) {
		queues.Put((*queueBuffer)(queue[:cap(queue)]))
	}
}

// buffers are for reading; a connection has one only while there is something to read.
var buffers = sync.Pool{New: func() any { return new([16 << 10]byte) }}
