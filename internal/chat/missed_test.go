package chat_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
)

// moving is a store in which something happens just before a page of what changed is read.
type moving struct {
	chat.Store
	before func()
}

func (m *moving) Changed(ctx context.Context, q chat.Changed) ([]chat.Entry, error) {
	if m.before != nil {
		m.before()
	}
	return m.Store.Changed(ctx, q)
}

// listener is a Teller that is to be told each event of a conversation once, in order.
type listener struct {
	t    *testing.T
	last map[chat.ConversationID]chat.Seq
}

func (l *listener) Event(r chat.Record) error {
	var e struct{ Conversation chat.ConversationID }
	if err := json.Unmarshal(r.JSON, &e); err != nil {
		return err
	}
	if r.Seq != l.last[e.Conversation]+1 {
		l.t.Errorf("%s: told %d after %d", e.Conversation, r.Seq, l.last[e.Conversation])
	}
	l.last[e.Conversation] = r.Seq
	return nil
}

func (l *listener) Gap(id chat.ConversationID, from, to chat.Seq) error {
	l.t.Errorf("a gap: %s %d to %d", id, from, to)
	return nil
}

func (l *listener) Reset(f []chat.Forked) error {
	l.t.Errorf("a reset: %v", f)
	return nil
}

// While the pages of what changed are read, conversations are written to that come later
// in them. From one cursor to the next each event is told once. Mutants: a walk that ends
// where it began, as sync's, whose clients list from what they hold; one that does not
// look again after several pages; a head that is read later than the cursor.
func TestMissedWhileConversationsMove(t *testing.T) {
	store := &moving{Store: memory.New()}
	w := newWorldOn(t, store)
	_, cursor, _ := w.syncAll("alice", "", 100)
	const conversations = 450 // three pages
	sent := 0
	say := func(n int) {
		w.mustSend(chat.UserID(fmt.Sprint("u", n%conversations)), toUser("alice", sent))
		sent++
	}
	for n := range conversations {
		say(n)
	}
	l := &listener{t: t, last: make(map[chat.ConversationID]chat.Seq)}
	oldest := 0
	store.before = func() {
		for range 3 { // these had their turn the longest ago, and are last in the pages
			say(oldest)
			oldest++
		}
	}
	for range 5 {
		next, told, err := w.Missed(t.Context(), as("alice"), cursor, nil, l)
		if err != nil {
			t.Fatal(err)
		}
		for id, seq := range told {
			if l.last[id] != seq {
				t.Errorf("%s: it says it told up to %d, and told %d", id, seq, l.last[id])
			}
		}
		cursor = next
		for n := range 50 {
			say(n * 7)
		}
	}
	store.before = nil
	if _, _, err := w.Missed(t.Context(), as("alice"), cursor, nil, l); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, seq := range l.last {
		total += int(seq)
	}
	if total != sent {
		t.Errorf("%d were sent, %d told", sent, total)
	}
}
