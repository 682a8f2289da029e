package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/linnet-im/linnet/internal/chat"
)

// ChangedUsers is chat.Store's.
func (s *Store) ChangedUsers(ctx context.Context, after chat.Position, limit int) ([]chat.User, error) {
	if err := s.reading(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var users []chat.User
	for _, u := range s.users {
		if u.Pos > after {
			users = append(users, u)
		}
	}
	slices.SortFunc(users, func(a, b chat.User) int { return cmp.Compare(a.Pos, b.Pos) })
	return users[:min(limit, len(users))], nil
}
