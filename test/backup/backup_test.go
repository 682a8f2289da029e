package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }

// run runs a command of the binary and answers what it printed.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := testkit.Command(t, args...).CombinedOutput()
	return string(out), err
}

// sent is an acknowledged send.
type sent struct {
	place testkit.Place
	id    string
}

// load is eight senders at full speed, which keep what was acknowledged.
type load struct {
	mu    sync.Mutex
	acked []sent
	stop  chan struct{}
	wg    sync.WaitGroup
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

func startLoad(t *testing.T, server *testkit.Server) *load {
	l := &load{stop: make(chan struct{})}
	for i := range 8 {
		c := server.Dial(t)
		c.SignIn(t, server.TokenFor(t, fmt.Sprint("u", i)))
		l.wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-l.stop:
					return
				default:
				}
				id := fmt.Sprintf("00000000-0000-7%03d-8000-%012d", i, n)
				m := testkit.Message("lobby", id, fmt.Sprint("m", n))
				if n%2 == 0 {
					m["to"] = map[string]string{"user": fmt.Sprint("u", (i+1)%8)}
				}
				var p testkit.Place
				if err := c.Call("messages.send", m, &p); err != nil {
					return // the server is killed at the end
				}
				l.mu.Lock()
				l.acked = append(l.acked, sent{p, id})
				l.mu.Unlock()
			}
		})
	}
	return l
}

func (l *load) end() {
	close(l.stop)
	l.wg.Wait()
}

// Mutants: Snapshot that copies the file; Restore without a new start.
func TestBackupUnderLoad(t *testing.T) {
	server := testkit.Start(t)
	alice := server.TokenFor(t, "u0")
	c, err := client.New(t.Context(), client.Config{
		URL: "tcp://" + server.Addr, Token: func(context.Context) (string, error) { return alice, nil }, Rooms: []string{"lobby"},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	defer func() { cancel(); <-done }()

	l := startLoad(t, server)
	waitFor(t, "sends are under way", func() bool { return l.count() > 2000 && c.State().Phase == client.Connected })
	l.mu.Lock()
	before := append([]sent(nil), l.acked...)
	l.mu.Unlock()
	file := filepath.Join(t.TempDir(), "linnet.backup")
	if out, err := run(t, "backup", file, "--data", server.Data); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	during := l.count() - len(before)
	waitFor(t, "there is more than the backup has", func() bool { return l.count() > len(before)+during+1000 })
	l.end()
	if during == 0 {
		t.Error("nothing was sent meanwhile: the test shows nothing")
	}

	// The server breaks: what was its folder is another one from here on.
	server.Kill()
	if err := os.RemoveAll(server.Data); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, "restore", file, "--data", server.Data); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := run(t, "doctor", "--data", server.Data); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	server.Restart()
	reader := server.Dial(t)
	reader.SignIn(t, alice)
	logs := make(map[string][]testkit.Event)
	for _, s := range before {
		log := logs[s.place.Conversation]
		if log == nil {
			if log, err = reader.History(s.place.Conversation); testkit.Code(err) == "not_found" {
				continue // between two others
			}
			if err != nil {
				t.Fatal(err)
			}
			logs[s.place.Conversation] = log
		}
		if s.place.Seq > int64(len(log)) || log[s.place.Seq-1].ClientID != s.id {
			t.Fatalf("%+v was acknowledged before the backup began, and is not in it", s)
		}
	}
	// The client was connected to the old server, which was ahead.
	waitFor(t, "the client has what the restored server has", func() bool {
		conv, known := c.Conversation("lobby")
		if !known || c.State().Phase != client.Connected || len(c.Outbox()) > 0 {
			return false
		}
		log, err := reader.History("lobby")
		return err == nil && conv.Held.To == int64(len(log))
	})
	for _, conv := range c.Conversations() {
		log, err := reader.History(conv.ID)
		if err != nil {
			t.Fatal(err)
		}
		page, err := c.Timeline(t.Context(), conv.ID, 0, 300)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			if e.Seq > int64(len(log)) || log[e.Seq-1].ClientID != e.ClientID {
				t.Fatalf("%s %d is %s at the client, which the server does not have there", conv.ID, e.Seq, e.ClientID)
			}
		}
	}
}

func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not in time", what)
		}
	}
}

// filled makes a server's folder with some megabytes in it.
func filled(t *testing.T) *testkit.Server {
	t.Helper()
	server := testkit.Start(t)
	c := server.Dial(t)
	c.SignIn(t, server.TokenFor(t, "alice"))
	text := strings.Repeat("x", 15_000)
	for i := range 600 {
		if err := c.Call("messages.send", testkit.Message("lobby", fmt.Sprintf("00000000-0000-7000-8000-%012d", i), text), nil); err != nil {
			t.Fatal(err)
		}
	}
	return server
}

// A backup that is killed, or whose disk is full, leaves nothing under its name, and the
// server goes on. Mutant: Make that writes to the name itself.
func TestBackupInterrupted(t *testing.T) {
	server := filled(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "b")
	for i := range 5 {
		cmd := testkit.Command(t, "backup", file, "--data", server.Data)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(5+10*i) * time.Millisecond) // somewhere in it
		_ = cmd.Process.Kill()                               // it may be done
		err := cmd.Wait()
		if _, statErr := os.Stat(file); statErr == nil {
			if out, restoreErr := run(t, "restore", file, "--data", filepath.Join(t.TempDir(), "d")); restoreErr != nil {
				t.Fatalf("after %v there is half a backup: %s", err, out)
			}
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	sh := testkit.Need(t, "bash")
	limited := exec.Command(sh, "-c", `ulimit -f 4000; exec "$0" "$@"`) // blocks of 1,024 bytes
	binary := testkit.Command(t, "backup", file, "--data", server.Data)
	limited.Args = append(limited.Args, binary.Args...)
	limited.Env = binary.Env
	out, err := limited.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("with no space: %v %s", err, out)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("with no space there is a backup")
	}
	c := server.Dial(t)
	c.SignIn(t, server.TokenFor(t, "alice"))
	if err := c.Call("messages.send", testkit.Message("lobby", "00000000-0000-7000-8000-00000000ffff", "still there"), nil); err != nil {
		t.Errorf("the server: %v", err)
	}
}
