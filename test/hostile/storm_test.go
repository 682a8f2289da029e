package hostile

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/linnet-im/linnet/internal/testkit"
)

// count is how many of something a test makes; a variable of the environment makes more.
func count(t *testing.T, name string, otherwise int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 {
		t.Fatalf("%s=%q: a number above 0", name, s)
	}
	return n
}

// alone is another client that sends and is answered, one call after the other, until the
// function it answers is called; that answers how many calls it was.
func (b *bystander) alone() (stop func() int) {
	done, ended := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		defer func() { ended <- n }()
		for {
			select {
			case <-done:
				return
			case <-time.After(10 * time.Millisecond):
			}
			if err := b.client.Call("messages.send", testkit.Message("lobby", uuid.NewString(), "here"), nil); err != nil {
				b.t.Errorf("the bystander's send: %v", err)
				return
			}
			n++
		}
	}()
	return func() int {
		close(done)
		return <-ended
	}
}

// Two thousand sockets begin something and send a byte of it now and then: half headers,
// half bodies, half lines, half frames, half TLS. Others are served all the time, and the
// headers do not live longer than they may.
//
// Mutant that was tried: a header that may take 50 s.
func TestSlowloris(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	const each = 400
	var slow, headers []net.Conn
	for _, begun := range []struct {
		sent      string
		header    bool // it has five seconds
		webSocket bool
	}{
		{sent: "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", header: true},
		{sent: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", header: true}, // a TLS hello
		{sent: "POST /v1/ping HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{"},
		{sent: `{"id":1,"method":"session.open","params":{"guest":"`},
		{sent: "\x81\xfe\x03\xe8\x00\x00\x00\x00{", webSocket: true}, // of 1,000 bytes
	} {
		for range each {
			var c net.Conn
			if begun.webSocket {
				c, _ = shake(t, server)
			} else {
				c = dial(t, server)
			}
			if _, err := io.WriteString(c, begun.sent); err != nil {
				t.Fatal(err)
			}
			slow = append(slow, c)
			if begun.header {
				headers = append(headers, c)
			}
		}
	}
	stop := b.alone()
	for range 7 {
		for _, c := range slow {
			_, _ = io.WriteString(c, "x") // the server may have closed it
		}
		b.unhurt()
		time.Sleep(time.Second) // their slowness is the input
	}
	if n := stop(); n == 0 {
		t.Error("the bystander was not served")
	}
	for i, c := range headers {
		if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, c); err != nil && isTimeout(err) {
			t.Fatalf("half header %d of %d is still open", i, len(headers))
		}
	}
	b.unhurt()
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

// Five thousand come within ten seconds, sign in and stay, while another one sends: all
// are served. A machine that is slower takes longer, and serves all the same.
func TestFiveThousandConnect(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	stop := b.alone()
	begun := time.Now()
	all := arrive(t, server, count(t, "LINNET_CONNECTS", 5000), 64)
	took := time.Since(begun)
	sent := stop()
	if sent == 0 {
		t.Error("the bystander was not served")
	}
	b.unhurt()
	var members struct{ Online int }
	if err := b.client.Call("rooms.join", map[string]string{"room": "lobby"}, &members); err != nil || members.Online < len(all) {
		t.Errorf("%d are in the lobby, %v", members.Online, err)
	}
	t.Logf("%d signed in within %v; the bystander sent %d", len(all), took.Round(time.Millisecond), sent)
}

// arrive signs guests in, so many at once.
func arrive(t *testing.T, server *testkit.Server, n, atOnce int) []net.Conn {
	t.Helper()
	all := make([]net.Conn, n)
	t.Cleanup(func() {
		for _, c := range all {
			if c != nil {
				c.Close()
			}
		}
	})
	var next atomic.Int64
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				c, err := signIn(server.Addr, fmt.Sprint("guest", i))
				if err != nil {
					t.Errorf("guest %d: %v", i, err)
					return
				}
				all[i] = c
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return all
}

// signIn opens a guest's session and reads no more than the answer.
func signIn(addr, guest string) (net.Conn, error) {
	c, err := net.DialTimeout("tcp", addr, crowdPatience)
	if err != nil {
		return nil, err
	}
	r := &reader{c, bufio.NewReader(c)}
	if _, err = fmt.Fprintf(c, `{"id":1,"method":"session.open","params":{"guest":%q}}`+"\n", guest); err == nil {
		_, err = r.until(`"id":1,"result"`)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// The server is killed, and everybody comes back in the same moment, without the patience
// that good clients have: all are served, none is left out.
//
// Mutant that was tried: connections that are not signed in yet are counted for an address
// of this machine too.
func TestAllComeBackAtOnce(t *testing.T) {
	server := testkit.Start(t)
	n := count(t, "LINNET_COMEBACK", 5000)
	arrive(t, server, n, 64)
	server.Kill()
	server.Restart()
	b := newBystander(t, server)
	stop := b.alone()
	begun := time.Now()
	arrive(t, server, n, n)
	took := time.Since(begun)
	if sent := stop(); sent == 0 {
		t.Error("the bystander was not served")
	}
	b.unhurt()
	t.Logf("%d were back within %v", n, took.Round(time.Millisecond))
}
