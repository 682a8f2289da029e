package chat

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

const (
	// maxHidden is how many ranges a member may have hidden from itself.
	maxHidden = 500
	// maxRanges is how many ranges of messages one call may name.
	maxRanges = 100
)

// Hidden is a range of events that a member has deleted for itself. To others it is there.
type Hidden struct {
	From Seq `json:"f"`
	To   Seq `json:"t"`
	// What others had written before it and up to its end, in countable messages: from them
	// follows how many of it are unread, wherever the read position comes to stand.
	Before int64 `json:"b"`
	UpTo   int64 `json:"u"`
}

// hidden answers the ranges that a member does not see, ascending and apart from each other.
func (m *Member) hidden() []Hidden {
	if m == nil || m.Details == nil {
		return nil
	}
	return m.Details.Hidden
}

// HiddenRanges answers what the member has deleted for itself.
func (m *Member) HiddenRanges() [][2]Seq {
	var list [][2]Seq
	for _, h := range m.hidden() {
		list = append(list, [2]Seq{h.From, h.To})
	}
	return list
}

// hides says whether the member has deleted an event for itself.
func (m *Member) hides(seq Seq) bool {
	return slices.ContainsFunc(m.hidden(), func(h Hidden) bool { return seq >= h.From && seq <= h.To })
}

// hiddenUnread counts the hidden messages of others after the read position.
func (m *Member) hiddenUnread() int64 {
	read, n := m.ReadCount-m.ReadSent, int64(0)
	for _, h := range m.hidden() {
		n += max(0, h.UpTo-max(h.Before, read))
	}
	return n
}

// without takes hidden ranges out of spans. What is left is not nil unless spans is.
func without(spans []Span, hidden []Hidden) []Span {
	if len(hidden) == 0 || spans == nil {
		return spans
	}
	left := make([]Span, 0, len(spans)+len(hidden))
	for _, s := range spans {
		for _, h := range hidden {
			if h.To < s.From || h.From > s.To {
				continue
			}
			if h.From > s.From {
				left = append(left, Span{s.From, h.From - 1})
			}
			s.From = h.To + 1
		}
		if s.From <= s.To {
			left = append(left, s)
		}
	}
	return left
}

// merge joins ranges that overlap or touch.
func merge(list []Hidden) []Hidden {
	slices.SortFunc(list, func(x, y Hidden) int { return cmp.Compare(x.From, y.From) })
	merged := list[:0]
	for _, h := range list {
		if n := len(merged); n > 0 && h.From <= merged[n-1].To+1 {
			merged[n-1].To, merged[n-1].UpTo = max(merged[n-1].To, h.To), max(merged[n-1].UpTo, h.UpTo)
			continue
		}
		merged = append(merged, h)
	}
	return merged
}

// checkRanges says what is wrong with ranges of seqs that a call names, both ends included.
func checkRanges(ranges [][2]Seq) error {
	if len(ranges) == 0 || len(ranges) > maxRanges {
		return invalid("ranges", "ranges: 1 to %d of [from, to]", maxRanges)
	}
	for _, r := range ranges {
		if r[0] < 1 || r[1] < r[0] {
			return invalid("ranges", "ranges: [from, to], both included, from 1 on and upwards")
		}
	}
	return nil
}

// Hide deletes ranges of events for the caller alone: it lists them as voids, they count as
// unread no more, and its devices are told. There is no way back. What is above the newest
// event is left out.
func (s *Service) Hide(ctx context.Context, a Actor, id ConversationID, ranges [][2]Seq) error {
	if err := checkRanges(ranges); err != nil {
		return err
	}
	key, rate := MemberKey{id, a.User}, s.writeRate(a)
	tally := func(seq Seq) TallyKey { return TallyKey{key, seq} }
	_, err := s.await(ctx, &operation{
		keys: func(k *Keys) {
			standKeys(k, a.User, id)
			for _, r := range ranges {
				k.Tallies = append(k.Tallies, tally(r[0]-1), tally(r[1]))
			}
		},
		decide: func(b *batch) (Place, error) {
			c, m := b.rows.Conversations[id], b.rows.Members[key]
			if c == nil || !s.MaySee(a.User, c.Kind) || c.Kind != Room && c.Kind != Thread && m == nil && !a.Server {
				return Place{}, notFound()
			}
			if c.Kind == Thread {
				if _, _, _, err := s.standing(b, a, id); err != nil {
					return Place{}, err
				}
			}
			if m == nil || c.Kind == Room {
				return Place{}, forbidden("in rooms, and in threads that you do not follow, nothing is deleted for you alone")
			}
			list, told := slices.Clone(m.hidden()), [][2]Seq(nil)
			for _, r := range ranges {
				// The tallies were taken before the batch's own events: the caller cannot have seen those.
				before, end := b.rows.Tallies[tally(r[0]-1)], b.rows.Tallies[tally(r[1])]
				if to := min(r[1], end.Seq); to >= r[0] {
					list = append(list, Hidden{r[0], to, before.Count - before.Mine, end.Count - end.Mine})
					told = append(told, [2]Seq{r[0], to})
				}
			}
			list = merge(list)
			if slices.Equal(list, m.hidden()) {
				return Place{}, nil
			}
			if len(list) > maxHidden {
				return Place{}, forbidden(fmt.Sprintf("at most %d ranges are deleted for you alone; conversations.clear makes them one", maxHidden))
			}
			if err := rate(b); err != nil {
				return Place{}, err
			}
			d := m.details()
			d.Hidden = list
			m.setDetails(d)
			b.putMember(m)
			b.notifyUser(a.User, "hidden", struct {
				Conversation ConversationID `json:"conversation"`
				Ranges       [][2]Seq       `json:"ranges"`
			}{id, told})
			return Place{}, nil
		},
	})
	return err
}

// Clear deletes everything up to a seq, or up to the head with 0, for the caller alone.
func (s *Service) Clear(ctx context.Context, a Actor, id ConversationID, upTo Seq) error {
	if upTo == 0 {
		upTo = maxSeq
	}
	return s.Hide(ctx, a, id, [][2]Seq{{1, upTo}})
}

// maxSeq is above every seq.
const maxSeq = Seq(1)<<53 - 1
