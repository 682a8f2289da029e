// Package disk keeps what a client knows in a folder, so that a program that was closed,
// or killed, goes on where it was: with its conversations, the events it held, and the
// messages it had still to send.
package disk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
	_ "modernc.org/sqlite" // the driver

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/wire"
)

// version is that of the schema.
const version = 2

// items came with version 2.
const items = `
CREATE TABLE item (kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID;
PRAGMA user_version = 2;`

const schema = `
CREATE TABLE known (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE conversation (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE event (
	conversation TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL,
	PRIMARY KEY (conversation, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (n INTEGER PRIMARY KEY, client_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT;
` + items

// ErrInUse says that another program has the folder open.
var ErrInUse = errors.New("another program uses this folder")

// Store is a client.Store in a folder. Update is synced to disk before it returns.
type Store struct{ db *sql.DB }

var _ client.Store = (*Store)(nil)

// Open opens the store in a folder, which it makes, for its owner alone, if it is not
// there. One program at a time may have it open; to another one it is ErrInUse.
func Open(ctx context.Context, folder string) (*Store, error) {
	s, err := open(ctx, folder)
	if err != nil {
		return nil, fmt.Errorf("client store %s: %w", folder, err)
	}
	return s, nil
}

func open(ctx context.Context, folder string) (_ *Store, err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	name := filepath.Join(folder, "client.db")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	name = filepath.ToSlash(name)
	if filepath.IsAbs(folder) && !strings.HasPrefix(name, "/") {
		name = "/" + name // a drive's letter
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: name}).EscapedPath()+"?"+url.Values{"_pragma": {
		// The lock is held from the first write to the end: it tells a second program.
		"locking_mode(EXCLUSIVE)", "journal_mode(WAL)", "synchronous(FULL)", "fullfsync(1)",
	}}.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	defer func() {
		if err != nil {
			_ = db.Close()
		}
	}()
	if err := migrate(ctx, db); err != nil {
		if strings.Contains(err.Error(), "SQLITE_BUSY") {
			return nil, ErrInUse
		}
		return nil, err
	}
	return &Store{db}, nil
}

func migrate(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, "BEGIN EXCLUSIVE; COMMIT"); err != nil {
		return err
	}
	var have int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return err
	}
	switch {
	case have > version:
		return fmt.Errorf("it was written by a newer program (schema %d, this one knows %d)", have, version)
	case have == 0:
		_, err := db.ExecContext(ctx, "BEGIN;"+schema+"COMMIT;")
		return err
	case have == 1:
		_, err := db.ExecContext(ctx, "BEGIN;"+items+"COMMIT;")
		return err
	}
	return nil
}

// Load is client.Store's.
func (s *Store) Load(ctx context.Context) (*client.Known, error) {
	k := &client.Known{}
	rows, err := s.db.QueryContext(ctx, "SELECT name, value FROM known")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		switch name {
		case "user":
			k.User = value
		case "cursor":
			k.Cursor = value
		case "epoch":
			k.Epoch = value
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if k.Conversations, err = bodies[client.Conversation](ctx, s.db, "SELECT body FROM conversation ORDER BY id"); err != nil {
		return nil, err
	}
	if k.Outbox, err = bodies[client.Outgoing](ctx, s.db, "SELECT body FROM outbox ORDER BY n"); err != nil {
		return nil, err
	}
	k.Items, err = bodies[wire.Item](ctx, s.db, "SELECT body FROM item ORDER BY kind, key")
	return k, err
}

// bodies decodes the rows that a query answers.
func bodies[T any](ctx context.Context, db *sql.DB, query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		var body []byte
		var v T
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(body, &v); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// Events is client.Store's.
func (s *Store) Events(ctx context.Context, conversation string, from, to int64) ([]wire.Event, error) {
	return bodies[wire.Event](ctx, s.db,
		"SELECT body FROM event WHERE conversation = ? AND seq BETWEEN ? AND ? ORDER BY seq", conversation, from, to)
}

// Update is client.Store's.
func (s *Store) Update(ctx context.Context, ch *client.Changes) (err error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback()
		}
	}()
	if err := write(ctx, tx, ch); err != nil {
		return err
	}
	return tx.Commit()
}

func write(ctx context.Context, tx *sql.Tx, ch *client.Changes) error {
	w := writer{ctx: ctx, tx: tx}
	for name, value := range map[string]string{"user": ch.User, "cursor": ch.Cursor, "epoch": ch.Epoch} {
		if value != "" {
			w.exec("INSERT OR REPLACE INTO known (name, value) VALUES (?, ?)", name, value)
		}
	}
	for _, f := range ch.Forget {
		w.exec("DELETE FROM event WHERE conversation = ? AND seq BETWEEN ? AND ?", f.Conversation, f.From, f.To)
	}
	for _, id := range ch.Drop {
		w.exec("DELETE FROM event WHERE conversation = ?", id)
		w.exec("DELETE FROM conversation WHERE id = ?", id)
	}
	for i := range ch.Conversations {
		w.exec("INSERT OR REPLACE INTO conversation (id, body) VALUES (?, ?)", ch.Conversations[i].ID, w.body(&ch.Conversations[i]))
	}
	for i := range ch.Events {
		e := &ch.Events[i]
		w.exec("INSERT OR REPLACE INTO event (conversation, seq, body) VALUES (?, ?, ?)", e.Conversation, e.Seq, w.body(e))
	}
	for i := range ch.Outgoing {
		// One that is there keeps its place.
		w.exec(`INSERT INTO outbox (client_id, body) VALUES (?, ?)
			ON CONFLICT (client_id) DO UPDATE SET body = excluded.body`, ch.Outgoing[i].ClientID, w.body(&ch.Outgoing[i]))
	}
	if ch.Renew {
		w.exec("DELETE FROM item")
	}
	for i := range ch.Items {
		if it := &ch.Items[i]; it.Body == nil {
			w.exec("DELETE FROM item WHERE kind = ? AND key = ?", it.Kind, it.Key)
		} else {
			w.exec("INSERT OR REPLACE INTO item (kind, key, body) VALUES (?, ?, ?)", it.Kind, it.Key, w.body(it))
		}
	}
	for _, id := range ch.Sent {
		w.exec("DELETE FROM outbox WHERE client_id = ?", id)
	}
	return w.err
}

// writer executes statements until one fails.
type writer struct {
	ctx context.Context
	tx  *sql.Tx
	err error
}

func (w *writer) exec(statement string, args ...any) {
	if w.err == nil {
		_, w.err = w.tx.ExecContext(w.ctx, statement, args...)
	}
}

func (w *writer) body(v any) string {
	b, err := json.Marshal(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	return string(b)
}

// Close is client.Store's.
func (s *Store) Close() error { return s.db.Close() }
