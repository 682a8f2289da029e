package e2e

import (
	"bufio"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/testkit"
)

// process is a running program that a person types into.
type process struct {
	t     *testing.T
	name  string
	stdin io.WriteCloser
	lines chan string // closed at the end of its output
	heard []string
}

func start(t *testing.T, program string, args ...string) *process {
	t.Helper()
	cmd := exec.Command(program, args...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, name: cmd.String(), stdin: stdin, lines: make(chan string, 1000)}
	go func() {
		defer close(p.lines)
		s := bufio.NewScanner(stdout)
		for s.Buffer(nil, 1<<20); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		for range p.lines {    // its output's end, before Wait closes the pipe
		}
		_ = cmd.Wait()
	})
	return p
}

func (p *process) say(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, s); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

func (p *process) close() { p.stdin.Close() }

// hears waits until the program has printed the line, now or before.
func (p *process) hears(line string) {
	p.t.Helper()
	p.find(line, func(heard string) bool { return heard == line })
}

// finds waits until the program has printed a line with this in it, and answers the line.
func (p *process) finds(part string) string {
	p.t.Helper()
	return p.find(part, func(heard string) bool { return strings.Contains(heard, part) })
}

func (p *process) find(what string, is func(heard string) bool) string {
	p.t.Helper()
	if i := slices.IndexFunc(p.heard, is); i >= 0 {
		return p.heard[i]
	}
	late := time.After(testkit.Patience)
	for {
		select {
		case got, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("%s ended without %.200q; it printed %.2000q", p.name, what, p.heard)
			}
			p.heard = append(p.heard, got)
			if is(got) {
				return got
			}
		case <-late:
			p.t.Fatalf("%s does not print %.200q; it printed %.2000q", p.name, what, p.heard)
		}
	}
}

// ends waits for the end of the program's output.
func (p *process) ends() {
	p.t.Helper()
	late := time.After(testkit.Patience)
	for {
		select {
		case _, ok := <-p.lines:
			if !ok {
				return
			}
		case <-late:
			p.t.Fatalf("%s does not end", p.name)
		}
	}
}
