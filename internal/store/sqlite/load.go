package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/linnet-im/linnet/internal/chat"
)

// load answers copies of the rows that keys name: decide may change them.
func (u *update) load(ctx context.Context, keys *chat.Keys) (*chat.Rows, error) {
	rows := &chat.Rows{
		Conversations: make(map[chat.ConversationID]*chat.Conversation, len(keys.Conversations)),
		Members:       make(map[chat.MemberKey]*chat.Member, len(keys.Members)),
		Users:         make(map[chat.UserID]*chat.User, len(keys.Users)),
		Accounts:      make(map[chat.UserID]*chat.Account, len(keys.Accounts)),
		Calls:         make(map[chat.CallKey]*chat.Call, len(keys.Calls)),
		Events:        make(map[chat.EventKey]*chat.Event, len(keys.Events)),
		Items:         make(map[chat.ItemKey]*chat.Item, len(keys.Items)),
		Tallies:       make(map[chat.TallyKey]chat.Tally, len(keys.Tallies)),
		Heirs:         make(map[chat.MemberKey]chat.UserID, len(keys.Heirs)),
	}
	for _, id := range keys.Conversations {
		c, err := u.conversation(ctx, id)
		if err != nil {
			return nil, err
		}
		if c != nil {
			head := c.Conversation
			rows.Conversations[id] = &head
		}
	}
	for _, k := range keys.Members {
		m, err := u.member(ctx, k)
		if err != nil {
			return nil, err
		}
		if m != nil {
			rows.Members[k] = copyMember(m)
		}
	}
	for _, id := range keys.Users {
		row, err := scanUser(u.stmt.user.QueryRowContext(ctx, string(id)))
		switch {
		case err == nil:
			rows.Users[id] = &row
		case !errors.Is(err, sql.ErrNoRows):
			return nil, err
		}
	}
	for _, id := range keys.Accounts {
		a, err := scanAccount(u.stmt.account.QueryRowContext(ctx, string(id)))
		switch {
		case err == nil:
			rows.Accounts[id] = &a
		case !errors.Is(err, sql.ErrNoRows):
			return nil, err
		}
	}
	for _, k := range keys.Calls {
		c, err := u.call(ctx, k)
		if err != nil {
			return nil, err
		}
		if c != nil {
			rows.Calls[k] = c
		}
	}
	for _, k := range keys.Events {
		e, err := u.event(ctx, k)
		if err != nil {
			return nil, err
		}
		if e != nil {
			rows.Events[k] = e
		}
	}
	for _, k := range keys.Items {
		it, err := scanItem(u.stmt.item.QueryRowContext(ctx, string(k.Holder), string(k.Kind), k.Key))
		switch {
		case err == nil:
			rows.Items[k] = &it
		case !errors.Is(err, sql.ErrNoRows):
			return nil, err
		}
	}
	for _, k := range keys.Tallies {
		t, found, err := u.tally(ctx, k)
		if err != nil {
			return nil, err
		}
		if found {
			rows.Tallies[k] = t
		}
	}
	for _, k := range keys.Heirs {
		m, err := u.heir(ctx, k)
		if err != nil {
			return nil, err
		}
		if m != nil {
			rows.Heirs[k] = m.User
			rows.Members[m.MemberKey] = copyMember(m)
		}
	}
	return rows, nil
}

// one scans a row that may not be there.
func one(row *sql.Row, dest ...any) (found bool, err error) {
	err = row.Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// conversation answers the row as it was before the Update, nil if it was not there.
func (u *update) conversation(ctx context.Context, id chat.ConversationID) (*conversation, error) {
	if c, ok := u.conversations[id]; ok {
		return c, nil
	}
	if c, ok := u.memory.conversation(id); ok {
		u.conversations[id] = &c
		return &c, nil
	}
	c := new(conversation)
	found, err := one(u.stmt.conversation.QueryRowContext(ctx, string(id)), c.dest()...)
	if err != nil {
		return nil, err
	}
	if !found {
		u.conversations[id] = nil
		return nil, nil
	}
	if err := c.finish(); err != nil {
		return nil, err
	}
	u.conversations[id] = c
	u.memory.putConversation(id, c)
	return c, nil
}

// member answers the row as it was before the Update, nil if it was not there.
func (u *update) member(ctx context.Context, key chat.MemberKey) (*chat.Member, error) {
	if m, ok := u.members[key]; ok {
		return m, nil
	}
	if m, ok := u.memory.member(key); ok {
		u.members[key] = &m
		return &m, nil
	}
	c, err := u.conversation(ctx, key.Conversation)
	if err != nil {
		return nil, err
	}
	if c == nil {
		u.members[key] = nil
		return nil, nil
	}
	m := new(member)
	found, err := one(u.stmt.member.QueryRowContext(ctx, string(key.User), c.num), m.dest()...)
	if err != nil {
		return nil, err
	}
	if !found {
		u.members[key] = nil
		return nil, nil
	}
	if err := m.finish(key.Conversation); err != nil {
		return nil, err
	}
	u.members[key] = &m.Member
	u.memory.putMember(&m.Member)
	return &m.Member, nil
}

func (u *update) call(ctx context.Context, key chat.CallKey) (*chat.Call, error) {
	c := &chat.Call{CallKey: key}
	var hash []byte
	var time, at int64
	found, err := one(u.stmt.call.QueryRowContext(ctx, key.ClientID[:], string(key.User)),
		&hash, &c.Conversation, &c.Seq, &time, &at)
	if err != nil || !found {
		return nil, err
	}
	copy(c.Hash[:], hash)
	c.Time, c.At = instant(time), instant(at)
	return c, nil
}

func (u *update) event(ctx context.Context, key chat.EventKey) (*chat.Event, error) {
	c, err := u.conversation(ctx, key.Conversation)
	if err != nil || c == nil {
		return nil, err
	}
	rec, err := scanRecord(u.stmt.event.QueryRowContext(ctx, c.num, int64(key.Seq)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return chat.ParseEvent(key.Conversation, rec), nil
}

// tally counts on the shorter side of the event: one who reads is mostly near the
// head, and Member.Sent says how many there are in all.
func (u *update) tally(ctx context.Context, key chat.TallyKey) (t chat.Tally, found bool, err error) {
	c, err := u.conversation(ctx, key.Conversation)
	if err != nil || c == nil {
		return t, false, err
	}
	t.Seq = max(0, min(key.Seq, c.Seq))
	if _, err := one(u.stmt.count.QueryRowContext(ctx, c.num, int64(t.Seq)), &t.Count); err != nil {
		return t, false, err
	}
	m, err := u.member(ctx, key.MemberKey)
	if err != nil {
		return t, false, err
	}
	if m == nil || t.Seq < c.Seq/2 {
		_, err = one(u.stmt.mine.QueryRowContext(ctx, c.num, 1, int64(t.Seq), string(key.User)), &t.Mine)
		return t, true, err
	}
	var later int64
	_, err = one(u.stmt.mine.QueryRowContext(ctx, c.num, int64(t.Seq)+1, int64(c.Seq), string(key.User)), &later)
	t.Mine = m.Sent - later
	return t, true, err
}

// heir answers who has been in the conversation longest, but for the key's user; nil for nobody.
func (u *update) heir(ctx context.Context, key chat.MemberKey) (*chat.Member, error) {
	c, err := u.conversation(ctx, key.Conversation)
	if err != nil || c == nil {
		return nil, err
	}
	heir := chat.MemberKey{Conversation: key.Conversation}
	found, err := one(u.stmt.heir.QueryRowContext(ctx, c.num, string(key.User)), &heir.User)
	if err != nil || !found {
		return nil, err
	}
	return u.member(ctx, heir)
}
