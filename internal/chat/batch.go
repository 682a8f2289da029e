package chat

import (
	"encoding/json"
	"time"
)

// batch is the state of one Update while its operations decide: the rows as the
// operations before have left them, and what is to be written.
type batch struct {
	rows    *Rows
	now     time.Time
	current *operation
	changes Changes
	commits []Commit

	conversations set[*Conversation]
	members       set[*Member]
	users         set[*User]
	accounts      map[UserID]*Account
	items         map[ItemKey]*Item // put in this batch; nil: forgotten in it
	revised       set[*Event]
	notices       []Notice
	unlogged      map[ConversationID]*movement // in channels
}

// set keeps what was added once, in order.
type set[T comparable] struct {
	seen map[T]bool
	list []T
}

func (s *set[T]) add(v T) {
	if s.seen[v] {
		return
	}
	if s.seen == nil {
		s.seen = make(map[T]bool)
	}
	s.seen[v] = true
	s.list = append(s.list, v)
}

func newBatch(rows *Rows, now time.Time) *batch {
	return &batch{rows: rows, now: now.UTC().Truncate(time.Millisecond)}
}

// finish answers what the batch writes.
func (b *batch) finish() *Changes {
	b.changes.Conversations = b.conversations.list
	b.changes.Members = b.members.list
	b.changes.Users = b.users.list
	for _, acc := range b.accounts {
		b.changes.Accounts = append(b.changes.Accounts, acc)
	}
	for key, it := range b.items {
		if it == nil {
			b.changes.Forgotten = append(b.changes.Forgotten, key)
		} else {
			b.changes.Items = append(b.changes.Items, it)
		}
	}
	b.changes.Revised = b.revised.list
	for _, e := range b.revised.list {
		e.Encode()
	}
	return &b.changes
}

// item gives an item as the operations before have left it, nil if there is none or it is
// gone. It is not to be changed: the caller puts another one.
func (b *batch) item(key ItemKey) *Item {
	it, ok := b.items[key]
	if !ok {
		it = b.rows.Items[key]
	}
	if it == nil || it.Body == nil {
		return nil
	}
	return it
}

func (b *batch) putItem(it *Item) {
	if b.items == nil {
		b.items = make(map[ItemKey]*Item)
	}
	b.items[it.ItemKey] = it
}

// forgetItem removes an item that nobody is to be told is gone.
func (b *batch) forgetItem(key ItemKey) {
	if b.items == nil {
		b.items = make(map[ItemKey]*Item)
	}
	b.items[key] = nil
}

// event gives an event that was named by a key or appended in this batch, as the operations
// before have left it; nil: there is none. What is changed of it is put with revise.
func (b *batch) event(key EventKey) *Event {
	if e := b.rows.Events[key]; e != nil {
		return e
	}
	for _, e := range b.changes.Events {
		if e.Conversation == key.Conversation && e.Seq == key.Seq {
			return e
		}
	}
	return nil
}

// revise has an event listed as it is now. by is the event that tells of the change.
func (b *batch) revise(e *Event, by Seq) {
	e.Changed = by
	for _, fresh := range b.changes.Events {
		if fresh == e { // it was appended in this batch: what is delivered and stored is the same
			e.Encode()
			return
		}
	}
	b.revised.add(e)
}

// notifyUser has a notice told to a user's sessions alone, after the commit.
func (b *batch) notifyUser(u UserID, method string, params any) {
	b.notify(Notice{Conversation: Conversation{Kind: Direct}, Only: u, Method: method, Params: mustJSON(params)})
}

// mustJSON encodes what always encodes: strings, numbers, and JSON that was checked.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// notify has a notice told after the commit.
func (b *batch) notify(n Notice) { b.notices = append(b.notices, n) }

// addConversation makes a new conversation known to the operations that follow.
func (b *batch) addConversation(c *Conversation) {
	b.rows.Conversations[c.ID] = c
	b.conversations.add(c)
}

// member gives the member row for key, a new one if there is none. The caller puts it.
func (b *batch) member(key MemberKey) *Member {
	if m := b.rows.Members[key]; m != nil {
		return m
	}
	return &Member{MemberKey: key}
}

// account gives a user's account as the operations before have left it, an empty one if
// there is none. It is not to be changed: the caller puts a clone.
func (b *batch) account(u UserID) *Account {
	if acc := b.accounts[u]; acc != nil {
		return acc
	}
	if acc := b.rows.Accounts[u]; acc != nil {
		return acc
	}
	return &Account{User: u}
}

func (b *batch) putAccount(acc *Account) {
	if b.accounts == nil {
		b.accounts = make(map[UserID]*Account)
	}
	b.accounts[acc.User] = acc
}

func (b *batch) putMember(m *Member) {
	b.rows.Members[m.MemberKey] = m
	b.members.add(m)
}

// append gives e its seq, time and count in c, encodes it, and sees to its way out.
func (b *batch) append(c *Conversation, e *Event) {
	c.Seq++
	if e.Countable() {
		c.Count++
	}
	if b.now.After(c.Time) {
		c.Time = b.now
	}
	if e.Kind == Members || e.Kind == Created {
		e.MovedAfter, c.MembersRev = c.MembersRev, c.Seq
	} else if mv := b.unlogged[c.ID]; mv != nil {
		e.Moved, e.MovedAfter = mv.users, mv.after
	}
	e.Conversation, e.Seq, e.Time, e.Count = c.ID, c.Seq, c.Time, c.Count
	e.Encode()
	b.conversations.add(c)
	b.changes.Events = append(b.changes.Events, e)
	b.current.event = e
	b.commits = append(b.commits, Commit{Event: e, Conversation: *c, op: b.current})
}

// recall answers what an earlier call with this key was answered, if there was one:
// found with the place, or with the conflict when it was another call.
func (b *batch) recall(key CallKey, hash [16]byte) (place Place, found bool, err error) {
	call := b.rows.Calls[key]
	if call == nil {
		return Place{}, false, nil
	}
	p := Place{Conversation: call.Conversation, Seq: call.Seq, Time: call.Time}
	if call.Hash != hash {
		return Place{}, true, &Error{
			Code: CodeConflict, Message: "this client_id was used for something else", Param: "client_id", First: &p,
		}
	}
	return p, true, nil
}

// remember stores what a call is answered, for its repetitions.
func (b *batch) remember(key CallKey, hash [16]byte, e *Event) Place {
	call := &Call{CallKey: key, Hash: hash, Conversation: e.Conversation, Seq: e.Seq, Time: e.Time, At: b.now}
	b.rows.Calls[key] = call
	b.changes.Calls = append(b.changes.Calls, call)
	return Place{Conversation: e.Conversation, Seq: e.Seq, Time: e.Time}
}
