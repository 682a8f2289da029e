// Package memory is search.Index in memory: the reference that the other is compared
// with, and the index of tests. It looks at everything each time.
package memory

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/search"
	"github.com/linnet-im/linnet/internal/search/words"
)

// Index is a search.Index in memory.
type Index struct {
	mu      sync.Mutex
	closed  bool
	state   search.State
	reached map[chat.ConversationID]chat.Seq
	docs    map[place]*doc
	names   map[chat.UserID][]string
	marks   map[search.Mark]search.Mark // the last one of each millisecond
}

type place struct {
	conversation chat.ConversationID
	seq          chat.Seq
}

type doc struct {
	search.Doc
	mark   search.Mark
	tokens map[string]bool
}

var (
	errClosed  = errors.New("memory: the index is closed")
	errNothing = errors.New("memory: nothing is asked for")
)

// New makes an empty index.
func New() *Index {
	x := &Index{}
	x.clear()
	return x
}

func (x *Index) clear() {
	x.state = search.State{}
	x.reached = make(map[chat.ConversationID]chat.Seq)
	x.docs = make(map[place]*doc)
	x.names = make(map[chat.UserID][]string)
	x.marks = make(map[search.Mark]search.Mark)
}

// enter begins a call: on nil the caller must release x.mu.
func (x *Index) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.mu.Lock()
	if x.closed {
		x.mu.Unlock()
		return errClosed
	}
	return nil
}

// State is search.Index's.
func (x *Index) State(ctx context.Context) (search.State, error) {
	if err := x.enter(ctx); err != nil {
		return search.State{}, err
	}
	defer x.mu.Unlock()
	return x.state, nil
}

// Reached is search.Index's.
func (x *Index) Reached(ctx context.Context, id chat.ConversationID) (chat.Seq, error) {
	if err := x.enter(ctx); err != nil {
		return 0, err
	}
	defer x.mu.Unlock()
	return x.reached[id], nil
}

// Apply is search.Index's.
func (x *Index) Apply(ctx context.Context, c *search.Changes) error {
	if err := x.enter(ctx); err != nil {
		return err
	}
	defer x.mu.Unlock()
	for _, d := range c.Docs {
		x.put(d)
	}
	for id, seq := range c.Reached {
		x.reached[id] = max(x.reached[id], seq)
	}
	for _, n := range c.Names {
		x.names[n.User] = words.NameTokens(n.Name)
	}
	if c.State != nil {
		x.state = *c.State
		x.state.Starts = slices.Clone(c.State.Starts)
	}
	return nil
}

func (x *Index) put(d search.Doc) {
	at := place{d.Conversation, d.Seq}
	one := x.docs[at]
	if one == nil {
		if d.Gone {
			return
		}
		first := search.FirstMark(d.Time)
		x.marks[first] = max(first, x.marks[first]) + 1
		one = &doc{mark: x.marks[first]}
		x.docs[at] = one
	}
	one.Doc = d
	one.tokens = make(map[string]bool)
	for _, t := range words.Tokens(d.Text) {
		one.tokens[t] = true
	}
}

// Find is search.Index's.
func (x *Index) Find(ctx context.Context, l search.Lookup) ([]search.Hit, error) {
	if len(l.Tokens)+len(l.Conversations)+len(l.Senders)+len(l.Types) == 0 {
		return nil, errNothing
	}
	if err := x.enter(ctx); err != nil {
		return nil, err
	}
	defer x.mu.Unlock()
	found := slices.SortedFunc(maps.Values(x.docs), func(a, b *doc) int { return cmp.Compare(b.mark, a.mark) })
	var hits []search.Hit
	for _, d := range found {
		if len(hits) < l.Limit && d.answers(l) {
			hits = append(hits, search.Hit{Conversation: d.Conversation, Seq: d.Seq, Mark: d.mark})
		}
	}
	return hits, nil
}

func (d *doc) answers(l search.Lookup) bool {
	return !d.Gone &&
		(l.Below == 0 || d.mark < l.Below) &&
		(l.From.IsZero() || d.mark >= search.FirstMark(l.From)) &&
		(l.To.IsZero() || d.mark < search.FirstMark(l.To)) &&
		(len(l.Conversations) == 0 || slices.Contains(l.Conversations, d.Conversation)) &&
		(len(l.Senders) == 0 || slices.Contains(l.Senders, d.Doc.From)) &&
		(len(l.Types) == 0 || slices.Contains(l.Types, d.Type)) &&
		!slices.ContainsFunc(l.Tokens, func(t string) bool { return !d.tokens[t] })
}

// Named is search.Index's.
func (x *Index) Named(ctx context.Context, tokens []string, limit int) ([]chat.UserID, error) {
	if len(tokens) == 0 {
		return nil, errNothing
	}
	if err := x.enter(ctx); err != nil {
		return nil, err
	}
	defer x.mu.Unlock()
	var users []chat.UserID
	for _, u := range slices.Sorted(maps.Keys(x.names)) {
		if len(users) < limit && !slices.ContainsFunc(tokens, func(t string) bool { return !slices.Contains(x.names[u], t) }) {
			users = append(users, u)
		}
	}
	return users, nil
}

// Clear is search.Index's.
func (x *Index) Clear(ctx context.Context) error {
	if err := x.enter(ctx); err != nil {
		return err
	}
	defer x.mu.Unlock()
	x.clear()
	return nil
}

// Close is search.Index's.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
	return nil
}

var _ search.Index = (*Index)(nil)
