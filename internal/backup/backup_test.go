package backup

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/store/sqlite"
)

// server makes a data folder that a server has used.
func server(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	store, err := sqlite.Open(context.Background(), sqlite.Config{Path: filepath.Join(dir, databaseName)})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, secretName), []byte(strings.Repeat("s", 40)), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func backedUp(t *testing.T, data string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "b")
	if err := Make(t.Context(), data, to); err != nil {
		t.Fatal(err)
	}
	return to
}

// only says whether a folder holds just these names: nothing half made is left.
func only(t *testing.T, dir string, names ...string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range list {
		if name := e.Name(); !strings.HasSuffix(name, "-wal") && !strings.HasSuffix(name, "-shm") { // SQLite's own
			have = append(have, name)
		}
	}
	if strings.Join(have, " ") != strings.Join(names, " ") {
		t.Errorf("%s holds %v, want %v", dir, have, names)
	}
}

func TestMakeAndRestore(t *testing.T) {
	data := server(t)
	to := backedUp(t, data)
	only(t, filepath.Dir(to), "b")
	info, err := os.Stat(to)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	parent := t.TempDir()
	m, err := Restore(t.Context(), to, filepath.Join(parent, "new"))
	if err != nil || m.Made.IsZero() {
		t.Fatal(m, err)
	}
	only(t, parent, "new")
	only(t, filepath.Join(parent, "new"), databaseName, secretName)
	before, err := os.ReadFile(filepath.Join(data, secretName))
	after, err2 := os.ReadFile(filepath.Join(parent, "new", secretName))
	if err != nil || err2 != nil || string(before) != string(after) {
		t.Errorf("the secret is %q, %v %v", after, err, err2)
	}
	// A start was added: the lineage is another one from here on.
	old, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(data, databaseName)})
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	restored, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(parent, "new", databaseName)})
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	a, b := old.Lineage(), restored.Lineage()
	if a[0].ID != b[0].ID || a[1].ID == b[1].ID || len(b) != 3 {
		t.Errorf("lineages %v and %v", a, b)
	}
	empty := t.TempDir()
	if _, err := Restore(t.Context(), to, empty); err != nil {
		t.Errorf("into an empty folder: %v", err)
	}
	// A server whose secret comes from its environment has none in its folder.
	if err := os.Remove(filepath.Join(data, secretName)); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), backedUp(t, data), filepath.Join(parent, "without")); err != nil {
		t.Error(err)
	}
}

func TestMakeRefuses(t *testing.T) {
	data := server(t)
	to := backedUp(t, data)
	was, _ := os.ReadFile(to)
	if err := Make(t.Context(), data, to); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("over another one: %v", err)
	}
	if now, _ := os.ReadFile(to); string(now) != string(was) {
		t.Error("the other one was changed")
	}
	dir := t.TempDir()
	if err := Make(t.Context(), t.TempDir(), filepath.Join(dir, "b")); err == nil {
		t.Error("a folder that is no server's was backed up")
	}
	if err := Make(t.Context(), data, filepath.Join(dir, "none", "b")); err == nil {
		t.Error("into a folder that is not there")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Make(ctx, data, filepath.Join(dir, "b")); err == nil {
		t.Error("it was cancelled")
	}
	only(t, dir)
}

// Mutants: sums not compared; the folder renamed first.
func TestRestoreRefuses(t *testing.T) {
	to := backedUp(t, server(t))
	good, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	changed := func(at int) []byte {
		b := append([]byte(nil), good...)
		b[at] ^= 1
		return b
	}
	secretAt := strings.Index(string(good), strings.Repeat("s", 40))
	for what, b := range map[string][]byte{
		"empty":             nil,
		"no archive":        []byte("hello"),
		"cut off":           good[:len(good)/2],
		"another secret":    changed(secretAt),
		"another database":  changed(len(good) - 20_000),
		"another format":    []byte(strings.Replace(string(good), `"format": 1`, `"format": 9`, 1)),
		"something else in": []byte(strings.ReplaceAll(string(good), "linnet.db", "passwd.db")),
	} {
		t.Run(what, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "b")
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
			parent := t.TempDir()
			if _, err := Restore(t.Context(), name, filepath.Join(parent, "new")); err == nil {
				t.Error("it was taken")
			}
			only(t, parent)
		})
	}
	full := server(t)
	if _, err := Restore(t.Context(), to, full); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("over a server: %v", err)
	}
}

// A folder that is there stays the same one: it may be a mount point, or a link may lead
// to it. Mutant: it is removed, and the new one renamed to its name.
func TestRestoreIntoWhatIsThere(t *testing.T) {
	to := backedUp(t, server(t))
	empty := t.TempDir()
	if err := os.Mkdir(filepath.Join(empty, lostAndFound), 0o700); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(empty)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), to, empty); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(empty); err != nil || !os.SameFile(before, after) {
		t.Errorf("it is another folder: %v", err)
	}
	only(t, empty, databaseName, lostAndFound, secretName)

	parent := t.TempDir()
	for _, link := range []string{"to one that is there", "to one that is not"} {
		if strings.HasSuffix(link, "there") {
			if err := os.Mkdir(filepath.Join(parent, "for "+link), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink("for "+link, filepath.Join(parent, link)); err != nil {
			t.Skip(err)
		}
		if _, err := Restore(t.Context(), to, filepath.Join(parent, link)); err != nil {
			t.Errorf("%s: %v", link, err)
		}
		if info, err := os.Lstat(filepath.Join(parent, link)); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%s: the link is gone: %v", link, err)
		}
		only(t, filepath.Join(parent, "for "+link), databaseName, secretName)
	}
}

// On an error an empty folder is left empty.
func TestRestoreFailsInto(t *testing.T) {
	name, empty := filepath.Join(t.TempDir(), "b"), t.TempDir()
	if err := os.WriteFile(name, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), name, empty); err == nil {
		t.Error("it was taken")
	}
	only(t, empty)
}
