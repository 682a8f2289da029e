//go:build !linux

package listen

import (
	"syscall"
	"time"
)

// giveUpAfter is left to the system's own patience.
func giveUpAfter(syscall.RawConn, time.Duration) {}
