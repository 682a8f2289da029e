package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
)

// answers is a bus and a reply that lets the caller go on.
type answers chan error

func (answers) Publish(batch []chat.Commit) {
	for i := range batch {
		batch[i].Answer()
		batch[i].Flush()
	}
}
func (answers) Notify(chat.Notice)               {}
func (a answers) Answer(_ chat.Place, err error) { a <- err }
func (answers) Flush()                           {}

// BenchmarkSendLargeGroup sends into a group of 100,000 and of two: a send writes one event,
// one head and the sender's row, whoever many read it, so the two are to cost the same.
func BenchmarkSendLargeGroup(b *testing.B) {
	for _, members := range []int{2, 100_000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			store := openAt(b, filepath.Join(b.TempDir(), "linnet.db"))
			const inFlight = 64
			done := make(answers, inFlight)
			s, err := chat.New(context.Background(), chat.Config{}, store, done)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			users := make([]chat.UserID, members)
			for i := range users {
				users[i] = chat.UserID(fmt.Sprintf("u%06d", i))
			}
			p, err := s.CreateGroup(b.Context(), chat.Actor{User: users[0]}, chat.CreateGroup{Users: users[1:]})
			if err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			waiting := 0
			for i := range b.N {
				s.Send(chat.Actor{User: users[i%2]}, chat.Send{Conversation: p.Conversation, Content: []byte(`{"type":"text","text":"hi"}`)}, done)
				if waiting++; waiting == inFlight {
					for ; waiting > 0; waiting-- {
						if err := <-done; err != nil {
							b.Fatal(err)
						}
					}
				}
			}
			for ; waiting > 0; waiting-- {
				<-done
			}
		})
	}
}
