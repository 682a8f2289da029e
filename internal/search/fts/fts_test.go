package fts_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/search"
	"github.com/linnet-im/linnet/internal/search/fts"
	"github.com/linnet-im/linnet/internal/search/indextest"
	"github.com/linnet-im/linnet/internal/search/words"
)

func open(tb testing.TB, path string) *fts.Index {
	tb.Helper()
	x, err := fts.Open(context.Background(), path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = x.Close() })
	return x
}

func TestIndex(t *testing.T) {
	indextest.Run(t, func(tb testing.TB) search.Index { return open(tb, filepath.Join(tb.TempDir(), "查 找?#.db")) })
}

// put writes one message and how far the index goes.
func put(t *testing.T, x *fts.Index) {
	t.Helper()
	err := x.Apply(t.Context(), &search.Changes{
		Docs:    []search.Doc{{Conversation: "c", Seq: 1, Time: time.UnixMilli(1), From: "alice", Type: "text", Text: "word"}},
		Reached: map[chat.ConversationID]chat.Seq{"c": 1},
		State:   &search.State{Starts: []chat.Start{{ID: "start"}}, Pos: 3},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// has says whether the message of put is there.
func has(t *testing.T, x *fts.Index) bool {
	t.Helper()
	hits, err := x.Find(t.Context(), search.Lookup{Tokens: words.Parse("word").Tokens(), Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	state, err := x.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if (len(hits) == 1) != (state.Pos == 3) {
		t.Fatalf("%d hits at %+v", len(hits), state)
	}
	return len(hits) == 1
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "search.db")
	x := open(t, path)
	put(t, x)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if !has(t, open(t, path)) {
		t.Error("what was indexed is gone")
	}
}

// A copy of the files as a killed process leaves them is opened.
func TestReopenWithoutClose(t *testing.T) {
	dir, left := t.TempDir(), t.TempDir()
	x := open(t, filepath.Join(dir, "search.db"))
	put(t, x)
	for _, name := range []string{"search.db", "search.db-wal"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(left, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !has(t, open(t, filepath.Join(left, "search.db"))) {
		t.Error("what was indexed is gone")
	}
}

// A file that cannot be used is made anew. Mutant: Open answers the error.
func TestUnusable(t *testing.T) {
	for what, spoil := range map[string]func(t *testing.T, path string){
		"no database": func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("this is no database, and it is long enough to look at: "+string(make([]byte, 4096))), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"another version": func(t *testing.T, path string) {
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "search.db")
			x := open(t, path)
			put(t, x)
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			spoil(t, path)
			x = open(t, path)
			if has(t, x) {
				t.Error("it was used")
			}
			put(t, x)
			if !has(t, x) {
				t.Error("it is not written to")
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	if _, err := fts.Open(t.Context(), filepath.Join(t.TempDir(), "no", "such", "folder.db")); err == nil {
		t.Error("a file in a folder that is not there was opened")
	}
}

// The file is its owner's alone: it tells what people wrote.
func TestMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "search.db")
	put(t, open(t, path))
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s is %o", name, mode)
		}
	}
}
