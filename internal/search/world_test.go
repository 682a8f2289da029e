package search_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/search"
	"github.com/linnet-im/linnet/internal/search/fts"
	"github.com/linnet-im/linnet/internal/search/memory"
	store "github.com/linnet-im/linnet/internal/store/memory"
	"github.com/linnet-im/linnet/internal/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// deaf is a bus to nobody.
type deaf struct{}

func (deaf) Publish(batch []chat.Commit) {
	for i := range batch {
		batch[i].Answer()
		batch[i].Flush()
	}
}
func (deaf) Notify(chat.Notice) {}

// world is a domain with a search. Everything in it can be stopped and begun again.
type world struct {
	*testing.T
	dir   string // "": in memory
	store chat.Store
	chat  *chat.Service
	index search.Index
	find  *search.Service
	calls byte
	stop  func() // the search
}

// worlds runs a test in memory and on disk.
func worlds(t *testing.T, test func(t *testing.T, w *world)) {
	t.Run("memory", func(t *testing.T) { test(t, newWorld(t, "")) })
	t.Run("disk", func(t *testing.T) { test(t, newWorld(t, t.TempDir())) })
}

func newWorld(t *testing.T, dir string) *world {
	t.Helper()
	w := &world{T: t, dir: dir}
	w.begin()
	t.Cleanup(func() { w.end() })
	return w
}

func (w *world) begin() {
	w.Helper()
	var err error
	if w.dir == "" && w.store == nil {
		w.store = store.New()
	} else if w.dir != "" {
		if w.store, err = sqlite.Open(context.Background(), sqlite.Config{Path: filepath.Join(w.dir, "linnet.db")}); err != nil {
			w.Fatal(err)
		}
	}
	limits := chat.Limits{SearchesPerSecond: 1, SearchesBurst: 3}
	if w.chat, err = chat.New(context.Background(), chat.Config{Guests: chat.GuestsFull, Limits: limits}, w.store, deaf{}); err != nil {
		w.Fatal(err)
	}
	w.beginSearch()
}

func (w *world) beginSearch() {
	w.Helper()
	w.index = memory.New()
	if w.dir != "" {
		index, err := fts.Open(context.Background(), filepath.Join(w.dir, "search.db"))
		if err != nil {
			w.Fatal(err)
		}
		w.index = index
	}
	indexer := search.NewIndexer(w.store, w.index, slog.New(slog.DiscardHandler))
	w.find = search.New(w.chat, w.index, indexer)
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { indexer.Run(ctx) })
	w.stop = func() {
		cancel()
		run.Wait()
		if err := w.index.Close(); err != nil {
			w.Error(err)
		}
	}
}

func (w *world) end() {
	w.stop()
	w.chat.Close()
	if w.dir == "" {
		return
	}
	if err := w.store.Close(); err != nil {
		w.Error(err)
	}
}

// reply is a chat.Reply that is waited for.
type reply struct {
	done  chan struct{}
	place chat.Place
	err   error
}

func (r *reply) Answer(p chat.Place, err error) { r.place, r.err = p, err }
func (r *reply) Flush()                         { close(r.done) }

func (w *world) key() [16]byte {
	w.calls++
	return [16]byte{byte(len(w.Name())), w.calls, byte(time.Now().UnixNano()), byte(time.Now().UnixNano() >> 8), byte(time.Now().UnixNano() >> 16)}
}

func as(u chat.UserID) chat.Actor { return chat.Actor{User: u} }

// say sends a text, of type text, and answers its place.
func (w *world) say(from chat.UserID, to chat.ConversationID, text string, only ...chat.UserID) chat.Place {
	w.Helper()
	return w.send(from, chat.Send{Conversation: to, Only: only}, "text", text)
}

func (w *world) send(from chat.UserID, s chat.Send, contentType, text string) chat.Place {
	w.Helper()
	content, err := json.Marshal(map[string]string{"type": contentType, "text": text})
	if err != nil {
		w.Fatal(err)
	}
	s.Key, s.Content = w.key(), content
	r := &reply{done: make(chan struct{})}
	w.chat.Send(as(from), s, r)
	<-r.done
	if r.err != nil {
		w.Fatalf("%s says %q: %v", from, text, r.err)
	}
	return r.place
}

func (w *world) group(owner chat.UserID, name string, others ...chat.UserID) chat.ConversationID {
	w.Helper()
	p, err := w.chat.CreateGroup(context.Background(), as(owner), chat.CreateGroup{Key: w.key(), Name: name, Users: others})
	if err != nil {
		w.Fatal(err)
	}
	return p.Conversation
}

func (w *world) change(change func(context.Context, chat.Actor, chat.ChangeMembers) (chat.Place, error), by chat.UserID, id chat.ConversationID, users ...chat.UserID) {
	w.Helper()
	if _, err := change(context.Background(), as(by), chat.ChangeMembers{GroupCall: chat.GroupCall{Key: w.key(), Conversation: id}, Users: users}); err != nil {
		w.Fatal(err)
	}
}

// found answers the snippets that u finds, with the matches in brackets, on one line.
func (w *world) found(u chat.UserID, q search.Query) string {
	w.Helper()
	if q.Limit == 0 {
		q.Limit = 20
	}
	var list []string
	for {
		page, err := w.find.Messages(context.Background(), as(u), q)
		if err != nil {
			w.Fatalf("%s looks for %+v: %v", u, q, err)
		}
		if page.Behind {
			w.Fatalf("the index is behind")
		}
		if len(page.Found) > q.Limit {
			w.Fatalf("%d found, %d asked for", len(page.Found), q.Limit)
		}
		for _, m := range page.Found {
			list = append(list, m.Snippet.Text)
		}
		if page.Page == "" {
			return strings.Join(list, "|")
		}
		q.Page = page.Page
	}
}

func (w *world) wants(what, got, want string) {
	w.Helper()
	if got != want {
		w.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func numbered(prefix string, n int) []chat.UserID {
	users := make([]chat.UserID, n)
	for i := range users {
		users[i] = chat.UserID(fmt.Sprintf("%s%05d", prefix, i))
	}
	return users
}
