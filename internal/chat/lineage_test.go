package chat_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/sqlite"
)

// run opens the store in a folder and serves until the stop function is called.
func run(t *testing.T, folder string) (w *world, stop func()) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(folder, "linnet.db")})
	if err != nil {
		t.Fatal(err)
	}
	w = newWorldOn(t, store)
	return w, func() {
		w.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}

// An operator copies the folder, and later puts the copy back, without a word to the
// server. Mutants: cursor.shared answers whole whenever the last start is known; a
// store that adds no start when it is opened; the fork of a former member beyond its head.
func TestCopiedFolderComesBack(t *testing.T) {
	folder, backup := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	w, stop := run(t, folder)
	c := w.mustSend("alice", toUser("bob", 1)).Conversation
	w.mustSend("alice", toUser("bob", 2))
	_, early, _ := w.syncAll("bob", "", 10) // knows 2
	w.mustSend("alice", toUser("bob", 3))
	g := w.group(50, false, "owner", "dave")
	if _, err := w.RemoveMembers(t.Context(), as("owner"), change(g, 51, "dave")); err != nil {
		t.Fatal(err)
	}
	w.mustSend("owner", into(g, 52)) // 3, which dave does not see
	stop()
	if err := os.CopyFS(backup, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}

	w, stop = run(t, folder)
	w.mustSend("alice", toUser("bob", 4))
	w.mustSend("carol", toUser("bob", 5))
	_, late, _ := w.syncAll("bob", early, 10) // knows 4, and carol
	_, daves, _ := w.syncAll("dave", "", 10)
	page, err := w.Sync(t.Context(), as("bob"), "", "", 1)
	if err != nil || page.Page == "" {
		t.Fatalf("got %+v, %v", page, err)
	}
	stop()

	// The copy gives seq 4 once more, to another message.
	w, stop = run(t, backup)
	defer stop()
	w.mustSend("alice", toUser("bob", 40))
	w.mustSend("alice", toUser("bob", 41))

	list, next, reset := w.syncAll("bob", late, 10)
	if !reset || len(list) != 1 || list[0].Fork == nil || *list[0].Fork != 3 || list[0].Head != 5 {
		t.Errorf("a cursor from the lost part: reset %v, %+v", reset, list)
	}
	if list, _, reset := w.syncAll("bob", next, 10); reset || len(list) != 0 {
		t.Errorf("the cursor after a reset: reset %v, %+v", reset, list)
	}
	list, _, reset = w.syncAll("bob", early, 10)
	if reset || len(list) != 1 || list[0].Fork != nil || list[0].Conversation.ID != c || list[0].Head != 5 {
		t.Errorf("a cursor from before the copy: reset %v, %+v", reset, list)
	}
	list, _, reset = w.syncAll("dave", daves, 10)
	if !reset || len(list) != 1 || *list[0].Fork != 2 {
		t.Errorf("what a former member is told of where it forks: reset %v, %+v", reset, list)
	}
	if w.KnowsCursor("bob", late) || !w.KnowsCursor("bob", early) {
		t.Error("KnowsCursor takes the lost one, or not the early one")
	}
	_, err = w.Sync(t.Context(), as("bob"), "", page.Page, 1)
	wantCode(t, err, chat.CodeParam) // a walk of the lost part begins again
}
