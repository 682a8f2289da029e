package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/internal/testkit"
)

// The server's folder is replaced by an older one under running clients, with no word to
// anybody: by a copy that was made while it was stopped, and by a backup that was made
// while it ran. Before the clients are back, others have written as many events as it
// lacks: by its seqs alone the fork cannot be seen. All end with what the store has, what
// their users had sent above the fork is sent again, and what was not touched is given to
// nobody again.
//
// Mutants that were tried: a start of the store that is not another lineage, but by
// restore; a client that does not doubt what its cursor does not vouch for.
func TestFolderCopiedBack(t *testing.T) {
	t.Run("a copy", func(t *testing.T) {
		wentBack(t, func(w *world) (putBack func()) {
			backup := filepath.Join(t.TempDir(), "copy")
			w.server.Stop()
			copyFolder(t, backup, w.server.Data)
			w.server.Restart()
			return func() { copyFolder(t, w.server.Data, backup) }
		})
	})
	t.Run("a backup", func(t *testing.T) {
		wentBack(t, func(w *world) (putBack func()) {
			backup := filepath.Join(t.TempDir(), "linnet.backup")
			run(t, "backup", backup, "--data", w.server.Data)
			return func() { run(t, "restore", backup, "--data", w.server.Data) }
		})
	})
}

// run runs a command of the binary.
func run(t *testing.T, args ...string) {
	t.Helper()
	if out, err := testkit.Command(t, args...).CombinedOutput(); err != nil {
		t.Fatalf("linnet %v: %v\n%s", args, err, out)
	}
}

func wentBack(t *testing.T, takeBackup func(w *world) (putBack func())) {
	w := newWorld(t)
	forked, quiet := w.newGroup("ann", "ben"), w.newGroup("ann", "ben")
	devices := []*device{
		w.newDevice("ann", "phone", "tcp", filepath.Join(t.TempDir(), "phone")),
		w.newDevice("ann", "tablet", "ws", ""),
		w.newDevice("ben", "ben's", "tcp", ""),
	}
	ann, ben := devices[0], devices[2]
	const kept, lost = 20, 15
	for i := range kept {
		ann.says(forked, fmt.Sprint("kept ", i))
		ben.says(quiet, fmt.Sprint("kept ", i))
	}
	putBack := takeBackup(w)
	for i := range lost {
		ann.says(forked, fmt.Sprint("lost by ann ", i))
		ben.says(forked, fmt.Sprint("lost by ben ", i))
	}
	before := make(map[string][]testkit.Event)
	for _, id := range []string{forked, quiet} {
		before[id] = w.history("ann", id)
	}
	for _, d := range devices {
		d.settle()
		d.agreesWith(before)
		d.heard.mayGoBack(forked)
		d.away()
	}
	cursor := w.cursor("ann")

	w.server.Stop()
	if err := os.RemoveAll(w.server.Data); err != nil {
		t.Fatal(err)
	}
	putBack()
	w.server.Restart()
	other := w.direct("ben")
	for i := range 2 * lost {
		if err := other.Call("messages.send", testkit.Message(forked, uuid.NewString(), fmt.Sprint("instead ", i)), nil); err != nil {
			t.Fatal(err)
		}
	}
	w.forksAt(cursor, map[string]int64{forked: 1 + kept, quiet: 1 + kept})
	for _, d := range devices {
		d.back()
		d.settle()
	}
	after := map[string][]testkit.Event{forked: w.history("ann", forked), quiet: w.history("ann", quiet)}
	if n := len(after[forked]); n != 1+kept+2*lost+2*lost {
		t.Errorf("the forked group has %d events", n)
	}
	for _, d := range devices {
		d.agreesWith(after)
	}
}

// says sends a message and waits until it is acknowledged.
func (d *device) says(group, text string) {
	d.w.t.Helper()
	s, err := d.Send(within(d.w.t), client.ToConversation(group), client.Text(text))
	if err == nil {
		_, err = s.Wait(within(d.w.t))
	}
	if err != nil {
		d.w.t.Fatalf("%s: %v", d.name, err)
	}
}

// cursor answers the cursor of a user who knows everything.
func (w *world) cursor(user string) string {
	w.t.Helper()
	c := w.direct(user)
	defer c.Close()
	var s struct{ Cursor string }
	if err := c.Call("sync", struct{}{}, &s); err != nil {
		w.t.Fatal(err)
	}
	return s.Cursor
}

// forksAt checks what ann is told with a cursor from before: from where on to drop what.
func (w *world) forksAt(cursor string, want map[string]int64) {
	w.t.Helper()
	c := w.direct("ann")
	defer c.Close()
	var s struct {
		Reset         bool
		Conversations []struct {
			ID      string
			ForkSeq *int64 `json:"fork_seq"`
		}
	}
	if err := c.Call("sync", map[string]string{"cursor": cursor}, &s); err != nil {
		w.t.Fatal(err)
	}
	if !s.Reset || len(s.Conversations) != len(want) {
		w.t.Fatalf("reset %v, %d conversations", s.Reset, len(s.Conversations))
	}
	for _, conv := range s.Conversations {
		if conv.ForkSeq == nil || *conv.ForkSeq != want[conv.ID] {
			w.t.Errorf("%s forks at %v, want %d", conv.ID, conv.ForkSeq, want[conv.ID])
		}
	}
}

// copyFolder copies a data folder as an operator does.
func copyFolder(t *testing.T, to, from string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(to, "secret"), 0o600); err != nil { // CopyFS does not keep it
		t.Fatal(err)
	}
}
