package reach

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/testkit"
)

// Hundreds begin TLS and do not end it, or begin a header inside it, a byte now and then:
// they are let go in seconds, and others are served meanwhile.
//
// Mutant that was tried: a handshake that may take ten times as long.
func TestSlowlorisUnderTLS(t *testing.T) {
	server, _, trust := startTLS(t)
	const each = 200
	var slow []net.Conn
	for range each {
		c, err := net.DialTimeout("tcp", server.Addr, testkit.Patience)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := io.WriteString(c, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, c)
	}
	for range each {
		c, err := tls.Dial("tcp", server.Addr, trust)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, c)
	}
	for range 7 {
		for _, c := range slow {
			_, _ = io.WriteString(c, "x") // the server may have closed it
		}
		served(t, server, trust)
		time.Sleep(time.Second) // their slowness is the input
	}
	for i, c := range slow {
		if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("number %d of %d is still open", i, len(slow))
		}
	}
	served(t, server, trust)
}

// served asks something on a new connection.
func served(t *testing.T, server *testkit.Server, trust *tls.Config) {
	t.Helper()
	c := &http.Client{Timeout: testkit.Patience, Transport: &http.Transport{TLSClientConfig: trust, DisableKeepAlives: true}}
	resp, err := c.Get("https://" + server.Addr + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the others get %s", resp.Status)
	}
}
