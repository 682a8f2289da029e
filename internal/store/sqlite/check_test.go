package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// atVersion makes a store's file as a program of an earlier schema left it.
func atVersion(t *testing.T, version int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "linnet.db")
	db, err := sql.Open("sqlite", dsn(path, "journal_mode(WAL)"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files[:min(version, len(files))] {
		script, err := migrations.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(string(script)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec(fmt.Sprint("PRAGMA user_version = ", version)); err != nil {
		t.Fatal(err)
	}
	return path
}

// A backup from before an update is restored by the program from after it. Mutant: Whole
// takes the newest schema alone.
func TestWholeOfOtherSchemas(t *testing.T) {
	newest := schemaVersion()
	for version := range newest + 2 {
		err := Whole(t.Context(), atVersion(t, version))
		if want := 0 < version && version <= newest; (err == nil) != want {
			t.Errorf("schema %d: %v", version, err)
		}
	}
	older := atVersion(t, 1)
	found, err := Check(context.Background(), older)
	if err != nil || len(found) != 1 || len(found[0].Wrong) != 1 || !strings.Contains(found[0].Wrong[0], "start the server once") {
		t.Errorf("%+v %v", found, err)
	}
	store, err := Open(t.Context(), Config{Path: older})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if found, err := Check(t.Context(), older); err != nil || len(found[0].Wrong) > 0 {
		t.Errorf("after a start: %+v %v", found, err)
	}
}
