package chat

import (
	"context"
	"errors"
	"math"
	"sync"
)

// Holds says whether what was known of a store at pos, when its lineage ended with
// starts, is still true of it: false means that the store went back since, or is another.
func Holds(store interface {
	Position() Position
	Lineage() []Start
}, starts []Start, pos Position,
) bool {
	c := cursor{starts: starts, pos: pos}
	_, whole := c.shared(store.Lineage(), store.Position())
	return whole
}

// Readable answers which events of a conversation the caller may read. Whether one
// of them is for the caller only Look says.
func (s *Service) Readable(ctx context.Context, a Actor, id ConversationID) ([]Span, error) {
	_, _, spans, err := s.find(ctx, a, id)
	return spans, err
}

// Look answers an event as List shows it to the caller now, and whether there is
// anything for the caller at all.
func (s *Service) Look(ctx context.Context, a Actor, id ConversationID, seq Seq) (Record, bool, error) {
	after := seq - 1
	l, err := s.List(ctx, a, List{Conversation: id, After: &after, Limit: 1})
	var own *Error
	switch {
	case errors.As(err, &own) && own.Code == CodeNotFound:
		return Record{}, false, nil
	case err != nil:
		return Record{}, false, err
	case len(l.Events) == 0 || l.Events[0].Seq != seq:
		return Record{}, false, nil
	}
	return l.Events[0], true, nil
}

// Newest answers the caller's conversations that changed last, up to limit of them, newest first.
// Those it is no longer in are among them; rooms are not. The spans of a member row are
// what the caller may read at the most.
func (s *Service) Newest(ctx context.Context, a Actor, limit int) ([]Entry, error) {
	entries, _, err := s.entries(ctx, a.User, 0, farFuture, limit)
	if err != nil {
		return nil, err
	}
	seen := entries[:0]
	for i := range entries {
		spans := s.spans(a.User, &entries[i].Conversation, &entries[i].Member)
		if spans != nil {
			entries[i].Member.Spans = spans
			seen = append(seen, entries[i])
		}
	}
	return seen, nil
}

// searchGroups is how many of a user's conversations, the newest, are looked at for whom
// the user shares one with.
const searchGroups = 200

// Together answers those of the others with whom the caller is in a conversation.
func (s *Service) Together(ctx context.Context, a Actor, others []UserID) (map[UserID]bool, error) {
	yes := make(map[UserID]bool, len(others))
	if !s.MaySee(a.User, Direct) {
		return yes, nil
	}
	var left []UserID
	for _, o := range others {
		_, err := s.store.Member(ctx, MemberKey{DirectID(a.User, o), a.User})
		switch {
		case err == nil:
			yes[o] = true
		case errors.Is(err, ErrNotFound):
			left = append(left, o)
		default:
			return nil, readError(err)
		}
	}
	if len(left) == 0 {
		return yes, nil
	}
	near, err := s.store.Neighbours(ctx, a.User, left, math.MaxInt32, searchGroups)
	if err != nil {
		return nil, readError(err)
	}
	for _, o := range near {
		yes[o] = true
	}
	return yes, nil
}

// MembersAmong answers those of the users who are in a conversation now, in their order.
// Who may call Members may call it.
func (s *Service) MembersAmong(ctx context.Context, a Actor, id ConversationID, users []UserID) ([]Member, error) {
	if _, _, err := s.Members(ctx, a, id, MembersPage{Limit: 1}); err != nil {
		return nil, err
	}
	var members []Member
	for _, u := range users {
		m, err := s.store.Member(ctx, MemberKey{id, u})
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, readError(err)
		}
		if joined(&m) {
			members = append(members, m)
		}
	}
	return members, nil
}

// searches bounds how often users search.
type searches struct {
	mu    sync.Mutex
	rates rates
}

// AllowSearch takes one of the caller's searches, or refuses when there are too many.
func (s *Service) AllowSearch(a Actor) error {
	if !a.Limited {
		return nil
	}
	s.searches.mu.Lock()
	defer s.searches.mu.Unlock()
	if s.searches.rates.buckets == nil {
		s.searches.rates = newRates()
	}
	l := &s.cfg.Limits
	wait, ok := s.searches.rates.take(string(a.User), l.SearchesPerSecond, l.SearchesBurst, s.cfg.Now())
	if !ok {
		return tooFast("you are searching too often", wait)
	}
	return nil
}
