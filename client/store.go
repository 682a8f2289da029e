package client

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/wire"
)

// Store is where a client keeps what it knows: in memory (NewMemory), or on disk
// (package client/disk), so that a program that was closed goes on where it was. A store
// belongs to one client at a time, and to one user for its life. Its methods may be
// called concurrently. An error of Update that is not of a message's own ends the
// connection, and it is tried again: a client goes on only from what its store has.
type Store interface {
	// Load answers everything but the events.
	Load(ctx context.Context) (*Known, error)
	// Update writes changes, all of them or none, and returns when they will outlive
	// what the store promises to outlive.
	Update(ctx context.Context, ch *Changes) error
	// Events answers the events held of a conversation from one seq to another, both
	// included, in order.
	Events(ctx context.Context, conversation string, from, to int64) ([]wire.Event, error)
	Close() error
}

// Known is what a store knows.
type Known struct {
	User          string // whose all this is; "" at first
	Cursor        string
	Epoch         string // the server's store's start that was last connected to
	Conversations []Conversation
	Outbox        []Outgoing // in the order they were sent
	Items         []wire.Item
}

// Conversation is a conversation as the server last told of it, with what was heard
// since, and the range of its events that is held.
type Conversation struct {
	wire.Conversation
	Held Range `json:"held"`
	// Sure is up to which seq of what is held the cursor vouches. Above it is what was told
	// live since: if the server's store goes back, the cursor may still hold, and that not.
	Sure int64 `json:"sure"`
}

// Range is a range of seqs, both included; empty when To is below From. Of a
// conversation whose range is empty, everything up to To is known not to be held.
type Range struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// Outgoing is a message in the outbox.
type Outgoing struct {
	ClientID string         `json:"client_id"`
	To       wire.To        `json:"to"`
	Content  jsontext.Value `json:"content"`
	Created  time.Time      `json:"created"`
	Failed   *Failure       `json:"failed,omitzero"` // nil: it is still to be sent
}

// Failure is why a message was not sent.
type Failure struct {
	Code    wire.Code `json:"code,omitzero"` // of the server; "" for the client's own reason
	Message string    `json:"message"`
}

// Changes is one step of a store.
type Changes struct {
	User          string // "" leaves it
	Cursor        string // "" leaves it
	Epoch         string // "" leaves it
	Conversations []Conversation
	Events        []wire.Event // put in their place
	Forget        []Span       // events that go, before the others are put
	Drop          []string     // conversations that go, with their events
	Outgoing      []Outgoing   // put; new ones at the end of the outbox
	Sent          []string     // client ids that leave the outbox
	Renew         bool         // all items go, before the others are put
	Items         []wire.Item  // put; one without a body goes
}

// Span is a range of a conversation's events.
type Span struct {
	Conversation string
	Range
}

func (c *Changes) empty() bool {
	return !c.Renew && len(c.Items) == 0 && c.User == "" && c.Cursor == "" && c.Epoch == "" &&
		len(c.Conversations)+len(c.Events)+len(c.Forget)+len(c.Drop)+len(c.Outgoing)+len(c.Sent) == 0
}

// memory is a Store that lives as long as its program.
type memory struct {
	mu     sync.Mutex
	known  Known
	events map[string][]wire.Event // by seq
}

// NewMemory makes a store in memory.
func NewMemory() Store { return &memory{events: make(map[string][]wire.Event)} }

func (m *memory) Load(context.Context) (*Known, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.known
	k.Conversations, k.Outbox, k.Items = slices.Clone(k.Conversations), slices.Clone(k.Outbox), slices.Clone(k.Items)
	return &k, nil
}

func (m *memory) Update(_ context.Context, ch *Changes) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ch.User != "" {
		m.known.User = ch.User
	}
	if ch.Cursor != "" {
		m.known.Cursor = ch.Cursor
	}
	if ch.Epoch != "" {
		m.known.Epoch = ch.Epoch
	}
	for _, s := range ch.Forget {
		list := m.events[s.Conversation]
		from, to := bounds(list, s.From, s.To)
		m.events[s.Conversation] = slices.Delete(list, from, to)
	}
	for _, id := range ch.Drop {
		delete(m.events, id)
		m.known.Conversations = slices.DeleteFunc(m.known.Conversations, func(c Conversation) bool { return c.ID == id })
	}
	for _, c := range ch.Conversations {
		put(&m.known.Conversations, c, func(o Conversation) bool { return o.ID == c.ID })
	}
	for _, e := range ch.Events {
		list := m.events[e.Conversation]
		if i, found := slices.BinarySearchFunc(list, e.Seq, bySeq); found {
			list[i] = e
		} else {
			m.events[e.Conversation] = slices.Insert(list, i, e)
		}
	}
	for _, o := range ch.Outgoing {
		put(&m.known.Outbox, o, func(p Outgoing) bool { return p.ClientID == o.ClientID })
	}
	if ch.Renew {
		m.known.Items = nil
	}
	for _, it := range ch.Items {
		put(&m.known.Items, it, func(o wire.Item) bool { return o.Kind == it.Kind && o.Key == it.Key })
	}
	m.known.Items = slices.DeleteFunc(m.known.Items, func(it wire.Item) bool { return it.Body == nil })
	m.known.Outbox = slices.DeleteFunc(m.known.Outbox, func(o Outgoing) bool { return slices.Contains(ch.Sent, o.ClientID) })
	return nil
}

// put replaces the element that is the same, or appends v.
func put[T any](list *[]T, v T, same func(T) bool) {
	if i := slices.IndexFunc(*list, same); i >= 0 {
		(*list)[i] = v
		return
	}
	*list = append(*list, v)
}

func (m *memory) Events(_ context.Context, conversation string, from, to int64) ([]wire.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.events[conversation]
	i, j := bounds(list, from, to)
	return slices.Clone(list[i:j]), nil
}

func bySeq(e wire.Event, seq int64) int { return cmp.Compare(e.Seq, seq) }

// bounds answers where in list the seqs from to to, both included, begin and end.
func bounds(list []wire.Event, from, to int64) (i, j int) {
	i, _ = slices.BinarySearchFunc(list, from, bySeq)
	j, _ = slices.BinarySearchFunc(list, to+1, bySeq)
	return i, max(i, j)
}

func (m *memory) Close() error { return nil }
