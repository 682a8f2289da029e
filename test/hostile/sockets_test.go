package hostile

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/testkit"
)

// The first byte may take long; what it has begun gets five seconds.
func TestHalfHeadersEnd(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	var wg sync.WaitGroup
	for _, half := range []string{
		"G", "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\nX-Half: ",
		"POST /v1/ping HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n", "\x16\x03\x01\x02\x00\x01",
	} {
		for range 20 {
			c := dial(t, server)
			if _, err := io.WriteString(c, half); err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				if err := c.SetReadDeadline(time.Now().Add(9 * time.Second)); err != nil {
					t.Error(err)
				}
				_, err := io.Copy(io.Discard, c)
				if e, ok := err.(net.Error); ok && e.Timeout() {
					t.Errorf("%q and silence: still open", half)
				}
			})
		}
	}
	b.unhurt()
	wg.Wait()
	b.unhurt()
}

// Connections that say nothing cost little and keep nobody out.
func TestSilentSockets(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	before := server.RSS()
	const silent = 500
	for range silent {
		dial(t, server)
	}
	b.unhurt()
	if grown := server.RSS() - before; grown > silent*64<<10 {
		t.Errorf("%d silent sockets cost %d KB each", silent, grown/silent>>10)
	}
}

// A byte at a time is slow, not wrong.
func TestOneByteTrickles(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	trickle := func(c net.Conn, s string) {
		if tcp, ok := c.(*net.TCPConn); ok {
			tcp.SetNoDelay(true)
		}
		for i := range len(s) {
			if _, err := io.WriteString(c, s[i:i+1]); err != nil {
				t.Error(err)
				return
			}
			time.Sleep(time.Millisecond) // the peer's slowness is the input
		}
	}
	var wg sync.WaitGroup
	for i := range 8 {
		for _, sent := range []struct{ text, want string }{
			{`{"id":1,"method":"ping"}` + "\n", `"result"`},
			{fmt.Sprintf("iam:trickle%d\n", i), fmt.Sprintf("trickle%d has joined", i)},
			{"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "200 OK"},
		} {
			c := dial(t, server)
			wg.Go(func() {
				trickle(c, sent.text)
				if !hears(c, sent.want) {
					t.Errorf("%q byte by byte: no %q", sent.text, sent.want)
				}
			})
		}
	}
	wg.Wait()
	b.unhurt()
}

// hears reads until want has come.
func hears(c net.Conn, want string) bool {
	if err := c.SetReadDeadline(time.Now().Add(testkit.Patience)); err != nil {
		return false
	}
	var heard strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		heard.Write(buf[:n])
		if strings.Contains(heard.String(), want) {
			return true
		}
		if err != nil {
			return false
		}
	}
}

// A peer that asks and asks and never reads an answer is held back, or thrown out.
func TestFloodOfCalls(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	call := []byte(strings.Repeat(`{"id":1,"method":"users.get","params":{"ids":["a"]}}`+"\n", 1000))
	var wg sync.WaitGroup
	for range 4 {
		c := dial(t, server)
		if _, err := io.WriteString(c, `{"id":0,"method":"session.open","params":{"guest":"flood"}}`+"\n"); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			for range 200 {
				if err := c.SetWriteDeadline(time.Now().Add(2 * time.Second)); err != nil {
					t.Error(err)
				}
				if _, err := c.Write(call); err != nil {
					return // held back for good, or closed
				}
			}
		})
	}
	b.unhurt()
	wg.Wait()
	b.unhurt()
}

// A text peer that only makes errors is thrown out in the end.
func TestFloodOfErrors(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	c := dial(t, server)
	go func() { _, _ = io.Copy(io.Discard, c) }() // until the server, or the test, closes
	if n, err := pour(c, []byte(strings.Repeat("nonsense\n", 1000)), 64<<20); err == nil {
		t.Errorf("the server answered %d KB of errors", n>>10)
	}
	b.unhurt()
}

// Connections that come with noise and go.
func TestFloodOfConnections(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 2000 {
		c, err := net.DialTimeout("tcp", server.Addr, testkit.Patience)
		if err != nil {
			t.Fatal(err)
		}
		noise := make([]byte, rng.IntN(200))
		for j := range noise {
			noise[j] = byte(rng.Uint32())
		}
		_, _ = c.Write(noise) // the server may be faster in closing
		c.Close()
		if i%500 == 0 {
			b.unhurt()
		}
	}
	b.unhurt()
}

// Noise in datagrams.
func TestFloodOfDatagrams(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	c, err := net.Dial("udp", server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		noise := make([]byte, rng.IntN(1400))
		for j := range noise {
			noise[j] = byte(rng.Uint32())
		}
		_, _ = c.Write(noise) // what the kernel drops is dropped
	}
	b.unhurt()
	u := server.DialUDP(t)
	u.Send("iam:calm")
	u.Want("calm has joined")
}
