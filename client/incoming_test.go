package client

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
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
