package reach

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/testkit"
)

const host = "chat.example.com"

// acmeArgs are the settings for an authority at an address whose own certificate is in a file.
func acmeArgs(addr, roots string) []string {
	return []string{"--acme", host, "--acme-email", "ops@example.com", "--acme-directory", "https://" + addr + "/dir", "--acme-roots", roots}
}

// A certificate from Pebble, the test authority of Let's Encrypt, proved on the one port,
// kept in the folder, and used again by a server that cannot reach the authority.
//
// Mutants that were tried: no acme-tls/1 among the protocols; any host's certificate got;
// the certificates not kept; first that asks for nothing, and get that asks for nothing.
func TestACME(t *testing.T) {
	pebble, names := testkit.Tool(t, "pebble"), testkit.Tool(t, "pebble-challtestsrv")
	dir := t.TempDir()
	pool := certificate(t, dir, "authority.example")
	addr, management, dns := freeAddress(t), freeAddress(t), freeAddress(t)
	server := testkit.Start(t, acmeArgs(addr, filepath.Join(dir, "cert.pem"))...) // which asks before there is an authority

	run(t, dns, exec.Command(names, "-dnsserver", dns, "-management", freeAddress(t), "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
		"-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", ""))
	_, port, err := net.SplitHostPort(server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": addr, "managementListenAddress": management, "tlsPort": json.Number(port), "httpPort": 1,
		"certificate": filepath.Join(dir, "cert.pem"), "privateKey": filepath.Join(dir, "key.pem"),
		"retryAfter": map[string]int{"authz": 1, "order": 1},
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "pebble.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(pebble, "-config", file, "-dnsserver", dns, "-strict")
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	stop := run(t, addr, cmd)
	trust := &tls.Config{ServerName: host, RootCAs: roots(t, management, pool)}

	// The first try has failed, and is not made again for a minute; a restart asks at once.
	awaitLog(t, server, "there is no certificate for a host")
	server.Stop()
	server.Restart()
	awaitLog(t, server, "a certificate is used") // nobody had to ask for it
	shown := handshake(t, server, trust)
	if _, err := tls.Dial("tcp", server.Addr, &tls.Config{ServerName: "other.example.com", InsecureSkipVerify: true}); err == nil {
		t.Error("a certificate was got for a host that is not in the settings")
	}
	exchange(t, server, "tls://"+server.Addr, trust)
	events(t, server, server.Addr, trust, "HTTP/2.0")

	stop()
	server.Stop()
	server.Restart()
	if again := handshake(t, server, trust); !again.Equal(shown) {
		t.Errorf("after a restart without the authority another one is used, of %v", again.NotBefore)
	}
	info, err := os.Stat(filepath.Join(server.Data, "acme"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the certificates' folder: %v, %v", info, err)
	}
}

// roots answers whom Pebble's certificates are trusted by, which it makes when it starts.
func roots(t *testing.T, management string, pool *x509.CertPool) *x509.CertPool {
	t.Helper()
	web := &http.Client{Timeout: testkit.Patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
	resp, err := web.Get("https://" + management + "/roots/0")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	pem, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(pem) {
		t.Fatalf("pebble's root: %s", pem)
	}
	return trusted
}

// handshake has a client verify the server's certificate, and answers it.
func handshake(t *testing.T, server *testkit.Server, trust *tls.Config) *x509.Certificate {
	t.Helper()
	tc, err := tls.DialWithDialer(&net.Dialer{Timeout: testkit.Patience}, "tcp", server.Addr, trust)
	if err != nil {
		t.Fatal(err)
	}
	defer tc.Close()
	leaf := tc.ConnectionState().PeerCertificates[0]
	if err := leaf.VerifyHostname(host); err != nil || !strings.Contains(leaf.Issuer.CommonName, "Pebble") {
		t.Fatalf("of %s: %v", leaf.Issuer, err)
	}
	return leaf
}

// awaitLog waits until a server's log has a text.
func awaitLog(t *testing.T, server *testkit.Server, text string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(server.Log(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log has no %q", text)
		}
	}
}

// An authority that is not what the settings say is told of in the log, with the reason.
// One that does not answer holds nobody: a client is let go in the time of a handshake,
// and a server that is told to end ends. Mutant: get that waits for the authority.
func TestAuthorityThatFails(t *testing.T) {
	t.Parallel() // it waits
	dir, other := t.TempDir(), t.TempDir()
	certificate(t, dir, "authority.example")
	certificate(t, other, "another.example")
	t.Run("not trusted", func(t *testing.T) {
		pair, err := tls.LoadX509KeyPair(filepath.Join(other, "cert.pem"), filepath.Join(other, "key.pem"))
		if err != nil {
			t.Fatal(err)
		}
		ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		go func() {
			for {
				nc, err := ln.Accept()
				if err != nil {
					return
				}
				_ = nc.(*tls.Conn).Handshake() // which the server ends
				nc.Close()
			}
		}()
		server := testkit.Start(t, acmeArgs(ln.Addr().String(), filepath.Join(dir, "cert.pem"))...)
		awaitLog(t, server, "there is no certificate for a host")
		awaitLog(t, server, "certificate signed by unknown authority")
	})
	t.Run("silent", func(t *testing.T) {
		t.Parallel()                                // it waits
		ln, err := net.Listen("tcp", "127.0.0.1:0") // and accepts nobody
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		server := testkit.Start(t, acmeArgs(ln.Addr().String(), filepath.Join(dir, "cert.pem"))...)
		_, err = tls.DialWithDialer(&net.Dialer{Timeout: 15 * time.Second}, "tcp", server.Addr, &tls.Config{ServerName: host})
		if timeout, ok := errors.AsType[net.Error](err); err == nil || ok && timeout.Timeout() {
			t.Errorf("a client that waits for a certificate: %v", err)
		}
		server.Stop()
	})
}
