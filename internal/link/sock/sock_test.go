package sock

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// pair makes a Conn and the socket at its other end.
func pair(t testing.TB, cfg Config) (*Conn, *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dialed := make(chan net.Conn, 1)
	go func() {
		nc, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Error(err)
		}
		dialed <- nc
	}()
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c, peer := New(nc, &cfg), <-dialed
	t.Cleanup(func() {
		_ = c.Close()
		_ = peer.Close()
	})
	return c, peer.(*net.TCPConn)
}

const roomy = 64 << 20

// Every writer's frames arrive whole and in its order, whoever is in a write meanwhile.
// Mutant: tryWrite of the rest before what was queued.
func TestConn_SendKeepsOrder(t *testing.T) {
	c, peer := pair(t, Config{MaxQueue: roomy})
	const writers, frames, size = 8, 400, 3000
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			frame := make([]byte, size)
			for i := range frames {
				binary.BigEndian.PutUint32(frame, uint32(w))
				binary.BigEndian.PutUint32(frame[4:], uint32(i))
				if i%5 == 0 {
					c.Hold(frame)
				} else if !c.Send(frame) {
					t.Error("not taken")
				}
			}
			c.Flush()
		})
	}
	next := make([]uint32, writers)
	buf := make([]byte, size)
	for range writers * frames {
		if err := peer.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(peer, buf); err != nil {
			t.Fatal(err)
		}
		w, i := binary.BigEndian.Uint32(buf), binary.BigEndian.Uint32(buf[4:])
		if int(w) >= writers || next[w] != i {
			t.Fatalf("frame %d of writer %d, not %v", i, w, next)
		}
		next[w]++
	}
	wg.Wait()
}

// More than the kernel takes waits, and comes byte for byte when the peer reads.
func TestConn_SendToSlowReader(t *testing.T) {
	c, peer := pair(t, Config{MaxQueue: roomy})
	var want bytes.Buffer
	for i := range 900 {
		frame := fmt.Appendf(nil, "%08d%s\n", i, bytes.Repeat([]byte{'x'}, 10_000))
		want.Write(frame)
		if !c.Send(frame) {
			t.Fatal("not taken")
		}
	}
	got := make([]byte, want.Len())
	if err := peer.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(peer, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("other bytes came")
	}
}

// A peer that does not read is closed, with bounded memory, and hears why if it reads after all.
func TestConn_Overflow(t *testing.T) {
	const queue = 64 << 10
	c, peer := pair(t, Config{MaxQueue: queue, Overflowed: []byte("too slow\n")})
	frame := bytes.Repeat([]byte{'x'}, 1000)
	sent := 0
	for c.Send(frame) {
		sent += len(frame)
		if sent > 64<<20 {
			t.Fatal("the queue has no bound")
		}
		c.mu.Lock()
		if n := len(c.queue); n > queue {
			t.Errorf("%d bytes wait", n)
		}
		c.mu.Unlock()
	}
	got, err := io.ReadAll(peer)
	if err == nil && !bytes.HasSuffix(got, []byte("too slow\n")) {
		t.Errorf("it ends with %q", got[max(0, len(got)-20):])
	}
	select {
	case <-c.Done():
	case <-time.After(10 * time.Second):
		t.Error("not closed")
	}
	if c.Send(frame) {
		t.Error("a closed connection took something")
	}
}

// A peer that was only busy for a moment reads all that waited for it, and why it is put
// out. Mutant: overflow closes after a second.
func TestConn_OverflowOfTheBusy(t *testing.T) {
	const queue = 8 << 20 // more than the kernel takes as time goes by
	c, peer := pair(t, Config{MaxQueue: queue, Overflowed: []byte("too slow\n")})
	frame := bytes.Repeat([]byte{'x'}, 10_000)
	for c.Send(frame) { // its bound is TestConn_Overflow's
	}
	time.Sleep(1500 * time.Millisecond) // how long it is busy is the input
	if err := peer.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(peer)
	if err != nil || !bytes.HasSuffix(got, []byte("too slow\n")) {
		t.Errorf("%v, it ends with %q", err, got[max(0, len(got)-20):])
	}
}

func TestConn_HoldLeavesWithTheNext(t *testing.T) {
	c, peer := pair(t, Config{MaxQueue: roomy})
	c.Hold([]byte("answer "))
	if err := peer.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	if n, err := peer.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%q came, %v", buf[:n], err)
	}
	c.Send([]byte("event\n"))
	if err := peer.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := peer.Read(buf); err != nil || string(buf[:n]) != "answer event\n" {
		t.Fatalf("%q, %v", buf[:n], err)
	}
	c.Hold([]byte("held"))
	c.Flush()
	if n, err := peer.Read(buf); err != nil || string(buf[:n]) != "held" {
		t.Fatalf("%q, %v", buf[:n], err)
	}
}

func TestConn_CloseAfter(t *testing.T) {
	c, peer := pair(t, Config{MaxQueue: roomy})
	big := bytes.Repeat([]byte{'y'}, 8<<20) // more than the kernel takes
	c.Send(big)
	c.CloseAfter([]byte("bye\n"), 10*time.Second)
	if c.Send([]byte("late")) {
		t.Error("taken after the end")
	}
	got, err := io.ReadAll(bufio.NewReader(peer))
	if err != nil || len(got) != len(big)+4 || !bytes.HasSuffix(got, []byte("ybye\n")) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	<-c.Done()
}

func TestConn_CloseAfterGivesUp(t *testing.T) {
	c, _ := pair(t, Config{MaxQueue: roomy})
	c.Send(bytes.Repeat([]byte{'y'}, 8<<20))
	c.CloseAfter(nil, 50*time.Millisecond)
	select {
	case <-c.Done():
	case <-time.After(5 * time.Second):
		t.Error("it waits for a peer that does not read")
	}
}

func TestConn_ReadLoop(t *testing.T) {
	c, peer := pair(t, Config{MaxQueue: roomy})
	var got bytes.Buffer
	read := func() error {
		return c.ReadLoop(func(p []byte) error { got.Write(p); return nil })
	}
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if err := read(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte("0123456789"), 10_000)
	go func() {
		_, _ = peer.Write(want) // what is missing shows below
		_ = peer.CloseWrite()
	}()
	if err := read(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%d bytes came", got.Len())
	}
	stop := errors.New("stop")
	c2, peer2 := pair(t, Config{MaxQueue: roomy})
	if _, err := peer2.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := c2.ReadLoop(func([]byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
}

// numbered makes n bytes that tell their places.
func numbered(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// Who waits for room does not overflow a peer that reads, however fast it answers.
func TestConn_WaitRoom(t *testing.T) {
	c, peer := pair(t, Config{MaxQueue: 256 << 10})
	page := numbered(128 << 10)
	const pages = 64
	go func() {
		for range pages {
			c.WaitRoom()
			if !c.Send(page) {
				t.Error("closed")
				return
			}
		}
		c.CloseAfter(nil, 10*time.Second)
	}()
	n, err := io.Copy(io.Discard, peer)
	if err != nil || n != pages*int64(len(page)) {
		t.Errorf("%d bytes, %v", n, err)
	}
	c.WaitRoom() // a closed connection has nothing to wait for
}
