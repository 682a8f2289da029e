package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/linnet-im/linnet/internal/chat"
)

// How many rows are kept in memory: about 60 MB when full.
const (
	cachedConversations = 64 << 10
	cachedMembers       = 128 << 10
)

// writer is the one connection that writes.
type writer struct {
	db   *sql.DB
	conn *sql.Conn
	stmt writeStatements

	mu     sync.Mutex // held by the Update that runs; guards what follows
	pos    int64      // the position of the last commit
	num    int64      // the highest conversation number given
	memory *memory    // what is in it is committed
	// broken is why nothing may be written any more: a commit whose outcome is not known.
	broken error
}

type writeStatements struct {
	begin, commit, rollback *sql.Stmt

	conversation, member, user, account, call, event, item, count, mine, heir *sql.Stmt

	insertConversation, updateConversation, updateHead *sql.Stmt
	insertEvent, reviseEvent                           *sql.Stmt
	putMember, updateMember, updateMemberDetails       *sql.Stmt
	putItem, forgetItem                                *sql.Stmt
	putUser, putAccount                                *sql.Stmt
	insertCall, forgetCalls                            *sql.Stmt
	setPosition                                        *sql.Stmt
}

func (w *writer) init(ctx context.Context, pos int64) error {
	w.pos = pos
	w.memory = newMemory()
	if err := w.conn.QueryRowContext(ctx, "SELECT coalesce(max(num), 0) FROM conversation").Scan(&w.num); err != nil {
		return err
	}
	return w.stmt.prepare(ctx, w.conn)
}

func (s *writeStatements) prepare(ctx context.Context, conn *sql.Conn) error {
	return prepareAll(ctx, conn, []statement{
		{&s.begin, `BEGIN IMMEDIATE`},
		{&s.commit, `COMMIT`},
		{&s.rollback, `ROLLBACK`},
		{&s.conversation, `SELECT ` + conversationColumns + ` FROM conversation c WHERE c.id = ?`},
		{&s.member, `SELECT ` + memberColumns + ` FROM member m WHERE m.user = ? AND m.conv = ?`},
		{&s.user, `SELECT ` + userColumns + ` FROM user WHERE id = ?`},
		{&s.account, `SELECT user, body FROM account WHERE user = ?`},
		{&s.call, `SELECT hash, conv, seq, time, at FROM call WHERE client_id = ? AND user = ?`},
		{&s.event, `SELECT seq, body, only_for FROM event WHERE conv = ? AND seq = ?`},
		{&s.item, `SELECT ` + itemColumns + ` FROM item WHERE holder = ? AND kind = ? AND key = ?`},
		{&s.count, `SELECT count FROM event WHERE conv = ? AND seq <= ? ORDER BY seq DESC LIMIT 1`},
		{&s.mine, `SELECT count(*) FROM event WHERE conv = ? AND seq BETWEEN ? AND ? AND message = 1 AND sender = ?`},
		{&s.heir, `SELECT user FROM member WHERE conv = ? AND joined = 1 AND user <> ? ORDER BY since, user LIMIT 1`},
		{&s.insertConversation, `INSERT INTO conversation
			(num, id, kind, name, pair_a, pair_b, shared_past, seq, count, time, members, members_rev, rev, details, pos)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&s.updateConversation, `UPDATE conversation SET
			kind = ?, name = ?, pair_a = ?, pair_b = ?, shared_past = ?,
			seq = ?, count = ?, time = ?, members = ?, members_rev = ?, rev = ?, details = ?, pos = ?
			WHERE num = ?`},
		{&s.updateHead, `UPDATE conversation SET seq = ?, count = ?, time = ?, rev = ?, pos = ? WHERE num = ?`},
		{&s.insertEvent, `INSERT INTO event (conv, seq, message, sender, count, pos, body, only_for) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`},
		{&s.reviseEvent, `UPDATE event SET body = ? WHERE conv = ? AND seq = ?`},
		{&s.putMember, `INSERT OR REPLACE INTO member
			(conv, user, role, spans, since, read_seq, read_count, read_sent, sent, details, pos, joined)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&s.updateMember, `UPDATE member SET
			read_seq = ?, read_count = ?, read_sent = ?, sent = ?, pos = ?
			WHERE user = ? AND conv = ?`},
		{&s.updateMemberDetails, `UPDATE member SET
			read_seq = ?, read_count = ?, read_sent = ?, sent = ?, pos = ?, details = ?
			WHERE user = ? AND conv = ?`},
		{&s.putUser, `INSERT OR REPLACE INTO user (id, name, details, pos) VALUES (?, ?, ?, ?)`},
		{&s.putAccount, `INSERT OR REPLACE INTO account (user, body) VALUES (?, ?)`},
		{&s.putItem, `INSERT OR REPLACE INTO item (` + itemColumns + `) VALUES (?, ?, ?, ?, ?, ?)`},
		{&s.forgetItem, `DELETE FROM item WHERE holder = ? AND kind = ? AND key = ?`},
		{&s.insertCall, `INSERT INTO call (client_id, user, hash, conv, seq, time, at) VALUES (?, ?, ?, ?, ?, ?, ?)`},
		{&s.forgetCalls, `DELETE FROM call WHERE at < ? AND id IN (SELECT id FROM call ORDER BY id LIMIT ?)`},
		{&s.setPosition, `UPDATE start SET upto = ? WHERE n = (SELECT max(n) FROM start)`},
	})
}

// statement is one to be prepared, and where it goes.
type statement struct {
	dst  **sql.Stmt
	text string
}

// preparer is a connection, or a pool of them.
type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

func prepareAll(ctx context.Context, p preparer, list []statement) error {
	for _, s := range list {
		stmt, err := p.PrepareContext(ctx, s.text)
		if err != nil {
			return fmt.Errorf("prepare %s: %w", s.text, err)
		}
		*s.dst = stmt
	}
	return nil
}

// Healthy answers why nothing can be written any more, nil when all is well. It may
// wait for an Update that runs.
func (s *Store) Healthy() error {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	if s.writer.broken != nil {
		return fmt.Errorf("sqlite: nothing is written since a commit failed; the server must be started again: %w", s.writer.broken)
	}
	return nil
}

// close moves the write-ahead log into the file and closes it.
func (w *writer) close() error {
	var errs []error
	if w.conn != nil {
		_, err := w.conn.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
		errs = append(errs, err, w.conn.Close())
	}
	return errors.Join(append(errs, w.db.Close())...)
}

// transaction runs f between BEGIN and COMMIT; without a true from f, nothing is
// written. The caller holds w.mu.
func (w *writer) transaction(f func(ctx context.Context) (write bool, err error)) error {
	if w.broken != nil {
		return fmt.Errorf("sqlite: nothing is written since a commit failed; the server must be started again: %w", w.broken)
	}
	// A commit is not to be cancelled half way, and a context that could be is costly.
	ctx := context.Background()
	if _, err := w.stmt.begin.ExecContext(ctx); err != nil {
		return storeError(err)
	}
	ended := false
	defer func() {
		if !ended { // f panicked
			w.rollback(ctx)
		}
	}()
	write, err := f(ctx)
	ended = true
	if err != nil {
		w.rollback(ctx)
		return storeError(err)
	}
	if !write {
		w.rollback(ctx)
		return nil
	}
	if _, err := w.stmt.commit.ExecContext(ctx); err != nil {
		w.rollback(ctx)
		if undecided(err) {
			w.broken = err
			return fmt.Errorf("sqlite: %w: %w", chat.ErrUnknownOutcome, err)
		}
		return storeError(err)
	}
	return nil
}

// rollback ends a transaction. SQLite may have rolled back already, so an error says
// nothing; if the transaction is still open, the next BEGIN fails.
func (w *writer) rollback(ctx context.Context) {
	_, _ = w.stmt.rollback.ExecContext(ctx)
}
