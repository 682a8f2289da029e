package sqlite

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

const (
	itemColumns = `holder, kind, key, body, due, pos`

	itemsInRange = `SELECT ` + itemColumns + ` FROM item
		WHERE holder = ? AND kind = ? AND key > ? AND key >= ? AND key < ? AND body IS NOT NULL ORDER BY key LIMIT ?`
	itemsChanged = `SELECT ` + itemColumns + ` FROM item INDEXED BY item_pos
		WHERE holder = ? AND pos > ? AND pos <= ? ORDER BY pos LIMIT ?`
	itemsDue = `SELECT ` + itemColumns + ` FROM item INDEXED BY item_due
		WHERE kind = ? AND due <= ? AND body IS NOT NULL ORDER BY due LIMIT ?`

	// pastAll is above every key: keys are UTF-8, in which this byte does not occur.
	pastAll = "\xff"
)

// Items is chat.Store's.
func (s *Store) Items(ctx context.Context, r chat.ItemRange) ([]chat.Item, error) {
	return query(ctx, s, s.read.items, scanItem,
		string(r.Holder), string(r.Kind), r.After, r.Prefix, r.Prefix+pastAll, r.Limit)
}

// ChangedItems is chat.Store's.
func (s *Store) ChangedItems(ctx context.Context, holder chat.Holder, after, upTo chat.Position, limit int) ([]chat.Item, error) {
	return query(ctx, s, s.read.changedItems, scanItem, string(holder), int64(after), int64(upTo), limit)
}

// DueItems is chat.Store's.
func (s *Store) DueItems(ctx context.Context, kind chat.ItemKind, t time.Time, limit int) ([]chat.Item, error) {
	return query(ctx, s, s.read.dueItems, scanItem, string(kind), t.UnixMilli(), limit)
}

func scanItem(row scanner) (it chat.Item, err error) {
	var due sql.NullInt64
	var body []byte
	if err := row.Scan(&it.Holder, &it.Kind, &it.Key, &body, &due, &it.Pos); err != nil {
		return it, err
	}
	it.Body = body
	if due.Valid {
		it.Due = instant(due.Int64)
	}
	return it, nil
}

func (u *update) putItem(ctx context.Context, it *chat.Item) error {
	it.Pos = u.position()
	due := sql.NullInt64{Int64: it.Due.UnixMilli(), Valid: !it.Due.IsZero()}
	var body any // a nil slice of bytes would be an empty blob
	if it.Body != nil {
		body = []byte(it.Body)
	}
	return exec(ctx, u.stmt.putItem, string(it.Holder), string(it.Kind), it.Key, body, due, int64(it.Pos))
}

// formatUsers writes users as lines: an id has no line feed.
func formatUsers(users []chat.UserID) sql.NullString {
	if users == nil {
		return sql.NullString{}
	}
	var b strings.Builder
	for _, u := range users {
		b.WriteString(string(u))
		b.WriteByte('\n')
	}
	return sql.NullString{String: b.String(), Valid: true}
}

func parseUsers(text sql.NullString) []chat.UserID {
	if !text.Valid {
		return nil
	}
	users := []chat.UserID{}
	for line := range strings.Lines(text.String) {
		users = append(users, chat.UserID(strings.TrimSuffix(line, "\n")))
	}
	return users
}
