//go:build unix

package sock

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// rawConn reads and writes a socket's descriptor where there is one.
type rawConn struct {
	raw syscall.RawConn // nil: not a socket
}

func rawOf(nc net.Conn) rawConn {
	if sc, ok := nc.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			return rawConn{raw}
		}
	}
	return rawConn{}
}

// tryWrite writes what the kernel takes now. It does not wait: it must only be called
// while no other goroutine is in a write, which would hold the descriptor's lock.
func (r rawConn) tryWrite(p []byte) (n int, err error) {
	if r.raw == nil {
		return 0, nil // all of it waits for the writer
	}
	var failed error
	err = r.raw.Write(func(fd uintptr) bool {
		for n < len(p) && failed == nil {
			m, e := syscall.Write(int(fd), p[n:])
			switch {
			case e == nil:
				n += m
			case errors.Is(e, syscall.EINTR):
			case errors.Is(e, syscall.EAGAIN):
				return true
			default:
				failed = e
			}
		}
		return true
	})
	return n, errors.Join(err, failed)
}

// ReadLoop gives what comes to onData, which has the bytes for the time of the call,
// until that or reading fails. It answers io.EOF when the peer has sent everything,
// os.ErrDeadlineExceeded at the read deadline, after which it may be called again; what
// has come by then is given first.
func (c *Conn) ReadLoop(onData func(p []byte) error) error {
	if c.raw.raw == nil {
		return c.readPlain(onData)
	}
	for {
		buf := (*[16 << 10]byte)(nil)
		n, failed := 0, error(nil)
		read := func(fd uintptr) bool {
			buf = buffers.Get().(*[16 << 10]byte)
			for {
				n, failed = syscall.Read(int(fd), buf[:])
				if !errors.Is(failed, syscall.EINTR) {
					break
				}
			}
			if errors.Is(failed, syscall.EAGAIN) {
				buffers.Put(buf)
				buf = nil
				return false // waits without a buffer
			}
			return true
		}
		err := c.raw.raw.Read(read)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			// On a busy machine this goroutine may be the one that is late: only what
			// the socket does not hold did not come. Control knows no deadline.
			came := false
			if controlErr := c.raw.raw.Control(func(fd uintptr) { came = read(fd) }); controlErr == nil && came {
				err = nil
			}
		}
		switch {
		case err != nil:
		case failed != nil:
			err = failed
		case n == 0:
			c.sawEnd()
			err = io.EOF
		default:
			err = onData(buf[:n])
		}
		if buf != nil {
			buffers.Put(buf)
		}
		if err != nil {
			return err
		}
	}
}
