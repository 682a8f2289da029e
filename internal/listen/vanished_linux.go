package listen

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// giveUpAfter ends a connection that was sent something which nobody has acknowledged for so
// long (TCP_USER_TIMEOUT). Without it the kernel tries for a quarter of an hour, and a peer
// that only listens says nothing by which its end could be seen.
func giveUpAfter(raw syscall.RawConn, wait time.Duration) {
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(wait.Milliseconds()))
	})
}
