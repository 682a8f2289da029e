package reach

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/linnet-im/linnet/internal/testkit"
)

// Proxies, configured as docs/operate.md says, carry everything that it says.
//
// Mutants that were tried: a line of the configurations left out; a server that counts
// loopback behind a proxy, that knows no HTTP/2 without TLS, that loses what came with
// the header.

func TestHAProxy(t *testing.T) {
	haproxy := testkit.Need(t, "haproxy", "/usr/sbin/haproxy")
	p := newProxied(t)
	addr := freeAddress(t)
	config := p.snippet("frontend chat", "bind :443 ", "bind "+addr+" ", "/etc/haproxy/chat.pem", p.pem)
	p.run(addr, haproxy, "-db", "-f", p.write("haproxy.cfg", config))
	p.everything(addr)
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) { events(t, p.server, addr, p.trust, version) })
	}
	t.Run("a page", func(t *testing.T) { p.page(t, addr) })
	t.Run("limits of an address", func(t *testing.T) { p.limits(t, addr) })
	awaitLog(t, p.server, "from=unstated speaks=HTTP") // haproxy's own look at /readyz
}

func TestNginx(t *testing.T) {
	nginx := testkit.Need(t, "nginx", "/usr/sbin/nginx")
	p := newProxied(t)
	web, stream := freeAddress(t), freeAddress(t)
	config := fmt.Sprintf("daemon off;\nmaster_process off;\npid %[1]s/pid;\n%[2]sevents {}\nhttp {\n  access_log off;\n", p.dir, streamModule(t, nginx))
	for _, temp := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		config += fmt.Sprintf("  %s_temp_path %s/%[1]s;\n", temp, p.dir)
	}
	config += p.snippet("server {", "listen 443 ", "listen "+web+" ", "/etc/nginx/chat.pem", p.pem) + "}\n" +
		p.snippet("stream {", "listen 443 ", "listen "+stream+" ", "/etc/nginx/chat.pem", p.pem)
	p.run(web, nginx, "-p", p.dir, "-e", "stderr", "-c", p.write("nginx.conf", config))
	t.Run("http", func(t *testing.T) {
		exchange(t, p.server, "wss://"+web, p.trust)
		for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
			events(t, p.server, web, p.trust, version)
		}
		p.page(t, web)
		awaitLog(t, p.server, "from=unstated speaks=HTTP")
	})
	p.everything(stream)
	events(t, p.server, stream, p.trust, "HTTP/1.1")
	p.page(t, stream)
}

// Who is not named as a proxy is not served, whatever it says, and nobody is on loopback.
func TestNotTheProxy(t *testing.T) {
	p := newProxied(t)
	for from, want := range map[string]string{"127.0.0.1": "127.0.0.1 has joined\n", "127.0.0.2": ""} {
		nc, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).Dial("tcp", p.server.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		_ = nc.SetDeadline(time.Now().Add(testkit.Patience))
		_, _ = io.WriteString(nc, "PROXY TCP4 203.0.113.7 10.0.0.7 7000 443\r\niam:"+from+"\n") // it may be closed by then
		got, err := bufio.NewReader(nc).ReadString('\n')
		if got != want || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: got %q, %v", from, got, err)
		}
	}
	awaitLog(t, p.server, "from=203.0.113.7:7000 speaks=text")
}

// proxied is a server that is to be reached by a proxy on 127.0.0.1.
type proxied struct {
	t      *testing.T
	server *testkit.Server
	dir    string
	pem    string // the proxy's certificate and key
	trust  *tls.Config
}

// newProxied starts a server as the documentation does.
func newProxied(t *testing.T) *proxied {
	t.Helper()
	command := regexp.MustCompile(`(?m)^    linnet serve (--listen \S+) --behind-proxy (\S+)( .*)$`).FindStringSubmatch(manual(t))
	if command == nil {
		t.Fatal("docs/operate.md does not say how to serve behind a proxy")
	}
	args := append([]string{"--behind-proxy", "127.0.0.1", "--guests", "lobby", "--log-level", "debug"}, strings.Fields(command[3])...)
	p := &proxied{t: t, server: testkit.Start(t, args...), dir: t.TempDir()}
	p.trust = &tls.Config{RootCAs: certificate(t, p.dir, "chat.example.com")}
	p.pem = filepath.Join(p.dir, "both.pem")
	return p
}

// manual is docs/operate.md.
func manual(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// snippet gives the configuration in the documentation that begins so, with this
// machine's addresses and files for those in it: pairs of what stands there and what is
// to.
func (p *proxied) snippet(begins string, pairs ...string) string {
	p.t.Helper()
	_, text, ok := strings.Cut(manual(p.t), "\n```\n"+begins)
	text, _, end := strings.Cut(text, "\n```\n")
	if !ok || !end {
		p.t.Fatalf("docs/operate.md has nothing that begins with %q", begins)
	}
	text = begins + text + "\n"
	pairs = append(pairs, "10.0.0.7:7788", p.server.Addr)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			p.t.Fatalf("there is no %q in\n%s", pairs[i], text)
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

func (p *proxied) write(name, text string) string {
	p.t.Helper()
	name = filepath.Join(p.dir, name)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return name
}

// run runs a program until the test ends, and returns when it listens.
func (p *proxied) run(addr string, name string, args ...string) {
	p.t.Helper()
	run(p.t, addr, exec.Command(name, args...))
}

// run runs a command until the test ends, and returns when it listens on an address.
func run(t *testing.T, addr string, cmd *exec.Cmd) (stop func()) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		<-ended
		if t.Failed() {
			t.Logf("%s printed:\n%s", filepath.Base(cmd.Path), out.Bytes())
		}
	})
	t.Cleanup(stop)
	for deadline := time.Now().Add(testkit.Patience); ; {
		nc, err := net.Dial("tcp", addr)
		if err == nil {
			nc.Close()
			return stop
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", filepath.Base(cmd.Path), err, out.Bytes())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen: %v", filepath.Base(cmd.Path), err)
		}
	}
}

// freeAddress finds an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// streamModule is the line by which nginx loads its stream module, where it is a file.
func streamModule(t *testing.T, nginx string) string {
	t.Helper()
	out, err := exec.Command(nginx, "-V").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !bytes.Contains(out, []byte("--with-stream=dynamic")) {
		return ""
	}
	folder := regexp.MustCompile(`--modules-path=(\S+)`).FindSubmatch(out)
	if folder == nil {
		t.Fatalf("where are the modules? %s", out)
	}
	module := filepath.Join(string(folder[1]), "ngx_stream_module.so")
	if _, err := os.Stat(module); err != nil {
		testkit.Missing(t, "nginx's stream module")
	}
	return "load_module " + module + ";\n"
}

// everything speaks each protocol of the port to a proxy that states addresses.
func (p *proxied) everything(addr string) {
	p.t.Helper()
	for _, scheme := range []string{"tls://", "wss://"} {
		p.t.Run(scheme, func(t *testing.T) { exchange(t, p.server, scheme+addr, p.trust) })
	}
	p.t.Run("text", func(t *testing.T) { speakText(t, addr, p.trust) })
	p.t.Run("the peer's address", func(t *testing.T) {
		for sent, speaks := range map[string]string{"iam:wangwu\n": "text", `{"id":1,"method":"ping"}` + "\n": "JSON", "GET /readyz HTTP/1.0\r\n\r\n": "HTTP"} {
			tc := p.dial(t, addr, "127.0.0.2")
			if _, err := io.WriteString(tc, sent); err != nil {
				t.Fatal(err)
			}
			if n, err := tc.Read(make([]byte, 1)); n == 0 {
				t.Fatalf("%q is not answered: %v", sent, err)
			}
			awaitLog(t, p.server, fmt.Sprintf("from=%s speaks=%s\n", tc.LocalAddr(), speaks))
		}
	})
	if log := p.server.Log(); strings.Contains(log, "was refused") {
		p.t.Error("the server has refused something")
	}
}

// dial connects with TLS from an address of this machine.
func (p *proxied) dial(t *testing.T, addr, from string) *tls.Conn {
	t.Helper()
	tc, err := tls.DialWithDialer(&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}, "tcp", addr, p.trust)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tc.Close() })
	_ = tc.SetDeadline(time.Now().Add(20 * time.Second))
	return tc
}

// page connects as a browser does on the host's own page, on a stranger's, and where a
// name was made to point here; and asks for what is for this machine only.
func (p *proxied) page(t *testing.T, addr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	web := &http.Client{Transport: &http.Transport{
		TLSClientConfig: p.trust, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		},
	}}
	for origin, want := range map[string]int{"https://chat.example.com": http.StatusSwitchingProtocols, "https://evil.example": http.StatusForbidden} {
		ws, resp, err := websocket.Dial(ctx, "wss://chat.example.com/v1/socket",
			&websocket.DialOptions{HTTPClient: web, HTTPHeader: http.Header{"Origin": {origin}}})
		if resp == nil || resp.StatusCode != want {
			t.Fatalf("%s: %v, %v", origin, resp, err)
		}
		if ws != nil {
			ws.CloseNow()
		}
	}
	for path, want := range map[string]int{"/readyz": http.StatusOK, "/metrics": http.StatusUnauthorized} {
		resp, err := web.Get("https://chat.example.com" + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}

// limits has one address open more connections than it may, and another one then.
func (p *proxied) limits(t *testing.T, addr string) {
	t.Helper()
	answered := func(from string) bool {
		tc := p.dial(t, addr, from)
		defer tc.Close()
		_, _ = io.WriteString(tc, "iam:zhaoliu\n") // it may be closed already
		n, _ := tc.Read(make([]byte, 1))
		return n == 1
	}
	for range 256 {
		p.dial(t, addr, "127.0.0.3") // says nothing
	}
	for deadline := time.Now().Add(testkit.Patience); answered("127.0.0.3"); {
		if time.Now().After(deadline) {
			t.Fatal("it is served on the 257th connection")
		}
	}
	if !answered("127.0.0.4") {
		t.Error("another address is not served")
	}
	awaitLog(t, p.server, "from=127.0.0.3:")
	awaitLog(t, p.server, "may not connect, or has too many connections")
}
