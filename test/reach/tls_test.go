package reach

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/internal/testkit"
	"github.com/linnet-im/linnet/wire"
)

func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }

// certificate writes a certificate for localhost and its key, and answers what trusts it.
func certificate(t *testing.T, dir, name string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, DNSNames: []string{"localhost", name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
	for file, b := range map[string][]byte{"cert.pem": certPEM, "key.pem": keyPEM, "both.pem": append(certPEM, keyPEM...)} {
		if err := os.WriteFile(filepath.Join(dir, file), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return pool
}

func startTLS(t *testing.T, args ...string) (server *testkit.Server, dir string, trust *tls.Config) {
	t.Helper()
	dir = t.TempDir()
	pool := certificate(t, dir, "first.example")
	server = testkit.Start(t, append([]string{"--tls-cert", filepath.Join(dir, "cert.pem"), "--tls-key", filepath.Join(dir, "key.pem")}, args...)...)
	return server, dir, &tls.Config{RootCAs: pool}
}

// exchange has two Go clients of a URL write to each other and read it.
func exchange(t *testing.T, server *testkit.Server, url string, trust *tls.Config) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	people := make(map[string]*client.Client)
	for _, name := range []string{"alice", "bob"} {
		c, err := client.New(ctx, client.Config{
			URL: url, TLS: trust, Token: func(context.Context) (string, error) { return server.TokenFor(t, name), nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		running, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- c.Run(running) }()
		t.Cleanup(func() { stop(); <-done })
		people[name] = c
	}
	feed := people["bob"].Feed()
	defer feed.Close()
	for people["bob"].State().Phase != client.Connected {
		if _, err := feed.Next(ctx); err != nil {
			t.Fatalf("bob is %+v", people["bob"].State())
		}
	}
	text := strings.Repeat("长", 4000) // more than a TLS record's first bytes
	sending, err := people["alice"].Send(ctx, client.ToUser("bob"), client.Text(text))
	if err != nil {
		t.Fatal(err)
	}
	place, err := sending.Wait(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for {
		if p, err := people["bob"].Timeline(ctx, place.Conversation, 0, 1); err == nil && len(p.Events) == 1 && p.Events[0].Seq >= place.Seq {
			if !strings.Contains(string(p.Events[0].Content), text) {
				t.Errorf("bob reads %.100s", p.Events[0].Content)
			}
			return
		}
		if _, err := feed.Next(ctx); err != nil {
			t.Fatal("bob hears nothing")
		}
	}
}

// Every link over TLS, and still without it on loopback.
func TestTLS(t *testing.T) {
	server, _, trust := startTLS(t)
	for _, url := range []string{"tls://", "wss://", "tcp://", "ws://"} {
		t.Run(url, func(t *testing.T) { exchange(t, server, url+server.Addr, trust) })
	}
	t.Run("text", func(t *testing.T) {
		speakText(t, server.Addr, trust)
	})
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			if h := events(t, server, server.Addr, trust, version); h.Get("Strict-Transport-Security") == "" {
				t.Errorf("%v", h)
			}
		})
	}
}

// speakText signs in at an address and speaks, as the tutorials' client does.
func speakText(t *testing.T, addr string, trust *tls.Config) {
	t.Helper()
	tc, err := tls.Dial("tcp", addr, trust)
	if err != nil {
		t.Fatal(err)
	}
	defer tc.Close()
	_ = tc.SetDeadline(time.Now().Add(20 * time.Second))
	in := bufio.NewReader(tc)
	for _, step := range [][2]string{{"iam:zhangsan", "zhangsan has joined\n"}, {"msg:吃了吗", "zhangsan: 吃了吗\n"}} {
		if _, err := io.WriteString(tc, step[0]); err != nil { // without a line's end
			t.Fatal(err)
		}
		if line, err := in.ReadString('\n'); err != nil || line != step[1] {
			t.Fatalf("%q is answered %q, %v", step[0], line, err)
		}
	}
	if err := tc.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) != 0 {
		t.Errorf("after the end: %q, %v", rest, err)
	}
}

// events reads what carl is told by a stream of events at an address, while he posts
// there, and answers the stream's header.
func events(t *testing.T, server *testkit.Server, addr string, trust *tls.Config, version string) http.Header {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: trust.Clone(), ForceAttemptHTTP2: version == "HTTP/2.0"}
	defer transport.CloseIdleConnections()
	web := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	req, err := http.NewRequest(http.MethodGet, "https://"+addr+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+server.TokenFor(t, "carl"))
	stream, err := web.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	if stream.Proto != version || stream.StatusCode != http.StatusOK {
		t.Fatalf("%s %s %v", stream.Proto, stream.Status, stream.Header)
	}
	in := bufio.NewReader(stream.Body)
	if line, err := in.ReadString('\n'); err != nil || !strings.HasPrefix(line, "id: ") {
		t.Fatalf("%q %v", line, err)
	}
	text := "to myself by " + version + " at " + addr
	post, err := http.NewRequest(http.MethodPost, "https://"+addr+"/v1/messages.send", strings.NewReader(fmt.Sprintf(
		`{"to":{"user":"carl"},"client_id":%q,"content":{"type":"text","text":%q}}`, uuid.NewString(), text)))
	if err != nil {
		t.Fatal(err)
	}
	post.Header = http.Header{"Authorization": req.Header["Authorization"], "Content-Type": {"application/json"}}
	resp, err := web.Do(post)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.Proto != version || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s", resp.Proto, resp.Status)
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, text) {
			return stream.Header
		}
	}
}

// A certificate that is replaced is used for new connections; one that is broken is not.
func TestCertificateReloads(t *testing.T) {
	t.Parallel() // it waits
	server, dir, _ := startTLS(t)
	name := func() string {
		tc, err := tls.Dial("tcp", server.Addr, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer tc.Close()
		return tc.ConnectionState().PeerCertificates[0].DNSNames[1]
	}
	if got := name(); got != "first.example" {
		t.Fatal(got)
	}
	certificate(t, dir, "second.example")
	for deadline := time.Now().Add(40 * time.Second); name() != "second.example"; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the new certificate is not used")
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "cert.pem"), []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(11 * time.Second) // the files have been looked at again
	if got := name(); got != "second.example" {
		t.Errorf("with a broken file: %s", got)
	}
}

func TestWrongCertificates(t *testing.T) {
	dir := t.TempDir()
	certificate(t, dir, "a.example")
	other := t.TempDir()
	certificate(t, other, "b.example")
	for what, args := range map[string][]string{
		"a file that is not there": {"--tls-cert", filepath.Join(dir, "none.pem"), "--tls-key", filepath.Join(dir, "key.pem")},
		"another one's key":        {"--tls-cert", filepath.Join(dir, "cert.pem"), "--tls-key", filepath.Join(other, "key.pem")},
	} {
		cmd := testkit.Command(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", t.TempDir()}, args...)...)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "tls-cert and tls-key") {
			t.Errorf("%s: %v: %s", what, err, out)
		}
	}
}

// A client under TLS that does not read is closed, and the server goes on with the others
// meanwhile. Mutant: Layer that writes through, which blocks the worker.
func TestSlowReaderUnderTLS(t *testing.T) {
	server, _, trust := startTLS(t)
	tc, err := tls.Dial("tcp", server.Addr, trust)
	if err != nil {
		t.Fatal(err)
	}
	defer tc.Close()
	if _, err := fmt.Fprintf(tc, `{"id":1,"method":"session.open","params":{"token":%q}}`+"\n", server.TokenFor(t, "slow")); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(tc).ReadSlice('\n'); err != nil {
		t.Fatalf("%s %v", line, err)
	}
	sender := server.Dial(t)
	sender.SignIn(t, server.TokenFor(t, "sender"))
	text := strings.Repeat("x", 15_000)
	for i := range 1000 { // 15 MB, more than any kernel takes
		m := testkit.Message("", fmt.Sprintf("00000000-0000-7000-8000-%012d", i), text)
		m["to"] = map[string]string{"user": "slow"}
		if err := sender.Call("messages.send", m, nil); err != nil {
			t.Fatal(err)
		}
	}
	got, err := io.Copy(io.Discard, tc)
	if got > 14_000_000 {
		t.Errorf("it was sent %d bytes, %v", got, err)
	}
	list := &testkit.HTTP{Server: server, Token: server.TokenFor(t, "slow")}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		var s wire.SessionsResult
		if err := list.Call("sessions.list", struct{}{}, &s); err != nil {
			t.Fatal(err)
		}
		if len(s.Sessions) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("it still has its session")
		}
	}
}

// openssl as a person at a terminal uses it.
func TestOpenSSL(t *testing.T) {
	openssl := testkit.Need(t, "openssl")
	server, dir, _ := startTLS(t)
	cmd := exec.Command(openssl, "s_client", "-quiet", "-connect", server.Addr, "-CAfile", filepath.Join(dir, "cert.pem"), "-verify_return_error")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	if _, err := io.WriteString(in, "iam:lisi\nmsg:hello\n"); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for _, want := range []string{"lisi has joined\n", "lisi: hello\n"} {
		if line, err := lines.ReadString('\n'); err != nil || line != want {
			t.Fatalf("openssl shows %q, %v", line, err)
		}
	}
}
