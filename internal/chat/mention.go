package chat

import (
	"bytes"
	"encoding/json"
	"slices"
)

const (
	// maxMarks is how many unread mentions of a member are known; the oldest are not.
	maxMarks = 100
	// maxMarksOfAll is how many of the newest mentions of everybody a conversation knows.
	maxMarksOfAll = 20
)

// mentioned is whom a message's content names.
type mentioned struct {
	users []UserID // sorted, once each
	all   bool
}

// mentions reads whom a checked content names.
func mentions(content json.RawMessage) (m mentioned) {
	if !bytes.Contains(content, []byte(`"mentions"`)) {
		return m
	}
	var c struct {
		Mentions []struct {
			User UserID `json:"user"`
			All  bool   `json:"all"`
		} `json:"mentions"`
	}
	_ = json.Unmarshal(content, &c) // it was checked
	for _, one := range c.Mentions {
		if one.All {
			m.all = true
		} else {
			m.users = append(m.users, one.User)
		}
	}
	slices.Sort(m.users)
	m.users = slices.Compact(m.users)
	return m
}

// keys names the rows of those mentioned.
func (m *mentioned) keys(k *Keys, id ConversationID) {
	for _, u := range m.users {
		k.Members = append(k.Members, MemberKey{id, u})
	}
}

// keysBy is keys for a message that by is about to write: whom it names may block it, and is
// told of a thread that it does not follow.
func (m *mentioned) keysBy(k *Keys, id ConversationID, by UserID) {
	m.keys(k, id)
	if home := id.home(); home != id {
		m.keys(k, home)
	}
	for _, u := range m.users {
		k.Items = append(k.Items, blockItem(u, by))
	}
}

// blockItem is there if a user blocks another one.
func blockItem(blocker, other UserID) ItemKey {
	return ItemKey{UserHolder(blocker), blockKind, string(other)}
}

// callInto has those who are named in a thread's message follow it, so that they are told.
func (s *Service) callInto(b *batch, c, home *Conversation, from UserID, names mentioned) {
	if c.Kind != Thread || home.Kind == Room { // anybody can be named in a room
		return
	}
	root, _ := c.Root()
	for _, u := range names.users {
		if s.threadIsFor(u, home, b.rows.Members[MemberKey{home.ID, u}], root.Seq) && b.item(blockItem(u, from)) == nil {
			b.follow(c, u)
		}
	}
}

// MarkOfAll is a mention of everybody.
type MarkOfAll struct {
	Seq  Seq    `json:"seq"`
	From UserID `json:"from"`
}

// mark notes, in the rows of those in the conversation whom e names, that it does, unless they
// block who wrote it; in rooms, which have no rows, nobody's. was is whom it named before.
func (b *batch) mark(c *Conversation, e *Event, was, now mentioned) {
	if c.Kind == Room {
		return
	}
	if was.all || now.all {
		d := c.details()
		d.MarksOfAll = slices.DeleteFunc(slices.Clone(d.MarksOfAll), func(m MarkOfAll) bool { return m.Seq == e.Seq })
		if now.all {
			d.MarksOfAll = append(d.MarksOfAll, MarkOfAll{e.Seq, e.From})
			slices.SortFunc(d.MarksOfAll, func(x, y MarkOfAll) int { return int(x.Seq - y.Seq) })
			d.MarksOfAll = newest(d.MarksOfAll, maxMarksOfAll)
		}
		c.setDetails(d)
		b.conversations.add(c)
	}
	for _, u := range was.users {
		if m := b.rows.Members[MemberKey{c.ID, u}]; m != nil && !slices.Contains(now.users, u) {
			b.setMarks(m, slices.DeleteFunc(m.marks(), func(s Seq) bool { return s == e.Seq }))
		}
	}
	for _, u := range now.users {
		m := b.rows.Members[MemberKey{c.ID, u}]
		if u == e.From || !joined(m) || b.item(blockItem(u, e.From)) != nil || e.Seq <= m.ReadSeq || e.Only != nil && !slices.Contains(e.Only, u) {
			continue
		}
		if marks := m.marks(); !slices.Contains(marks, e.Seq) {
			marks = append(marks, e.Seq)
			slices.Sort(marks)
			b.setMarks(m, newest(marks, maxMarks))
		}
	}
}

// newest answers the last n of a list.
func newest[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }

// marks answers a new slice of the messages above the read position that name the member.
func (m *Member) marks() []Seq {
	if m.Details == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(m.Details.Mentions), func(s Seq) bool { return s <= m.ReadSeq })
}

func (b *batch) setMarks(m *Member, marks []Seq) {
	d := m.details()
	if len(marks) == 0 {
		marks = nil
	}
	if slices.Equal(d.Mentions, marks) {
		return
	}
	d.Mentions = marks
	m.setDetails(d)
	b.putMember(m)
}

// unreadMentions answers the messages after the read position that name the member or
// everybody, and that others wrote and the member may read, by seq.
func unreadMentions(c *Conversation, m *Member, spans []Span) []Seq {
	if m == nil || !joined(m) {
		return nil
	}
	list := m.marks()
	if c.Details != nil {
		for _, all := range c.Details.MarksOfAll {
			if all.Seq > m.ReadSeq && all.From != m.User {
				list = append(list, all.Seq)
			}
		}
	}
	list = slices.DeleteFunc(list, func(s Seq) bool { return !within(spans, s) })
	slices.Sort(list)
	return newest(slices.Compact(list), maxMarks)
}
