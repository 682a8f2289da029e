package chat

import (
	"context"
	"errors"
	"time"
)

// Errors of a Store. Every other error of Update means that nothing was written.
var (
	// ErrFull says that the disk is full; nothing was written.
	ErrFull = errors.New("the store's disk is full")
	// ErrUnknownOutcome says that the commit may or may not have happened.
	ErrUnknownOutcome = errors.New("the outcome of the commit is not known")
	// ErrNotFound says that there is no such row.
	ErrNotFound = errors.New("not found")
)

// Keys names the rows that an Update wants to see. Duplicates are allowed.
type Keys struct {
	Conversations []ConversationID
	Members       []MemberKey
	Users         []UserID
	Accounts      []UserID
	Calls         []CallKey
	Events        []EventKey
	Items         []ItemKey
	Tallies       []TallyKey
	Heirs         []MemberKey // for each: who has been in the conversation longest, but for this user
}

// EventKey names an event.
type EventKey struct {
	Conversation ConversationID
	Seq          Seq
}

// TallyKey asks what was counted up to an event, or up to the head if that is lower.
type TallyKey struct {
	MemberKey
	Seq Seq
}

// Tally is what was counted up to an event.
type Tally struct {
	Seq   Seq   // where it was taken
	Count int64 // countable messages up to it
	Mine  int64 // of those, written by the member
}

// Rows is what an Update found of its Keys. What does not exist is not in it. The rows
// belong to the caller of the function until it returns; it may change them.
type Rows struct {
	Conversations map[ConversationID]*Conversation
	Members       map[MemberKey]*Member
	Users         map[UserID]*User
	Accounts      map[UserID]*Account
	Calls         map[CallKey]*Call
	Events        map[EventKey]*Event
	Items         map[ItemKey]*Item
	Tallies       map[TallyKey]Tally
	Heirs         map[MemberKey]UserID // whose rows are in Members too
}

// Changes is what an Update writes: new events in the order of their seqs, and rows as
// they are to be from now on (inserted or replaced). A row comes at most once.
type Changes struct {
	Events        []*Event
	Conversations []*Conversation
	Members       []*Member
	Users         []*User
	Accounts      []*Account
	Calls         []*Call
	Items         []*Item

	// Revised are events that were there before, as they are to be listed from now on.
	// Seq, sender, count, position and who may see them stay.
	Revised []*Event
	// Forgotten are items that go without leaving a trace. An item is put or forgotten, not both.
	Forgotten []ItemKey
}

// Empty says whether there is nothing to write.
func (c *Changes) Empty() bool {
	return c == nil || len(c.Events)+len(c.Conversations)+len(c.Members)+len(c.Users)+len(c.Accounts)+
		len(c.Calls)+len(c.Items)+len(c.Revised)+len(c.Forgotten) == 0
}

// Entry is a conversation in a user's list.
type Entry struct {
	Conversation Conversation
	Member       Member
}

// Pos is the entry's place in the list: its later change.
func (e *Entry) Pos() Position { return max(e.Conversation.Pos, e.Member.Pos) }

// Changed asks for a user's conversations by their last change, newest first.
type Changed struct {
	User   UserID
	After  Position // changed above it
	Before Position // changed below it
	Limit  int
}

// EventRange asks for events From to To, both included.
type EventRange struct {
	Conversation ConversationID
	From, To     Seq
	Limit        int
	Newest       bool // with more than Limit: the newest of them, not the oldest
	Messages     bool // only messages count and come, those for a few among them
}

// Head is how far a conversation's log goes.
type Head struct {
	Conversation ConversationID
	Seq          Seq
	Pos          Position
}

// Start is one start of a store: its lineage is the list of them.
type Start struct {
	ID  string   // random, 16 characters
	Pos Position // the position it began at
}

// Store keeps everything. Update has one result whatever else goes on: it is
// serializable with respect to the rows it names. All methods may be called
// concurrently and may block on the disk.
//
// # How PostgreSQL will do it
//
// Update: one statement takes the named conversations' rows FOR UPDATE in id order
// and reads the other keys; decide runs on this side; one multi-row statement a
// table writes the changes; COMMIT. A unique violation on a call (another node was
// first) rolls back and runs the whole Update again, which is why decide must be
// pure. A connection lost during COMMIT is ErrUnknownOutcome. Positions are xid8s, and
// Position is pg_snapshot_xmin, so that a slow transaction with a lower id is never
// passed over; heads may then be told twice, never missed.
type Store interface {
	// Update loads the rows that keys name, calls decide with them, writes what it
	// answers, and returns when that is synced to disk. decide must be pure: it may be
	// called again with fresh rows. Nothing is written when Changes is empty.
	// The store sets Pos of each written row to a position above all visible ones.
	Update(ctx context.Context, keys Keys, decide func(*Rows) *Changes) error

	// Users answers the rows there are, in no order.
	Users(ctx context.Context, ids []UserID) ([]User, error)
	// UserIDs answers up to limit ids, above after (by bytes) and in that order, of those who
	// have a user or an account row.
	UserIDs(ctx context.Context, after UserID, limit int) ([]UserID, error)
	// Accounts answers the rows there are, in no order. They belong to the caller.
	Accounts(ctx context.Context, ids []UserID) ([]Account, error)
	// Neighbours answers which of the others are now in a group of up to members members
	// that u is in too, in no order. Of u's conversations it may look only at the newest limit.
	Neighbours(ctx context.Context, u UserID, others []UserID, members, limit int) ([]UserID, error)
	// Conversation answers one head row, or ErrNotFound.
	Conversation(ctx context.Context, id ConversationID) (Conversation, error)
	// Member answers one member row, or ErrNotFound.
	Member(ctx context.Context, key MemberKey) (Member, error)
	// Members answers up to limit joined members with an id above after (by bytes), in that order.
	Members(ctx context.Context, id ConversationID, after UserID, limit int) ([]Member, error)
	// Audience answers who may see the event at seq: the users with a span around it, in no order.
	Audience(ctx context.Context, id ConversationID, seq Seq) ([]UserID, error)
	// Events answers stored events in seq order.
	Events(ctx context.Context, r EventRange) ([]Record, error)
	// Changed answers the user's conversations by Entry.Pos, highest first, left ones too.
	Changed(ctx context.Context, q Changed) ([]Entry, error)
	// Items answers items that are not gone, by key.
	Items(ctx context.Context, r ItemRange) ([]Item, error)
	// ChangedItems answers up to limit of the holder's items with After < Pos <= upTo, those that
	// are gone too, lowest Pos first.
	ChangedItems(ctx context.Context, holder Holder, after, upTo Position, limit int) ([]Item, error)
	// DueItems answers up to limit items of a kind, whosever, that are due at t, the longest due first.
	DueItems(ctx context.Context, kind ItemKind, t time.Time, limit int) ([]Item, error)
	// Heads answers up to limit conversations with After < Pos, lowest Pos first.
	Heads(ctx context.Context, after Position, limit int) ([]Head, error)
	// ChangedUsers answers up to limit users with After < Pos, lowest Pos first.
	ChangedUsers(ctx context.Context, after Position, limit int) ([]User, error)
	// Fork answers the highest seq the conversation had at pos, 0 if it was not there.
	Fork(ctx context.Context, id ConversationID, pos Position) (Seq, error)
	// ForgetCalls removes up to limit of the oldest calls written before t and answers how many.
	ForgetCalls(ctx context.Context, t time.Time, limit int) (int, error)

	// Position answers a position up to which everything is visible, now and for ever:
	// no commit will later appear at or below it. It does not block.
	Position() Position
	// Lineage answers the store's starts, oldest first; the last one is this one.
	Lineage() []Start
	// Close waits for what is under way and closes the store.
	Close() error
}
