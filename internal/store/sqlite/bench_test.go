package sqlite

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

var body = []byte(strings.Repeat("x", 300))

// sendDirect writes n messages in one Update, each into a direct conversation of its own,
// as the domain does it for messages.send; from is the number of the first of them.
func sendDirect(b *testing.B, s *Store, call *uint64, from, n, conversations int) {
	type send struct {
		member chat.MemberKey
		call   chat.CallKey
	}
	sends := make([]send, n)
	var keys chat.Keys
	for i := range sends {
		// Neighbours in a batch are far apart on disk.
		c := (from + i) * 7919 % conversations
		user := chat.UserID(fmt.Sprintf("user%06d", c%1000))
		*call++
		key := chat.CallKey{User: user}
		binary.BigEndian.PutUint64(key.ClientID[:], *call)
		sends[i] = send{chat.MemberKey{Conversation: chat.ConversationID(fmt.Sprintf("d_%026d", c)), User: user}, key}
		keys.Conversations = append(keys.Conversations, sends[i].member.Conversation)
		keys.Members = append(keys.Members, sends[i].member)
		keys.Calls = append(keys.Calls, key)
	}
	now := time.Now()
	err := s.Update(context.Background(), keys, func(rows *chat.Rows) *chat.Changes {
		var changes chat.Changes
		for _, w := range sends {
			id := w.member.Conversation
			c := rows.Conversations[id]
			if c == nil {
				c = &chat.Conversation{ID: id, Kind: chat.Direct}
			}
			m := rows.Members[w.member]
			if m == nil {
				m = &chat.Member{MemberKey: w.member, Role: chat.Plain, Spans: []chat.Span{{From: 1}}, Since: 1}
			}
			c.Seq++
			c.Count++
			c.Time = now
			m.Sent++
			m.ReadSeq, m.ReadCount, m.ReadSent = c.Seq, c.Count, m.Sent
			changes.Events = append(changes.Events, &chat.Event{
				Conversation: id, Seq: c.Seq, Kind: chat.Message, From: m.User, Count: c.Count, JSON: body,
			})
			changes.Conversations = append(changes.Conversations, c)
			changes.Members = append(changes.Members, m)
			changes.Calls = append(changes.Calls, &chat.Call{CallKey: w.call, Conversation: id, Seq: c.Seq, Time: now, At: now})
		}
		return &changes
	})
	if err != nil {
		b.Fatal(err)
	}
}

// filled is a store with 5,000 conversations of 50 events and 1,000 users.
func filled(b *testing.B) *Store {
	s := openAt(b, filepath.Join(b.TempDir(), "store.db"))
	var call uint64
	for range 50 {
		for from := 0; from < 5000; from += 1000 {
			sendDirect(b, s, &call, from, 1000, 5000)
		}
	}
	return s
}

// One operation is one message.
func BenchmarkUpdate(b *testing.B) {
	for _, batch := range []int{1, 64, 192, 1024} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			s := openAt(b, filepath.Join(b.TempDir(), "store.db"))
			var call uint64
			for from := 0; from < 5000; from += 1000 {
				sendDirect(b, s, &call, from, 1000, 5000)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += batch {
				sendDirect(b, s, &call, i, batch, 5000)
			}
		})
	}
}

func BenchmarkEvents(b *testing.B) {
	s := filled(b)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		id := chat.ConversationID(fmt.Sprintf("d_%026d", i*7919%5000))
		records, err := s.Events(ctx, chat.EventRange{Conversation: id, From: 1, To: 50, Limit: 50, Newest: true})
		if err != nil || len(records) != 50 {
			b.Fatal(len(records), err)
		}
	}
}

func BenchmarkChanged(b *testing.B) {
	s := openAt(b, filepath.Join(b.TempDir(), "store.db"))
	for i := range 1000 {
		if err := say(s, chat.ConversationID(fmt.Sprint("c", i)), 1, 10); err != nil {
			b.Fatal(err)
		}
	}
	for _, bb := range []struct {
		name  string
		after chat.Position
		limit int
		want  int
	}{{"page", 0, 100, 100}, {"all", 0, 10_000, 1000}, {"ten", s.Position() - 20, 100, 10}, {"none", s.Position(), 100, 0}} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				entries, err := s.Changed(context.Background(), chat.Changed{
					User: "alice", After: bb.after, Before: s.Position() + 1, Limit: bb.limit,
				})
				if err != nil || len(entries) != bb.want {
					b.Fatal(len(entries), err)
				}
			}
		})
	}
}
