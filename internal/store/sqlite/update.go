package sqlite

import (
	"context"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// Update is chat.Store's. Updates run one after the other; once one has begun, ctx no
// longer ends it.
func (s *Store) Update(ctx context.Context, keys chat.Keys, decide func(*chat.Rows) *chat.Changes) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.life.RUnlock()
	w := s.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err // it waited long
	}
	u := update{
		writer:        w,
		conversations: make(map[chat.ConversationID]*conversation),
		members:       make(map[chat.MemberKey]*chat.Member),
	}
	var changes *chat.Changes
	err := w.transaction(func(ctx context.Context) (bool, error) {
		rows, err := u.load(ctx, &keys)
		if err != nil {
			return false, err
		}
		changes = decide(rows)
		if changes.Empty() {
			return false, nil
		}
		return true, u.write(ctx, changes)
	})
	if err != nil || changes.Empty() {
		return err
	}
	u.keep(changes)
	s.position.Store(w.pos)
	return nil
}

// ForgetCalls is chat.Store's.
func (s *Store) ForgetCalls(ctx context.Context, t time.Time, limit int) (int, error) {
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.life.RUnlock()
	w := s.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	var n int64
	err := w.transaction(func(ctx context.Context) (bool, error) {
		res, err := w.stmt.forgetCalls.ExecContext(ctx, t.UnixMilli(), limit)
		if err != nil {
			return false, err
		}
		n, err = res.RowsAffected()
		return n > 0, err
	})
	if err != nil {
		return 0, err
	}
	return int(n), nil
}

// update is one Update: the rows as they were before it, nil for what was not there,
// the heads it has written, and its position so far.
type update struct {
	*writer
	conversations map[chat.ConversationID]*conversation
	members       map[chat.MemberKey]*chat.Member
	written       map[chat.ConversationID]*conversation
	pos           int64
}
