// Package hostile sends the real binary what no good client sends. After each attack
// the server must still answer another client at once, with bounded memory.
//
// Mutants that were tried, and what catches them: no check of Origin, or of Host
// (TestForeignPages); tokens without exp, or that claim a guest's id (TestForgedTokens); a
// header that may take 50 s (TestHalfHeadersEnd); an outbox of 256 MB (TestSlowReader).
// Others are named where they are caught.
package hostile

import (
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }

const (
	// prompt is how long another client may wait for its answer meanwhile.
	prompt = 2 * time.Second
	// maxRSS is what the server may use whatever is sent to it here. It is far below
	// what the attacks send and far above what it needs.
	maxRSS = 256 << 20
)

// bystander is the other client. It is connected before the attack.
type bystander struct {
	t      *testing.T
	server *testkit.Server
	client *testkit.Client
}

func newBystander(t *testing.T, server *testkit.Server) *bystander {
	t.Helper()
	b := &bystander{t, server, server.Dial(t)}
	b.client.Guest(t, "bystander")
	return b
}

// unhurt checks that the others are answered promptly, and the memory.
func (b *bystander) unhurt() {
	b.t.Helper()
	b.served(prompt)
	if rss := b.server.RSS(); rss > maxRSS {
		b.t.Errorf("the server uses %d MB", rss>>20)
	}
}

// served checks that the bystander and a newcomer are answered within a time.
func (b *bystander) served(within time.Duration) {
	b.t.Helper()
	begun := time.Now()
	if err := b.client.Call("users.get", map[string]any{"ids": []string{"bystander"}}, nil); err != nil {
		b.t.Fatalf("the bystander's call: %v", err)
	}
	newcomer := b.server.Dial(b.t)
	newcomer.Guest(b.t, "newcomer")
	newcomer.Close()
	if d := time.Since(begun); d > within {
		b.t.Errorf("the others waited %v", d)
	}
}

// dial makes a bare connection, closed when the test ends.
func dial(t *testing.T, server *testkit.Server) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", server.Addr, testkit.Patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// ends reads until the server closes and gives what came before; it fails when the
// server has not closed in that time.
func ends(t *testing.T, c net.Conn, wait time.Duration) string {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(io.LimitReader(c, 1<<20))
	if e, ok := err.(net.Error); ok && e.Timeout() {
		t.Fatalf("the connection is open after %v; it said %q", wait, said)
	}
	return string(said) // a reset is an end too
}

// pour writes up to n bytes in pieces until the server has had enough.
func pour(c net.Conn, piece []byte, n int) (written int, err error) {
	for written < n {
		if err := c.SetWriteDeadline(time.Now().Add(testkit.Patience)); err != nil {
			return written, err
		}
		k, err := c.Write(piece)
		written += k
		if err != nil {
			return written, err
		}
	}
	return written, nil
}
