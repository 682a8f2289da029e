package listen

import (
	"net"
	"net/netip"
	"syscall"
)

// Conn is an accepted connection whose first bytes were read to tell what it speaks.
// Read gives them again.
type Conn struct {
	net.Conn
	server *Server
	addr   netip.Addr
	stated net.Addr // by a proxy; nil: none was
	outer  *Conn    // what it is inside of, when Conn is TLS
	prefix []byte
	ended  error // what reading ended with, behind prefix
	told   bool  // guarded by Server.mu: it is known what it speaks
	known  bool  // guarded by Server.mu: it is signed in, or closed
}

// Read gives the first bytes, then what follows.
func (c *Conn) Read(p []byte) (int, error) {
	if len(c.prefix) > 0 {
		n := copy(p, c.prefix)
		c.prefix = c.prefix[n:]
		return n, nil
	}
	if c.ended != nil {
		return 0, c.ended
	}
	return c.Conn.Read(p)
}

// Addr gives the peer's address, zero where it has none. Behind a proxy it is the one that
// the proxy states.
func (c *Conn) Addr() netip.Addr { return c.addr }

// RemoteAddr gives the peer's address and port.
func (c *Conn) RemoteAddr() net.Addr {
	if c.stated != nil {
		return c.stated
	}
	return c.Conn.RemoteAddr()
}

// NetConn gives what the connection lies on: a socket, or TLS.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// TakePrefix gives the first bytes once, for who reads the socket itself from then on.
func (c *Conn) TakePrefix() []byte {
	p := c.prefix
	c.prefix = nil
	return p
}

// SignedIn says that the connection belongs to somebody: it counts for its address no more.
func (c *Conn) SignedIn() {
	if c.outer != nil {
		c = c.outer
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.server.signedIn(c)
}

// Close closes the connection and takes it out of the counts.
func (c *Conn) Close() error {
	c.server.forget(c)
	return c.Conn.Close()
}

// CloseWrite ends this side's stream.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Conn.Close()
}

// SyscallConn gives the socket, for who has taken the prefix.
func (c *Conn) SyscallConn() (syscall.RawConn, error) {
	if sc, ok := c.Conn.(syscall.Conn); ok {
		return sc.SyscallConn()
	}
	return nil, syscall.EINVAL
}

// SetWriteBuffer sets the size of the kernel's buffer.
func (c *Conn) SetWriteBuffer(bytes int) error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.SetWriteBuffer(bytes)
	}
	return nil
}
