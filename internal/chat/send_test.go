package chat_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
)

// The ids were made with sha256sum and base32:
//
//	printf '\x00\x05alice\x00\x03bob' | sha256sum | cut -d' ' -f1 | xxd -r -p | base32 -w0 | tr A-Z a-z | cut -c1-26
func TestDirectID(t *testing.T) {
	for _, tt := range []struct {
		a, b chat.UserID
		want chat.ConversationID
	}{
		{"alice", "bob", "d_p7zntsgquqyenvjhahiqizsw3i"},
		{"bob", "alice", "d_p7zntsgquqyenvjhahiqizsw3i"},
		{"alice", "alice", "d_fqgqjbg4hnjfd5hfzremxrvr3w"},
	} {
		if got := chat.DirectID(tt.a, tt.b); got != tt.want {
			t.Errorf("DirectID(%q, %q) = %q, want %q", tt.a, tt.b, got, tt.want)
		}
	}
	if chat.DirectID("ab", "c") == chat.DirectID("a", "bc") {
		t.Error("two pairs have one id")
	}
}

func TestSendToUserBeginsTheDirectConversation(t *testing.T) {
	w := newWorld(t)
	first := w.mustSend("alice", toUser("bob", 1))
	second := w.mustSend("bob", toUser("alice", 1))
	third := w.mustSend("bob", into(first.Conversation, 2))
	want := chat.DirectID("alice", "bob")
	for i, p := range []chat.Place{first, second, third} {
		if p.Conversation != want || p.Seq != chat.Seq(i+1) {
			t.Errorf("message %d is at %+v", i+1, p)
		}
	}
	for _, u := range []chat.UserID{"alice", "bob"} {
		if got := len(w.log(u, want)); got != 3 {
			t.Errorf("%s lists %d events", u, got)
		}
	}
	if got := w.summary("bob", want).Unread; got != 0 {
		t.Errorf("bob, who answered, has %d unread", got)
	}
	if got := w.summary("alice", want).Unread; got != 2 {
		t.Errorf("alice has %d unread", got)
	}
	_, err := w.Conversation(t.Context(), as("carol"), want)
	wantCode(t, err, chat.CodeNotFound)
	_, err = w.send("carol", into(want, 3))
	wantCode(t, err, chat.CodeNotFound)
}

func TestSendToOneself(t *testing.T) {
	w := newWorld(t)
	p := w.mustSend("alice", toUser("alice", 1))
	if s := w.summary("alice", p.Conversation); s.Conversation.Members != 1 || s.Unread != 0 || s.Head != 1 {
		t.Errorf("got %+v", s)
	}
}

// Mutant: without the recall in sendOp.decide every repetition is another message.
func TestRepeatedSendIsTheFirst(t *testing.T) {
	w := newWorld(t)
	first := w.mustSend("alice", toUser("bob", 7))
	// The same message by the conversation's id is the same message.
	for _, m := range []chat.Send{toUser("bob", 7), into(first.Conversation, 7)} {
		again, err := w.send("alice", m)
		if err != nil || again != first {
			t.Errorf("got %+v, %v; want %+v", again, err, first)
		}
	}
	if p := w.mustSend("bob", toUser("alice", 7)); p.Seq != 2 {
		t.Errorf("another user's client_id is not alice's: got %+v", p)
	}
	if got := len(w.log("alice", first.Conversation)); got != 2 {
		t.Errorf("%d events, want 2", got)
	}
	commits, _ := w.bus.taken()
	if len(commits) != 2 {
		t.Errorf("%d events were published, want 2", len(commits))
	}
}

func TestClientIDUsedForSomethingElse(t *testing.T) {
	w := newWorld(t)
	first := w.mustSend("alice", toUser("bob", 7))
	cid, key := id(7)
	otherContent := toUser("bob", 7)
	otherContent.Content = text("something else")
	_, errContent := w.send("alice", otherContent)
	_, errPlace := w.send("alice", toUser("carol", 7))
	_, errMethod := w.CreateGroup(t.Context(), as("alice"), chat.CreateGroup{Key: key, ClientID: cid})
	for name, err := range map[string]error{"content": errContent, "conversation": errPlace, "method": errMethod} {
		var own *chat.Error
		if !errors.As(err, &own) || own.Code != chat.CodeConflict || own.First == nil {
			t.Fatalf("another %s: %v", name, err)
		}
		if diff := cmp.Diff(first, *own.First); diff != "" {
			t.Errorf("another %s: the first place (-want +got):\n%s", name, diff)
		}
	}
	if got := len(w.log("alice", first.Conversation)); got != 1 {
		t.Errorf("%d events, want 1", got)
	}
}

// The answer was lost, and before the repetition something happened for which a new
// message would be refused. Mutant: rights or rates before dedupe in sendOp.decide.
func TestRetryAfter(t *testing.T) {
	limits := chat.Limits{SendsPerSecond: 0.001, SendsBurst: 1, RoomSendsPerSec: 1000, RoomSendsBurst: 1000}
	limited := func(u chat.UserID) chat.Actor { return chat.Actor{User: u, Limited: true} }
	for _, tt := range []struct {
		name   string
		happen func(w *world, g chat.ConversationID) *world
		anew   chat.Code // what a new message gets then
	}{
		{"nothing", func(w *world, _ chat.ConversationID) *world { return w }, chat.CodeRate},
		{"kicked", func(w *world, g chat.ConversationID) *world {
			if _, err := w.RemoveMembers(w.t.Context(), as("owner"), change(g, 50, "alice")); err != nil {
				w.t.Fatal(err)
			}
			return w
		}, chat.CodeNotFound},
		{"left", func(w *world, g chat.ConversationID) *world {
			if _, err := w.leave("alice", g, 51); err != nil {
				w.t.Fatal(err)
			}
			return w
		}, chat.CodeNotFound},
		{"the clock says 2016", func(w *world, _ chat.ConversationID) *world {
			w.clock.set(time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC))
			return w
		}, chat.CodeRate},
		{"the clock says 2099", func(w *world, _ chat.ConversationID) *world {
			w.clock.set(time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC))
			return w
		}, ""},
		{"to another node", func(w *world, _ chat.ConversationID) *world {
			return newWorldOn(w.t, w.store, withLimits(limits))
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, withLimits(limits))
			g := w.group(40, false, "owner", "alice")
			first, err := w.start(limited("alice"), into(g, 1)).wait()
			if err != nil {
				t.Fatal(err)
			}
			at := tt.happen(w, g)
			for range 3 {
				again, err := at.start(limited("alice"), into(g, 1)).wait()
				if err != nil || again != first {
					t.Errorf("got %+v, %v; want %+v", again, err, first)
				}
			}
			_, err = at.start(limited("alice"), into(g, 2)).wait()
			wantCode(t, err, tt.anew)
			n := 0
			for _, e := range w.log("owner", g) {
				if e.ClientID == into(g, 1).ClientID {
					n++
				}
			}
			if n != 1 {
				t.Errorf("the message is in the log %d times", n)
			}
		})
	}
}

// gate is a store whose Updates wait until it opens.
type gate struct {
	chat.Store
	open chan struct{}

	mu      sync.Mutex
	updates int
}

func (g *gate) Update(ctx context.Context, keys chat.Keys, decide func(*chat.Rows) *chat.Changes) error {
	g.mu.Lock()
	g.updates++
	first := g.updates == 1 // the lobby is made
	g.mu.Unlock()
	if !first {
		<-g.open
	}
	return g.Store.Update(ctx, keys, decide)
}

func TestBatchWithDuplicatesLeavesNoHole(t *testing.T) {
	const messages, copies = 100, 3
	g := &gate{Store: memory.New(), open: make(chan struct{})}
	w := newWorldOn(t, g)
	var answers [messages][copies]*answer
	for n := range messages {
		for c := range copies {
			answers[n][c] = w.start(as("alice"), toUser("bob", n))
		}
	}
	close(g.open)
	for n := range messages {
		for c := range copies {
			p, err := answers[n][c].wait()
			if err != nil || p.Seq != chat.Seq(n+1) {
				t.Fatalf("copy %d of message %d: %+v, %v", c, n, p, err)
			}
		}
	}
	// One for the lobby, one for what had come when the first was taken, one for the rest.
	if g.updates > 3 {
		t.Errorf("%d updates: the sends were not gathered", g.updates)
	}
	wantWhole(t, w.log("bob", chat.DirectID("alice", "bob")), messages)
}

// wantWhole checks that a log holds the seqs from 1 to n, with times and counts that only grow.
func wantWhole(t *testing.T, log []event, n int) {
	t.Helper()
	if len(log) != n {
		t.Fatalf("%d events, want %d", len(log), n)
	}
	seen := make(map[string]bool)
	for i, e := range log {
		if e.Seq != chat.Seq(i+1) {
			t.Fatalf("event %d has seq %d", i+1, e.Seq)
		}
		if i > 0 && (e.Count < log[i-1].Count || e.Time.Before(log[i-1].Time)) {
			t.Fatalf("event %d: count or time went back", e.Seq)
		}
		if key := fmt.Sprint(e.From, " ", e.ClientID); seen[key] {
			t.Fatalf("%s is there twice", key)
		} else {
			seen[key] = true
		}
	}
}

// Two nodes get the same sends at once, in different order.
func TestTwoNodesLeaveNoHole(t *testing.T) {
	const messages = 200
	store := memory.NewConcurrent(nil)
	nodes := []*world{newWorldOn(t, store), newWorldOn(t, store)}
	var answers [2][messages]*answer
	var senders sync.WaitGroup
	for i, w := range nodes {
		senders.Go(func() {
			for k := range messages {
				n := k
				if i == 1 {
					n = (k + messages/2) % messages
				}
				answers[i][n] = w.start(as("alice"), toUser("bob", n))
			}
		})
	}
	senders.Wait()
	for n := range messages {
		p0, err0 := answers[0][n].wait()
		p1, err1 := answers[1][n].wait()
		if err0 != nil || err1 != nil || p0 != p1 {
			t.Fatalf("message %d: %+v, %v and %+v, %v", n, p0, err0, p1, err1)
		}
	}
	wantWhole(t, nodes[0].log("bob", chat.DirectID("alice", "bob")), messages)
	c0, _ := nodes[0].bus.taken()
	c1, _ := nodes[1].bus.taken()
	if len(c0)+len(c1) != messages {
		t.Errorf("%d and %d events were published, %d in all are right", len(c0), len(c1), messages)
	}
}

func TestSendsOfOneCallerKeepTheirOrder(t *testing.T) {
	const messages = 3000 // more than one commit takes
	w := newWorld(t)
	var others sync.WaitGroup
	others.Go(func() {
		for n := range messages {
			w.start(as("bob"), toUser("alice", n))
		}
	})
	answers := make([]*answer, messages)
	for n := range answers {
		answers[n] = w.start(as("alice"), toUser("bob", n))
	}
	others.Wait()
	last := chat.Seq(0)
	for n, a := range answers {
		p, err := a.wait()
		if err != nil {
			t.Fatal(err)
		}
		if p.Seq <= last {
			t.Fatalf("message %d has seq %d, the one before %d", n, p.Seq, last)
		}
		last = p.Seq
	}
	commits, _ := w.bus.taken()
	for i := 1; i < len(commits); i++ {
		if commits[i].Event.Seq != commits[i-1].Event.Seq+1 {
			t.Fatalf("published %d after %d", commits[i].Event.Seq, commits[i-1].Event.Seq)
		}
	}
}

func TestTimeNeverGoesBack(t *testing.T) {
	w := newWorld(t)
	first := w.mustSend("alice", toUser("bob", 1))
	w.clock.set(w.clock.now().Add(-time.Hour))
	second := w.mustSend("alice", toUser("bob", 2))
	if second.Time.Before(first.Time) {
		t.Errorf("the second message is of %v, the first of %v", second.Time, first.Time)
	}
}

// A link without client ids: what is said twice is there twice.
func TestSendWithoutClientID(t *testing.T) {
	w := newWorld(t)
	m := chat.Send{Conversation: chat.Lobby, Content: text("hi")}
	for want := range 2 {
		if p := w.mustSend("guest:ann", m); p.Seq != chat.Seq(want+1) {
			t.Errorf("got %+v", p)
		}
	}
}

func TestNewDirectConversationsAreLimited(t *testing.T) {
	w := newWorld(t, withLimits(chat.Limits{NewDirectsHourly: 2}))
	alice := chat.Actor{User: "alice", Limited: true}
	for n, want := range []chat.Code{"", "", chat.CodeRate} {
		_, err := w.start(alice, toUser(chat.UserID(fmt.Sprint("u", n)), n)).wait()
		wantCode(t, err, want)
	}
	// What is there already is not a new one.
	_, err := w.start(alice, toUser("u0", 10)).wait()
	wantCode(t, err, "")
	w.clock.set(w.clock.now().Add(time.Hour))
	_, err = w.start(alice, toUser("u2", 11)).wait()
	wantCode(t, err, "")
}
