//go:build !unix

package sock

import "net"

// rawConn has no way to write without waiting here: everything goes through the writer.
type rawConn struct{}

func rawOf(net.Conn) rawConn { return rawConn{} }

// tryWrite takes nothing: all of it waits for the writer.
func (rawConn) tryWrite([]byte) (int, error) { return 0, nil }

// ReadLoop gives what comes to onData, which has the bytes for the time of the call,
// until that or reading fails. It answers io.EOF when the peer has sent everything,
// os.ErrDeadlineExceeded at the read deadline, after which it may be called again.
func (c *Conn) ReadLoop(onData func(p []byte) error) error { return c.readPlain(onData) }
