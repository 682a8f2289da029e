package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// schemaVersion is that of the newest schema this program knows.
func schemaVersion() int {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		panic(err) // the pattern is good
	}
	return len(files)
}

// migrate brings the schema to the newest version this program knows, one transaction
// a step. The version is kept in the file's user_version; the files in migrations are
// numbered by it.
func migrate(ctx context.Context, conn *sql.Conn) error {
	files, err := fs.Glob(migrations, "migrations/*.sql") // sorted by name
	if err != nil {
		return err
	}
	var version int
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if version > len(files) {
		return fmt.Errorf("the schema's version is %d, and this program knows %d: it was written by a newer one", version, len(files))
	}
	for i, name := range files[version:] {
		script, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		step := fmt.Sprintf("BEGIN IMMEDIATE;\n%s\nPRAGMA user_version = %d;\nCOMMIT;", script, version+i+1)
		if _, err := conn.ExecContext(ctx, step); err != nil {
			_, _ = conn.ExecContext(ctx, "ROLLBACK") // fails when SQLite has done it already
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
