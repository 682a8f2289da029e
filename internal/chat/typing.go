package chat

import (
	"context"
	"encoding/json"
	"maps"
	"sync"
	"time"
)

const (
	// typingHolds is how long a typing notice is good: who goes on typing says so again.
	typingHolds = 6 * time.Second
	// typingEvery is how often one user's typing in a conversation is told.
	typingEvery = 2 * time.Second
	// typingMembers is up to how many members a group is told who types in it.
	typingMembers = 500
)

// typings keeps who was told to be typing lately, so that it is not told too often.
type typings struct {
	mu     sync.Mutex
	told   map[MemberKey]time.Time
	pruned time.Time
}

// due says whether a typing is to be told at now, and notes that it is.
func (t *typings) due(key MemberKey, typing bool, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	last, was := t.told[key]
	if !typing {
		delete(t.told, key)
		return was
	}
	if was && now.Sub(last) < typingEvery {
		return false
	}
	if t.told == nil {
		t.told = make(map[MemberKey]time.Time)
	}
	if now.Sub(t.pruned) > typingHolds {
		maps.DeleteFunc(t.told, func(_ MemberKey, at time.Time) bool { return now.Sub(at) > typingHolds })
		t.pruned = now
	}
	t.told[key] = now
	return true
}

// Typing tells the other members of a conversation that the caller is writing there, or
// has stopped. It is told at most every two seconds, holds for six, and may be lost.
// Rooms and groups of more than 500 are not told.
func (s *Service) Typing(ctx context.Context, a Actor, id ConversationID, typing bool) error {
	c, m, _, err := s.find(ctx, a, id)
	if err != nil {
		return err
	}
	if c.Kind == Room || c.Members > typingMembers || c.Apart() && joined(m) {
		return nil
	}
	if c.Kind != Thread && !joined(m) && !a.Server {
		return forbidden("you are no longer in this conversation")
	}
	if !s.typings.due(MemberKey{id, a.User}, typing, s.cfg.Now()) {
		return nil
	}
	params, err := json.Marshal(struct {
		Conversation ConversationID `json:"conversation"`
		User         UserID         `json:"user"`
		Typing       bool           `json:"typing"`
		ExpiresMS    int64          `json:"expires_ms"`
	}{id, a.User, typing, typingHolds.Milliseconds()})
	if err != nil {
		return err
	}
	n := Notice{Conversation: *c, Method: "typing", Params: params, Except: a.User}
	if n.Unseen, err = s.blockers(ctx, c, a.User); err != nil {
		return err
	}
	if len(n.Unseen) <= maxHiding {
		s.bus.Notify(n)
	}
	return nil
}
