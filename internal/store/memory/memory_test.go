package memory

import (
	"context"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(testing.TB) chat.Store { return New() })
}

func TestConcurrentStore(t *testing.T) {
	storetest.Run(t, func(testing.TB) chat.Store { return NewConcurrent(nil) })
}

// A slow Update with the lower position becomes visible after a quick one with a higher
// one. A reader that asked for its position in between must be told of both.
func TestSlowUpdateIsNotPassedOver(t *testing.T) {
	if told := slowUpdate(t, false); !told["slow"] || !told["quick"] {
		t.Errorf("the reader was told of %v", told)
	}
}

// The mutant: with the highest committed position as cursor the slow Update is lost, so
// the test above can fail.
func TestHighestPositionLosesTheSlowUpdate(t *testing.T) {
	if told := slowUpdate(t, true); told["slow"] {
		t.Errorf("the reader was told of %v; the wrong rule did no harm", told)
	}
}

// slowUpdate answers what a reader is told in all who took its position while an Update
// with a lower one was under way.
func slowUpdate(t *testing.T, highest bool) map[chat.ConversationID]bool {
	decided, proceed := make(chan chat.Position), make(chan struct{})
	block := make(chan bool, 1)
	s := NewConcurrent(func(pos chat.Position) {
		select {
		case <-block:
			decided <- pos
			<-proceed
		default:
		}
	})
	s.highest = highest
	defer s.Close()
	create(t, s, "slow")
	create(t, s, "quick")
	before := s.Position()

	block <- true
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		create(t, s, "slow")
	}()
	slow := <-decided
	create(t, s, "quick")

	told := make(map[chat.ConversationID]bool)
	tell := func(after, upTo chat.Position) {
		entries, err := s.Changed(context.Background(), chat.Changed{User: "alice", After: after, Before: upTo + 1, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			told[e.Conversation.ID] = true
		}
	}
	cursor := s.Position()
	tell(before, cursor)
	close(proceed)
	<-ended
	if head, err := s.Conversation(context.Background(), "quick"); err != nil || head.Pos < slow {
		t.Fatalf("quick is at %d, slow began at %d (%v): they did not overtake", head.Pos, slow, err)
	}
	tell(cursor, s.Position())
	return told
}

// create appends nothing: it moves the head of alice's conversation.
func create(t *testing.T, s *Store, id chat.ConversationID) {
	err := s.Update(context.Background(), chat.Keys{Conversations: []chat.ConversationID{id}}, func(*chat.Rows) *chat.Changes {
		return &chat.Changes{
			Conversations: []*chat.Conversation{{ID: id, Kind: chat.Group}},
			Members:       []*chat.Member{{MemberKey: chat.MemberKey{Conversation: id, User: "alice"}}},
		}
	})
	if err != nil {
		t.Error(err)
	}
}
