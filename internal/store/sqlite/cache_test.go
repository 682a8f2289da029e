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
	s.writer.conversations.n, s.writer.members.n = 2, 2
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
