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
			c.num, int64(e.Seq), e.Countable(), string(e.From), e.Count, int64(c.Pos), e.JSON, formatUsers(e.Only))
		if err != nil {
			return fmt.Errorf("event %d of %q: %w", e.Seq, e.Conversation, err)
		}
	}
	for _, e := range changes.Revised {
		if err := u.revise(ctx, e); err != nil {
			return fmt.Errorf("event %d of %q: %w", e.Seq, e.Conversation, err)
		}
	}
	for _, m := range changes.Members {
		if err := u.putMember(ctx, m); err != nil {
			return fmt.Errorf("member %q of %q: %w", m.User, m.Conversation, err)
		}
	}
	for _, row := range changes.Users {
		if err := u.putUser(ctx, row); err != nil {
			return fmt.Errorf("user %q: %w", row.ID, err)
		}
	}
	for _, a := range changes.Accounts {
		if err := u.putAccount(ctx, a); err != nil {
			return fmt.Errorf("account %q: %w", a.User, err)
		}
	}
	for _, it := range changes.Items {
		if err := u.putItem(ctx, it); err != nil {
			return fmt.Errorf("item %v: %w", it.ItemKey, err)
		}
	}
	for _, k := range changes.Forgotten {
		if err := exec(ctx, u.stmt.forgetItem, string(k.Holder), string(k.Kind), k.Key); err != nil {
			return fmt.Errorf("item %v: %w", k, err)
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
	details, err := chat.EncodeDetails(c.Details)
	if err != nil {
		return nil, err
	}
	if old == nil {
		u.num++ // a number is not given again when this Update fails
		row.num = u.num
		return row, exec(ctx, u.stmt.insertConversation,
			row.num, string(c.ID), string(c.Kind), c.Name, string(c.Pair[0]), string(c.Pair[1]), c.SharedPast,
			int64(c.Seq), c.Count, c.Time.UnixMilli(), c.Members, int64(c.MembersRev), c.Rev, details, int64(c.Pos))
	}
	row.num = old.num
	// A send and a read change nothing but these.
	if onlyHead(&old.Conversation, c) {
		return row, exec(ctx, u.stmt.updateHead,
			int64(c.Seq), c.Count, c.Time.UnixMilli(), c.Rev, int64(c.Pos), row.num)
	}
	return row, exec(ctx, u.stmt.updateConversation,
		string(c.Kind), c.Name, string(c.Pair[0]), string(c.Pair[1]), c.SharedPast,
		int64(c.Seq), c.Count, c.Time.UnixMilli(), c.Members, int64(c.MembersRev), c.Rev, details, int64(c.Pos),
		row.num)
}

// onlyHead says whether c differs from old in nothing but what updateHead writes.
func onlyHead(old, c *chat.Conversation) bool {
	return old.Kind == c.Kind && old.Name == c.Name && old.Pair == c.Pair && old.SharedPast == c.SharedPast &&
		old.Members == c.Members && old.MembersRev == c.MembersRev && old.Details == c.Details
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
	details, err := chat.EncodeDetails(m.Details)
	if err != nil {
		return err
	}
	// A send and a read change no membership, and so leave the index over it alone.
	if old != nil && old.Role == m.Role && old.Since == m.Since && slices.Equal(old.Spans, m.Spans) {
		if old.Details != m.Details {
			return exec(ctx, u.stmt.updateMemberDetails,
				int64(m.ReadSeq), m.ReadCount, m.ReadSent, m.Sent, int64(m.Pos), details, string(m.User), c.num)
		}
		return exec(ctx, u.stmt.updateMember,
			int64(m.ReadSeq), m.ReadCount, m.ReadSent, m.Sent, int64(m.Pos), string(m.User), c.num)
	}
	return exec(ctx, u.stmt.putMember,
		c.num, string(m.User), string(m.Role), formatSpans(m.Spans), int64(m.Since),
		int64(m.ReadSeq), m.ReadCount, m.ReadSent, m.Sent, details, int64(m.Pos), joined(m))
}

// revise gives an event that is there another body.
func (u *update) revise(ctx context.Context, e *chat.Event) error {
	c := u.written[e.Conversation]
	if c == nil {
		var err error
		if c, err = u.conversation(ctx, e.Conversation); err != nil {
			return err
		}
	}
	if c == nil {
		return errors.New("there is no such conversation")
	}
	res, err := u.stmt.reviseEvent.ExecContext(ctx, e.JSON, c.num, int64(e.Seq))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return fmt.Errorf("there is no such event to revise (%w)", err)
	}
	return nil
}

func (u *update) putUser(ctx context.Context, row *chat.User) error {
	row.Pos = u.position()
	details, err := chat.EncodeDetails(row.Details)
	if err != nil {
		return err
	}
	return exec(ctx, u.stmt.putUser, string(row.ID), row.Name, details, int64(row.Pos))
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
	for _, e := range changes.Revised {
		m.revise(e)
	}
}
