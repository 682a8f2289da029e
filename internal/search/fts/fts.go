// Package fts is search.Index in a SQLite file of its own, in FTS5 tables that hold
// tokens made by package words and no texts.
//
// The file may be thrown away at any time: it is made again from the store. So it is not
// synced at each commit (synchronous=NORMAL in WAL mode: after a power cut the last
// commits may be gone, each as a whole), and one that is damaged, or was written by
// another version, is removed.
//
// A row's id is its time in milliseconds and a number: FTS5 answers in the order of ids
// without sorting, goes on from one without counting, and keeps to a range of them, which
// is a range of time. Who wrote it, its type and its conversation are tokens of the row,
// beside its words, so that one look combines all of it. Positions of words are not kept
// (detail=none): that pairs of characters are neighbours, and words in their order, the
// search sees in the text itself.
package fts

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/search"
	"github.com/linnet-im/linnet/internal/search/words"
)

// version is that of the file's schema and of the tokens in it. A file of another one is
// made anew.
const version = 1

const schema = `
CREATE TABLE state (
    n      INTEGER PRIMARY KEY CHECK (n = 1),
    starts TEXT    NOT NULL,  -- JSON
    pos    INTEGER NOT NULL,
    users  INTEGER NOT NULL
) STRICT;
CREATE TABLE conversation (
    num INTEGER PRIMARY KEY,
    id  TEXT    NOT NULL UNIQUE,
    seq INTEGER NOT NULL
) STRICT;
CREATE TABLE message (
    id   INTEGER PRIMARY KEY,  -- search.Mark
    conv INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    hash INTEGER NOT NULL,     -- of its row in words
    UNIQUE (conv, seq)
) STRICT;
CREATE VIRTUAL TABLE words USING fts5 (tokens, content='', contentless_delete=1, detail=none, tokenize='ascii');
INSERT INTO words (words, rank) VALUES ('hashsize', 8388608);  -- what a batch has in memory
CREATE TABLE user (
    num  INTEGER PRIMARY KEY,
    id   TEXT    NOT NULL UNIQUE
) STRICT;
CREATE VIRTUAL TABLE names USING fts5 (tokens, content='', contentless_delete=1, detail=none, tokenize='ascii');
PRAGMA user_version = 1;
`

// readers is how many searches look at once; the others wait.
const readers = 2

// Index is a search.Index in a file.
type Index struct {
	path string

	life    sync.RWMutex // held for reading by each call, for writing to open and close
	writer  *sql.DB      // of one connection
	readers *sql.DB
	closed  bool

	write sync.Mutex // held by the Apply that runs
}

var (
	errClosed  = errors.New("fts: the index is closed")
	errNothing = errors.New("fts: nothing is asked for")
)

// Open opens the index, or makes it if there is none that can be used.
func Open(ctx context.Context, path string) (*Index, error) {
	x := &Index{path: path}
	err := x.open(ctx)
	if err != nil && ctx.Err() == nil {
		err = cmp.Or(x.remove(), x.open(ctx))
	}
	if err != nil {
		return nil, fmt.Errorf("fts: open %s: %w", path, err)
	}
	return x, nil
}

var errVersion = errors.New("it was written by another version")

func (x *Index) open(ctx context.Context) (err error) {
	f, err := os.OpenFile(x.path, os.O_RDWR|os.O_CREATE, 0o600) // its owner's alone, as the store is
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = x.release()
		}
	}()
	x.writer, err = sql.Open("sqlite", dsn(x.path, "busy_timeout(5000)", "journal_mode(WAL)", "synchronous(NORMAL)",
		"journal_size_limit(67108864)", "cache_size(-16384)"))
	if err != nil {
		return err
	}
	x.writer.SetMaxOpenConns(1)
	var was int
	if err := x.writer.QueryRowContext(ctx, "PRAGMA user_version").Scan(&was); err != nil {
		return err
	}
	switch was {
	case version:
	case 0:
		if _, err := x.writer.ExecContext(ctx, "BEGIN;"+schema+"COMMIT;"); err != nil {
			return err
		}
	default:
		return errVersion
	}
	x.readers, err = sql.Open("sqlite", dsn(x.path, "busy_timeout(5000)", "query_only(1)", "cache_size(-8192)"))
	if err != nil {
		return err
	}
	x.readers.SetMaxOpenConns(readers)
	x.readers.SetMaxIdleConns(readers)
	return nil
}

// dsn names the file for the driver, with the pragmas that each connection begins with.
func dsn(path string, pragmas ...string) string {
	path = filepath.ToSlash(path)
	if filepath.IsAbs(path) && !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive's letter
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + url.Values{"_pragma": pragmas}.Encode()
}

func (x *Index) release() error {
	var errs []error
	for _, db := range []*sql.DB{x.readers, x.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	x.readers, x.writer = nil, nil
	return errors.Join(errs...)
}

func (x *Index) remove() error {
	var errs []error
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(x.path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Close is search.Index's.
func (x *Index) Close() error {
	x.life.Lock()
	defer x.life.Unlock()
	x.closed = true
	return x.release()
}

// Clear is search.Index's: the file is removed.
func (x *Index) Clear(ctx context.Context) error {
	x.life.Lock()
	defer x.life.Unlock()
	if x.closed {
		return errClosed
	}
	_ = x.release() // what it holds is thrown away
	if err := errors.Join(x.remove(), x.open(ctx)); err != nil {
		return fmt.Errorf("fts: make %s anew: %w", x.path, err)
	}
	return nil
}

// enter begins a call: on nil the caller must call x.life.RUnlock.
func (x *Index) enter() error {
	x.life.RLock()
	if x.closed || x.writer == nil {
		x.life.RUnlock()
		return errClosed
	}
	return nil
}

// told gives an error of SQLite the form callers get.
func told(err error) error {
	var own *driver.Error
	if errors.As(err, &own) {
		switch own.Code() & 0xff {
		case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
			return fmt.Errorf("fts: %w: %w", search.ErrDamaged, err)
		}
	}
	return fmt.Errorf("fts: %w", err)
}

// State is search.Index's.
func (x *Index) State(ctx context.Context) (s search.State, err error) {
	if err := x.enter(); err != nil {
		return s, err
	}
	defer x.life.RUnlock()
	var starts string
	err = x.readers.QueryRowContext(ctx, "SELECT starts, pos, users FROM state").Scan(&starts, &s.Pos, &s.Users)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return search.State{}, nil
	case err != nil:
		return s, told(err)
	}
	if err := json.Unmarshal([]byte(starts), &s.Starts); err != nil {
		return s, fmt.Errorf("fts: %w: %w", search.ErrDamaged, err)
	}
	return s, nil
}

// Reached is search.Index's.
func (x *Index) Reached(ctx context.Context, id chat.ConversationID) (seq chat.Seq, err error) {
	if err := x.enter(); err != nil {
		return 0, err
	}
	defer x.life.RUnlock()
	err = x.readers.QueryRowContext(ctx, "SELECT seq FROM conversation WHERE id = ?", string(id)).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, told(err)
	}
	return seq, nil
}

// Named is search.Index's.
func (x *Index) Named(ctx context.Context, tokens []string, limit int) ([]chat.UserID, error) {
	if len(tokens) == 0 {
		return nil, errNothing
	}
	if err := x.enter(); err != nil {
		return nil, err
	}
	defer x.life.RUnlock()
	return query(ctx, x.readers, func(rows *sql.Rows) (id chat.UserID, err error) { return id, rows.Scan(&id) }, `
		SELECT u.id FROM names CROSS JOIN user u ON u.num = names.rowid WHERE names MATCH ? LIMIT ?`, allOf(tokens), limit)
}

// query answers what scan makes of rows.
func query[T any](ctx context.Context, db *sql.DB, scan func(*sql.Rows) (T, error), text string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, told(err)
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, told(err)
		}
		list = append(list, v)
	}
	if err := rows.Err(); err != nil {
		return nil, told(err)
	}
	return list, nil
}

// Apply is search.Index's.
func (x *Index) Apply(ctx context.Context, c *search.Changes) error {
	if err := x.enter(); err != nil {
		return err
	}
	defer x.life.RUnlock()
	x.write.Lock()
	defer x.write.Unlock()
	ctx = context.WithoutCancel(ctx) // one that can be cancelled costs the driver a goroutine a statement
	tx, err := x.writer.BeginTx(ctx, nil)
	if err != nil {
		return told(err)
	}
	if err := apply(ctx, tx, c); err != nil {
		_ = tx.Rollback() // the error that counts is told already
		return told(err)
	}
	if err := tx.Commit(); err != nil {
		return told(err)
	}
	return nil
}

// row is a message on its way into the tables.
type row struct {
	id      int64 // its mark
	num     int64 // its conversation's
	doc     *search.Doc
	tokens  string // empty: it is not to be found
	hash    int64  // of tokens, 0 for none
	replace bool   // it has tokens in the table
}

func apply(ctx context.Context, tx *sql.Tx, c *search.Changes) error {
	nums, err := conversationNums(ctx, tx, c)
	if err != nil {
		return err
	}
	rows, err := rowsOf(ctx, tx, c.Docs, nums)
	if err != nil {
		return err
	}
	if err := writeRows(ctx, tx, rows); err != nil {
		return err
	}
	if err := writeNames(ctx, tx, c.Names); err != nil {
		return err
	}
	if c.State == nil {
		return nil
	}
	starts, err := json.Marshal(c.State.Starts)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO state (n, starts, pos, users) VALUES (1, ?, ?, ?)",
		string(starts), int64(c.State.Pos), int64(c.State.Users))
	return err
}

// conversationNums writes how far conversations are in the index, and answers their numbers.
func conversationNums(ctx context.Context, tx *sql.Tx, c *search.Changes) (map[chat.ConversationID]int64, error) {
	nums := make(map[chat.ConversationID]int64, len(c.Reached))
	if len(c.Reached)+len(c.Docs) == 0 {
		return nums, nil
	}
	put, err := tx.PrepareContext(ctx, `INSERT INTO conversation (id, seq) VALUES (?, ?)
		ON CONFLICT (id) DO UPDATE SET seq = max(seq, excluded.seq) RETURNING num`)
	if err != nil {
		return nil, err
	}
	defer put.Close()
	one := func(id chat.ConversationID, seq chat.Seq) error {
		var num int64
		if err := put.QueryRowContext(ctx, string(id), int64(seq)).Scan(&num); err != nil {
			return err
		}
		nums[id] = num
		return nil
	}
	for id, seq := range c.Reached {
		if err := one(id, seq); err != nil {
			return nil, err
		}
	}
	for i := range c.Docs {
		if id := c.Docs[i].Conversation; nums[id] == 0 {
			if err := one(id, 0); err != nil {
				return nil, err
			}
		}
	}
	return nums, nil
}

// rowsOf finds what is there of messages, and what is to be written of them, by mark:
// FTS5 writes its memory to disk whenever ids do not grow.
func rowsOf(ctx context.Context, tx *sql.Tx, docs []search.Doc, nums map[chat.ConversationID]int64) ([]row, error) {
	if len(docs) == 0 {
		return nil, nil
	}
	was, err := tx.PrepareContext(ctx, `SELECT id, hash FROM message WHERE conv = ? AND seq = ?`)
	if err != nil {
		return nil, err
	}
	defer was.Close()
	last, err := tx.PrepareContext(ctx, `SELECT max(id) FROM message WHERE id BETWEEN ? AND ?`)
	if err != nil {
		return nil, err
	}
	defer last.Close()
	rows := make([]row, 0, len(docs))
	given := make(map[search.Mark]int64) // the last id of each millisecond
	newest := make(map[place]int, len(docs))
	for i := range docs {
		newest[placeOf(&docs[i])] = i
	}
	for i := range docs {
		d := &docs[i]
		if newest[placeOf(d)] != i {
			continue // it comes again
		}
		r := row{num: nums[d.Conversation], doc: d}
		if !d.Gone {
			r.tokens = rowTokens(d, r.num)
			h := fnv.New64a()
			h.Write([]byte(r.tokens))
			r.hash = int64(h.Sum64() | 1) // never 0, which stands for none
		}
		var hash int64
		err := was.QueryRowContext(ctx, r.num, int64(d.Seq)).Scan(&r.id, &hash)
		switch {
		case errors.Is(err, sql.ErrNoRows) && d.Gone:
			continue
		case errors.Is(err, sql.ErrNoRows):
			first := search.FirstMark(d.Time)
			id, ok := given[first]
			if !ok {
				var there sql.NullInt64
				if err := last.QueryRowContext(ctx, int64(first), int64(first|(1<<20-1))).Scan(&there); err != nil {
					return nil, err
				}
				id = int64(first)
				if there.Valid {
					id = there.Int64
				}
			}
			given[first] = id + 1
			r.id = id + 1
		case err != nil:
			return nil, err
		case hash == r.hash:
			continue
		default:
			r.replace = hash != 0
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.id, b.id) })
	return rows, nil
}

// place names a message.
type place struct {
	conversation chat.ConversationID
	seq          chat.Seq
}

func placeOf(d *search.Doc) place { return place{d.Conversation, d.Seq} }

func rowTokens(d *search.Doc, num int64) string {
	list := append(words.Tokens(d.Text), conversationToken(num), hashed(ofSender, string(d.From)), hashed(ofType, d.Type))
	return strings.Join(list, " ")
}

func writeRows(ctx context.Context, tx *sql.Tx, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	message, err := tx.PrepareContext(ctx, `INSERT OR REPLACE INTO message (id, conv, seq, hash) VALUES (?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer message.Close()
	insert, err := tx.PrepareContext(ctx, `INSERT INTO words (rowid, tokens) VALUES (?, ?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	// The tables one after the other: whenever a statement of another table begins, FTS5
	// writes what it has in memory to disk.
	for _, r := range rows {
		if _, err := message.ExecContext(ctx, r.id, r.num, int64(r.doc.Seq), r.hash); err != nil {
			return err
		}
	}
	for _, r := range rows {
		if r.replace {
			if _, err := tx.ExecContext(ctx, `DELETE FROM words WHERE rowid = ?`, r.id); err != nil {
				return err
			}
		}
	}
	for _, r := range rows {
		if r.tokens == "" {
			continue
		}
		if _, err := insert.ExecContext(ctx, r.id, r.tokens); err != nil {
			return err
		}
	}
	return nil
}

func writeNames(ctx context.Context, tx *sql.Tx, names []search.Name) error {
	for _, n := range names {
		var num int64
		err := tx.QueryRowContext(ctx, `SELECT num FROM user WHERE id = ?`, string(n.User)).Scan(&num)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			if err := tx.QueryRowContext(ctx, `INSERT INTO user (id) VALUES (?) RETURNING num`, string(n.User)).Scan(&num); err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			if _, err := tx.ExecContext(ctx, `DELETE FROM names WHERE rowid = ?`, num); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO names (rowid, tokens) VALUES (?, ?)`, num, strings.Join(words.NameTokens(n.Name), " ")); err != nil {
			return err
		}
	}
	return nil
}

var _ search.Index = (*Index)(nil)
