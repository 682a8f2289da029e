// Package chat is Linnet's domain: users, conversations, the events of their logs, who
// may do and see what, and the ports that it needs from the outside (Store, Bus).
// It knows no socket, no database and no wire format but that of an event, which is
// encoded once, here, and then shared by the store and by everybody who receives it.
//
// The way of a write: Service checks what can be checked without the log and hands an
// operation to the committer. The committer gathers what waits, loads the rows it
// needs, lets each operation decide, and writes all in one synced commit
// (Store.Update). Then the answers and the events go to the Bus, in commit order.
package chat

import (
	"encoding/json"
	"time"
)

// UserID identifies a user: 1 to 64 bytes of UTF-8 without white space, control
// characters or, but for the guests' prefix, a colon.
type UserID string

// ConversationID identifies a conversation.
type ConversationID string

// Lobby is the room that every guest is in and that the text protocol speaks to.
const Lobby ConversationID = "lobby"

// Seq is an event's place in its conversation: 1, 2, 3… without a gap. 0 is before the first.
type Seq int64

// Position is a place in the store's order of commits. Only the store makes one.
type Position int64

// ConversationKind says what kind of conversation it is.
type ConversationKind string

// The kinds of conversations.
const (
	Direct  ConversationKind = "direct"
	Group   ConversationKind = "group"
	Room    ConversationKind = "room"
	Channel ConversationKind = "channel" // a group in which only the staff writes
	Thread  ConversationKind = "thread"  // hangs on a message of another conversation
)

// Conversation is the head row of a conversation: its state as of event Seq.
type Conversation struct {
	ID         ConversationID
	Kind       ConversationKind
	Name       string
	Pair       [2]UserID // direct: the two, sorted; equal when one writes to oneself
	SharedPast bool      // who joins may read what was before
	Seq        Seq       // of the newest event
	Count      int64     // countable messages so far
	Time       time.Time // of the newest event; never goes back
	Members    int       // joined now
	MembersRev Seq       // of the newest event that changed the membership; in a channel, how often it changed
	Rev        int64     // moves when read positions moved (small conversations)
	Details    *Details  // what is set rarely; nil: nothing. Never changed in place: a new one is put
	Pos        Position  // of the last change of this row; set by the store
}

// Role is what a member is in a conversation.
type Role string

// The roles.
const (
	Owner  Role = "owner"
	Admin  Role = "admin"
	Plain  Role = "member"
	NoRole Role = ""
)

// Span is a time in a conversation: events From to To, both included. To 0 means still in it.
type Span struct{ From, To Seq }

// MemberKey names a member row.
type MemberKey struct {
	Conversation ConversationID
	User         UserID
}

// Member is what one user is and has in one conversation. The row stays after leaving.
type Member struct {
	MemberKey
	Role      Role
	Spans     []Span // ascending, disjoint; the last one may be open
	Since     Seq    // of the event that began the last span
	ReadSeq   Seq
	ReadCount int64          // Conversation.Count at ReadSeq
	ReadSent  int64          // Sent at ReadSeq
	Sent      int64          // countable messages this user wrote here
	Details   *MemberDetails // what is set rarely; nil: nothing. Never changed in place: a new one is put
	Pos       Position       // of the last change of this row; set by the store
}

// User is a user's profile. A user without a row is known by its id alone.
type User struct {
	ID      UserID
	Name    string
	Details *UserDetails // as a conversation's
	Pos     Position     // of the last change of this row; set by the store
}

// CallKey names a call that created something.
type CallKey struct {
	User     UserID
	ClientID [16]byte
}

// Call remembers what a call that created something was and what it was answered.
type Call struct {
	CallKey
	Hash         [16]byte // of what the caller sent
	Conversation ConversationID
	Seq          Seq
	Time         time.Time // the event's
	At           time.Time // when the row was written, for its expiry
}

// EventKind says what an event is.
type EventKind string

// The kinds of events. Only messages are countable.
const (
	Message EventKind = "message"
	Created EventKind = "created"   // of a group: its name and first members
	Members EventKind = "members"   // who was added, was removed, left
	Updated EventKind = "updated"   // of a group: what is set, roles, nicknames, mutes
	Closed  EventKind = "dismissed" // of a group: nothing comes after it
	Void    EventKind = "void"      // nothing for this reader
)

// Event is one entry of a conversation's log.
type Event struct {
	Conversation ConversationID
	Seq          Seq
	Kind         EventKind
	From         UserID
	ClientID     string // as the sender wrote it
	Time         time.Time
	Count        int64          // Conversation.Count with this event in it
	Changed      Seq            // of the event that last changed this one; 0: none
	Edited       time.Time      // when its content was last edited; zero: never
	ReplyTo      Seq            // the message this one answers; 0: none
	Values       *Values        // a small map that it carries; never changed in place
	Reactions    []Reaction     // how many reacted with what
	Targets      [][2]Seq       // ranges of seqs that this one changes
	Thread       ConversationID // that hangs on this message
	Burn         time.Duration  // a message that burns so long after it was opened; 0: it does not
	Opened       time.Time      // when it was; zero: not yet
	Priority     Priority       // of a message in a room
	Stream       string         // of a message that is not whole: open or interrupted
	Only         []UserID       // who may see it, the sender among them, sorted; nil: everybody who may see the conversation
	Content      json.RawMessage

	// Erased says that its content is gone: it is listed as a void, with Changed. What the
	// store keeps of it besides, who wrote it and that it counts, stays.
	Erased bool

	// Moved is whose membership the event changes, all of them, and MovedAfter the change of
	// members before it; in a channel, whose changed before it in its commit. They are not stored; nil: it is not known.
	Moved      []UserID
	MovedAfter Seq

	// JSON is the event in its wire form, made once by Encode. It is shared and never written to.
	JSON []byte
}

// Countable says whether the event counts as a message: what is for a few does not.
func (e *Event) Countable() bool { return e.Kind == Message && e.Only == nil }

// Record is a stored event, as listing needs it.
type Record struct {
	Seq  Seq
	JSON []byte   // Event.JSON; not to be written to
	Only []UserID // Event.Only; not to be written to
}
