package sqlite

import (
	"context"
	"database/sql"
	"slices"

	"github.com/linnet-im/linnet/internal/chat"
)

type readStatements struct {
	user, account, conversation, member, members, audience, heads, fork, neighbour, changedUsers *sql.Stmt

	items, changedItems, dueItems *sql.Stmt

	userIDs *sql.Stmt

	events, newestEvents, messages, newestMessages *sql.Stmt

	countMemberships, changedByMembership, changedByHead, changedWhole *sql.Stmt
}

const (
	// conv is the number of the conversation whose id is the parameter.
	conv = `(SELECT num FROM conversation WHERE id = ?)`

	eventsIn = `SELECT seq, body, only_for FROM event WHERE conv = ` + conv + ` AND seq BETWEEN ? AND ?`
)

func (s *readStatements) prepare(ctx context.Context, db *sql.DB) error {
	return prepareAll(ctx, db, []statement{
		{&s.user, `SELECT ` + userColumns + ` FROM user WHERE id = ?`},
		// Both tables are in the order of their ids: it looks at a page of each, not at all of them.
		{&s.userIDs, `SELECT id FROM user WHERE id > ?1 UNION SELECT user FROM account WHERE user > ?1 ORDER BY 1 LIMIT ?2`},
		{&s.account, `SELECT user, body FROM account WHERE user = ?`},
		{&s.neighbour, neighbour},
		{&s.conversation, `SELECT ` + conversationColumns + ` FROM conversation c WHERE c.id = ?`},
		{&s.member, `SELECT ` + memberColumns + ` FROM member m WHERE m.conv = ` + conv + ` AND m.user = ?`},
		{&s.members, `SELECT ` + memberColumns + ` FROM member m INDEXED BY member_conv
			WHERE m.conv = ` + conv + ` AND m.user > ? AND m.joined = 1 ORDER BY m.user LIMIT ?`},
		{&s.audience, `SELECT user, spans FROM member INDEXED BY member_conv WHERE conv = ` + conv},
		{&s.heads, `SELECT id, seq, pos FROM conversation WHERE pos > ? ORDER BY pos LIMIT ?`},
		{&s.changedUsers, `SELECT ` + userColumns + ` FROM user WHERE pos > ? ORDER BY pos LIMIT ?`},
		{&s.fork, `SELECT seq FROM event WHERE conv = ` + conv + ` AND pos <= ? ORDER BY seq DESC LIMIT 1`},
		{&s.events, eventsIn + ` ORDER BY seq LIMIT ?`},
		{&s.newestEvents, eventsIn + ` ORDER BY seq DESC LIMIT ?`},
		{&s.messages, eventsIn + ` AND (message = 1 OR only_for IS NOT NULL) ORDER BY seq LIMIT ?`},
		{&s.newestMessages, eventsIn + ` AND (message = 1 OR only_for IS NOT NULL) ORDER BY seq DESC LIMIT ?`},
		{&s.items, itemsInRange},
		{&s.changedItems, itemsChanged},
		{&s.dueItems, itemsDue},
		{&s.countMemberships, countMemberships},
		{&s.changedByMembership, changedByMembership},
		{&s.changedByHead, changedByHead},
		{&s.changedWhole, changedWhole},
	})
}

// query runs a statement of the pool and scans its rows. The driver is given a context
// that cannot be cancelled, since that would cost a goroutine; ctx is asked between rows.
func query[T any](ctx context.Context, s *Store, stmt *sql.Stmt, scan func(scanner) (T, error), args ...any) ([]T, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	rows, err := stmt.QueryContext(context.WithoutCancel(ctx), args...)
	if err != nil {
		return nil, storeError(err)
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		v, err := scan(rows)
		if err != nil {
			return nil, storeError(err)
		}
		list = append(list, v)
	}
	if err := rows.Err(); err != nil {
		return nil, storeError(err)
	}
	return list, nil
}

// queryOne is query for a row that is there or not.
func queryOne[T any](ctx context.Context, s *Store, stmt *sql.Stmt, scan func(scanner) (T, error), args ...any) (T, error) {
	list, err := query(ctx, s, stmt, scan, args...)
	if err == nil && len(list) == 0 {
		err = chat.ErrNotFound
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return list[0], nil
}

// remembered answers from memory what is there, as long as the store is open.
func remembered[T any](s *Store, get func(*memory) (T, bool)) (v T, ok bool) {
	s.life.RLock()
	defer s.life.RUnlock()
	if s.closed {
		return v, false
	}
	return get(s.writer.memory)
}

func scanInto[T any](row scanner) (v T, err error) { return v, row.Scan(&v) }

// Users is chat.Store's.
func (s *Store) Users(ctx context.Context, ids []chat.UserID) ([]chat.User, error) {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	var users []chat.User
	for _, id := range slices.Compact(ids) {
		found, err := query(ctx, s, s.read.user, scanUser, string(id))
		if err != nil {
			return nil, err
		}
		users = append(users, found...)
	}
	return users, nil
}

func scanUser(row scanner) (u chat.User, err error) {
	var details []byte
	if err := row.Scan(&u.ID, &u.Name, &details, &u.Pos); err != nil {
		return u, err
	}
	u.Details, err = chat.DecodeDetails[chat.UserDetails](details)
	return u, err
}

// Conversation is chat.Store's.
func (s *Store) Conversation(ctx context.Context, id chat.ConversationID) (chat.Conversation, error) {
	if c, ok := remembered(s, func(m *memory) (conversation, bool) { return m.conversation(id) }); ok {
		return c.Conversation, ctx.Err()
	}
	return queryOne(ctx, s, s.read.conversation, scanConversation, string(id))
}

func scanConversation(row scanner) (chat.Conversation, error) {
	var c conversation
	if err := row.Scan(c.dest()...); err != nil {
		return chat.Conversation{}, err
	}
	err := c.finish()
	return c.Conversation, err
}

// Member is chat.Store's.
func (s *Store) Member(ctx context.Context, key chat.MemberKey) (chat.Member, error) {
	if m, ok := remembered(s, func(m *memory) (chat.Member, bool) { return m.member(key) }); ok {
		return *copyMember(&m), ctx.Err()
	}
	return queryOne(ctx, s, s.read.member, memberOf(key.Conversation), string(key.Conversation), string(key.User))
}

func memberOf(id chat.ConversationID) func(scanner) (chat.Member, error) {
	return func(row scanner) (chat.Member, error) {
		var m member
		if err := row.Scan(m.dest()...); err != nil {
			return chat.Member{}, err
		}
		err := m.finish(id)
		return m.Member, err
	}
}

// Members is chat.Store's.
func (s *Store) Members(ctx context.Context, id chat.ConversationID, after chat.UserID, limit int) ([]chat.Member, error) {
	return query(ctx, s, s.read.members, memberOf(id), string(id), string(after), limit)
}

// Audience is chat.Store's.
func (s *Store) Audience(ctx context.Context, id chat.ConversationID, seq chat.Seq) ([]chat.UserID, error) {
	all, err := query(ctx, s, s.read.audience, scanSpans, string(id))
	if err != nil {
		return nil, err
	}
	var users []chat.UserID
	for i := range all {
		if all[i].Sees(seq) {
			users = append(users, all[i].User)
		}
	}
	return users, nil
}

func scanSpans(row scanner) (m chat.Member, err error) {
	var spans string
	if err := row.Scan(&m.User, &spans); err != nil {
		return m, err
	}
	m.Spans, err = parseSpans(spans)
	return m, err
}

// Events is chat.Store's.
func (s *Store) Events(ctx context.Context, r chat.EventRange) ([]chat.Record, error) {
	if records, ok := remembered(s, func(m *memory) ([]chat.Record, bool) { return m.events(r) }); ok {
		return records, ctx.Err()
	}
	stmt := s.read.events
	switch {
	case r.Newest && r.Messages:
		stmt = s.read.newestMessages
	case r.Newest:
		stmt = s.read.newestEvents
	case r.Messages:
		stmt = s.read.messages
	}
	records, err := query(ctx, s, stmt, scanRecord, string(r.Conversation), int64(r.From), int64(r.To), r.Limit)
	if r.Newest {
		slices.Reverse(records)
	}
	return records, err
}

func scanRecord(row scanner) (r chat.Record, err error) {
	var only sql.NullString
	if err := row.Scan(&r.Seq, &r.JSON, &only); err != nil {
		return r, err
	}
	r.Only = parseUsers(only)
	return r, nil
}

// Heads is chat.Store's.
func (s *Store) Heads(ctx context.Context, after chat.Position, limit int) ([]chat.Head, error) {
	return query(ctx, s, s.read.heads, scanHead, int64(after), limit)
}

func scanHead(row scanner) (h chat.Head, err error) {
	return h, row.Scan(&h.Conversation, &h.Seq, &h.Pos)
}

// Fork is chat.Store's.
func (s *Store) Fork(ctx context.Context, id chat.ConversationID, pos chat.Position) (chat.Seq, error) {
	seqs, err := query(ctx, s, s.read.fork, scanInto[chat.Seq], string(id), int64(pos))
	if err != nil || len(seqs) == 0 {
		return 0, err
	}
	return seqs[0], nil
}
