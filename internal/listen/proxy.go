package listen

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/pires/go-proxyproto"
)

// headerSize is the longest PROXY header taken, in bytes; what was read behind it is
// kept. Version 1 has at most 107, version 2 more only with extensions.
const headerSize = 1024

func isProxy(proxies []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// errNotAllowed is that the address a proxy states may not connect, or has too many connections.
var errNotAllowed = errors.New("the stated address may not connect, or has too many connections")

// errSilent is that nothing came before the end, as when a proxy looks whether the port is open.
var errSilent = errors.New("nothing came")

// readProxy reads the header by which a proxy states whose connection it is (the PROXY
// protocol, versions 1 and 2). A proxy's own connection states nobody. Without a header
// the address is not known, and is not that of the proxy either.
func (s *Server) readProxy(c *Conn) error {
	if err := c.Conn.SetReadDeadline(time.Now().Add(firstWait)); err != nil {
		return err
	}
	in := bufio.NewReaderSize(c.Conn, headerSize)
	// The first byte may be a person's, who types slowly; a header comes at once.
	if _, err := in.Peek(1); err != nil {
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	if err := c.Conn.SetReadDeadline(time.Now().Add(restWait)); err != nil {
		return err
	}
	header, err := proxyproto.Read(in)
	switch {
	case errors.Is(err, proxyproto.ErrNoProxyProtocol):
		header = nil
	case err != nil:
		return fmt.Errorf("the PROXY header: %w", err)
	}
	if n := in.Buffered(); n > 0 {
		first, err := in.Peek(n)
		if err != nil {
			return err
		}
		c.prefix = append([]byte(nil), first...)
	}
	return s.readdress(c, header)
}

// readdress counts a connection for the address that a proxy states. Who is not stated
// has the zero address, which is nobody's.
func (s *Server) readdress(c *Conn, header *proxyproto.Header) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.known {
		return net.ErrClosed
	}
	if s.anonymous[c.addr]--; s.anonymous[c.addr] == 0 {
		delete(s.anonymous, c.addr)
	}
	c.addr, c.stated = netip.Addr{}, unstated{}
	if header != nil && header.Command.IsProxy() {
		if tcp, ok := header.SourceAddr.(*net.TCPAddr); ok {
			c.addr, c.stated = tcp.AddrPort().Addr().Unmap(), tcp
		}
	}
	s.anonymous[c.addr]++
	if c.addr.IsValid() && (s.cfg.Admit != nil && !s.cfg.Admit(c.addr) || s.anonymous[c.addr] > s.cfg.PerAddress) {
		return errNotAllowed
	}
	return nil
}

// unstated is the address of a peer that a proxy says nothing of.
type unstated struct{}

func (unstated) Network() string { return "tcp" }
func (unstated) String() string  { return "unstated" }
