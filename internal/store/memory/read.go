package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// reading begins a read: on nil the caller has s.mu and must release it.
func (s *Store) reading(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	return nil
}

// Users is chat.Store's.
func (s *Store) Users(ctx context.Context, ids []chat.UserID) ([]chat.User, error) {
	if err := s.reading(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var users []chat.User
	seen := make(map[chat.UserID]bool)
	for _, id := range ids {
		if u, ok := s.users[id]; ok && !seen[id] {
			seen[id] = true
			users = append(users, u)
		}
	}
	return users, nil
}

// Accounts is chat.Store's.
func (s *Store) Accounts(ctx context.Context, ids []chat.UserID) ([]chat.Account, error) {
	if err := s.reading(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var accounts []chat.Account
	seen := make(map[chat.UserID]bool)
	for _, id := range ids {
		if a := s.accounts[id]; a != nil && !seen[id] {
			seen[id] = true
			accounts = append(accounts, *a.Clone())
		}
	}
	return accounts, nil
}

// UserIDs is chat.Store's.
func (s *Store) UserIDs(ctx context.Context, after chat.UserID, limit int) ([]chat.UserID, error) {
	if err := s.reading(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var ids []chat.UserID
	for id := range s.users {
		if id > after {
			ids = append(ids, id)
		}
	}
	for id := range s.accounts {
		if id > after {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return ids[:min(limit, len(ids))], nil
}

// Neighbours is chat.Store's. It looks at all groups, whatever the limit.
func (s *Store) Neighbours(ctx context.Context, u chat.UserID, others []chat.UserID, members, _ int) ([]chat.UserID, error) {
	if err := s.reading(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var near []chat.UserID
	for _, o := range others {
		for id, m := range s.members[u] {
			c := s.conversations[id]
			if other := c.members[o]; c.head.Kind == chat.Group && c.head.Members <= members &&
				joined(m) && other != nil && joined(other) {
				near = append(near, o)
				break
			}
		}
	}
	return near, nil
}

// Conversation is chat.Store's.
func (s *Store) Conversation(ctx context.Context, id chat.ConversationID) (chat.Conversation, error) {
	if err := s.reading(ctx); err != nil {
		return chat.Conversation{}, err
	}
	defer s.mu.Unlock()
	c := s.conversations[id]
	if c == nil {
		return chat.Conversation{}, chat.ErrNotFound
	}
	return c.head, nil
}

// Member is chat.Store's.
func (s *Store) Member(ctx context.Context, key chat.MemberKey) (chat.Member, error) {
	if err := s.reading(ctx); err != nil {
		return chat.Member{}, err
	}
	defer s.mu.Unlock()
	m := s.member(key)
	if m == nil {
		return chat.Member{}, chat.ErrNotFound
	}
	return *copyMember(m), nil
}

func (s *Store) member(key chat.MemberKey) *chat.Member {
	return s.members[key.User][key.Conversation]
}

func copyMember(m *chat.Member) *chat.Member {
	row := *m
	row.Spans = slices.Clone(m.Spans)
	return &row
}

func joined(m *chat.Member) bool {
	return len(m.Spans) > 0 && m.Spans[len(m.Spans)-1].To == 0
}

// Members is chat.Store's.
func (s *Store) Members(ctx context.Context, id chat.ConversationID, after chat.UserID, limit int) ([]chat.Member, error) {
	if err := s.reading(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	c := s.conversations[id]
	if c == nil {
		return nil, nil
	}
	var members []chat.Member
	for _, m := range c.members {
		if joined(m) && m.User > after {
			members = append(members, *copyMember(m))
		}
	}
	slices.SortFunc(members, func(a, b chat.Member) int { return cmp.Compare(a.User, b.User) })
	return members[:min(limit, len(members))], nil
}

// Audience is chat.Store's.
func (s *Store) Audience(ctx context.Context, id chat.ConversationID, seq chat.Seq) ([]chat.UserID, error) {
	if err := s.reading(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	c := s.conversations[id]
	if c == nil {
		return nil, nil
	}
	var users []chat.UserID
	for _, m := range c.members {
		if m.Sees(seq) {
			users = append(users, m.User)
		}
	}
	return users, nil
}

// Events is chat.Store's.
func (s *Store) Events(ctx context.Context, r chat.EventRange) ([]chat.Record, error) {
	if err := s.reading(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	c := s.conversations[r.Conversation]
	if c == nil {
		return nil, nil
	}
	var records []chat.Record
	for i := range c.log {
		e, seq := &c.log[i], chat.Seq(i+1)
		if seq >= r.From && seq <= r.To && (e.message || e.only != nil || !r.Messages) {
			records = append(records, e.record(seq))
		}
	}
	n := min(r.Limit, len(records))
	if r.Newest {
		return records[len(records)-n:], nil
	}
	return records[:n], nil
}

// Changed is chat.Store's.
func (s *Store) Changed(ctx context.Context, q chat.Changed) ([]chat.Entry, error) {
	if err := s.reading(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var entries []chat.Entry
	for id, m := range s.members[q.User] {
		e := chat.Entry{Conversation: s.conversations[id].head, Member: *copyMember(m)}
		if e.Pos() > q.After && e.Pos() < q.Before {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b chat.Entry) int { return cmp.Compare(b.Pos(), a.Pos()) })
	return entries[:min(q.Limit, len(entries))], nil
}

// Items is chat.Store's.
func (s *Store) Items(ctx context.Context, r chat.ItemRange) ([]chat.Item, error) {
	items, err := s.itemsWhere(ctx, func(it *chat.Item) bool {
		return it.Holder == r.Holder && it.Kind == r.Kind && it.Body != nil &&
			strings.HasPrefix(it.Key, r.Prefix) && it.Key > r.After
	})
	slices.SortFunc(items, func(a, b chat.Item) int { return cmp.Compare(a.Key, b.Key) })
	return items[:min(r.Limit, len(items))], err
}

// ChangedItems is chat.Store's.
func (s *Store) ChangedItems(ctx context.Context, holder chat.Holder, after, upTo chat.Position, limit int) ([]chat.Item, error) {
	items, err := s.itemsWhere(ctx, func(it *chat.Item) bool { return it.Holder == holder && it.Pos > after && it.Pos <= upTo })
	slices.SortFunc(items, func(a, b chat.Item) int { return cmp.Compare(a.Pos, b.Pos) })
	return items[:min(limit, len(items))], err
}

// DueItems is chat.Store's.
func (s *Store) DueItems(ctx context.Context, kind chat.ItemKind, t time.Time, limit int) ([]chat.Item, error) {
	items, err := s.itemsWhere(ctx, func(it *chat.Item) bool {
		return it.Kind == kind && it.Body != nil && !it.Due.IsZero() && !it.Due.After(t)
	})
	slices.SortFunc(items, func(a, b chat.Item) int { return a.Due.Compare(b.Due) })
	return items[:min(limit, len(items))], err
}

func (s *Store) itemsWhere(ctx context.Context, wanted func(*chat.Item) bool) ([]chat.Item, error) {
	if err := s.reading(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var items []chat.Item
	for _, it := range s.items {
		if wanted(&it) {
			items = append(items, it)
		}
	}
	return items, nil
}

// Heads is chat.Store's.
func (s *Store) Heads(ctx context.Context, after chat.Position, limit int) ([]chat.Head, error) {
	if err := s.reading(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var heads []chat.Head
	for _, c := range s.conversations {
		if c.head.Pos > after {
			heads = append(heads, chat.Head{Conversation: c.head.ID, Seq: c.head.Seq, Pos: c.head.Pos})
		}
	}
	slices.SortFunc(heads, func(a, b chat.Head) int { return cmp.Compare(a.Pos, b.Pos) })
	return heads[:min(limit, len(heads))], nil
}

// Fork is chat.Store's.
func (s *Store) Fork(ctx context.Context, id chat.ConversationID, pos chat.Position) (chat.Seq, error) {
	if err := s.reading(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	c := s.conversations[id]
	if c == nil {
		return 0, nil
	}
	for i, e := range slices.Backward(c.log) {
		if e.pos <= pos {
			return chat.Seq(i + 1), nil
		}
	}
	return 0, nil
}

// ForgetCalls is chat.Store's.
func (s *Store) ForgetCalls(ctx context.Context, t time.Time, limit int) (int, error) {
	if err := s.reading(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	var old []chat.Call
	for _, c := range s.calls {
		if c.At.UnixMilli() < t.UnixMilli() {
			old = append(old, c)
		}
	}
	slices.SortFunc(old, func(a, b chat.Call) int { return a.At.Compare(b.At) })
	old = old[:min(limit, len(old))]
	for _, c := range old {
		delete(s.calls, c.CallKey)
	}
	return len(old), nil
}

var _ chat.Store = (*Store)(nil)
