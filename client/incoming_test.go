package client

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linnet-im/linnet/wire"
)

// incoming collects the seqs that Incoming gives. The program that takes them is busy with
// the fifth until goOn is closed.
func incoming(t *testing.T, c *Client, goOn <-chan struct{}) (given func() []int64) {
	t.Helper()
	var mu sync.Mutex
	var seqs []int64
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go func() {
		for e, err := range c.Incoming(ctx) {
			if err != nil {
				return
			}
			mu.Lock()
			seqs = append(seqs, e.Seq)
			mu.Unlock()
			if e.Seq == 5 {
				<-goOn
			}
		}
	}()
	synctest.Wait()
	return func() []int64 {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seqs)
	}
}

func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// The server restarts: what was told live since the last cursor is compared with what it
// has, and given to nobody again. Mutant: doubt that drops without a look.
func TestIncomingThroughARestart(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		s.history("g", &n)
		sent := s.sends(fine)
		defer running(t, c)()
		given := incoming(t, c, closed())
		for i := 1; i <= 300; i++ { // more than a page of them
			n.Store(int64(i))
			s.notify("event", event("g", i, "bob"))
		}
		synctest.Wait()
		s.answer("session.open", `{"user":{"id":"alice"},"session":"s","epoch":"e2","cursor":"c","heartbeat_ms":25000,"proto":1,"limits":{}}`)
		s.answer("sync", `{"epoch":"e2","conversations":[{"id":"g","kind":"group","seq":301}],"cursor":"c2"}`)
		n.Store(301)
		s.cut()
		pass(2 * time.Second)
		wantPhase(t, c, Connected)
		want := make([]int64, 301)
		for i := range want {
			want[i] = int64(i) + 1
		}
		if got := given(); !slices.Equal(got, want) {
			t.Errorf("given %d events, not each of %d once", len(got), len(want))
		}
		if got := sent(); len(got) != 0 {
			t.Errorf("sent again: %v", got)
		}
	})
}

// The store went back: what is new above the fork is given, however fast it came back to
// where it was. Mutants: unsee left out; a fork that gives all of the conversation again.
func TestIncomingThroughAFork(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		s.history("g", &n)
		defer running(t, c)()
		goOn := make(chan struct{})
		given := incoming(t, c, goOn)
		for i := 1; i <= 5; i++ {
			n.Store(int64(i))
			s.notify("event", event("g", i, "bob"))
		}
		synctest.Wait()
		s.answer("sync", `{"epoch":"e2","reset":true,"conversations":[{"id":"g","kind":"group","seq":6,"fork_seq":3}],"cursor":"d1"}`)
		n.Store(6)
		s.cut()
		pass(2 * time.Second)
		wantTimeline(t, c, "g", 1, 6)
		close(goOn)
		if got, want := given(), []int64{1, 2, 3, 4, 5, 4, 5, 6}; !slices.Equal(got, want) {
			t.Errorf("given %v, want %v", got, want)
		}
	})
}

// When Run ends, so do the loops, and who waits is told why. Mutants: a loop that waits on;
// stop without its reason.
func TestIncomingEndsWithRun(t *testing.T) {
	bubble(t, func(cfg *Config) { cfg.Token, cfg.Guest = nil, "ann" }, func(t *testing.T, s *fake, c *Client) {
		s.on("session.open", func(json.RawMessage) (any, string) { return nil, `{"code":"guests_off"}` })
		ended := make(chan error, 1)
		go func() {
			for _, err := range c.Incoming(t.Context()) {
				ended <- err
			}
		}()
		waiting := c.mustSend(t, "a", "hello")
		running(t, c)
		var answered *Error
		if err := <-ended; !errors.As(err, &answered) || answered.Code != wire.CodeGuests {
			t.Errorf("the loop ended with %v", err)
		}
		if _, err := waiting.Wait(t.Context()); !errors.Is(err, ErrStopped) || !errors.As(err, &answered) {
			t.Errorf("the message waits for %v", err)
		}
		for _, err := range c.Incoming(t.Context()) { // one that begins too late
			if !errors.As(err, &answered) {
				t.Error(err)
			}
		}
	})
}

// What comes while the past is being fetched moves nothing of it. Mutant: the last n of
// what is held by then.
func TestIncomingSinceWhileMoreComes(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		s.history("g", &n)
		n.Store(10)
		s.answer("sync", `{"epoch":"e","conversations":[{"id":"g","kind":"group","seq":10}],"cursor":"c1"}`)
		hold := make(chan struct{})
		list := s.methods["messages.list"]
		s.on("messages.list", func(p json.RawMessage) (any, string) {
			answer, code := list(p)
			<-hold
			return answer, code
		})
		defer running(t, c)()
		wantPhase(t, c, Connected)
		got := make(chan int64, 20)
		go func() {
			for e, err := range c.IncomingSince(t.Context(), func(conv Conversation) int { return int(conv.Seq - 5) }) {
				if err != nil {
					return
				}
				got <- e.Seq
			}
		}()
		synctest.Wait()
		n.Store(12)
		s.notify("event", event("g", 11, "bob"))
		s.notify("event", event("g", 12, "bob"))
		synctest.Wait()
		close(hold)
		for want := int64(6); want <= 12; want++ {
			if seq := <-got; seq != want {
				t.Fatalf("seq %d, want %d", seq, want)
			}
		}
	})
}
