package sqlite

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	driver "modernc.org/sqlite"

	"github.com/linnet-im/linnet/internal/chat"
)

// readers is how many reads run at once.
const readers = 4

// oldest is the first SQLite release in which two connections cannot lose a committed
// write when one of them restarts the WAL.
var oldest = [3]int{3, 51, 3}

// Config is what Open needs.
type Config struct {
	Path string // of the file; it is made if it is not there
	// Synchronous is FULL when empty. NORMAL loses acknowledged writes in a power cut;
	// it is there for the test that proves it.
	Synchronous string
	Logger      *slog.Logger // nil: none
}

// Store is a chat.Store in a SQLite file. One process at a time may have it open; the
// caller sees to that.
type Store struct {
	writer  *writer
	readers *sql.DB
	read    readStatements
	lineage []chat.Start

	position atomic.Int64 // of the last commit

	// Reads and Updates hold life while they run, Close takes it.
	life   sync.RWMutex
	closed bool
}

var errClosed = errors.New("sqlite: the store is closed")

// Open opens the store, brings its schema up to date and adds a start to its lineage.
// It refuses a schema that is newer than the program.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s, err := open(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", cfg.Path, err)
	}
	return s, nil
}

func open(ctx context.Context, cfg Config) (_ *Store, err error) {
	logger := cfg.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	synchronous := cmp.Or(cfg.Synchronous, "FULL")
	if synchronous != "FULL" && synchronous != "NORMAL" {
		return nil, fmt.Errorf("synchronous is %q, not FULL or NORMAL", cfg.Synchronous)
	}
	// fdatasync is as durable as fsync and leaves out the file's times.
	if _, err := driver.Fdatasync(true); err != nil && !errors.Is(err, driver.ErrFdatasyncUnavailable) {
		return nil, err
	}
	if err := create(cfg.Path); err != nil {
		return nil, err
	}
	s := &Store{}
	defer func() {
		if err != nil {
			_ = s.release()
		}
	}()

	db, err := sql.Open("sqlite", dsn(cfg.Path,
		"busy_timeout(5000)", // first: the next ones may have to wait
		"journal_mode(WAL)",
		"synchronous("+synchronous+")",
		"fullfsync(1)", // macOS: its fsync alone does not reach the disk
		"journal_size_limit(67108864)",
		"secure_delete(1)", // what was recalled is not left in pages that are free
		"cache_size(-32768)",
	))
	if err != nil {
		return nil, err
	}
	s.writer = &writer{db: db}
	if s.writer.conn, err = db.Conn(ctx); err != nil {
		return nil, err
	}
	version, err := checkVersion(ctx, s.writer.conn)
	if err != nil {
		return nil, err
	}
	if err := checkPragmas(ctx, s.writer.conn, synchronous); err != nil {
		return nil, err
	}
	if err := migrate(ctx, s.writer.conn); err != nil {
		return nil, err
	}
	// What was recovered may never have been synced, see the package's comment.
	if _, err := s.writer.conn.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	if s.lineage, err = begin(ctx, s.writer.conn, time.Now()); err != nil {
		return nil, fmt.Errorf("write the start: %w", err)
	}
	pos := s.lineage[len(s.lineage)-1].Pos
	if err := s.writer.init(ctx, int64(pos)); err != nil {
		return nil, err
	}
	s.position.Store(int64(pos))

	if s.readers, err = sql.Open("sqlite", dsn(cfg.Path, "busy_timeout(5000)", "query_only(1)", "cache_size(-8192)")); err != nil {
		return nil, err
	}
	s.readers.SetMaxOpenConns(readers)
	s.readers.SetMaxIdleConns(readers)
	if err := s.read.prepare(ctx, s.readers); err != nil {
		return nil, err
	}
	logger.Info("store opened", "path", cfg.Path, "sqlite", version, "position", int64(pos), "starts", len(s.lineage))
	return s, nil
}

// create makes the file if it is not there, for its owner alone: SQLite would let
// everybody read it. The log's files follow its mode.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// dsn names the file for the driver, with the pragmas that each connection begins with.
func dsn(path string, pragmas ...string) string {
	path = filepath.ToSlash(path)
	if filepath.IsAbs(path) && !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive's letter
	}
	query := url.Values{"_pragma": pragmas}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode()
}

func checkVersion(ctx context.Context, conn *sql.Conn) (string, error) {
	var text string
	if err := conn.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&text); err != nil {
		return "", err
	}
	if !recent(text) {
		return "", fmt.Errorf("SQLite %s can lose committed writes; at least %d.%d.%d is needed", text, oldest[0], oldest[1], oldest[2])
	}
	return text, nil
}

// recent says whether a version of SQLite is not below oldest.
func recent(text string) bool {
	var v [3]int
	if _, err := fmt.Sscanf(text, "%d.%d.%d", &v[0], &v[1], &v[2]); err != nil {
		return false
	}
	return cmp.Or(cmp.Compare(v[0], oldest[0]), cmp.Compare(v[1], oldest[1]), cmp.Compare(v[2], oldest[2])) >= 0
}

// checkPragmas makes sure of what durability hangs on: SQLite ignores a pragma that it
// cannot follow, for example WAL on a file system without shared memory.
func checkPragmas(ctx context.Context, conn *sql.Conn, synchronous string) error {
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("the journal mode is %q; the file system must allow wal", mode)
	}
	want := map[string]int{"NORMAL": 1, "FULL": 2}[synchronous]
	var got int
	if err := conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&got); err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("synchronous is %d, not %d", got, want)
	}
	return nil
}

// begin adds a start, which goes on where the one before ended, and answers all of them.
func begin(ctx context.Context, conn *sql.Conn, now time.Time) ([]chat.Start, error) {
	_, err := conn.ExecContext(ctx, `
		INSERT INTO start (id, pos, upto, at)
		SELECT ?, pos, pos, ? FROM (SELECT coalesce(max(upto), 0) AS pos FROM start)`,
		rand.Text()[:16], now.UnixMilli())
	if err != nil {
		return nil, err
	}
	rows, err := conn.QueryContext(ctx, "SELECT id, pos FROM start ORDER BY n")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var starts []chat.Start
	for rows.Next() {
		var st chat.Start
		if err := rows.Scan(&st.ID, &st.Pos); err != nil {
			return nil, err
		}
		starts = append(starts, st)
	}
	return starts, rows.Err()
}

// Position answers the position of the last commit.
func (s *Store) Position() chat.Position { return chat.Position(s.position.Load()) }

// Lineage answers the store's starts. The caller must not change it.
func (s *Store) Lineage() []chat.Start { return s.lineage }

// Close waits for what is under way, moves the write-ahead log into the file and
// closes it. What is called later fails.
func (s *Store) Close() error {
	s.life.Lock()
	defer s.life.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.release()
}

// release closes what has been opened.
func (s *Store) release() error {
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.readers.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("sqlite: close: %w", err)
	}
	return nil
}

// enter begins a call: on nil the caller must call s.life.RUnlock.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.life.RLock()
	if s.closed {
		s.life.RUnlock()
		return errClosed
	}
	return nil
}

var _ chat.Store = (*Store)(nil)
