package sqlite

import (
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
)

func TestLRU(t *testing.T) {
	c := newLRU[string, int](2)
	c.put("a", 1)
	c.put("b", 2)
	c.put("a", 3)
	c.put("c", 4) // b was used longest ago
	for key, want := range map[string]int{"a": 3, "b": 0, "c": 4} {
		if got, ok := c.get(key); got != want || ok != (want != 0) {
			t.Errorf("%s: %d, %v", key, got, ok)
		}
	}
	if len(c.byKey) != 2 || c.order.Len() != 2 {
		t.Errorf("it holds %d and %d", len(c.byKey), c.order.Len())
	}
}

// More rows than the writer keeps in memory: what was dropped is read again.
func TestSmallCache(t *testing.T) {
	s := openAt(t, t.TempDir()+"/store.db")
	s.writer.memory.conversations.n, s.writer.memory.members.n = 2, 2
	for range 3 {
		for _, id := range []string{"a", "b", "c", "d"} {
			if err := say(s, chat.ConversationID(id), 2, 10); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, id := range []string{"a", "b", "c", "d"} {
		head, err := s.Conversation(t.Context(), chat.ConversationID(id))
		if err != nil || head.Seq != 6 {
			t.Errorf("%s: %+v, %v", id, head, err)
		}
	}
}

// What memory answers is what the file answers; what it does not hold whole it leaves.
func TestTail(t *testing.T) {
	s := openAt(t, t.TempDir()+"/store.db")
	if err := say(s, "c", 300, 10); err != nil {
		t.Fatal(err)
	}
	held := 0
	for from := chat.Seq(1); from <= 300; from += 7 {
		for _, newest := range []bool{false, true} {
			r := chat.EventRange{Conversation: "c", From: from, To: min(300, from+90), Limit: 50, Newest: newest}
			got, ok := s.writer.memory.events(r)
			if !ok {
				continue
			}
			held++
			s.writer.memory.tails = newLRU[chat.ConversationID, *tail](1)
			want, err := s.Events(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(want) {
				t.Fatalf("%+v: %d events, not %d", r, len(got), len(want))
			}
			for i := range got {
				if got[i].Seq != want[i].Seq || string(got[i].JSON) != string(want[i].JSON) {
					t.Fatalf("%+v: %d is %s, not %s", r, i, got[i].JSON, want[i].JSON)
				}
			}
			s.writer.memory.tails = refill(t, s)
		}
	}
	if held == 0 {
		t.Error("nothing was answered from memory")
	}
}

// refill makes the tail of conversation c anew, as commits do.
func refill(t *testing.T, s *Store) *lru[chat.ConversationID, *tail] {
	t.Helper()
	m := newMemory()
	records, err := s.Events(t.Context(), chat.EventRange{Conversation: "c", From: 1, To: 300, Limit: 300})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		m.append(&chat.Event{Conversation: "c", Seq: r.Seq, JSON: r.JSON})
	}
	return m.tails
}

func TestTailBounds(t *testing.T) {
	m := newMemory()
	body := make([]byte, 1<<20)
	for c := range 100 {
		id := chat.ConversationID(rune('a' + c))
		m.append(&chat.Event{Conversation: id, Seq: 1, JSON: body})
	}
	m.append(&chat.Event{Conversation: "gap", Seq: 1, JSON: body[:10]})
	m.append(&chat.Event{Conversation: "gap", Seq: 3, JSON: body[:10]})
	sum := 0
	for _, e := range m.tails.byKey {
		for _, r := range e.Value.(*entry[chat.ConversationID, *tail]).value.records {
			sum += len(r.JSON)
		}
	}
	if sum != m.bytes || sum > tailBytes {
		t.Errorf("holds %d bytes, counts %d, may hold %d", sum, m.bytes, tailBytes)
	}
	if _, ok := m.events(chat.EventRange{Conversation: "gap", From: 1, To: 3, Limit: 5}); ok {
		t.Error("a tail with a gap was answered")
	}
}
