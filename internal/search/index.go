// Package search finds messages, users, members and groups.
//
// Messages and users' names are looked up in an Index, which an Indexer keeps up to date
// by following the store: never on the way of a send. What the index answers is only
// where to look. Everything is read again through package chat, as the searcher may see
// it now, and its text is compared again, so that an index that is old, or wrong, can
// make a search miss something and never show it.
package search

import (
	"context"
	"errors"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// ErrDamaged says that an index is not readable any more: Clear makes it anew.
var ErrDamaged = errors.New("the search index is damaged")

// Index keeps where which words are. All methods may be called concurrently and may
// block on the disk. What Apply has done may be forgotten again in a crash, but only as
// a whole, with the State that came with it.
type Index interface {
	// State answers how far the index goes.
	State(ctx context.Context) (State, error)
	// Reached answers up to which seq a conversation is in the index, 0 for nowhere.
	Reached(ctx context.Context, id chat.ConversationID) (chat.Seq, error)
	// Apply makes changes in one step, and all of them or none.
	Apply(ctx context.Context, c *Changes) error
	// Find answers up to l.Limit messages, the newest first.
	Find(ctx context.Context, l Lookup) ([]Hit, error)
	// Named answers up to limit users whose names have all of the tokens.
	Named(ctx context.Context, tokens []string, limit int) ([]chat.UserID, error)
	// Clear forgets everything, the State too.
	Clear(ctx context.Context) error
	// Close closes the index. It may be called again.
	Close() error
}

// State is how far an index goes in the store.
type State struct {
	Starts []chat.Start  // the end of the lineage that it followed, oldest first; none: it is new
	Pos    chat.Position // conversations that changed up to it are in the index
	Users  chat.Position // and users
}

// Changes are what Apply does.
type Changes struct {
	Docs    []Doc
	Reached map[chat.ConversationID]chat.Seq
	Names   []Name
	State   *State // nil: it stays
}

// Doc is a message as the index takes it. It takes the place of what was known of it.
type Doc struct {
	Conversation chat.ConversationID
	Seq          chat.Seq
	Time         time.Time
	From         chat.UserID
	Type         string
	Text         string
	Gone         bool // it is not to be found
}

// Name is a user's name as the index takes it.
type Name struct {
	User chat.UserID
	Name string
}

// Lookup asks for messages that have all of Tokens, and one of each other list that is not empty.
type Lookup struct {
	Tokens        []string
	Conversations []chat.ConversationID
	Senders       []chat.UserID
	Types         []string
	From, To      time.Time // not before, and before; zero: any
	Below         Mark      // 0: from the newest on
	Limit         int
}

// Mark is a message's place in the order in which Find answers: by time, the newest has
// the highest. A message keeps its mark as long as the index is not cleared.
type Mark int64

// markBits is how many bits of a mark tell messages of one millisecond apart.
const markBits = 20

// FirstMark gives the lowest mark of a time.
func FirstMark(t time.Time) Mark { return Mark(max(0, t.UnixMilli())) << markBits }

// Hit is where something may be.
type Hit struct {
	Conversation chat.ConversationID
	Seq          chat.Seq
	Mark         Mark
}
