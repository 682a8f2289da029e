// Package memory is chat.Store in memory: the reference that the others are compared
// with, and the store of tests. It keeps nothing when the process ends.
//
// It runs in two ways. New runs one Update at a time, as SQLite does. NewConcurrent
// runs those that name different rows side by side, as PostgreSQL does, so that they
// become visible in another order than they began in: what is true of cursors there
// can be tested here.
//
// Both number their Updates as they begin. The Update with the number n owns the
// positions from n<<20 on, one for each row it writes.
package memory

import (
	"crypto/rand"
	"errors"
	"sync"

	"github.com/linnet-im/linnet/internal/chat"
)

// rowBits is how many bits of a position number the rows within one Update.
const rowBits = 20

var errClosed = errors.New("memory: the store is closed")

// Store is a chat.Store in memory.
type Store struct {
	serial bool
	hook   func(chat.Position)
	// highest makes Position the highest committed one whatever is still under way:
	// the wrong rule, for the test that shows what it loses.
	highest bool

	mu      sync.Mutex
	changed *sync.Cond        // an Update ended
	held    map[lockName]bool // by Updates under way
	next    int64             // the number of the next Update
	flying  map[int64]bool    // the numbers of those under way
	done    int64             // the highest number committed
	closed  bool

	start         chat.Start
	conversations map[chat.ConversationID]*conversation
	members       map[chat.UserID]map[chat.ConversationID]*chat.Member
	users         map[chat.UserID]chat.User
	accounts      map[chat.UserID]*chat.Account
	items         map[chat.ItemKey]chat.Item
	calls         map[chat.CallKey]chat.Call
}

// conversation is a head with its log, where the event with seq n is at n-1, and its members.
type conversation struct {
	head    chat.Conversation
	log     []event
	members map[chat.UserID]*chat.Member
}

type event struct {
	json    []byte
	only    []chat.UserID
	message bool
	from    chat.UserID
	count   int64
	pos     chat.Position
}

func (e *event) record(seq chat.Seq) chat.Record {
	return chat.Record{Seq: seq, JSON: e.json, Only: e.only}
}

// New makes an empty store that runs one Update at a time.
func New() *Store {
	s := newStore()
	s.serial = true
	return s
}

// NewConcurrent makes an empty store whose Updates wait for each other only where they
// name the same rows. hook, if not nil, is called by each Update that writes, after it
// has decided and before it becomes visible, with the lowest position it owns; it may block.
func NewConcurrent(hook func(pos chat.Position)) *Store {
	s := newStore()
	s.hook = hook
	return s
}

func newStore() *Store {
	s := &Store{
		held:          make(map[lockName]bool),
		next:          1,
		flying:        make(map[int64]bool),
		conversations: make(map[chat.ConversationID]*conversation),
		members:       make(map[chat.UserID]map[chat.ConversationID]*chat.Member),
		users:         make(map[chat.UserID]chat.User),
		accounts:      make(map[chat.UserID]*chat.Account),
		items:         make(map[chat.ItemKey]chat.Item),
		calls:         make(map[chat.CallKey]chat.Call),
	}
	s.changed = sync.NewCond(&s.mu)
	s.start = chat.Start{ID: rand.Text()[:16], Pos: s.position()}
	return s
}

// Position answers the highest position below every Update under way.
func (s *Store) Position() chat.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.position()
}

func (s *Store) position() chat.Position {
	if s.highest {
		return first(s.done+1) - 1
	}
	lowest := s.next
	for n := range s.flying {
		lowest = min(lowest, n)
	}
	return first(lowest) - 1
}

// first is the lowest position that the Update with number n owns.
func first(n int64) chat.Position { return chat.Position(n << rowBits) }

// Lineage answers the one start that there is.
func (s *Store) Lineage() []chat.Start { return []chat.Start{s.start} }

// Close waits for the Updates under way. The store answers nothing after it.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for len(s.flying) > 0 {
		s.changed.Wait()
	}
	return nil
}
