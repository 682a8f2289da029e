package text

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linnet-im/linnet/internal/link/sock"
)

// speaker writes down what it is asked, and echoes what is said.
type speaker struct {
	write func(p []byte)
	delay time.Duration // of each commit
	never bool          // nothing commits

	mu     sync.Mutex
	log    []string
	owed   int
	most   int // owed at a time
	left   int
	answer error
}

func (s *speaker) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, fmt.Sprintf(format, args...))
}

func (s *speaker) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.log, "|")
}

func (s *speaker) SignIn(name string) error {
	s.note("iam %s", name)
	return s.answer
}

func (s *speaker) Say(text string, done func(error)) {
	s.note("msg %s", text)
	s.mu.Lock()
	s.owed++
	s.most = max(s.most, s.owed)
	s.mu.Unlock()
	if s.never {
		return
	}
	commit := func() {
		if s.answer == nil {
			s.write([]byte("echo " + text + "\n"))
		}
		s.mu.Lock()
		s.owed--
		s.mu.Unlock()
		done(s.answer)
	}
	if s.delay == 0 {
		commit()
		return
	}
	time.AfterFunc(s.delay, commit)
}

func (s *speaker) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left++
}

// talk runs Serve on a pipe, with a clock of its own, and gives what the peer reads.
func talk(t *testing.T, s *speaker, first string, peer func(c net.Conn)) (read string, after time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		c := sock.New(a, &sock.Config{MaxQueue: 256 << 10})
		s.write = func(p []byte) { c.Send(p) }
		var all sync.WaitGroup
		all.Go(func() { Serve(c, []byte(first), s) })
		all.Go(func() {
			got, _ := io.ReadAll(b) // a pipe that was closed on this side ends with an error
			read = string(got)
		})
		began := time.Now()
		peer(b)
		<-c.Done()
		after = time.Since(began)
		_ = b.Close()
		all.Wait()
		if s.left == 0 {
			t.Error("did not leave")
		}
	})
	return read, after
}

// say writes parts, with a pause before each but the first.
func say(c net.Conn, pause time.Duration, parts ...string) {
	for i, p := range parts {
		if i > 0 {
			time.Sleep(pause)
		}
		_, _ = io.WriteString(c, p)
	}
}

func TestWhereFramesEnd(t *testing.T) {
	for _, tt := range []struct {
		name  string
		pause time.Duration
		parts []string
		want  string
	}{
		{"silence", 60 * time.Millisecond, []string{"iam:zhangsan", "msg:hello", "msg:again"}, "iam zhangsan|msg hello|msg again"},
		{"no silence", 40 * time.Millisecond, []string{"iam:zhang", "san", "\nmsg:hel", "lo"}, "iam zhangsan|msg hello"},
		{"byte by byte", 40 * time.Millisecond, strings.Split("msg:hello", ""), "msg hello"},
		{"a cut character", 1900 * time.Millisecond, []string{"msg:\xe5\x90", "\x83"}, "msg 吃"},
		{"no verb waits for its end", time.Minute, []string{"ms", "g:hello\n"}, "msg hello"},
		{"a slow typist", time.Minute, []string{"iam:a\n", "msg:b\n"}, "iam a|msg b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &speaker{}
			talk(t, s, "", func(c net.Conn) {
				say(c, tt.pause, tt.parts...)
				time.Sleep(3 * time.Second)
				_ = c.Close()
			})
			if got := s.said(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFirstBytes(t *testing.T) {
	s := &speaker{}
	talk(t, s, "iam:zhang", func(c net.Conn) {
		say(c, 0, "san")
		time.Sleep(silence)
		_ = c.Close()
	})
	if got := s.said(); got != "iam zhangsan" {
		t.Errorf("got %q", got)
	}
}

func TestErrorsAreLines(t *testing.T) {
	s := &speaker{answer: errors.New("not you\nboss: me")}
	read, _ := talk(t, s, "", func(c net.Conn) {
		say(c, 0, "iam:a\n", "msg:b\n", "hello\n", "msg:\xff\n")
		time.Sleep(time.Second)
		_ = c.Close()
	})
	lines := strings.Split(strings.TrimSuffix(read, "\n"), "\n")
	if len(lines) != 4 {
		t.Fatalf("got %q", read)
	}
	for _, l := range lines {
		if !strings.HasPrefix(l, "error: ") {
			t.Errorf("line %q", l)
		}
	}
}

func TestFlood(t *testing.T) {
	s := &speaker{}
	_, after := talk(t, s, "", func(c net.Conn) {
		for range maxErrors {
			say(c, 0, "x\n")
		}
		time.Sleep(errorTime + time.Second) // forgotten
		for range maxErrors {
			say(c, 0, "x\n")
		}
		say(c, 0, "msg:still here\n")
		synctest.Wait()
		if s.said() != "msg still here" {
			t.Errorf("closed at %d errors", maxErrors)
		}
		say(c, 0, "x\n")
	})
	if after != errorTime+time.Second {
		t.Errorf("closed after %v", after)
	}
}

func TestFullFlightStopsReading(t *testing.T) {
	s := &speaker{delay: time.Second}
	talk(t, s, "", func(c net.Conn) {
		for i := range 3 * inFlight {
			say(c, 0, fmt.Sprintf("msg:%d\n", i))
		}
		time.Sleep(5 * time.Second)
		_ = c.Close()
	})
	if n := strings.Count(s.said(), "msg "); n != 3*inFlight || s.most != inFlight {
		t.Errorf("%d messages, %d at a time", n, s.most)
	}
}

func TestAConnectionThatEndsWhileCommitsAreOwed(t *testing.T) {
	s := &speaker{never: true}
	talk(t, s, "", func(c net.Conn) {
		for i := range inFlight {
			say(c, 0, fmt.Sprintf("msg:%d\n", i))
		}
		_ = c.Close()
	})
}

// overTCP gives the peer's end of a served connection.
func overTCP(t *testing.T, s *speaker) (peer *net.TCPConn, served <-chan struct{}) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	dialed, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := sock.New(nc, &sock.Config{MaxQueue: 1 << 20})
	s.write = func(p []byte) { c.Send(p) }
	done := make(chan struct{})
	go func() {
		defer close(done)
		Serve(c, nil, s)
	}()
	t.Cleanup(func() {
		_ = dialed.Close()
		<-done
	})
	_ = dialed.SetDeadline(time.Now().Add(20 * time.Second))
	return dialed.(*net.TCPConn), done
}

// What nc does at the end of its input.
func TestHalfClose(t *testing.T) {
	s := &speaker{delay: 30 * time.Millisecond}
	peer, served := overTCP(t, s)
	say(peer, 0, "iam:a\nmsg:one\nmsg:two")
	_ = peer.CloseWrite()
	got, err := io.ReadAll(peer)
	// In which order they are committed is not the link's.
	if err != nil || string(got) != "echo one\necho two\n" && string(got) != "echo two\necho one\n" {
		t.Errorf("got %q, %v", got, err)
	}
	<-served
	if s.said() != "iam a|msg one|msg two" || s.left == 0 {
		t.Errorf("said %q, left %d times", s.said(), s.left)
	}
}

func TestHalfCloseWaitsNotForEver(t *testing.T) {
	if testing.Short() {
		t.Skip("takes five seconds")
	}
	t.Parallel()
	s := &speaker{never: true}
	peer, served := overTCP(t, s)
	began := time.Now()
	say(peer, 0, "msg:one\n")
	_ = peer.CloseWrite()
	if _, err := io.ReadAll(peer); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < lastWait {
		t.Errorf("ended after %v with a message owed", took)
	}
	<-served
}
