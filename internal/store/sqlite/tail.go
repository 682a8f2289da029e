package sqlite

import (
	"sync"

	"github.com/linnet-im/linnet/internal/chat"
)

const (
	// tailEvents is how many of a conversation's newest events are kept in memory: what
	// a client asks for that opens it.
	tailEvents = 64
	// tailBytes bounds the events kept, of all conversations together.
	tailBytes = 32 << 20
)

// memory is what reads are answered from without SQLite: head and member rows as they
// were last committed, and the newest events of conversations. It is filled by commits
// and may lack anything. Its lock is never held over a call of SQLite's.
type memory struct {
	mu            sync.Mutex
	conversations *lru[chat.ConversationID, conversation]
	members       *lru[chat.MemberKey, chat.Member]
	tails         *lru[chat.ConversationID, *tail]
	bytes         int // in tails
}

// tail is a run of events without a gap. What is within it is answered from it, whether
// or not it reaches to the head.
type tail struct {
	records []chat.Record
	bytes   int
}

func newMemory() *memory {
	return &memory{
		conversations: newLRU[chat.ConversationID, conversation](cachedConversations),
		members:       newLRU[chat.MemberKey, chat.Member](cachedMembers),
		tails:         newLRU[chat.ConversationID, *tail](cachedConversations),
	}
}

func (m *memory) conversation(id chat.ConversationID) (conversation, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.conversations.get(id)
}

func (m *memory) putConversation(id chat.ConversationID, c *conversation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conversations.put(id, *c)
}

// member gives a row whose spans are not to be changed.
func (m *memory) member(key chat.MemberKey) (chat.Member, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.members.get(key)
}

func (m *memory) putMember(row *chat.Member) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.members.put(row.MemberKey, *row)
}

// append adds a committed event to its conversation's tail.
func (m *memory) append(e *chat.Event) {
	t, ok := m.tails.get(e.Conversation)
	if !ok {
		t = &tail{}
		m.tails.put(e.Conversation, t)
	}
	if n := len(t.records); n > 0 && e.Seq != t.records[n-1].Seq+1 {
		m.bytes -= t.bytes
		*t = tail{}
	}
	if len(t.records) == 2*tailEvents {
		for i := range tailEvents {
			t.bytes -= len(t.records[i].JSON)
			m.bytes -= len(t.records[i].JSON)
		}
		t.records = append(make([]chat.Record, 0, 2*tailEvents), t.records[tailEvents:]...)
	}
	t.records = append(t.records, chat.Record{Seq: e.Seq, JSON: e.JSON, Only: e.Only})
	t.bytes += len(e.JSON)
	m.bytes += len(e.JSON)
	for m.bytes > tailBytes {
		_, old := m.tails.removeOldest()
		m.bytes -= old.bytes
	}
}

// revise gives an event another body, if it is kept.
func (m *memory) revise(e *chat.Event) {
	t, ok := m.tails.get(e.Conversation)
	if !ok || len(t.records) == 0 {
		return
	}
	i := int(e.Seq - t.records[0].Seq)
	if i < 0 || i >= len(t.records) {
		return
	}
	grown := len(e.JSON) - len(t.records[i].JSON)
	t.records[i].JSON = e.JSON // readers have copies of the slice
	t.bytes += grown
	m.bytes += grown
}

// events answers a range if all of it is in memory.
func (m *memory) events(r chat.EventRange) ([]chat.Record, bool) {
	if r.Messages || r.To < r.From || r.Limit <= 0 {
		return nil, false
	}
	from, to := r.From, r.To
	if to-from >= chat.Seq(r.Limit) {
		if r.Newest {
			from = to - chat.Seq(r.Limit) + 1
		} else {
			to = from + chat.Seq(r.Limit) - 1
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.tails.get(r.Conversation)
	if !ok || len(t.records) == 0 {
		return nil, false
	}
	first := t.records[0].Seq
	if from < first || to > first+chat.Seq(len(t.records))-1 {
		return nil, false
	}
	return append([]chat.Record(nil), t.records[from-first:to-first+1]...), true
}
