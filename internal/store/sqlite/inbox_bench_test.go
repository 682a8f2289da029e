package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

type deaf struct{}

func (deaf) Publish(batch []chat.Commit) {
	for i := range batch {
		batch[i].Answer()
		batch[i].Flush()
	}
}

func (deaf) Notify(chat.Notice) {}

// BenchmarkInbox is what a page of the list and the sum of what is unread cost a user with
// so many conversations, one message in each.
func BenchmarkInbox(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ctx := context.Background()
			store, err := Open(ctx, Config{Path: filepath.Join(b.TempDir(), "linnet.db")})
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			s, err := chat.New(ctx, chat.Config{}, store, deaf{})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			for first := 0; first < n; first += 1000 {
				var ch chat.Changes
				for i := first; i < min(n, first+1000); i++ {
					id := chat.ConversationID(fmt.Sprintf("g_%d", i))
					at := time.UnixMilli(int64(1_800_000_000_000 + i)).UTC()
					e := &chat.Event{Conversation: id, Seq: 1, Kind: chat.Message, From: "bob", Time: at, Count: 1, Content: []byte(`{"type":"text","text":"hi"}`)}
					e.Encode()
					ch.Events = append(ch.Events, e)
					ch.Conversations = append(ch.Conversations, &chat.Conversation{ID: id, Kind: chat.Group, Seq: 1, Count: 1, Time: at, Members: 1})
					ch.Members = append(ch.Members, &chat.Member{
						MemberKey: chat.MemberKey{Conversation: id, User: "alice"}, Role: chat.Plain, Spans: []chat.Span{{From: 1}},
					})
				}
				if err := store.Update(ctx, chat.Keys{}, func(*chat.Rows) *chat.Changes { return &ch }); err != nil {
					b.Fatal(err)
				}
			}
			alice := chat.Actor{User: "alice"}
			b.Run("list", func(b *testing.B) {
				for b.Loop() {
					if page, _, err := s.Conversations(ctx, alice, chat.Inbox{Limit: 100}); err != nil || len(page) != min(n, 100) {
						b.Fatal(len(page), err)
					}
				}
			})
			b.Run("unread", func(b *testing.B) {
				for b.Loop() {
					if u, err := s.Unread(ctx, alice); err != nil || u.Total != int64(min(n, chat.MaxListed)) || u.More != (n > chat.MaxListed) {
						b.Fatal(u, err)
					}
				}
			})
		})
	}
}
