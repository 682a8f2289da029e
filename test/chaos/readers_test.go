package chaos

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/linnet-im/linnet/internal/testkit"
)

// The same hundred cuts with a reader that is only what the documents ask for. One in ten
// is another connection that opens the same session, and so ends the reader's; one in
// twenty comes after a silence in which the reader was given a checkpoint, and it trusts
// it. A sync in silence tells all that was acknowledged before, and in the end the reader
// holds what the server has.
//
// Mutants that were tried, on the server: sync's new cursor made at its end; a page of a
// walk that leaves out what follows it closely; checkpoints ahead of what was delivered.
func TestBareReaderCutOff(t *testing.T) {
	w := newWorld(t)
	proxy := testkit.NewProxy(t, w.server.Addr)
	ben := w.newAuthor()
	reader := newBare(ben, rand.New(rand.NewPCG(w.seed, 1)))
	w.cutOff(reader, proxy, reader.read, func(round int) bool {
		switch {
		case round%killEvery == killEvery/2:
			w.session("ann", reader.session).Close()
		case round%(2*killEvery) == 1:
			ben.pause(func() { w.untilCheckpoint(reader, ben) })
			proxy.Cut(false)
		default:
			return false
		}
		return true
	})
	for _, way := range []string{"pushed", "listed", "checkpoint", "sync in silence"} {
		if reader.met[way] == 0 {
			t.Errorf("it was told nothing in this way: %s", way)
		}
	}
}

// newAuthor makes ben, who writes to ann and to groups with her.
func (w *world) newAuthor() *author {
	w.t.Helper()
	ben := &author{w: w, user: "ben", to: []map[string]string{{"user": "ann"}}, acked: make(map[string]int64)}
	for range 4 {
		ben.to = append(ben.to, map[string]string{"conversation": w.newGroup("ann", "ben")})
	}
	return ben
}

// cutOff cuts off a reader again and again while its author writes: by its network, by
// kill -9 of the server, or as special does it in the rounds that it takes. Then it lets
// the reader come back in silence, and compares what it holds with the store.
func (w *world) cutOff(reader *bare, proxy *testkit.Proxy, read func(w *world, addr string, stop <-chan struct{}) error, special func(round int) bool) {
	t, ben := w.t, reader.author
	t.Helper()
	stop := make(chan struct{})
	var reading, writing sync.WaitGroup
	reading.Go(func() {
		if err := read(w, proxy.Addr, stop); err != nil {
			t.Error(err)
		}
	})
	writing.Go(func() {
		if err := ben.write(stop); err != nil {
			t.Error(err)
		}
	})
	for round := 0; round < number(t, "LINNET_CHAOS_CUTS", 100) && !t.Failed(); round++ {
		switch {
		case round%killEvery == killEvery-1:
			w.server.Kill()
			w.server.Restart()
		case !special(round):
			trouble(rand.New(rand.NewPCG(w.seed, uint64(round+2))), proxy)
		}
		if w.rng.IntN(2) == 0 { // else it is met while it comes back
			had := reader.count("pushed")
			w.until("the reader reads", func() bool { return reader.count("pushed") > had || t.Failed() })
		}
	}
	ben.pause(func() {
		proxy.Cut(true)
		logs := make(map[string][]testkit.Event)
		_, acked := ben.state()
		for id := range acked {
			logs[id] = w.history("ann", id)
			w.until("the reader has all of "+id, func() bool { return reader.upTo(id) == int64(len(logs[id])) || t.Failed() })
		}
		close(stop)
		proxy.Cut(true)
		reading.Wait()
		reader.equals(t, logs)
	})
	writing.Wait()
	t.Logf("told in these ways: %v", reader.met)
}

// untilCheckpoint writes until the reader is pushed something, and waits until that is
// vouched for.
func (w *world) untilCheckpoint(reader *bare, ben *author) {
	w.t.Helper()
	pushed, vouched := reader.count("pushed"), reader.count("checkpoint")
	for reader.count("pushed") == pushed && !w.t.Failed() {
		place, err := ben.say()
		if err != nil {
			w.t.Fatal(err)
		}
		w.until("the reader has it", func() bool { return reader.upTo(place.Conversation) >= place.Seq || w.t.Failed() })
	}
	w.until("the reader has a checkpoint", func() bool { return reader.count("checkpoint") > vouched || w.t.Failed() })
}

// equals compares what is held with the logs.
func (b *bare) equals(t *testing.T, logs map[string][]testkit.Event) {
	t.Helper()
	for id, log := range logs {
		if len(b.held[id]) != len(log) {
			t.Fatalf("%s: the reader holds %d events, the server has %d", id, len(b.held[id]), len(log))
		}
		for i, e := range log {
			if h := b.held[id][i]; h.ClientID != e.ClientID || !bytes.Equal(h.Content, e.Content) {
				t.Fatalf("%s %d: the reader holds %+v, the server has %+v", id, e.Seq, h, e)
			}
		}
	}
}
