package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/linnet-im/linnet/internal/chat"
)

// write writes changes and gives each row its position.
func (u *update) write(ctx context.Context, changes *chat.Changes) error {
	u.pos = u.writer.pos
	u.written = make(map[chat.ConversationID]*conversation, len(changes.Conversations))
	for _, c := range changes.Conversations {
		row, err := u.putConversation(ctx, c)
		if err != nil {
			return fmt.Errorf("conversation %q: %w", c.ID, err)
		}
		u.written[c.ID] = row
	}
	for _, e := range changes.Events {
		c := u.written[e.Conversation]
		if c == nil {
			return fmt.Errorf("event %d comes without its conversation %q", e.Seq, e.Conversation)
		}
		_, err := u.stmt.insertEvent.ExecContext(ctx,
			c.num, int64(e.Seq), e.Kind == chat.Message, string(e.From), e.Count, int64(c.Pos), e.JSON)
		if err != nil {
			return fmt.Errorf("event %d of %q: %w", e.Seq, e.Conversation, err)
		}
	}
	for _, m := range changes.Members {
		if err := u.putMember(ctx, m); err != nil {
			return fmt.Errorf("member %q of %q: %w", m.User, m.Conversation, err)
		}
	}
	for _, row := range changes.Users {
		row.Pos = u.position()
		if _, err := u.stmt.putUser.ExecContext(ctx, string(row.ID), row.Name, int64(row.Pos)); err != nil {
			return fmt.Errorf("user %q: %w", row.ID, err)
		}
	}
	for _, a := range changes.Accounts {
		if err := u.putAccount(ctx, a); err != nil {
			return fmt.Errorf("account %q: %w", a.User, err)
		}
	}
	for _, c := range changes.Calls {
		_, err := u.stmt.insertCall.ExecContext(ctx,
			c.ClientID[:], string(c.User), c.Hash[:], string(c.Conversation), int64(c.Seq), c.Time.UnixMilli(), c.At.UnixMilli())
		if err != nil {
			return fmt.Errorf("call of %q: %w", c.User, err)
		}
	}
	return exec(ctx, u.stmt.setPosition, u.pos)
}

// position takes the next position.
func (u *update) position() chat.Position {
	u.pos++
	return chat.Position(u.pos)
}

func (u *update) putConversation(ctx context.Context, c *chat.Conversation) (*conversation, error) {
	old, err := u.conversation(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	c.Pos = u.position()
	row := &conversation{Conversation: *c}
	row.Time = instant(c.Time.UnixMilli())
	if old == nil {
		u.num++ // a number is not given again when this Update fails
		row.num = u.num
		return row, exec(ctx, u.stmt.insertConversation,
			row.num, string(c.ID), string(c.Kind), c.Name, string(c.Pair[0]), string(c.Pair[1]), c.SharedPast,
			int64(c.Seq), c.Count, c.Time.UnixMilli(), c.Members, int64(c.MembersRev), c.Rev, int64(c.Pos))
	}
	row.num = old.num
	// A send and a read change nothing but these.
	if onlyHead(&old.Conversation, c) {
		return row, exec(ctx, u.stmt.updateHead,
			int64(c.Seq), c.Count, c.Time.UnixMilli(), c.Rev, int64(c.Pos), row.num)
	}
	return row, exec(ctx, u.stmt.updateConversation,
		string(c.Kind), c.Name, string(c.Pair[0]), string(c.Pair[1]), c.SharedPast,
		int64(c.Seq), c.Count, c.Time.UnixMilli(), c.Members, int64(c.MembersRev), c.Rev, int64(c.Pos),
		row.num)
}

// onlyHead says whether c differs from old in nothing but what updateHead writes.
func onlyHead(old, c *chat.Conversation) bool {
	return old.Kind == c.Kind && old.Name == c.Name && old.Pair == c.Pair && old.SharedPast == c.SharedPast &&
		old.Members == c.Members && old.MembersRev == c.MembersRev
}

func (u *update) putMember(ctx context.Context, m *chat.Member) error {
	c := u.written[m.Conversation]
	if c == nil {
		var err error
		if c, err = u.conversation(ctx, m.Conversation); err != nil {
			return err
		}
	}
	if c == nil {
		return errors.New("there is no such conversation")
	}
	old, err := u.member(ctx, m.MemberKey)
	if err != nil {
		return err
	}
	m.Pos = u.position()
	// A send and a read change no membership, and so leave the index over it alone.
	if old != nil && old.Role == m.Role && old.Since == m.Since && slices.Equal(old.Spans, m.Spans) {
		return exec(ctx, u.stmt.updateMember,
			int64(m.ReadSeq), m.ReadCount, m.ReadSent, m.Sent, int64(m.Pos), string(m.User), c.num)
	}
	return exec(ctx, u.stmt.putMember,
		c.num, string(m.User), string(m.Role), formatSpans(m.Spans), int64(m.Since),
		int64(m.ReadSeq), m.ReadCount, m.ReadSent, m.Sent, int64(m.Pos), joined(m))
}

func exec(ctx context.Context, stmt *sql.Stmt, args ...any) error {
	_, err := stmt.ExecContext(ctx, args...)
	return err
}

// keep brings memory up to what was committed. A tail that grows past its bound or that
// a commit does not follow on begins anew.
func (u *update) keep(changes *chat.Changes) {
	u.writer.pos = u.pos
	m := u.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, c := range u.written {
		m.conversations.put(id, *c)
	}
	for _, row := range changes.Members {
		m.members.put(row.MemberKey, *copyMember(row))
	}
	for _, e := range changes.Events {
		m.append(e)
	}
}
