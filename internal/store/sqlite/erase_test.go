package sqlite

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
)

// What an event said before it was revised, and an item before it was forgotten, is not in
// the file any more. Mutant: no secure_delete.
func TestWhatIsErasedIsGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := openAt(t, path)
	if err := say(s, "g", 3, 100); err != nil {
		t.Fatal(err)
	}
	// Long enough for pages of its own, which become free.
	secret := []byte(`{"text":"` + strings.Repeat("the password is swordfish ", 1000) + `"}`)
	key := chat.ItemKey{Holder: chat.ConversationHolder("g"), Kind: "versions", Key: "2"}
	update := func(c *chat.Changes) {
		t.Helper()
		if err := s.Update(context.Background(), chat.Keys{}, func(*chat.Rows) *chat.Changes { return c }); err != nil {
			t.Fatal(err)
		}
	}
	update(&chat.Changes{
		Revised: []*chat.Event{{Conversation: "g", Seq: 2, JSON: secret}},
		Items:   []*chat.Item{{ItemKey: key, Body: secret}},
	})
	reopen := func() []byte {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s = openAt(t, path)
		return file
	}
	if !bytes.Contains(reopen(), []byte("swordfish")) {
		t.Fatal("it was never there")
	}
	update(&chat.Changes{
		Revised:   []*chat.Event{{Conversation: "g", Seq: 2, JSON: []byte(`{"kind":"void"}`)}},
		Forgotten: []chat.ItemKey{key},
	})
	if n := bytes.Count(reopen(), []byte("swordfish")); n > 0 {
		t.Errorf("it is still there %d times", n)
	}
}
