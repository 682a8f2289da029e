package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/testkit"
)

// frameBytes is the longest frame that the server takes.
const frameBytes = 64 << 10

// large is a text that is almost as long as a message's content may be.
var large = strings.Repeat("大", 16_000/3)

// sendLarge sends large to a user so often.
func sendLarge(t *testing.T, c *testkit.Client, to string, times int) {
	t.Helper()
	for i := range times {
		err := c.Call("messages.send", map[string]any{
			"to": map[string]string{"user": to}, "client_id": fmt.Sprintf("00000000-0000-7000-9000-%012d", i),
			"content": map[string]string{"type": "text", "text": large},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// socket is a WebSocket in a foreign program. It obeys the lines `send TEXT`, `ping` (with
// the payload hi) and `close`, and prints `open`, `message TEXT`, `pong PAYLOAD` and
// `close CODE REASON`.
type socket interface {
	say(line string)
	hears(line string)
	finds(part string) string
}

// sockets are the WebSockets of the programs that people use, each but the browser's
// with pings of its own.
var sockets = []struct {
	name  string
	open  func(t *testing.T, server *testkit.Server) socket
	pings bool
}{
	{"ws", nodeSocket("ws.mjs"), true},
	{"undici", nodeSocket("undici.mjs"), true},
	{"python", pythonSocket, true},
	{"chromium", browserSocket, false},
}

func url(server *testkit.Server) string { return "ws://" + server.Addr + "/v1/socket" }

// needModules skips the test where the npm packages are missing; in CI that is a failure.
func needModules(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(filepath.Join("node", "node_modules", ".package-lock.json")); err != nil {
		testkit.Missing(t, "the npm packages of test/e2e/node")
	}
}

func nodeSocket(script string) func(t *testing.T, server *testkit.Server) socket {
	return func(t *testing.T, server *testkit.Server) socket {
		node := testkit.Need(t, "node")
		needModules(t)
		return start(t, node, filepath.Join("node", script), url(server))
	}
}

func pythonSocket(t *testing.T, server *testkit.Server) socket {
	python := testkit.Need(t, "/usr/bin/python3") // the one that Debian's packages are for
	if err := exec.Command(python, "-c", "import websockets").Run(); err != nil {
		testkit.Missing(t, "python3-websockets")
	}
	return start(t, python, "websockets_client.py", url(server))
}

// tab is a WebSocket in a page of the server.
type tab struct{ *page }

func browserSocket(t *testing.T, server *testkit.Server) socket {
	p := startBrowser(t).open(server.URL("/healthz"))
	p.eval(fmt.Sprintf(`
		heard = []
		s = new WebSocket(%q)
		s.onopen = () => heard.push('open')
		s.onmessage = e => heard.push('message ' + e.data)
		s.onclose = e => heard.push('close ' + e.code + ' ' + e.reason)
	`, url(server)), nil)
	return tab{p}
}

func (b tab) say(line string) {
	b.t.Helper()
	verb, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	switch verb {
	case "send":
		b.eval(fmt.Sprintf("s.send(%q)", rest), nil)
	case "close":
		b.eval("s.close(1000, 'bye')", nil)
	}
}

func (b tab) hears(line string) {
	b.t.Helper()
	b.until(fmt.Sprintf("heard.includes(%q)", line))
}

func (b tab) finds(part string) (line string) {
	b.t.Helper()
	b.until(fmt.Sprintf("heard.some(l => l.includes(%q))", part))
	b.eval(fmt.Sprintf("heard.find(l => l.includes(%q))", part), &line)
	return line
}

func TestForeignWebSockets(t *testing.T) {
	for _, program := range sockets {
		t.Run(program.name, func(t *testing.T) {
			t.Parallel()
			server := testkit.Start(t)
			connect := func() socket {
				s := program.open(t, server)
				s.hears("open")
				s.say(fmt.Sprintf("send "+`{"id":1,"method":"session.open","params":{"token":%q,"session":"aaaaaaaaaaaaaaaaaaaaaaaaaa"}}`+"\n", server.TokenFor(t, "alice")))
				s.finds(`"id":1,"result":{"user":{"id":"alice"`)
				return s
			}
			s := connect()
			talks(t, server, s)
			if program.pings {
				s.say("ping\n")
				s.hears("pong hi")
			}
			s.say("close\n")
			s.finds("close 1000")

			over := connect()
			over.say("send " + strings.Repeat(" ", frameBytes+1) + "\n")
			over.hears("close 1009 a message has at most 65536 bytes")

			first := connect()
			second := connect() // of the same session
			first.finds("close 1000")
			server.Stop()
			second.finds(`"method":"close","params":{"code":"restarting"`)
			second.hears("close 1012 restarting")
		})
	}
}

// talks sends, is pushed what others send, and reads a page that is longer than 64 KB.
func talks(t *testing.T, server *testkit.Server, s socket) {
	t.Helper()
	s.say(`send {"id":2,"method":"messages.send","params":{"to":{"user":"bob"},"client_id":"00000000-0000-7000-8000-000000000001","content":{"type":"text","text":"在吗"}}}` + "\n")
	answer := s.finds(`"id":2,"result":{"conversation":"d_`)
	s.finds(`"text":"在吗"`)
	bob := server.Dial(t)
	bob.SignIn(t, server.TokenFor(t, "bob"))
	sendLarge(t, bob, "alice", 10)
	s.finds(large)

	_, id, _ := strings.Cut(answer, `"conversation":"`)
	id, _, _ = strings.Cut(id, `"`)
	s.say(fmt.Sprintf(`send {"id":3,"method":"messages.list","params":{"conversation":%q}}`+"\n", id))
	if page := s.finds(`"id":3,"result"`); len(page) < 1<<16 {
		t.Errorf("the page is %d bytes long", len(page))
	}
	const head = `{"id":4,"method":"ping"`
	s.say("send " + head + strings.Repeat(" ", frameBytes-len(head)-1) + "}\n")
	s.finds(`"id":4,"result":{}`)
}

// undici's fetch: a call, then the stream of events until the server stops.
func TestFetch(t *testing.T) {
	node := testkit.Need(t, "node")
	needModules(t)
	server := testkit.Start(t)
	p := start(t, node, filepath.Join("node", "fetch.mjs"), server.URL(""), server.TokenFor(t, "alice"))
	p.finds(`200 {"conversation":"lobby","seq":1,`)
	p.hears("200 text/event-stream")
	p.hears("event: checkpoint")
	bob := server.Dial(t)
	bob.SignIn(t, server.TokenFor(t, "bob"))
	sendLarge(t, bob, "alice", 1)
	p.hears("event: event")
	p.finds(large)
	server.Stop()
	p.hears("event: close")
	p.finds(`data: {"code":"restarting"`)
	p.hears("end")
}

// curl, to a server that goes away under it: the calls that it took are answered, and
// then nothing listens.
func TestCurlAndAStop(t *testing.T) {
	curl := testkit.Need(t, "curl")
	server := testkit.Start(t)
	guest := curlGuest{t: t, curl: curl, server: server}
	guest.signIn("curl")
	guest.say(large, "01938d5e-0000-7000-8000-000000000001")
	guest.reads(large)
	server.Stop()
	err := exec.Command(curl, "--silent", server.URL("/readyz")).Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("curl says %v, not 7: could not connect", err)
	}
}
