package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
)

func openAt(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(context.Background(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// say writes n events of size bytes into a conversation of alice's.
func say(s *Store, id chat.ConversationID, n, size int) error {
	key := chat.MemberKey{Conversation: id, User: "alice"}
	keys := chat.Keys{Conversations: []chat.ConversationID{id}, Members: []chat.MemberKey{key}}
	return s.Update(context.Background(), keys, func(rows *chat.Rows) *chat.Changes {
		c := rows.Conversations[id]
		if c == nil {
			c = &chat.Conversation{ID: id, Kind: chat.Group}
		}
		m := rows.Members[key]
		if m == nil {
			m = &chat.Member{MemberKey: key, Role: chat.Plain, Spans: []chat.Span{{From: 1}}, Since: 1}
		}
		changes := &chat.Changes{Conversations: []*chat.Conversation{c}, Members: []*chat.Member{m}}
		for range n {
			c.Seq++
			c.Count++
			m.Sent++
			changes.Events = append(changes.Events, &chat.Event{
				Conversation: id, Seq: c.Seq, Kind: chat.Message, From: "alice", Count: c.Count,
				JSON: []byte(strings.Repeat("x", size)),
			})
		}
		return changes
	})
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := openAt(t, path)
	if err := say(s, "g", 3, 10); err != nil {
		t.Fatal(err)
	}
	head, err := s.Conversation(context.Background(), "g")
	if err != nil {
		t.Fatal(err)
	}
	first, position := s.Lineage(), s.Position()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = openAt(t, path)
	again, err := s.Conversation(context.Background(), "g")
	if err != nil || again != head {
		t.Fatalf("the head is %+v (%v), was %+v", again, err, head)
	}
	if s.Position() != position {
		t.Fatalf("the position is %d, was %d", s.Position(), position)
	}
	lineage := s.Lineage()
	if len(lineage) != 2 || lineage[0] != first[0] || lineage[1].ID == first[0].ID || lineage[1].Pos != position {
		t.Fatalf("the lineage is %+v, was %+v at %d", lineage, first, position)
	}
	if err := say(s, "g", 1, 10); err != nil {
		t.Fatal(err)
	}
	if err := say(s, "h", 1, 10); err != nil {
		t.Fatal(err)
	}
	if again, _ = s.Conversation(context.Background(), "g"); again.Seq != 4 || again.Pos <= position {
		t.Fatalf("the next event made %+v, the position was %d", again, position)
	}
}

// What Update has answered is there without Close: a copy of the files as a killed
// process leaves them is opened.
func TestReopenWithoutClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := openAt(t, path)
	if err := say(s, "g", 5, 10); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(t.TempDir(), "store.db")
	for _, suffix := range []string{"", "-wal"} {
		copyFile(t, path+suffix, left+suffix)
	}
	killed := openAt(t, left)
	head, err := killed.Conversation(context.Background(), "g")
	if err != nil || head.Seq != 5 {
		t.Fatalf("head %+v, %v", head, err)
	}
	if killed.Position() != s.Position() {
		t.Fatalf("position %d, want %d", killed.Position(), s.Position())
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	if err := openAt(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	_, err = Open(context.Background(), Config{Path: path})
	if err == nil || !strings.Contains(err.Error(), "written by a newer one") {
		t.Fatalf("Open: %v", err)
	}
}

func TestOpenErrors(t *testing.T) {
	if _, err := Open(context.Background(), Config{Path: filepath.Join(t.TempDir(), "no", "such", "folder.db")}); err == nil {
		t.Error("a file in a folder that is not there was opened")
	}
	if _, err := Open(context.Background(), Config{Path: filepath.Join(t.TempDir(), "a.db"), Synchronous: "OFF"}); err == nil {
		t.Error("synchronous OFF was taken")
	}
}

func TestRecent(t *testing.T) {
	for version, want := range map[string]bool{
		"3.51.2": false, "3.51.3": true, "3.52.0": true, "4.0.0": true, "3.7.17": false, "2.99.99": false, "": false,
	} {
		if recent(version) != want {
			t.Errorf("recent(%q) is %v", version, !want)
		}
	}
}

func TestFull(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "store.db"))
	if err := say(s, "g", 1, 10); err != nil {
		t.Fatal(err)
	}
	pages := limitPages(t, s, 1) // SQLite answers the pages there are
	if err := say(s, "g", 50, 4096); !errors.Is(err, chat.ErrFull) {
		t.Fatalf("Update on a full disk: %v", err)
	}
	if head, err := s.Conversation(context.Background(), "g"); err != nil || head.Seq != 1 {
		t.Fatalf("head %+v, %v", head, err)
	}
	limitPages(t, s, pages+1000)
	if err := say(s, "g", 50, 4096); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	if head, err := s.Conversation(context.Background(), "g"); err != nil || head.Seq != 51 {
		t.Fatalf("head %+v, %v", head, err)
	}
}

func limitPages(t *testing.T, s *Store, n int) (limit int) {
	t.Helper()
	row := s.writer.conn.QueryRowContext(context.Background(), fmt.Sprintf("PRAGMA max_page_count = %d", n))
	if err := row.Scan(&limit); err != nil {
		t.Fatal(err)
	}
	return limit
}

// A COMMIT that fails otherwise than by a full disk may have happened. Mutant: trying again.
func TestUnknownOutcome(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := openAt(t, path)
	if err := say(s, "g", 1, 10); err != nil {
		t.Fatal(err)
	}
	position := s.Position()
	if err := s.writer.stmt.commit.Close(); err != nil { // the next COMMIT fails
		t.Fatal(err)
	}
	if err := say(s, "g", 1, 10); !errors.Is(err, chat.ErrUnknownOutcome) {
		t.Fatalf("Update: %v", err)
	}
	err := say(s, "g", 1, 10)
	if err == nil || errors.Is(err, chat.ErrUnknownOutcome) || !strings.Contains(err.Error(), "started again") {
		t.Fatalf("the Update after it: %v", err)
	}
	if s.Position() != position {
		t.Errorf("the position moved from %d to %d", position, s.Position())
	}
	if _, err := s.Conversation(context.Background(), "g"); err != nil {
		t.Errorf("reads must go on: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := say(openAt(t, path), "g", 1, 10); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

// A decide that panics must not leave its transaction open.
func TestPanic(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "store.db"))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = s.Update(context.Background(), chat.Keys{}, func(*chat.Rows) *chat.Changes { panic("decide") })
	}()
	if err := say(s, "g", 1, 10); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
