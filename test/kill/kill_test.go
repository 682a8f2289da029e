package kill

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/linnet-im/linnet/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }

const (
	senders = 8  // half of them over TCP, half over WebSocket
	window  = 32 // sends a sender has in flight
	repeats = 20 // acknowledged sends of each sender that are repeated after a kill
)

func TestKill(t *testing.T) {
	kills := envInt(t, "LINNET_KILLS", 20)
	seed := envInt(t, "LINNET_KILL_SEED", int(time.Now().UnixNano()))
	fmt.Printf("LINNET_KILL_SEED=%d\n", seed)
	rng := rand.New(rand.NewPCG(uint64(seed), 0))

	server := testkit.Start(t)
	all := newSenders(t, server)
	inFlight := 0
	for range kills {
		acknowledged := flood(t, server, server.Kill, all, 100+rng.Int64N(3000))
		for _, s := range all {
			inFlight += len(s.unknown())
		}
		server.Restart()
		each(t, all, func(s *sender) error { return s.recover(server) })
		if t.Failed() {
			return
		}
		check(t, server, all)
		t.Logf("killed after %d acknowledged sends", acknowledged)
	}
	if inFlight == 0 {
		t.Fatal("no kill ever hit a send in flight: the test tests nothing")
	}
}

func newSenders(t *testing.T, server *testkit.Server) []*sender {
	t.Helper()
	all := make([]*sender, senders)
	for i := range all {
		name, next := fmt.Sprintf("u%d", i), fmt.Sprintf("u%d", (i+1)%senders)
		all[i] = &sender{name: name, next: next, token: server.TokenFor(t, name), webSocket: i%2 == 1}
	}
	return all
}

// flood sends from all senders, once all are signed in, and ends the server when so many
// are acknowledged.
func flood(t *testing.T, server *testkit.Server, end func(), all []*sender, after int64) int64 {
	t.Helper()
	each(t, all, func(s *sender) (err error) {
		s.client, err = s.connect(server)
		return err
	})
	if t.Failed() {
		t.FailNow()
	}
	var acknowledged atomic.Int64
	now, over, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-now:
		case <-over: // before it: a sender failed
		case <-time.After(time.Minute):
			t.Errorf("%d sends were not acknowledged in a minute", after)
		}
		end()
	}()
	each(t, all, func(s *sender) error {
		return s.flood(func() {
			if acknowledged.Add(1) == after {
				close(now)
			}
		})
	})
	close(over)
	<-done
	if t.Failed() {
		t.FailNow()
	}
	return acknowledged.Load()
}

// each runs f for all senders at once.
func each(t *testing.T, all []*sender, f func(*sender) error) {
	t.Helper()
	var wg sync.WaitGroup
	for _, s := range all {
		wg.Go(func() {
			if err := f(s); err != nil {
				t.Errorf("%s: %v", s.name, err)
			}
		})
	}
	wg.Wait()
}

// check compares what the server lists with what the senders know.
func check(t *testing.T, server *testkit.Server, all []*sender) {
	t.Helper()
	logs := make(map[string][]testkit.Event)
	for _, s := range all {
		c, err := s.connect(server)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range s.sent {
			if logs[m.place.Conversation] != nil {
				continue
			}
			// No seq is missing: History checks it.
			if logs[m.place.Conversation], err = c.History(m.place.Conversation); err != nil {
				t.Fatal(err)
			}
		}
		c.Close()
	}
	for _, s := range all {
		last := make(map[string]int64) // the seq of the sender's send before, by conversation
		for _, m := range s.sent {
			log := logs[m.place.Conversation]
			if m.place.Seq < 1 || m.place.Seq > int64(len(log)) {
				t.Fatalf("%s was answered seq %d of %s, which ends at %d", m.clientID, m.place.Seq, m.place.Conversation, len(log))
			}
			if e := log[m.place.Seq-1]; e.ClientID != m.clientID || e.From != s.name {
				t.Fatalf("%s %d: is %s by %s, not %s by %s", e.Conversation, e.Seq, e.ClientID, e.From, m.clientID, s.name)
			}
			if m.place.Seq <= last[m.place.Conversation] {
				t.Fatalf("%s: seq %d was sent after %d", m.place.Conversation, m.place.Seq, last[m.place.Conversation])
			}
			last[m.place.Conversation] = m.place.Seq
		}
	}
	for id, log := range logs {
		seen := make(map[string]int64)
		for _, e := range log {
			if first := seen[e.ClientID]; first != 0 {
				t.Fatalf("%s: %s stands at %d and %d", id, e.ClientID, first, e.Seq)
			}
			seen[e.ClientID] = e.Seq
		}
	}
}

// One send over three connections at once is one message, and each is told the same.
func TestSameSendOverThreeConnections(t *testing.T) {
	server := testkit.Start(t)
	token := server.TokenFor(t, "alice")
	tcp, ws := server.Dial(t), server.DialWS(t)
	tcp.SignIn(t, token)
	ws.SignIn(t, token)
	overHTTP := &testkit.HTTP{Server: server, Token: token}
	calls := []func(method string, params, result any) error{tcp.Call, ws.Call, overHTTP.Call}
	const rounds = 100
	for i := range rounds {
		m := testkit.Message("lobby", uuid.NewString(), fmt.Sprint("message ", i))
		places, errs := make([]testkit.Place, len(calls)), make([]error, len(calls))
		var wg sync.WaitGroup
		for j, call := range calls {
			wg.Go(func() { errs[j] = call("messages.send", m, &places[j]) })
		}
		wg.Wait()
		for j := range calls {
			if errs[j] != nil || places[j] != places[0] {
				t.Fatalf("round %d: answers %v, errors %v", i, places, errs)
			}
		}
	}
	log, err := tcp.History("lobby")
	if err != nil {
		t.Fatal(err)
	}
	if len(log) != rounds {
		t.Fatalf("%d sends are %d events", rounds, len(log))
	}
}

func envInt(t *testing.T, name string, otherwise int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 {
		t.Fatalf("%s=%q: a number above 0", name, s)
	}
	return n
}
