package sqlite

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

const (
	conversationColumns = `c.num, c.id, c.kind, c.name, c.pair_a, c.pair_b, c.shared_past,
		c.seq, c.count, c.time, c.members, c.members_rev, c.rev, c.details, c.pos`
	memberColumns = `m.user, m.role, m.spans, m.since, m.read_seq, m.read_count, m.read_sent, m.sent, m.details, m.pos`
	userColumns   = `id, name, details, pos`
)

// scanner is a row: *sql.Row or *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

// conversation is a row of its table.
type conversation struct {
	num int64
	chat.Conversation
	ms      int64  // Time as it is read
	details []byte // Details as they are read
}

func (c *conversation) dest() []any {
	return []any{
		&c.num, &c.ID, &c.Kind, &c.Name, &c.Pair[0], &c.Pair[1], &c.SharedPast,
		&c.Seq, &c.Count, &c.ms, &c.Members, &c.MembersRev, &c.Rev, &c.details, &c.Pos,
	}
}

func (c *conversation) finish() (err error) {
	c.Time = instant(c.ms)
	c.Details, err = chat.DecodeDetails[chat.Details](c.details)
	c.details = nil
	return err
}

// member is a row of its table.
type member struct {
	chat.Member
	spans   string // Spans as they are read
	details []byte // Details as they are read
}

func (m *member) dest() []any {
	return []any{
		&m.User, &m.Role, &m.spans, &m.Since, &m.ReadSeq, &m.ReadCount, &m.ReadSent, &m.Sent, &m.details, &m.Pos,
	}
}

func (m *member) finish(id chat.ConversationID) (err error) {
	m.Conversation = id
	if m.Spans, err = parseSpans(m.spans); err != nil {
		return err
	}
	m.Details, err = chat.DecodeDetails[chat.MemberDetails](m.details)
	return err
}

// copyMember copies m so that its spans can be changed.
func copyMember(m *chat.Member) *chat.Member {
	row := *m
	row.Spans = slices.Clone(m.Spans)
	return &row
}

func joined(m *chat.Member) bool {
	return len(m.Spans) > 0 && m.Spans[len(m.Spans)-1].To == 0
}

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// formatSpans writes spans as "1-20,31-".
func formatSpans(spans []chat.Span) string {
	var b []byte
	for i, s := range spans {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(s.From), 10)
		b = append(b, '-')
		if s.To != 0 {
			b = strconv.AppendInt(b, int64(s.To), 10)
		}
	}
	return string(b)
}

func parseSpans(text string) ([]chat.Span, error) {
	if text == "" {
		return nil, nil
	}
	var spans []chat.Span
	for part := range strings.SplitSeq(text, ",") {
		from, to, ok := strings.Cut(part, "-")
		var s chat.Span
		var err error
		if ok {
			s.From, err = parseSeq(from)
		}
		if ok && err == nil && to != "" {
			s.To, err = parseSeq(to)
		}
		if !ok || err != nil {
			return nil, fmt.Errorf("sqlite: bad spans %q", text)
		}
		spans = append(spans, s)
	}
	return spans, nil
}

func parseSeq(text string) (chat.Seq, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	return chat.Seq(n), err
}
