package chat_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
)

// faulty is a store whose Updates fail while it has an error, after deciding and,
// where written is set, after writing.
type faulty struct {
	chat.Store

	mu      sync.Mutex
	err     error
	written bool
}

func (f *faulty) fail(err error, written bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err, f.written = err, written
}

func (f *faulty) Update(ctx context.Context, keys chat.Keys, decide func(*chat.Rows) *chat.Changes) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil || f.written {
		return errors.Join(f.Store.Update(ctx, keys, decide), f.err)
	}
	decided := func(r *chat.Rows) *chat.Changes {
		decide(r)
		return &chat.Changes{}
	}
	return errors.Join(f.Store.Update(ctx, keys, decided), f.err)
}

func TestFailedCommits(t *testing.T) {
	for _, tt := range []struct {
		name    string
		err     error
		written bool
		code    chat.Code
		wait    bool // the answer says when to come back
	}{
		{"disk full", chat.ErrFull, false, chat.CodeStorage, true},
		{"commit lost, not written", chat.ErrUnknownOutcome, false, chat.CodeUnknown, false},
		{"commit lost, written", chat.ErrUnknownOutcome, true, chat.CodeUnknown, false},
		{"another error", errors.New("broken"), false, chat.CodeBusy, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := &faulty{Store: memory.New()}
			w := newWorldOn(t, store)
			before := w.mustSend("alice", toUser("bob", 1))
			w.bus.taken()
			store.fail(tt.err, tt.written)
			_, err := w.send("alice", toUser("bob", 2))
			wantCode(t, err, tt.code)
			var own *chat.Error
			if errors.As(err, &own) && (own.RetryAfter > 0) != tt.wait {
				t.Errorf("retry after %v", own.RetryAfter)
			}
			if !errors.Is(err, tt.err) {
				t.Errorf("%v does not hold its cause", err)
			}
			if commits, _ := w.bus.taken(); len(commits) != 0 {
				t.Errorf("published %d events of a failed commit", len(commits))
			}
			// A repetition that is answered by the rows alone waits for no disk, but what
			// it saw may have been of the failed batch: it is told the same.
			_, err = w.send("alice", toUser("bob", 1))
			wantCode(t, err, tt.code)

			store.fail(nil, false)
			again := w.mustSend("alice", toUser("bob", 2))
			if again.Seq != before.Seq+1 {
				t.Errorf("repeated, it is at %d", again.Seq)
			}
			wantWhole(t, w.log("bob", before.Conversation), 2)
		})
	}
}

// Sends that are refused for what a failed batch would have written are not refused for
// good. Mutant: commit keeps op.err of the refused ones.
func TestRefusedInAFailedBatch(t *testing.T) {
	store := &faulty{Store: memory.New()}
	g := &gate{Store: store, open: make(chan struct{})}
	w := newWorldOn(t, g)
	store.fail(chat.ErrFull, false)
	warm := w.start(as("alice"), toUser("bob", 0)) // the committer waits in this one
	first := w.start(as("alice"), toUser("bob", 1))
	other := toUser("bob", 1)
	other.Content = text("something else")
	second := w.start(as("alice"), other)
	close(g.open)
	for _, a := range []*answer{warm, first, second} {
		_, err := a.wait()
		wantCode(t, err, chat.CodeStorage)
	}
}

func TestCloseAnswersEverything(t *testing.T) {
	g := &gate{Store: memory.New(), open: make(chan struct{})}
	w := newWorldOn(t, g)
	const sends = 2500
	answers := make([]*answer, sends)
	for n := range answers {
		answers[n] = w.start(as("alice"), toUser("bob", n))
	}
	closed := make(chan struct{})
	go func() { w.Close(); close(closed) }()
	// Until it is closed, sends are taken; then they are refused at once.
	late := 0
	for n := sends; ; n++ {
		a := w.start(as("alice"), toUser("bob", n))
		select {
		case <-a.done:
		default:
			answers = append(answers, a)
			continue
		}
		_, err := a.wait()
		wantCode(t, err, chat.CodeBusy)
		var own *chat.Error
		if !errors.As(err, &own) || own.RetryAfter != time.Second {
			t.Errorf("got %v", err)
		}
		late++
		break
	}
	select {
	case <-closed:
		t.Error("Close returned before what waited was answered")
	default:
	}
	close(g.open)
	<-closed
	for n, a := range answers {
		select {
		case <-a.done:
		default:
			t.Fatalf("send %d is not answered when Close has returned", n)
		}
		if p, err := a.wait(); err != nil || p.Seq != chat.Seq(n+1) {
			t.Fatalf("send %d: %+v, %v", n, p, err)
		}
	}
	if late != 1 {
		t.Error("nothing was refused")
	}
	w.Close() // a second time
}

// A caller that does not wait hears that, and what it asked for happens all the same.
func TestCallerThatDoesNotWait(t *testing.T) {
	g := &gate{Store: memory.New(), open: make(chan struct{})}
	w := newWorldOn(t, g)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cid, key := id(1)
	create := chat.CreateGroup{Key: key, ClientID: cid, Name: "g"}
	_, err := w.CreateGroup(ctx, as("alice"), create)
	wantCode(t, err, chat.CodeUnknown)
	_, _, err = w.MarkRead(ctx, as("alice"), "g_none", 1)
	wantCode(t, err, chat.CodeUnknown)
	close(g.open)
	p, err := w.CreateGroup(t.Context(), as("alice"), create)
	if err != nil || p.Seq != 1 {
		t.Errorf("repeated: %+v, %v", p, err)
	}
	wantSeqs(t, w.seqs("alice", p.Conversation), 1)
}
