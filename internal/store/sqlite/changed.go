package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/linnet-im/linnet/internal/chat"
)

// Changed has three plans with one answer. By membership each of the user's
// conversations is looked at: 1,000 of them take about a millisecond. By head each row
// that changed between the two positions is looked at, whoever's it is: better for a
// user with very many conversations and for one who was away for a moment. Whole is for
// an answer that has place for all of the user's: nothing need be sorted or cut, and each
// row is read once, in the order in which it lies.
const (
	countMemberships = `SELECT count(*) FROM (SELECT 1 FROM member WHERE user = ? LIMIT ?)`

	// The keys are sorted and cut first, so that whole rows are read for the page only.
	changedByMembership = `
		WITH page AS MATERIALIZED (
			SELECT m.conv, max(m.pos, c.pos) AS pos
			FROM member m INDEXED BY member_pos CROSS JOIN conversation c ON c.num = m.conv
			WHERE m.user = :user AND max(m.pos, c.pos) > :after AND max(m.pos, c.pos) < :before
			ORDER BY pos DESC LIMIT :limit)
		SELECT ` + entryColumns + `
		FROM page CROSS JOIN conversation c ON c.num = page.conv
			CROSS JOIN member m ON m.user = :user AND m.conv = page.conv
		ORDER BY page.pos DESC`

	// An entry changed last either with its head or with the user's own row. Both are
	// asked in one statement, so that an entry cannot move from one to the other between.
	changedByHead = `
		WITH page AS MATERIALIZED (
			SELECT * FROM (
				SELECT c.num AS conv, c.pos AS pos
				FROM conversation c INDEXED BY conversation_pos
					CROSS JOIN member m ON m.user = :user AND m.conv = c.num
				WHERE c.pos > :after AND c.pos < :before AND c.pos > m.pos
				ORDER BY c.pos DESC LIMIT :limit)
			UNION ALL
			SELECT * FROM (
				SELECT m.conv AS conv, m.pos AS pos
				FROM member m INDEXED BY member_pos CROSS JOIN conversation c ON c.num = m.conv
				WHERE m.user = :user AND m.pos > :after AND m.pos < :before AND m.pos >= c.pos
				ORDER BY m.pos DESC LIMIT :limit))
		SELECT ` + entryColumns + `
		FROM page CROSS JOIN conversation c ON c.num = page.conv
			CROSS JOIN member m ON m.user = :user AND m.conv = page.conv
		ORDER BY page.pos DESC LIMIT :limit`

	changedWhole = `
		SELECT ` + entryColumns + `
		FROM member m CROSS JOIN conversation c ON c.num = m.conv
		WHERE m.user = :user AND max(m.pos, c.pos) > :after AND max(m.pos, c.pos) < :before`

	entryColumns = conversationColumns + `, ` + memberColumns
)

// Changed is chat.Store's.
func (s *Store) Changed(ctx context.Context, q chat.Changed) ([]chat.Entry, error) {
	stmt, err := s.changedPlan(ctx, q)
	if err != nil {
		return nil, err
	}
	return s.changed(ctx, stmt, q)
}

// changedPlan picks the plan that looks at fewer rows. Positions count changed rows,
// so their difference is the most that the plan by head looks at.
func (s *Store) changedPlan(ctx context.Context, q chat.Changed) (*sql.Stmt, error) {
	rows := int64(min(q.Before, s.Position()+1) - q.After)
	if rows <= 0 {
		return s.read.changedByHead, nil
	}
	n, err := queryOne(ctx, s, s.read.countMemberships, scanInto[int64], string(q.User), rows)
	if err != nil {
		return nil, err
	}
	switch {
	case n < rows && n <= int64(q.Limit):
		return s.read.changedWhole, nil
	case n < rows:
		return s.read.changedByMembership, nil
	}
	return s.read.changedByHead, nil
}

func (s *Store) changed(ctx context.Context, stmt *sql.Stmt, q chat.Changed) ([]chat.Entry, error) {
	args := []any{sql.Named("user", string(q.User)), sql.Named("after", int64(q.After)), sql.Named("before", int64(q.Before))}
	if stmt != s.read.changedWhole {
		return query(ctx, s, stmt, entryScanner(), append(args, sql.Named("limit", q.Limit))...)
	}
	list, err := query(ctx, s, stmt, entryScanner(), args...)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(x, y chat.Entry) int { return cmp.Compare(y.Pos(), x.Pos()) })
	return list[:min(len(list), q.Limit)], nil // there may be more than when they were counted
}

// entryScanner reads entries, of which there may be thousands, into the same place.
func entryScanner() func(scanner) (chat.Entry, error) {
	var c conversation
	var m member
	dest := append(c.dest(), m.dest()...)
	return func(row scanner) (chat.Entry, error) {
		if err := row.Scan(dest...); err != nil {
			return chat.Entry{}, err
		}
		if err := c.finish(); err != nil {
			return chat.Entry{}, err
		}
		err := m.finish(c.ID)
		return chat.Entry{Conversation: c.Conversation, Member: m.Member}, err
	}
}
