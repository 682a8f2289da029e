package listen

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Connections that say nothing by themselves do not outlive their peers. Mutant: admit
// without giveUpAfter.
func TestGivesUp(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	peer, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := New(ln, Config{MaxConns: 1, PerAddress: 1}).admit(nc)
	defer c.Close()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var set int
	var failed error
	if err := raw.Control(func(fd uintptr) { set, failed = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT) }); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	if time.Duration(set)*time.Millisecond != unanswered {
		t.Errorf("it gives up after %d ms", set)
	}
}
