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
	alice.shows("alice hi bob 你好")
	bob.types("/open alice")
	bob.shows("alice hi bob 你好")
	bob.types("hello alice")
	alice.shows("bob hello alice")
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
	alice.shows("…   said offline")
	server.Restart()
	bob.shows("alice said offline")

	alice.types("/quit")
	again := openTerminal(t, elsewhere, "--url", url, "--token", server.TokenFor(t, "alice"), "--to", "bob")
	again.shows("bob hello alice")
	screen := again.run("capture-pane", "-p")
	for _, text := range []string{"alice hi bob 你好", "bob hello alice", "alice said offline"} {
		if strings.Count(screen, text) != 1 {
			t.Errorf("%q stands %d times on\n%s", text, strings.Count(screen, text), screen)
		}
	}
}

// Lines in and lines out, through kill -9 of the server.
func TestChatScripts(t *testing.T) {
	server := testkit.Start(t)
	url := "tcp://" + server.Addr
	follow := testkit.Command(t, "chat", "--url", url, "--token", server.TokenFor(t, "bob"), "--follow", "--to", "alice")
	follow.Env = append(os.Environ(), follow.Env...)
	follow.Env = append(follow.Env, "HOME="+t.TempDir())
	out, err := follow.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := follow.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = follow.Process.Kill(); _ = follow.Wait() }()
	lines := bufio.NewScanner(out)
	waitFor(t, "bob is connected", func() bool {
		h := &testkit.HTTP{Server: server, Token: server.TokenFor(t, "bob")}
		var s struct{ Sessions []struct{} }
		return h.Call("sessions.list", struct{}{}, &s) == nil && len(s.Sessions) == 1
	})
	time.Sleep(300 * time.Millisecond) // until it has caught up
	home := t.TempDir()
	sent := 0
	send := func(n int) {
		t.Helper()
		var in strings.Builder
		for range n {
			sent++
			fmt.Fprintf(&in, "line %d 行\n", sent)
		}
		cmd := testkit.Command(t, "chat", "--url", url, "--token", server.TokenFor(t, "alice"), "--to", "bob")
		cmd.Env = append(append(os.Environ(), cmd.Env...), "HOME="+home)
		cmd.Stdin = strings.NewReader(in.String())
		if b, err := cmd.CombinedOutput(); err != nil || len(b) != 0 {
			t.Fatalf("%v: %s", err, b)
		}
	}
	send(20)
	server.Kill()
	restarted := make(chan struct{})
	go func() {
		defer close(restarted)
		time.Sleep(time.Second)
		server.Restart()
	}()
	send(20) // while there is no server: it waits
	<-restarted
	for n := 1; n <= sent; n++ {
		if !lines.Scan() {
			t.Fatalf("the follower ended after %d", n-1)
		}
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) != 5 || fields[2] != fmt.Sprint(n) || fields[3] != "alice" || fields[4] != fmt.Sprintf("line %d 行", n) {
			t.Fatalf("line %d is %q", n, lines.Text())
		}
	}
	bad := testkit.Command(t, "chat", "--url", url, "--token", "x", "--to", "bob")
	bad.Env = append(append(os.Environ(), bad.Env...), "HOME="+t.TempDir())
	bad.Stdin = strings.NewReader("x\n")
	if b, err := bad.CombinedOutput(); err == nil || !strings.Contains(string(b), "token") {
		t.Errorf("a bad token: %v %s", err, b)
	}
}
