package chat

import "context"

// List asks for a conversation's events. At most one of After and Before is set.
type List struct {
	Conversation ConversationID
	After        *Seq
	Before       *Seq
	Limit        int
	Messages     bool // Limit counts messages, and only they come
}

// Listed is a range of a conversation's log as one reader sees it.
type Listed struct {
	From, To Seq // the range covered; empty when To < From
	Head     Seq // the highest seq the reader may see
	Events   []Record
}

// List answers events in seq order, as they are now. What the reader may not see
// below its head is told as one void a range, so that seqs stay whole.
func (s *Service) List(ctx context.Context, a Actor, l List) (Listed, error) {
	c, m, spans, err := s.find(ctx, a, l.Conversation)
	if err != nil {
		return Listed{}, err
	}
	head := s.head(a, c, m)
	if l.After != nil {
		out, err := s.listUp(ctx, c.ID, spans, l, *l.After+1, head)
		reveal(a, c.ID, out.Events)
		out.cutNewest()
		return out, err
	}
	last := head
	if l.Before != nil {
		last = max(0, min(head, *l.Before-1))
	}
	out, err := s.listDown(ctx, c.ID, spans, l, last, head)
	reveal(a, c.ID, out.Events)
	out.cutOldest()
	return out, err
}

// pageBytes bounds a page of events, but for one that is longer by itself: a page of
// long ones must not fill a peer's queue.
const pageBytes = 128 << 10

// cutNewest leaves out the newest events that are too much for a page.
func (l *Listed) cutNewest() {
	sum := 0
	for i, r := range l.Events {
		if sum += len(r.JSON); sum > pageBytes && i > 0 {
			l.Events, l.To = l.Events[:i], r.Seq-1
			return
		}
	}
}

// cutOldest leaves out the oldest events that are too much for a page.
func (l *Listed) cutOldest() {
	sum := 0
	for i := len(l.Events) - 1; i >= 0; i-- {
		if sum += len(l.Events[i].JSON); sum > pageBytes && i < len(l.Events)-1 {
			l.Events = l.Events[i+1:]
			l.From = l.Events[0].Seq
			return
		}
	}
}

// wanted leaves out of messages what the stores cannot tell from them: what was done to
// messages for a few. The page may be shorter by that.
func (l *List) wanted(records []Record) []Record {
	if !l.Messages {
		return records
	}
	var list []Record
	for _, r := range records {
		if r.Only == nil || !r.changesOthers() {
			list = append(list, r)
		}
	}
	return list
}

// listUp answers up to l.Limit events from seq first on.
func (s *Service) listUp(ctx context.Context, id ConversationID, spans []Span, l List, first, head Seq) (Listed, error) {
	first = max(first, 1)
	out := Listed{From: first, To: max(head, first-1), Head: head}
	next := first
	for _, span := range spans {
		from, to := max(span.From, next), span.To
		if to < from {
			continue
		}
		if len(out.Events) >= l.Limit {
			out.To = next - 1
			break
		}
		if from > next && !l.Messages {
			out.Events = append(out.Events, Record{Seq: next, JSON: VoidJSON(id, next, from-1)})
			next = from
			if len(out.Events) >= l.Limit {
				out.To = next - 1
				break
			}
		}
		want := l.Limit - len(out.Events)
		records, err := s.store.Events(ctx, EventRange{
			Conversation: id, From: from, To: to, Limit: want, Messages: l.Messages,
		})
		if err != nil {
			return Listed{}, readError(err)
		}
		out.Events = append(out.Events, l.wanted(records)...)
		next = to + 1
		if len(records) == want {
			// There may be more of it: what is covered ends with the page.
			next = records[want-1].Seq + 1
			out.To = next - 1
			break
		}
	}
	if !l.Messages && next <= out.To { // the newest are deleted for the reader
		if len(out.Events) < l.Limit {
			out.Events = append(out.Events, Record{Seq: next, JSON: VoidJSON(id, next, out.To)})
		} else {
			out.To = next - 1
		}
	}
	return out, nil
}

// listDown answers up to l.Limit events, the newest up to seq last.
func (s *Service) listDown(ctx context.Context, id ConversationID, spans []Span, l List, last, head Seq) (Listed, error) {
	out := Listed{From: 1, To: last, Head: head}
	var pages [][]Record // newest first
	n, next := 0, last
	for i := len(spans) - 1; i >= 0; i-- {
		from, to := spans[i].From, min(spans[i].To, next)
		if to < from {
			continue
		}
		if to < next && !l.Messages {
			pages = append(pages, []Record{{Seq: to + 1, JSON: VoidJSON(id, to+1, next)}})
			n++
			next = to
		}
		if n >= l.Limit {
			out.From = next + 1
			break
		}
		records, err := s.store.Events(ctx, EventRange{
			Conversation: id, From: from, To: to, Limit: l.Limit - n, Newest: true, Messages: l.Messages,
		})
		if err != nil {
			return Listed{}, readError(err)
		}
		pages = append(pages, l.wanted(records))
		full := len(records) == l.Limit-n
		n += len(records)
		next = from - 1
		if full {
			out.From = records[0].Seq
			break
		}
	}
	if out.From == 1 && next >= 1 && !l.Messages { // what was before the first span
		pages = append(pages, []Record{{Seq: 1, JSON: VoidJSON(id, 1, next)}})
		n++
	}
	out.Events = make([]Record, 0, n)
	for i := len(pages) - 1; i >= 0; i-- {
		out.Events = append(out.Events, pages[i]...)
	}
	return out, nil
}
