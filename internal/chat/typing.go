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
	told   map[MemberKey]typed
	pruned time.Time
}

type typed struct {
	kind TypingKind
	at   time.Time
}

// TypingKind is what somebody is at.
type TypingKind string

// The kinds of typing.
const (
	TypingText  TypingKind = "text"
	TypingVoice TypingKind = "voice" // recording
)

// due says whether a typing is to be told at now, and notes that it is.
func (t *typings) due(key MemberKey, typing bool, kind TypingKind, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	last, was := t.told[key]
	if !typing {
		delete(t.told, key)
		return was
	}
	if was && last.kind == kind && now.Sub(last.at) < typingEvery {
		return false
	}
	if t.told == nil {
		t.told = make(map[MemberKey]typed)
	}
	if now.Sub(t.pruned) > typingHolds {
		maps.DeleteFunc(t.told, func(_ MemberKey, told typed) bool { return now.Sub(told.at) > typingHolds })
		t.pruned = now
	}
	t.told[key] = typed{kind, now}
	return true
}

// Typing tells the other members of a conversation that the caller is writing or recording
// there, or has stopped. It is told at most every two seconds, holds for six, and may be lost.
// Rooms and groups of more than 500 are not told.
func (s *Service) Typing(ctx context.Context, a Actor, id ConversationID, typing bool, kind TypingKind) error {
	if kind != TypingText && kind != TypingVoice {
		return invalid("kind", "kind: text or voice")
	}
	c, m, _, err := s.find(ctx, a, id)
	if err != nil {
		return err
	}
	home := c
	if root, ok := c.Root(); ok { // whose roles, mutes and blocks hold
		if home, m, _, err = s.find(ctx, a, root.Conversation); err != nil {
			return err
		}
	}
	if c.Kind == Room || home.Kind == Channel || c.Members > typingMembers || home.Apart() && joined(m) {
		return nil
	}
	if home.Kind != Room && !joined(m) && !a.Server {
		return forbidden("you are no longer in this conversation")
	}
	if speak(a, home, m, s.cfg.Now()) != nil {
		return nil // who may not speak types for nobody
	}
	if !s.typings.due(MemberKey{id, a.User}, typing, kind, s.cfg.Now()) {
		return nil
	}
	params, err := json.Marshal(struct {
		Conversation ConversationID `json:"conversation"`
		User         UserID         `json:"user"`
		Typing       bool           `json:"typing"`
		Kind         TypingKind     `json:"kind"`
		ExpiresMS    int64          `json:"expires_ms"`
	}{id, a.User, typing, kind, typingHolds.Milliseconds()})
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
