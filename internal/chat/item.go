package chat

import (
	"encoding/json"
	"strings"
	"time"
)

// Holder is whose an item is: a user's, a conversation's or the server's. A user's items
// are that user's own state: sync tells them to all its devices, and to nobody else.
type Holder string

// ServerHolder holds what belongs to no user and no conversation.
const ServerHolder Holder = "s"

// UserHolder is the holder of a user's own state.
func UserHolder(u UserID) Holder { return Holder("u:" + string(u)) }

// user answers the user whose holder it is, "" if it is not a user's.
func (h Holder) user() UserID {
	u, ok := strings.CutPrefix(string(h), "u:")
	if !ok {
		return ""
	}
	return UserID(u)
}

// conversation answers the conversation whose holder it is, "" if it is not one's.
func (h Holder) conversation() ConversationID {
	id, ok := strings.CutPrefix(string(h), "c:")
	if !ok {
		return ""
	}
	return ConversationID(id)
}

// ConversationHolder is the holder of a conversation's items.
func ConversationHolder(id ConversationID) Holder { return Holder("c:" + string(id)) }

// ItemKind says what an item is: its holder's items of one kind are listed together.
type ItemKind string

// stamp is an instant in the body of an item, in the wire's form.
type stamp struct{ time.Time }

// MarshalJSON writes the wire's form.
func (s stamp) MarshalJSON() ([]byte, error) {
	return append(AppendTime([]byte{'"'}, s.Time), '"'), nil
}

// ItemKey names an item. Keys are compared by their bytes.
type ItemKey struct {
	Holder Holder
	Kind   ItemKind
	Key    string
}

// Item is a small row of state with a name: a friend, a ban, a draft, a reaction. What a
// send needs is not kept in items but in the rows of the conversation and its members.
type Item struct {
	ItemKey
	Body json.RawMessage // what it holds; nil: it is gone, which a user's devices are still to be told
	Due  time.Time       // when there is something to do about it; zero: never
	Pos  Position        // of the last change of this row; set by the store
}

// ItemRange asks for a holder's items of one kind, by key.
type ItemRange struct {
	Holder Holder
	Kind   ItemKind
	Prefix string // of the keys; empty: all
	After  string // keys above it
	Limit  int
}

// putOwn gives a part of a user's own state a new body, nil for none, and tells the user's
// sessions.
func (b *batch) putOwn(u UserID, kind ItemKind, key string, body json.RawMessage) {
	b.putOwnDue(u, kind, key, body, time.Time{})
}

// putOwnDue is putOwn for what something is to be done about at a time.
func (b *batch) putOwnDue(u UserID, kind ItemKind, key string, body json.RawMessage, due time.Time) {
	b.putItem(&Item{ItemKey: ItemKey{UserHolder(u), kind, key}, Body: body, Due: due})
	b.notifyItem(u, kind, key, body)
}

// notifyItem tells a user's sessions a part of its own state.
func (b *batch) notifyItem(u UserID, kind ItemKind, key string, body json.RawMessage) {
	b.notifyUser(u, "item", struct {
		Kind ItemKind        `json:"kind"`
		Key  string          `json:"key"`
		Body json.RawMessage `json:"body,omitempty"`
	}{kind, key, body})
}
