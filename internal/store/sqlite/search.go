package sqlite

import (
	"context"

	"github.com/linnet-im/linnet/internal/chat"
)

// ChangedUsers is chat.Store's.
func (s *Store) ChangedUsers(ctx context.Context, after chat.Position, limit int) ([]chat.User, error) {
	return query(ctx, s, s.read.changedUsers, scanUser, int64(after), limit)
}
