package hostile

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/linnet-im/linnet/internal/testkit"
)

// noticed is how long the server may take to find a peer gone, and what its own looking
// and its last words may take.
const noticed = 75*time.Second + 15*time.Second

// Peers vanish without a word: what is sent to them is taken by a network that loses it.
// The server finds it out, whether it has something to send to them or not, and keeps
// those whose heartbeats come. It takes 75 seconds, so only make soak runs it; with a
// clock that jumps the same is in internal/session.
//
// Mutant that was tried: no look for silent peers.
func TestHalfOpen(t *testing.T) {
	if os.Getenv("LINNET_HALF_OPEN") == "" {
		t.Skip("75 seconds: set LINNET_HALF_OPEN=1")
	}
	server := testkit.Start(t)
	proxy := testkit.NewProxy(t, server.Addr)
	there := server.Dial(t)
	there.SignIn(t, tokenOf(t, server, "alice"))
	sessions := func() int {
		t.Helper()
		var r struct{ Sessions []struct{ Session string } }
		if err := there.Call("sessions.list", struct{}{}, &r); err != nil {
			t.Fatal(err) // it is a sign of life too
		}
		return len(r.Sessions)
	}
	const gone = 40
	for i := range gone {
		dial := testkit.DialLines
		if i%2 == 1 {
			dial = testkit.DialWebSocket
		}
		conn, err := dial(proxy.Addr)
		if err != nil {
			t.Fatal(err)
		}
		c := testkit.NewClient(conn)
		c.SignIn(t, tokenOf(t, server, "alice"))
		t.Cleanup(c.Close)
	}
	if n := sessions(); n != gone+1 {
		t.Fatalf("%d sessions", n)
	}
	lost := testkit.Way{Swallow: true}
	proxy.Set(lost, lost)
	t.Cleanup(func() { proxy.Cut(true) }) // before the clients wait for their ends
	begun := time.Now()
	for n := sessions(); n > 1; n = sessions() {
		if time.Since(begun) > noticed {
			t.Fatalf("after %v %d are still there", noticed, n-1)
		}
		err := there.Call("messages.send", map[string]any{ // all of them are pushed it
			"to": map[string]string{"user": "bob"}, "client_id": uuid.NewString(),
			"content": map[string]string{"type": "text", "text": "are you there"},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
	}
	if took := time.Since(begun); took < 50*time.Second {
		t.Errorf("they were given up after %v", took)
	}
}

// Who asks over HTTP for more than it reads is closed when its answer has waited for a
// minute, and costs the machine little until then.
//
// Mutant that was tried: no WriteTimeout.
func TestStalledHTTP(t *testing.T) {
	if os.Getenv("LINNET_HALF_OPEN") == "" {
		t.Skip("60 seconds: set LINNET_HALF_OPEN=1")
	}
	t.Parallel()
	server := testkit.Start(t)
	c := dial(t, server)
	asked := make(chan error)
	go func() {
		for {
			if _, err := io.WriteString(c, "GET /v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
				asked <- err
				return
			}
		}
	}()
	select {
	case <-asked: // it was hung up on
	case <-time.After(noticed):
		t.Errorf("after %v it is still there", noticed)
		_ = c.Close()
		<-asked
	}
}
