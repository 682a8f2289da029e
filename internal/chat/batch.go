package chat

import "time"

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
	return &b.changes
}

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
	if e.Kind == Message {
		c.Count++
	}
	if b.now.After(c.Time) {
		c.Time = b.now
	}
	if e.Kind == Members || e.Kind == Created {
		c.MembersRev = c.Seq
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
