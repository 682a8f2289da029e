package client

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// The answer to a read counts an event that is still on its way here: it is counted once.
// Mutant: Read without countUnread.
func TestReadCountsOnce(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		s.history("g", &n)
		defer running(t, c)()
		for i := 1; i <= 3; i++ {
			n.Store(int64(i))
			s.notify("event", event("g", i, "bob"))
		}
		synctest.Wait()
		s.answer("messages.read", `{"conversation":"g","read_seq":2,"unread":2}`) // 3 and 4
		if err := c.Read(t.Context(), "g", 2); err != nil {
			t.Fatal(err)
		}
		n.Store(4)
		s.notify("event", event("g", 4, "bob"))
		synctest.Wait()
		if conv, _ := c.Conversation("g"); conv.ReadSeq != 2 || conv.Unread != 2 {
			t.Errorf("read to %d, %d unread; want 2 and 2", conv.ReadSeq, conv.Unread)
		}
	})
}
