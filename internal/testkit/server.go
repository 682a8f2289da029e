package testkit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// startTime is how long a server may take to start or to stop.
const startTime = 15 * time.Second

// Server is a running `linnet serve` on a folder and a port of its own.
type Server struct {
	Addr string // host:port, TCP and UDP
	Data string // its folder

	t    testing.TB
	args []string
	cmd  *exec.Cmd
	log  *output
	done chan struct{} // closed when the process has ended
}

// Start runs a server in a new folder until the test ends; args follow its own.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	s := &Server{Addr: "127.0.0.1:0", Data: filepath.Join(t.TempDir(), "linnet-data"), t: t, args: args}
	s.start()
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Logf("the server's output:\n%s", s.log.tail(1500))
		}
	})
	return s
}

// printed finds the address in what the server prints once it serves: lines before that,
// of where it gets keys from for example, have addresses too.
var printed = regexp.MustCompile(`127\.0\.0\.1:[1-9][0-9]*`)

func (s *Server) start() {
	s.t.Helper()
	s.cmd = Command(s.t, append([]string{"serve", "--listen", s.Addr, "--data", s.Data}, s.args...)...)
	r, w, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd.Stdout, s.cmd.Stderr = w, w
	err = s.cmd.Start()
	w.Close()
	if err != nil {
		s.t.Fatal(err)
	}
	if s.log == nil {
		s.log = &output{}
	}
	found, done := make(chan string, 1), make(chan struct{})
	s.done = done
	go func(cmd *exec.Cmd) {
		s.log.read(r, found)
		_ = cmd.Wait() // killed ones have an error, and stopped ones are asked by Stop
		close(done)
	}(s.cmd)
	select {
	case s.Addr = <-found:
	case <-done:
		s.t.Fatalf("the server did not start:\n%s", s.log.tail(4000))
	case <-time.After(startTime):
		s.cmd.Process.Kill()
		s.t.Fatalf("the server printed no address in %v:\n%s", startTime, s.log.tail(4000))
	}
	s.waitReady()
}

// waitReady returns when the server says that it serves.
func (s *Server) waitReady() {
	s.t.Helper()
	var last error
	for deadline := time.Now().Add(startTime); time.Now().Before(deadline); {
		resp, err := http.Get(s.URL("/readyz"))
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
			err = fmt.Errorf("/readyz: %s", resp.Status)
		}
		last = err
		select {
		case <-s.done:
			s.t.Fatalf("the server ended:\n%s", s.log.tail(4000))
		case <-time.After(10 * time.Millisecond):
		}
	}
	s.t.Fatalf("the server is not ready: %v", last)
}

// URL gives the URL of a path on the server.
func (s *Server) URL(path string) string { return "http://" + s.Addr + path }

// Kill ends the server as kill -9 does and waits until it is gone.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill() // it may have ended already
	<-s.done
}

// Stop asks the server to end, as an operator does, and fails if it does not end well.
func (s *Server) Stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatalf("stop the server: %v", err)
	}
	select {
	case <-s.done:
	case <-time.After(startTime):
		s.t.Fatalf("the server did not end within %v of SIGTERM", startTime)
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		s.t.Fatalf("the server ended with code %d:\n%s", code, s.log.tail(4000))
	}
}

// Restart starts an ended server again, on the same folder and port.
func (s *Server) Restart() {
	s.t.Helper()
	s.start()
}

// Log gives what the server has printed so far.
func (s *Server) Log() string { return s.log.tail(1 << 30) }

// RSS gives the server's resident memory in bytes, 0 where the system does not tell.
func (s *Server) RSS() int64 {
	s.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.cmd.Process.Pid))
	if errors.Is(err, os.ErrNotExist) && runtime.GOOS != "linux" {
		return 0
	}
	if err != nil {
		s.t.Fatal(err)
	}
	fields := strings.Fields(string(b))
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// output collects what a process prints.
type output struct {
	mu   sync.Mutex
	text []byte
}

// read reads to the end of r and gives the first address that is served on to found.
func (o *output) read(r io.ReadCloser, found chan<- string) {
	defer r.Close()
	serves, seen := false, false
	for in := bufio.NewReader(r); ; {
		line, err := in.ReadString('\n')
		o.mu.Lock()
		o.text = append(o.text, line...)
		o.mu.Unlock()
		serves = serves || strings.Contains(line, "serves on")
		if m := printed.FindString(line); serves && m != "" && !seen {
			seen = true
			found <- m
		}
		if err != nil {
			return
		}
	}
}

func (o *output) tail(n int) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text[max(0, len(o.text)-n):])
}
