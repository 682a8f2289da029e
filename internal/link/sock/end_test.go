package sock

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// halved counts half-closes.
type halved struct {
	net.Conn
	count atomic.Int32
}

func (h *halved) CloseWrite() error {
	h.count.Add(1)
	return nil
}

// Who has sent everything is closed at once: nothing can come any more that would make it
// lose what it has not read. Who may still send is half-closed, and has a moment. Mutants:
// finish that never, or always, closes at once.
func TestFinish(t *testing.T) {
	for _, ended := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			nc, peer := net.Pipe()
			half := &halved{Conn: nc}
			c := New(half, &Config{MaxQueue: 1 << 20})
			if ended {
				_ = peer.Close()
				if err := c.ReadLoop(func([]byte) error { return nil }); !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
			}
			began := time.Now()
			c.CloseAfter(nil, time.Hour)
			<-c.Done()
			after, halves := time.Since(began), half.count.Load()
			if ended && (after != 0 || halves != 0) || !ended && (after != time.Second || halves != 1) {
				t.Errorf("the peer has ended: %t: closed after %s with %d half-closes", ended, after, halves)
			}
			<-c.Done() // who asks late is told too
			_ = peer.Close()
			synctest.Wait()
		})
	}
}

// Done answers who asks before the end and who asks after. Mutant: no close(c.done) for either.
func TestDone(t *testing.T) {
	c, _ := pair(t, Config{MaxQueue: roomy})
	before := c.Done()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	<-before
	late, _ := pair(t, Config{MaxQueue: roomy})
	if err := errors.Join(late.Close(), late.Close()); err != nil {
		t.Error(err)
	}
	<-late.Done()
}

// An idle connection keeps no queue. Mutant: write keeps its own one.
func TestConn_IdleHoldsNothing(t *testing.T) {
	c, peer := pair(t, Config{MaxQueue: roomy})
	c.Hold([]byte("held "))
	c.Send([]byte("sent"))
	buf := make([]byte, len("held sent"))
	if _, err := io.ReadFull(peer, buf); err != nil || string(buf) != "held sent" {
		t.Fatalf("%q, %v", buf, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queue != nil {
		t.Errorf("a queue of %d bytes is kept", cap(c.queue))
	}
}
