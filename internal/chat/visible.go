package chat

import (
	"context"
	"slices"
	"time"
)

// MaySee says whether a user may have anything to do with a conversation of this kind
// at all, before membership is asked. Guests are kept to open rooms unless the
// operator lets them be full users.
func (s *Service) MaySee(u UserID, kind ConversationKind) bool {
	return kind == Room || !u.IsGuest() || s.cfg.Guests == GuestsFull
}

// spans answers what the user may read of c: the one rule that listing, sync, previews
// and unread counts follow. m is the user's member row, nil if there is none. Of a thread, it
// answers what there is: see readable.
func (s *Service) spans(u UserID, c *Conversation, m *Member) []Span {
	return without(s.membership(u, c, m), m.hidden())
}

// membership answers what was said of c while the user was in it; what the user has deleted
// for itself since is in it too.
func (s *Service) membership(u UserID, c *Conversation, m *Member) []Span {
	if !s.MaySee(u, c.Kind) || c.Kind == Room && m.banned(s.cfg.Now()) {
		return nil
	}
	if c.Kind == Room || c.Kind == Thread {
		return []Span{{From: 1, To: c.Seq}}
	}
	if m == nil {
		return nil
	}
	spans := slices.Clone(m.Spans)
	if n := len(spans); n > 0 && spans[n-1].To == 0 {
		spans[n-1].To = c.Seq
		if c.Seq < spans[n-1].From {
			spans = spans[:n-1] // c was read before the user came in
		}
	}
	if len(spans) == 0 {
		return nil
	}
	return spans
}

// banned says whether m keeps its user out of a room at now.
func (m *Member) banned(now time.Time) bool {
	return m != nil && m.Details != nil && now.Before(m.Details.BannedUntil)
}

// head answers the highest seq that the caller may know of: it does not go back when the
// newest events are deleted for the caller alone.
func (s *Service) head(a Actor, c *Conversation, m *Member) Seq {
	if a.Server {
		return c.Seq
	}
	return top(s.membership(a.User, c, m))
}

// whole is all of a conversation, as a server key reads it.
func (c *Conversation) whole() []Span { return []Span{{From: 1, To: c.Seq}} }

// readable is spans, for threads too: all of a thread is read by whom it is for.
func (s *Service) readable(ctx context.Context, u UserID, c *Conversation, m *Member) ([]Span, error) {
	if root, ok := c.Root(); ok {
		parent, in, _, err := s.find(ctx, Actor{User: u}, root.Conversation)
		if err != nil {
			return nil, err
		}
		if !s.threadIsFor(u, parent, in, root.Seq) {
			return nil, nil
		}
	}
	return s.spans(u, c, m), nil
}

// threadIsFor says whether a user, whose row in parent is in, reads and writes in the thread
// on the message at root: who is in the parent now and was when the message was said, or was
// given the past. Who has only come since is told nothing of before by a thread either.
func (s *Service) threadIsFor(u UserID, parent *Conversation, in *Member, root Seq) bool {
	return (parent.Kind == Room || joined(in)) && within(s.membership(u, parent, in), root)
}

// isFor says whether a record within the user's spans is for the user.
func (r *Record) isFor(u UserID) bool { return r.Only == nil || slices.Contains(r.Only, u) }

// reveal makes voids of the records that are not for the caller.
func reveal(a Actor, id ConversationID, records []Record) {
	if a.Server {
		return
	}
	u := a.User
	for i := range records {
		if r := &records[i]; !r.isFor(u) {
			*r = Record{Seq: r.Seq, JSON: VoidJSON(id, r.Seq, r.Seq)}
		}
	}
}

// joined says whether m is in the conversation now.
func joined(m *Member) bool {
	return m != nil && len(m.Spans) > 0 && m.Spans[len(m.Spans)-1].To == 0
}

// Joined says whether m is in the conversation now.
func (m *Member) Joined() bool { return joined(m) }

// Sees says whether m's spans hold seq.
func (m *Member) Sees(seq Seq) bool {
	for _, s := range m.Spans {
		if seq >= s.From && (s.To == 0 || seq <= s.To) {
			return true
		}
	}
	return false
}

// within says whether seq is in spans.
func within(spans []Span, seq Seq) bool {
	return slices.ContainsFunc(spans, func(s Span) bool { return seq >= s.From && seq <= s.To })
}

// top is the highest seq in spans, 0 for none.
func top(spans []Span) Seq {
	if len(spans) == 0 {
		return 0
	}
	return spans[len(spans)-1].To
}

// unread counts the countable messages after the read position that others wrote and
// the member may see, those for a few among them. A recalled message counts until it is read past.
func unread(c *Conversation, m *Member) int64 {
	if !joined(m) {
		return 0
	}
	return max(0, (c.Count-m.ReadCount)-(m.Sent-m.ReadSent)-m.hiddenUnread()) + int64(len(m.unreadWhispers()))
}

// admit opens a span for m at seq and sets its read position to the head before it.
func admit(m *Member, c *Conversation, role Role, seq Seq) {
	from := seq
	if c.SharedPast && len(m.Spans) == 0 {
		from = 1
	}
	m.Spans = append(slices.Clone(m.Spans), Span{From: from})
	if d := m.details(); d.Erased {
		d.Erased = false
		m.setDetails(d)
	}
	setRole(c, m, role)
	m.Since = seq
	m.ReadSeq, m.ReadCount, m.ReadSent = seq-1, c.Count, m.Sent
}

// dismiss closes m's open span in c at seq, which m still sees. Where history is gone after
// leaving, it is all that m still sees: the event that tells it so.
func dismiss(m *Member, c *Conversation, seq Seq) {
	m.Spans = slices.Clone(m.Spans)
	last := len(m.Spans) - 1
	m.Spans[last].To = seq
	if m.Spans[last].From > seq { // nothing was said meanwhile, and nothing tells of it
		m.Spans = m.Spans[:last]
	}
	if c.details().Settings.AfterLeave == HistoryGone {
		m.Spans = []Span{{From: seq, To: seq}}
		d := m.details()
		d.Erased = true
		m.setDetails(d)
	}
	setRole(c, m, NoRole)
}
