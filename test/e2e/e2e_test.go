// Package e2e puts the programs that people really use into one conversation: nc, nc -u,
// curl and a browser on the start page. Each netcat, and each WebSocket that people use,
// also goes by itself through all that a client meets.
package e2e

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }

func TestOneConversation(t *testing.T) {
	nc, curl := testkit.Need(t, "nc"), testkit.Need(t, "curl")
	browser := startBrowser(t)
	server := testkit.Start(t)
	host, port, err := net.SplitHostPort(server.Addr)
	if err != nil {
		t.Fatal(err)
	}

	zhangsan := start(t, nc, host, port)
	zhangsan.say("iam:zhangsan\n")
	zhangsan.hears("zhangsan has joined")
	lisi := start(t, nc, host, port)
	lisi.say("iam:李四\n")
	lisi.hears("李四 has joined")
	cam := start(t, nc, "-u", host, port)
	cam.say("iam:cam\n")
	cam.hears("cam has joined")
	page := browser.open(server.URL("/"))
	page.enter("#name", "web")
	page.shows("you are web")
	guest := curlGuest{t: t, curl: curl, server: server}
	guest.signIn("curl")

	zhangsan.say("msg:did you have dinner\n")
	lisi.say("msg:吃了\n")
	cam.say("msg:iso 800")
	page.enter("#text", "hello from the page")
	guest.say("hello from curl", "01938d5e-0000-7000-8000-000000000001")
	said := map[string]string{
		"zhangsan": "did you have dinner", "李四": "吃了", "cam": "iso 800",
		"web": "hello from the page", "curl": "hello from curl",
	}
	for name, text := range said {
		for _, p := range []*process{zhangsan, lisi, cam} {
			p.hears(name + ": " + text)
		}
		page.shows(text)
		guest.reads(text)
	}

	// nc ends its side at the end of its input: what it sent is in, and it ends.
	bye := start(t, nc, "-N", host, port)
	bye.say("iam:bye\nmsg:good night")
	bye.close()
	bye.hears("bye: good night")
	bye.ends()
	page.shows("good night")

	// The power button: everything said is still there, and the page comes back by itself.
	server.Kill()
	server.Restart()
	guest.signIn("curl")
	for _, text := range said {
		guest.reads(text)
	}
	again := start(t, nc, host, port)
	again.say("iam:zhangsan\nmsg:we are back\n")
	again.hears("zhangsan: we are back")
	page.shows("we are back")
	for _, text := range said {
		if n := page.count(text); n != 1 {
			t.Errorf("the page shows %q %d times", text, n)
		}
	}
	page.enter("#text", "so am I")
	again.hears("web: so am I")
	browser.open(server.URL("/")).readsHistory("reader", said)
}

// curlGuest calls methods with curl.
type curlGuest struct {
	t      *testing.T
	curl   string
	server *testkit.Server
	token  string
}

func (g *curlGuest) call(method string, params, result any) {
	g.t.Helper()
	body, err := json.Marshal(params)
	if err != nil {
		g.t.Fatal(err)
	}
	args := []string{"--silent", "--show-error", "--fail-with-body", "--json", string(body)}
	if g.token != "" {
		args = append(args, "--oauth2-bearer", g.token)
	}
	cmd := exec.Command(g.curl, append(args, g.server.URL("/v1/"+method))...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		g.t.Fatalf("curl %s: %v\n%s%s", method, err, out, stderr.Bytes())
	}
	if err := json.Unmarshal(out, result); err != nil {
		g.t.Fatalf("curl %s: %s: %v", method, out, err)
	}
}

func (g *curlGuest) signIn(name string) {
	g.t.Helper()
	g.token = ""
	var open struct{ Token string }
	g.call("session.open", map[string]string{"guest": name}, &open)
	g.token = open.Token
}

func (g *curlGuest) say(text, clientID string) {
	g.t.Helper()
	var place testkit.Place
	g.call("messages.send", testkit.Message("lobby", clientID, text), &place)
	if place.Seq == 0 {
		g.t.Fatalf("messages.send answers %+v", place)
	}
}

// reads checks that the text is in the history.
func (g *curlGuest) reads(text string) {
	g.t.Helper()
	var list struct{ Events []json.RawMessage }
	g.call("messages.list", map[string]string{"conversation": "lobby"}, &list)
	for _, e := range list.Events {
		if strings.Contains(string(e), text) {
			return
		}
	}
	g.t.Fatalf("%q is not in the history: %s", text, list.Events)
}
