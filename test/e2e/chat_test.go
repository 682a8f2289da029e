package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/testkit"
)

// terminal is a person's screen: linnet chat in tmux.
type terminal struct {
	t      *testing.T
	tmux   string
	socket string
}

func openTerminal(t *testing.T, home string, args ...string) *terminal {
	t.Helper()
	s := &terminal{t: t, tmux: testkit.Need(t, "tmux"), socket: filepath.Join(t.TempDir(), "tmux")}
	cmd := testkit.Command(t, append([]string{"chat"}, args...)...)
	s.run(append([]string{"-f", "/dev/null", "new-session", "-d", "-x", "90", "-y", "20", "-e", "HOME=" + home, "-e", "TZ=UTC", "-e", "LC_ALL=C.UTF-8"}, cmd.Args...)...)
	t.Cleanup(func() { _ = exec.Command(s.tmux, "-S", s.socket, "kill-server").Run() })
	return s
}

func (s *terminal) run(args ...string) string {
	s.t.Helper()
	cmd := exec.Command(s.tmux, append([]string{"-S", s.socket, "-u"}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("tmux %v: %v %s", args, err, out)
	}
	return string(out)
}

func (s *terminal) types(text string) { s.run("send-keys", "-l", text); s.run("send-keys", "Enter") }

func (s *terminal) shows(text string) {
	s.t.Helper()
	last := ""
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if last = s.run("capture-pane", "-p"); strings.Contains(last, text) {
			return
		}
	}
	s.t.Fatalf("the screen does not show %q:\n%s", text, last)
}

// Two people at two terminals, one of whom closes the lid and opens it somewhere else.
func TestChatScreens(t *testing.T) {
	server := testkit.Start(t)
	url := "tcp://" + server.Addr
	laptop, elsewhere := t.TempDir(), t.TempDir()
	alice := openTerminal(t, laptop, "--url", url, "--token", server.TokenFor(t, "alice"), "--to", "bob")
	bob := openTerminal(t, t.TempDir(), "--url", "ws://"+server.Addr, "--token", server.TokenFor(t, "bob"))
	alice.shows("alice  connected")
	bob.shows("bob  connected")
	alice.types("hi bob 你好")
	alice.shows("alice  hi bob 你好")
	bob.types("/open alice")
	bob.shows("alice  hi bob 你好")
	bob.types("hello alice")
	alice.shows("bob  hello alice")
	alice.shows("● is there")
	time.Sleep(2500 * time.Millisecond) // typing is told every two seconds at most
	bob.run("send-keys", "-l", "hm")
	alice.shows("bob … writing")
	for range 2 {
		bob.run("send-keys", "BSpace")
	}

	// What is said while there is no server goes out when there is one again.
	server.Kill()
	alice.shows("not connected")
	alice.types("said offline")
	alice.shows("…   alice  said offline")
	server.Restart()
	bob.shows("alice  said offline")

	// A script of hers may run beside her screen.
	if err := runChat(t, laptop, "said by a script\n", "--url", url, "--token", server.TokenFor(t, "alice"), "--to", "bob"); err != nil {
		t.Error(err)
	}
	alice.shows("said by a script")

	alice.types("/quit")
	again := openTerminal(t, elsewhere, "--url", url, "--token", server.TokenFor(t, "alice"), "--to", "bob")
	again.shows("bob  hello alice")
	screen := again.run("capture-pane", "-p")
	for _, text := range []string{"alice  hi bob 你好", "bob  hello alice", "alice  said offline", "alice  said by a script"} {
		if strings.Count(screen, text) != 1 {
			t.Errorf("%q stands %d times on\n%s", text, strings.Count(screen, text), screen)
		}
	}
}

// chat makes a linnet chat in a home of its own.
func chat(t *testing.T, home string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := testkit.Command(t, append([]string{"chat"}, args...)...)
	cmd.Env = append(append(os.Environ(), cmd.Env...), "HOME="+home)
	return cmd
}

// runChat gives a linnet chat its input; what it says is its error.
func runChat(t *testing.T, home, in string, args ...string) error {
	t.Helper()
	cmd := chat(t, home, args...)
	cmd.Stdin = strings.NewReader(in)
	b, err := cmd.CombinedOutput()
	if err != nil || len(b) != 0 {
		return fmt.Errorf("%w: %s", err, b)
	}
	return nil
}

// Lines in and lines out, through kill -9 of the server. Mutant: --since that reads what
// was there before it begins to listen.
func TestChatScripts(t *testing.T) {
	server := testkit.Start(t)
	url := "tcp://" + server.Addr
	home := t.TempDir()
	sent := 0
	send := func(n int) {
		t.Helper()
		var in strings.Builder
		for range n {
			sent++
			fmt.Fprintf(&in, "line %d 行\n", sent)
		}
		if err := runChat(t, home, in.String(), "--url", url, "--token", server.TokenFor(t, "alice"), "--to", "bob"); err != nil {
			t.Fatal(err)
		}
	}
	send(5)
	follow := chat(t, t.TempDir(), "--url", url, "--token", server.TokenFor(t, "bob"), "--follow", "--to", "alice", "--since", "1000")
	out, err := follow.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := follow.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = follow.Process.Kill(); _ = follow.Wait() }()
	send(20) // while the follower begins
	server.Kill()
	restarted := make(chan struct{})
	go func() {
		defer close(restarted)
		time.Sleep(time.Second)
		server.Restart()
	}()
	send(20) // while there is no server: it waits
	<-restarted
	lines := bufio.NewScanner(out)
	for n := 1; n <= sent; n++ {
		if !lines.Scan() {
			t.Fatalf("the follower ended after %d", n-1)
		}
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) != 5 || fields[2] != fmt.Sprint(n) || fields[3] != "alice" || fields[4] != fmt.Sprintf("line %d 行", n) {
			t.Fatalf("line %d is %q", n, lines.Text())
		}
	}
	if err := follow.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if lines.Scan() {
		t.Errorf("one more: %q", lines.Text())
	}
	if err := follow.Wait(); err != nil {
		t.Errorf("interrupted, the follower says %v", err)
	}
}

// A script knows by the exit code that not all was sent, and by what is written why.
// Mutant: an interrupted one that ends well.
func TestChatScriptsFail(t *testing.T) {
	server := testkit.Start(t)
	url, token := "tcp://"+server.Addr, server.TokenFor(t, "alice")
	long := strings.Repeat("x", 100_000)
	for _, tt := range []struct {
		in, says string
		args     []string
	}{
		{"one\n" + long + "\nthree\n", "line 2: ", []string{"--token", token}},
		{"x\n", "token", []string{"--token", "x"}},
		{"x\n", "not take it in time", []string{"--token", token, "--url", "tcp://127.0.0.1:1", "--wait", "1s"}},
		{"x\n", "either a token or guest", []string{"--token", token, "--guest", "ann"}},
	} {
		err := runChat(t, t.TempDir(), tt.in, append([]string{"--url", url, "--to", "bob"}, tt.args...)...)
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%.60s: %v", tt.in, err)
		}
	}
	bob := &testkit.HTTP{Server: server, Token: server.TokenFor(t, "bob")}
	var s struct{ Conversations []struct{ Seq int } }
	if err := bob.Call("sync", struct{}{}, &s); err != nil || len(s.Conversations) != 1 || s.Conversations[0].Seq != 2 {
		t.Errorf("bob was sent %+v, %v", s, err)
	}

	// Interrupted while its input goes on and nothing can be sent.
	cmd := chat(t, t.TempDir(), "--url", "tcp://127.0.0.1:1", "--token", token, "--to", "bob")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte("x\n")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond) // until it takes signals; before that it ends just as well
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("interrupted, it ends as if all was sent")
	}
}
