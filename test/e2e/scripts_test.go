package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/testkit"
)

// The scripts of the documents, as somebody copies them, through kill -9 of the server
// and of the script: each event is printed, in order; after a loss some come again. Mutant:
// the script without its gap.
func TestScriptsOfTheDocuments(t *testing.T) {
	testkit.Need(t, "curl")
	for _, name := range []string{"events.md", "poll.md"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join("../../docs/links", name))
			if err != nil {
				t.Fatal(err)
			}
			_, script, found := strings.Cut(string(text), "```sh\n")
			script, _, closed := strings.Cut(script, "```")
			if !found || !closed {
				t.Fatal("there is no script")
			}
			runScript(t, script, name == "events.md")
		})
	}
}

// scriptSeq finds the seqs in what a script prints.
var scriptSeq = regexp.MustCompile(`"conversation":"d_[^"]*","seq":([0-9]+),`)

func runScript(t *testing.T, script string, fetches bool) {
	server := testkit.Start(t)
	dir := t.TempDir()
	heard := make(chan int, 10_000)
	run := func() (stop func()) {
		cmd := exec.Command("sh", "-c", script)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "LINNET="+server.URL(""), "TOKEN="+server.TokenFor(t, "alice"))
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it has curl beside it
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		read := make(chan struct{})
		go func() {
			defer close(read)
			in := bufio.NewScanner(out)
			in.Buffer(nil, 1<<20)
			for in.Scan() {
				for _, m := range scriptSeq.FindAllStringSubmatch(in.Text(), -1) {
					seq, _ := strconv.Atoi(m[1])
					heard <- seq
				}
			}
		}()
		return func() {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it runs until then
			<-read
			_ = cmd.Wait()
		}
	}
	stop := run()
	defer func() { stop() }()
	waitFor(t, "the script has a cursor", func() bool {
		b, err := os.ReadFile(filepath.Join(dir, "cursor"))
		return err == nil && len(b) > 10
	})
	bob := server.Dial(t)
	bob.SignIn(t, server.TokenFor(t, "bob"))
	sent := 0
	text := "m"
	say := func(n int) {
		for range n {
			sent++
			err := bob.Call("messages.send", map[string]any{
				"to": map[string]string{"user": "alice"}, "client_id": fmt.Sprintf("00000000-0000-7000-8000-%012d", sent),
				"content": map[string]string{"type": "text", "text": fmt.Sprint(text, sent)},
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	last := 0
	hears := func() {
		t.Helper()
		for last < sent {
			select {
			case seq := <-heard:
				if seq > last+1 {
					t.Fatalf("%d is missing: %d came", last+1, seq)
				}
				last = max(last, seq)
			case <-time.After(testkit.Patience + 20*time.Second):
				t.Fatalf("%d of %d came", last, sent)
			}
		}
	}
	say(10)
	hears()
	server.Kill()
	server.Restart()
	bob = server.Dial(t)
	bob.SignIn(t, server.TokenFor(t, "bob"))
	say(10)
	hears()
	say(10)
	stop() // in the middle, or not
	say(10)
	stop = run()
	hears()
	if !fetches {
		return
	}
	// More than the megabyte that a stream tells: the rest of it is a gap, which the script fetches.
	stop()
	text = strings.Repeat("much ", 3000)
	say(1<<20/len(text) + 30)
	stop = run()
	hears()
}

func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not in time", what)
		}
	}
}
