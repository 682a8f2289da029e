package listen

import (
	"context"
	"time"
)

// handshakeWait is how long a TLS handshake may take, from its first byte on.
const handshakeWait = 10 * time.Second

// secure shakes hands and hands on what is inside. A client that negotiated HTTP is
// given to the HTTP server as the *tls.Conn itself, which is what that asks for; of one
// that negotiated nothing the first bytes tell, as they do without TLS.
func (s *Server) secure(c *Conn) {
	tc := s.cfg.TLS(c)
	ctx, cancel := context.WithTimeout(context.Background(), handshakeWait)
	err := tc.HandshakeContext(ctx) // closes the connection when ctx ends
	cancel()
	if err != nil {
		_ = c.Close()
		return
	}
	switch tc.ConnectionState().NegotiatedProtocol {
	case "h2", "http/1.1":
		if s.told(c) {
			s.handHTTP(tc, c)
			return
		}
	case "":
		inner := &Conn{Conn: tc, server: s, addr: c.addr, stated: c.stated, outer: c}
		kind, err := inner.peek()
		if err == nil && s.told(c) {
			s.dispatch(kind, inner)
			return
		}
	}
	// Also a certificate authority's probe (RFC 8737), which the handshake has answered.
	_ = tc.Close()
}
