package sqlite

import (
	"context"
	"database/sql"
	"fmt"
)

// Snapshot writes the store in a file, as it is at one moment, to a new file, and syncs
// that. It may be called while a server has the store open: it is one more reader, and
// has everything that was committed before the call. to must not be there yet.
func Snapshot(ctx context.Context, path, to string) error {
	db, err := openReader(path)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return fmt.Errorf("sqlite: copy %s: %w", path, err)
	}
	return nil
}

// openReader opens a store's file as one reader beside a server. It makes no file.
func openReader(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(path, "busy_timeout(5000)")+"&mode=rw")
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1) // one connection sees one moment
	if err := db.Ping(); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	return db, nil
}
