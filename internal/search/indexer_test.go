package search_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/search"
	"github.com/linnet-im/linnet/internal/search/fts"
	"github.com/linnet-im/linnet/internal/search/memory"
	"github.com/linnet-im/linnet/internal/search/words"
	store "github.com/linnet-im/linnet/internal/store/memory"
)

func open(t *testing.T, dir string) *fts.Index {
	t.Helper()
	x, err := fts.Open(context.Background(), filepath.Join(dir, "search.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	return x
}

// follower is an Indexer that runs until the test ends or stop is called.
type follower struct {
	*testing.T
	store   *store.Store
	index   search.Index
	indexer *search.Indexer
	stop    func()
}

func follow(t *testing.T, s *store.Store, x search.Index) *follower {
	t.Helper()
	f := &follower{T: t, store: s, index: x, indexer: search.NewIndexer(s, x, slog.New(slog.DiscardHandler))}
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { f.indexer.Run(ctx) })
	f.stop = func() { cancel(); run.Wait() }
	t.Cleanup(f.stop)
	return f
}

// log writes events of g, and events anew.
func write(t *testing.T, s *store.Store, events, revised []*chat.Event) {
	t.Helper()
	for _, e := range append(events, revised...) {
		e.Conversation, e.Time = "g", time.UnixMilli(int64(e.Seq)*1000)
		e.Encode()
	}
	err := s.Update(t.Context(), chat.Keys{Conversations: []chat.ConversationID{"g"}}, func(r *chat.Rows) *chat.Changes {
		c := r.Conversations["g"]
		if c == nil {
			c = &chat.Conversation{ID: "g", Kind: chat.Group}
		}
		c.Seq += chat.Seq(len(events))
		return &chat.Changes{Conversations: []*chat.Conversation{c}, Events: events, Revised: revised}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func message(seq chat.Seq, text string) *chat.Event {
	return &chat.Event{Seq: seq, Kind: chat.Message, From: "alice", Content: fmt.Appendf(nil, `{"type":"text","text":%q}`, text)}
}

// has answers the seqs that the index has for a word, once it is up to date.
func (f *follower) has(query string) string {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), 10*time.Second)
	defer cancel()
	if !f.indexer.Wait(ctx, f.store.Position()) {
		f.Fatal("the index is not up to date")
	}
	hits, err := f.index.Find(f.Context(), search.Lookup{Tokens: words.Parse(query).Tokens(), Limit: 1000})
	if err != nil {
		f.Fatal(err)
	}
	var list []string
	for _, h := range hits {
		list = append(list, fmt.Sprint(h.Seq))
	}
	return strings.Join(list, " ")
}

func (f *follower) wants(query, want string) {
	f.Helper()
	if got := f.has(query); got != want {
		f.Errorf("%s: got %q, want %q", query, got, want)
	}
}

// An event that changes others has them indexed anew, whatever its kind. Mutant: targets
// are not looked at.
func TestChangedMessages(t *testing.T) {
	for what, x := range map[string]search.Index{"memory": memory.New(), "disk": open(t, t.TempDir())} {
		t.Run(what, func(t *testing.T) {
			s := store.New()
			f := follow(t, s, x)
			write(t, s, []*chat.Event{message(1, "alpha"), message(2, "beta"), message(3, "gamma"), {Seq: 4, Kind: "pin", Content: []byte(`{"text":"alpha"}`)}}, nil)
			f.wants("alpha", "1")
			// An edit of 1, a recall of 2 and 3.
			write(t, s, []*chat.Event{{Seq: 5, Kind: "unheard of", Targets: [][2]chat.Seq{{1, 1}}}}, []*chat.Event{message(1, "omega")})
			f.wants("alpha", "")
			f.wants("omega", "1")
			f.wants("beta", "2")
			void := func(seq chat.Seq) *chat.Event { return &chat.Event{Seq: seq, Kind: chat.Void} }
			write(t, s, []*chat.Event{{Seq: 6, Kind: "recall", Targets: [][2]chat.Seq{{2, 3}, {100, 200}, {6, 6}}}}, []*chat.Event{void(2), void(3)})
			f.wants("beta", "")
			f.wants("gamma", "")
			f.wants("omega", "1")
			// Changed before it was indexed for the first time.
			f.stop()
			write(t, s, []*chat.Event{message(7, "delta"), message(8, "omega")}, nil)
			write(t, s, []*chat.Event{{Seq: 9, Kind: "edit", Targets: [][2]chat.Seq{{7, 7}, {1, 1}}}}, []*chat.Event{message(7, "epsilon"), message(1, "alpha")})
			f = follow(t, s, x)
			f.wants("delta", "")
			f.wants("epsilon", "7")
			f.wants("omega", "8")
			f.wants("alpha", "1")
		})
	}
}

// Not only the text of a message is looked through.
func TestWhatIsLookedThrough(t *testing.T) {
	s := store.New()
	f := follow(t, s, memory.New())
	contents := []string{
		`{"type":"file","text":"[file]","url":"https://x/1","name":"年度报告.pdf"}`,
		`{"type":"location","text":"here","lat":1,"lng":2,"title":"Tower","address":"1 High Street"}`,
		`{"type":"forward","text":"[chat]","title":"old talk","items":[{"from":"bob","content":{"type":"text","text":"inner words"}},` +
			`{"from":"bob","content":{"type":"forward","text":"x","items":[{"from":"c","content":{"type":"file","text":"f","name":"deep.txt"}}]}}]}`,
		`{"type":"custom","text":"shown","custom":{"text":"unseen","name":"unseen"}}`,
		`{"type":"text","text":"plain","name":["odd"]}`,
	}
	var events []*chat.Event
	for i, c := range contents {
		events = append(events, &chat.Event{Seq: chat.Seq(i + 1), Kind: chat.Message, From: "alice", Content: []byte(c)})
	}
	write(t, s, events, nil)
	for query, want := range map[string]string{
		"报告": "1", "tower": "2", "high street": "2", "old talk": "3", "inner": "3", "deep": "3", "unseen": "", "shown": "4",
	} {
		f.wants(query, want)
	}
}

// More than a batch, and more than a page of what was changed.
func TestManyMessages(t *testing.T) {
	s := store.New()
	f := follow(t, s, open(t, t.TempDir()))
	const n = 2700
	var events, revised []*chat.Event
	for i := range n {
		events = append(events, message(chat.Seq(i+1), "old"))
		revised = append(revised, message(chat.Seq(i+1), "new"))
	}
	write(t, s, events, nil)
	if got := len(strings.Fields(f.has("old"))); got != 1000 {
		t.Errorf("%d found", got)
	}
	write(t, s, []*chat.Event{{Seq: n + 1, Kind: "purge", Targets: [][2]chat.Seq{{1, n}}}}, revised)
	f.wants("old", "")
	if got := len(strings.Fields(f.has("new"))); got != 1000 {
		t.Errorf("%d found", got)
	}
}

// crashing is an index that fails at its n-th step, and keeps nothing of that.
type crashing struct {
	search.Index
	left atomic.Int64
	died chan struct{}
}

func (c *crashing) Apply(ctx context.Context, changes *search.Changes) error {
	if c.left.Add(-1) < 0 {
		if c.left.Load() == -1 {
			close(c.died)
		}
		return fmt.Errorf("killed")
	}
	return c.Index.Apply(ctx, changes)
}

// Wherever it is killed, it goes on from what was written. Mutant: the event that
// changes others is noted as reached before they are written.
func TestKilledAnywhere(t *testing.T) {
	for step := range int64(8) {
		t.Run(fmt.Sprint("step ", step), func(t *testing.T) {
			s := store.New()
			const n = 2200
			var events, revised []*chat.Event
			for i := range n {
				events = append(events, message(chat.Seq(i+1), "old"))
				revised = append(revised, message(chat.Seq(i+1), "new"))
			}
			write(t, s, events, nil)
			x := memory.New()
			f := follow(t, s, x)
			f.has("old")
			f.stop()
			write(t, s, []*chat.Event{{Seq: n + 1, Kind: "purge", Targets: [][2]chat.Seq{{1, n}}}, message(n+2, "last")}, revised)
			c := &crashing{Index: x, died: make(chan struct{})}
			c.left.Store(step)
			f = follow(t, s, c)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			done := make(chan bool, 1)
			go func() { done <- f.indexer.Wait(ctx, s.Position()) }()
			select {
			case <-c.died:
			case <-done: // it had fewer steps to do
			}
			cancel()
			f.stop()
			f = follow(t, s, x)
			f.wants("old", "")
			f.wants("last", fmt.Sprint(n+2))
			if got := len(strings.Fields(f.has("new"))); got != 1000 {
				t.Errorf("%d found", got)
			}
		})
	}
}

// damaged is an index that is damaged until it is cleared.
type damaged struct {
	search.Index
	whole atomic.Bool
}

func (d *damaged) Apply(ctx context.Context, c *search.Changes) error {
	if !d.whole.Load() {
		return fmt.Errorf("read a page: %w", search.ErrDamaged)
	}
	return d.Index.Apply(ctx, c)
}

func (d *damaged) Clear(ctx context.Context) error {
	d.whole.Store(true)
	return d.Index.Clear(ctx)
}

// A damaged index is made anew.
func TestDamaged(t *testing.T) {
	s := store.New()
	write(t, s, []*chat.Event{message(1, "word")}, nil)
	f := follow(t, s, &damaged{Index: memory.New()})
	f.wants("word", "1")
}

// What comes late in a store that commits out of order is not passed over. Mutant: the
// state takes the position of the last head read.
func TestSlowCommit(t *testing.T) {
	block, decided, proceed := make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	s := store.NewConcurrent(func(chat.Position) {
		select {
		case <-block:
			close(decided)
			<-proceed
		default:
		}
	})
	say := func(id chat.ConversationID) {
		e := &chat.Event{Conversation: id, Seq: 1, Kind: chat.Message, From: "alice", Time: time.Now(), Content: []byte(`{"type":"text","text":"word"}`)}
		e.Encode()
		err := s.Update(context.Background(), chat.Keys{Conversations: []chat.ConversationID{id}}, func(*chat.Rows) *chat.Changes {
			return &chat.Changes{Conversations: []*chat.Conversation{{ID: id, Kind: chat.Group, Seq: 1}}, Events: []*chat.Event{e}}
		})
		if err != nil {
			t.Error(err)
		}
	}
	block <- struct{}{}
	ended := make(chan struct{})
	go func() { defer close(ended); say("slow") }()
	<-decided
	for i := range 150 { // more than a page of heads
		say(chat.ConversationID(fmt.Sprint("quick", i)))
	}
	f := follow(t, s, memory.New())
	f.has("word")
	close(proceed)
	<-ended
	if got := len(strings.Fields(f.has("word"))); got != 151 {
		t.Errorf("%d found", got)
	}
}
