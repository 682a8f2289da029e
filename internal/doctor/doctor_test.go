package doctor

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/sqlite"
)

// bus answers the callers and tells nobody.
type bus struct{}

func (bus) Notify(chat.Notice) {}
func (bus) Publish(batch []chat.Commit) {
	for i := range batch {
		batch[i].Answer()
		batch[i].Flush()
	}
}

type reply struct{ done chan error }

func (r reply) Answer(_ chat.Place, err error) { r.done <- err }
func (r reply) Flush()                         {}

// folder makes a data folder with a group, a direct conversation and what happens there.
func folder(t *testing.T) string {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	store, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(dir, "linnet.db")})
	if err != nil {
		t.Fatal(err)
	}
	s, err := chat.New(ctx, chat.Config{}, store, bus{})
	if err != nil {
		t.Fatal(err)
	}
	do := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	alice := chat.Actor{User: "alice"}
	key := uuid.New()
	group, err := s.CreateGroup(ctx, alice, chat.CreateGroup{Key: key, ClientID: key.String(), Name: "g", Users: []chat.UserID{"bob", "carl"}})
	do(group, err)
	for i := range 6 {
		id := uuid.New()
		m := chat.Send{ClientID: id.String(), Key: id, Once: true, Content: []byte(`{"type":"text","text":"x"}`), Conversation: group.Conversation}
		if i%2 == 0 {
			m.Conversation, m.ToUser = "", "bob"
		}
		r := reply{make(chan error, 1)}
		s.Send(alice, m, r)
		do(nil, <-r.done)
	}
	_, _, err = s.MarkRead(ctx, chat.Actor{User: "bob"}, group.Conversation, 2)
	do(nil, err)
	id := uuid.New()
	do(s.Leave(ctx, chat.Actor{User: "carl"}, chat.GroupCall{Key: id, ClientID: id.String(), Conversation: group.Conversation}))
	s.SignedIn("alice", &chat.Device{ID: "phone"})
	do(nil, s.FlushVisits(ctx))
	s.Close()
	do(nil, store.Close())
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte(strings.Repeat("s", 40)), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// wrong answers the checks that found something, and what.
func wrong(t *testing.T, dir string) map[string]string {
	t.Helper()
	findings, err := Look(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, f := range findings {
		if len(f.Wrong) > 0 {
			found[f.Check] = strings.Join(f.Wrong, "\n")
		} else if f.Saw == "" {
			t.Errorf("%s does not say what it saw", f.Check)
		}
	}
	return found
}

func TestHealthy(t *testing.T) {
	if found := wrong(t, folder(t)); len(found) > 0 {
		t.Errorf("%v", found)
	}
	if _, err := Look(t.Context(), t.TempDir()); err == nil {
		t.Error("an empty folder is a server's")
	}
}

// Each damage is found by the check for it. These are the checks' mutants.
func TestDamages(t *testing.T) {
	good := folder(t)
	for _, tt := range []struct {
		check, says, damage string
	}{
		{"numbers", "its head is", "DELETE FROM event WHERE id = 3"},
		{"numbers", "its head is", "UPDATE conversation SET seq = seq + 1 WHERE seq > 2"},
		{"numbers", "no conversation", "DELETE FROM conversation WHERE kind = 'group'"},
		{"events", "not that of this event", "UPDATE event SET body = (SELECT body FROM event WHERE id = 1) WHERE id = 2"},
		{"events", "not that of this event", "UPDATE event SET body = x'00' WHERE id = 2"},
		{"counts", "counted", "UPDATE event SET count = count + 1 WHERE id = 4"},
		{"counts", "its head counts", "UPDATE conversation SET count = count + 1 WHERE kind = 'direct'"},
		{"members", "its head says", "UPDATE conversation SET members = 7 WHERE kind = 'group'"},
		{"members", "has read", "UPDATE member SET read_seq = 99 WHERE user = 'bob'"},
		{"members", "sent", "UPDATE member SET sent = 99 WHERE user = 'alice'"},
		{"calls", "which is not there", "UPDATE call SET seq = 99 WHERE id = 2"},
		{"lineage", "the one before ended at", "INSERT INTO start (n, id, pos, upto, at) VALUES (2, 'x', 1, 1, 1)"},
		{"lineage", "beyond the last commit", "UPDATE event SET pos = 99999 WHERE id = 1"},
		{"lineage", "beyond the last commit", "UPDATE start SET upto = 1"},
		{"accounts", "not readable", "UPDATE account SET body = x'00'"},
		{"spans", "beyond its head", "UPDATE member SET spans = '1-99', joined = 0 WHERE user = 'bob'"},
		{"spans", "out of order", "UPDATE member SET spans = '3-,1-2' WHERE user = 'bob'"},
		{"spans", "not readable", "UPDATE member SET spans = 'x' WHERE user = 'bob'"},
		{"spans", "not what the row says", "UPDATE member SET spans = '1-2' WHERE user = 'bob'"},
		{"file", "schema", "PRAGMA user_version = 99"},
	} {
		t.Run(tt.check+" "+tt.damage, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(good)); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(dir, "secret"), 0o600); err != nil {
				t.Fatal(err)
			}
			db, err := sql.Open("sqlite", filepath.Join(dir, "linnet.db"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec(tt.damage); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if found := wrong(t, dir); !strings.Contains(found[tt.check], tt.says) {
				t.Errorf("found %v", found)
			}
		})
	}
	t.Run("a page of the file", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(good)); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, "linnet.db")
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		page := len(b) / 2 / 4096 * 4096
		for i := range 600 { // from its head on: further in there may be nothing yet
			b[page+i] ^= 0xff
		}
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		findings, err := Look(t.Context(), dir)
		if err == nil && len(findings[0].Wrong) == 0 {
			t.Errorf("found %+v", findings)
		}
	})
	t.Run("secret", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(good)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, "secret"), 0o644); err != nil {
			t.Fatal(err)
		}
		if found := wrong(t, dir); !strings.Contains(found["secret"], "chmod 600") {
			t.Errorf("found %v", found)
		}
	})
}
