package chat

import (
	"context"
	"slices"
)

const (
	// MissedEvents and MissedBytes bound what Missed tells one by one; what is more, it
	// tells as gaps.
	MissedEvents = 1000
	MissedBytes  = 1 << 20

	missedPage = 200
)

// Forked says how far what a client holds of a conversation still holds.
type Forked struct {
	Conversation ConversationID
	Fork         Seq // what is above it, and what was changed above it, is to be dropped
}

// Teller takes what Missed tells, in this order: at most one Reset, then of each
// conversation its events in seq order and, at the end, at most one gap. An error of it
// ends Missed.
type Teller interface {
	Reset([]Forked) error
	Event(Record) error
	Gap(id ConversationID, from, to Seq) error
}

// Missed tells what was logged for the caller since a cursor, in its conversations and
// in these rooms, and answers a new cursor and up to which seq it told of each. Of the
// conversations that were written to last it tells the events; when that is over
// MissedEvents or MissedBytes it tells gaps. A cursor that does not hold is a Reset,
// after which everything above the forks is told like that.
//
// What it tells is what there was when it was called: events that come meanwhile are for
// the new cursor, and for those to whom they are pushed.
func (s *Service) Missed(ctx context.Context, a Actor, cursorText string, rooms []ConversationID, t Teller) (string, map[ConversationID]Seq, error) {
	walk, err := s.walk(a.User, cursorText, "")
	if err != nil {
		return "", nil, err
	}
	since := walk.pos
	if walk.reset {
		since = walk.fork
	}
	changed, err := s.changedSince(ctx, a, walk, rooms)
	if err != nil {
		return "", nil, err
	}
	had, head := make([]Seq, len(changed)), make([]Seq, len(changed))
	for i, c := range changed {
		if had[i], err = s.headAt(ctx, &c, since); err != nil {
			return "", nil, err
		}
		if head[i], err = s.headAt(ctx, &c, walk.upTo); err != nil {
			return "", nil, err
		}
	}
	if walk.reset {
		forks := make([]Forked, len(changed))
		for i := range changed {
			forks[i] = Forked{changed[i].Conversation.ID, had[i]}
		}
		if err := t.Reset(forks); err != nil {
			return "", nil, err
		}
	}
	m := missed{service: s, actor: a, teller: t, events: MissedEvents, bytes: MissedBytes}
	told := make(map[ConversationID]Seq, len(changed))
	for i := range changed {
		id := changed[i].Conversation.ID
		told[id] = head[i]
		if err := m.tell(ctx, id, had[i], head[i]); err != nil {
			return "", nil, err
		}
	}
	return s.Cursor(a.User, walk.upTo), told, nil
}

// headAt answers the highest seq that a reader may see now and that was there at pos.
func (s *Service) headAt(ctx context.Context, sum *Summary, pos Position) (Seq, error) {
	seq, err := s.store.Fork(ctx, sum.Conversation.ID, pos)
	if err != nil {
		return 0, readError(err)
	}
	return min(seq, sum.Head), nil
}

// changedSince answers all conversations that changed after the walk's cursor, newest
// first, and the rooms. One that is written to while its pages are read moves to the front,
// where they do not come again: so it reads what has moved since it began, until that is
// one page, which is of one moment.
func (s *Service) changedSince(ctx context.Context, a Actor, walk *cursor, rooms []ConversationID) ([]Summary, error) {
	var changed []Summary
	known := make(map[ConversationID]bool)
	for after, whole := walk.pos, false; !whole; {
		began := s.store.Position()
		before, more := farFuture, true
		whole = true
		for more {
			var page []Summary
			var err error
			page, before, more, err = s.changedPage(ctx, a.User, walk.pos, Changed{After: after, Before: before, Limit: missedPage})
			if err != nil {
				return nil, err
			}
			for _, sum := range page {
				if !known[sum.Conversation.ID] {
					known[sum.Conversation.ID] = true
					changed = append(changed, sum)
				}
			}
			whole = whole && !more
		}
		after = began
	}
	for _, id := range rooms {
		room, err := s.Conversation(ctx, a, id)
		if err != nil {
			return nil, err
		}
		changed = append(changed, room)
	}
	return changed, nil
}

// missed is what may still be told one by one.
type missed struct {
	service *Service
	actor   Actor
	teller  Teller
	events  int
	bytes   int
}

// tell tells a conversation's events after one seq up to another, or that they are too many.
func (m *missed) tell(ctx context.Context, id ConversationID, after, head Seq) error {
	if int(head-after) > m.events {
		return m.teller.Gap(id, after+1, head)
	}
	for after < head {
		if m.bytes <= 0 {
			return m.teller.Gap(id, after+1, head)
		}
		l, err := m.service.List(ctx, m.actor, List{Conversation: id, After: &after, Limit: missedPage})
		if err != nil {
			return err
		}
		if l.To <= after {
			return nil
		}
		// What is above the head is told live, or by the next call.
		l.Events = slices.DeleteFunc(l.Events, func(r Record) bool { return r.Seq > head })
		for _, r := range l.Events {
			if err := m.teller.Event(r); err != nil {
				return err
			}
			m.events--
			m.bytes -= len(r.JSON)
		}
		after = l.To
	}
	return nil
}
