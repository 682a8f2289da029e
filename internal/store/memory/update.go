package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// lockName names what one Update at a time may have: a conversation with its members,
// a user, a holder's items, or, when all are empty, the whole store.
type lockName struct {
	conversation chat.ConversationID
	user         chat.UserID
	holder       chat.Holder // of items
}

// Update is chat.Store's.
func (s *Store) Update(ctx context.Context, keys chat.Keys, decide func(*chat.Rows) *chat.Changes) error {
	names := s.lockNames(&keys)
	for {
		retry, err := s.try(ctx, names, &keys, decide)
		if err != nil || !retry {
			return err
		}
	}
}

// try runs an Update once. It is to be run again when another one wrote the same call meanwhile.
func (s *Store) try(ctx context.Context, names []lockName, keys *chat.Keys, decide func(*chat.Rows) *chat.Changes) (retry bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.lock(ctx, names); err != nil {
		return false, err
	}
	defer s.unlock(names)
	// The number is taken with the locks held, so that one conversation's positions only grow.
	number := s.next
	s.next++
	s.flying[number] = true
	defer delete(s.flying, number)

	rows := s.load(keys)
	known := maps.Clone(rows.Calls)
	changes := s.unlocked(func() *chat.Changes {
		changes := decide(rows)
		if s.hook != nil && !changes.Empty() {
			s.hook(first(number))
		}
		return changes
	})
	if changes.Empty() {
		return false, nil
	}
	for _, c := range changes.Calls {
		if _, ok := s.calls[c.CallKey]; !ok {
			continue
		}
		if known[c.CallKey] != nil || !slices.Contains(keys.Calls, c.CallKey) {
			return false, fmt.Errorf("memory: the call of %q is there already", c.User)
		}
		return true, nil
	}
	if err := s.check(changes); err != nil {
		return false, err
	}
	s.apply(changes, number)
	s.done = max(s.done, number)
	return false, nil
}

// unlocked runs f, which may block, without s.mu.
func (s *Store) unlocked(f func() *chat.Changes) *chat.Changes {
	s.mu.Unlock()
	defer s.mu.Lock()
	return f()
}

func (s *Store) lockNames(keys *chat.Keys) []lockName {
	if s.serial {
		return []lockName{{}}
	}
	var names []lockName
	for _, id := range keys.Conversations {
		names = append(names, lockName{conversation: id})
	}
	for _, k := range keys.Members {
		names = append(names, lockName{conversation: k.Conversation})
	}
	for _, k := range keys.Events {
		names = append(names, lockName{conversation: k.Conversation})
	}
	for _, k := range keys.Items {
		names = append(names, lockName{holder: k.Holder})
	}
	for _, k := range keys.Tallies {
		names = append(names, lockName{conversation: k.Conversation})
	}
	for _, k := range keys.Heirs {
		names = append(names, lockName{conversation: k.Conversation})
	}
	for _, id := range slices.Concat(keys.Users, keys.Accounts) {
		names = append(names, lockName{user: id})
	}
	return names
}

// lock takes all names at once, so that no two Updates can wait for each other.
func (s *Store) lock(ctx context.Context, names []lockName) error {
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.changed.Broadcast()
	})
	defer stop()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.closed {
			return errClosed
		}
		if !slices.ContainsFunc(names, func(n lockName) bool { return s.held[n] }) {
			break
		}
		s.changed.Wait()
	}
	for _, n := range names {
		s.held[n] = true
	}
	return nil
}

func (s *Store) unlock(names []lockName) {
	for _, n := range names {
		delete(s.held, n)
	}
	s.changed.Broadcast()
}

// load copies the rows that keys name: what decide does to them changes nothing here.
func (s *Store) load(keys *chat.Keys) *chat.Rows {
	rows := &chat.Rows{
		Conversations: make(map[chat.ConversationID]*chat.Conversation),
		Members:       make(map[chat.MemberKey]*chat.Member),
		Users:         make(map[chat.UserID]*chat.User),
		Accounts:      make(map[chat.UserID]*chat.Account),
		Calls:         make(map[chat.CallKey]*chat.Call),
		Events:        make(map[chat.EventKey]*chat.Event),
		Items:         make(map[chat.ItemKey]*chat.Item),
		Tallies:       make(map[chat.TallyKey]chat.Tally),
		Heirs:         make(map[chat.MemberKey]chat.UserID),
	}
	for _, id := range keys.Conversations {
		if c := s.conversations[id]; c != nil {
			head := c.head
			rows.Conversations[id] = &head
		}
	}
	for _, k := range keys.Members {
		if m := s.member(k); m != nil {
			rows.Members[k] = copyMember(m)
		}
	}
	for _, id := range keys.Users {
		if u, ok := s.users[id]; ok {
			rows.Users[id] = &u
		}
	}
	for _, id := range keys.Accounts {
		if a := s.accounts[id]; a != nil {
			rows.Accounts[id] = a.Clone()
		}
	}
	for _, k := range keys.Calls {
		if c, ok := s.calls[k]; ok {
			rows.Calls[k] = &c
		}
	}
	for _, k := range keys.Events {
		if c := s.conversations[k.Conversation]; c != nil && k.Seq >= 1 && int(k.Seq) <= len(c.log) {
			rows.Events[k] = chat.ParseEvent(k.Conversation, c.log[k.Seq-1].record(k.Seq))
		}
	}
	for _, k := range keys.Items {
		if it, ok := s.items[k]; ok {
			rows.Items[k] = &it
		}
	}
	for _, k := range keys.Tallies {
		if c := s.conversations[k.Conversation]; c != nil {
			rows.Tallies[k] = c.tally(k)
		}
	}
	for _, k := range keys.Heirs {
		if c := s.conversations[k.Conversation]; c != nil {
			if heir := c.heir(k.User); heir != nil {
				rows.Heirs[k] = heir.User
				rows.Members[heir.MemberKey] = copyMember(heir)
			}
		}
	}
	return rows
}

func (c *conversation) tally(k chat.TallyKey) chat.Tally {
	t := chat.Tally{Seq: max(0, min(k.Seq, c.head.Seq))}
	for _, e := range c.log[:t.Seq] {
		t.Count = e.count
		if e.message && e.from == k.User {
			t.Mine++
		}
	}
	return t
}

func (c *conversation) heir(but chat.UserID) *chat.Member {
	var heir *chat.Member
	for _, m := range c.members {
		if m.User == but || !joined(m) {
			continue
		}
		if heir == nil || m.Since < heir.Since || m.Since == heir.Since && m.User < heir.User {
			heir = m
		}
	}
	return heir
}

// check refuses what a database's constraints would.
func (s *Store) check(changes *chat.Changes) error {
	heads := make(map[chat.ConversationID]chat.Seq)
	for _, c := range changes.Conversations {
		heads[c.ID] = 0
		if old := s.conversations[c.ID]; old != nil {
			heads[c.ID] = chat.Seq(len(old.log))
		}
	}
	for _, e := range changes.Events {
		seq, ok := heads[e.Conversation]
		if !ok {
			return fmt.Errorf("memory: event %d comes without its conversation %q", e.Seq, e.Conversation)
		}
		if e.Seq != seq+1 {
			return fmt.Errorf("memory: event %d of %q does not follow %d", e.Seq, e.Conversation, seq)
		}
		heads[e.Conversation] = e.Seq
	}
	for _, c := range changes.Conversations {
		if c.Seq != heads[c.ID] {
			return fmt.Errorf("memory: the head of %q is %d, its last event %d", c.ID, c.Seq, heads[c.ID])
		}
	}
	for _, e := range changes.Revised {
		if c := s.conversations[e.Conversation]; c == nil || e.Seq < 1 || int(e.Seq) > len(c.log) {
			return fmt.Errorf("memory: there is no event %d of %q to revise", e.Seq, e.Conversation)
		}
	}
	for _, m := range changes.Members {
		if _, ok := heads[m.Conversation]; !ok && s.conversations[m.Conversation] == nil {
			return fmt.Errorf("memory: member %q comes without its conversation %q", m.User, m.Conversation)
		}
	}
	return nil
}

func (s *Store) apply(changes *chat.Changes, number int64) {
	next := first(number)
	position := func() chat.Position {
		p := next
		next++
		return p
	}
	for _, head := range changes.Conversations {
		head.Pos = position()
		c := s.conversations[head.ID]
		if c == nil {
			c = &conversation{members: make(map[chat.UserID]*chat.Member)}
			s.conversations[head.ID] = c
		}
		c.head = *head
		c.head.Time = milliseconds(head.Time)
	}
	for _, e := range changes.Events {
		c := s.conversations[e.Conversation]
		c.log = append(c.log, event{
			json: e.JSON, only: e.Only, message: e.Countable(), from: e.From, count: e.Count, pos: c.head.Pos,
		})
	}
	for _, e := range changes.Revised {
		s.conversations[e.Conversation].log[e.Seq-1].json = e.JSON
	}
	for _, m := range changes.Members {
		m.Pos = position()
		row := copyMember(m)
		s.conversations[m.Conversation].members[m.User] = row
		if s.members[m.User] == nil {
			s.members[m.User] = make(map[chat.ConversationID]*chat.Member)
		}
		s.members[m.User][m.Conversation] = row
	}
	for _, u := range changes.Users {
		u.Pos = position()
		s.users[u.ID] = *u
	}
	for _, a := range changes.Accounts {
		s.accounts[a.User] = a.Clone()
	}
	for _, it := range changes.Items {
		it.Pos = position()
		row := *it
		if !it.Due.IsZero() {
			row.Due = milliseconds(it.Due)
		}
		s.items[it.ItemKey] = row
	}
	for _, key := range changes.Forgotten {
		delete(s.items, key)
	}
	for _, c := range changes.Calls {
		call := *c
		call.Time, call.At = milliseconds(c.Time), milliseconds(c.At)
		s.calls[c.CallKey] = call
	}
}

// milliseconds gives t the form that it has when it comes back from a database.
func milliseconds(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }
