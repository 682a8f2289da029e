package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Purged is the kind of the event that says that messages were deleted for all: its targets
// are voids, and their contents are nowhere any more.
const Purged EventKind = "purged"

// maxPurged is how many events one call of Purge looks at.
const maxPurged = 200

// Purge deletes for all the messages in ranges of seqs; who manages the group may, and
// server keys. What is no message, or is gone already, stays as it is; when nothing is left
// nothing is logged, and the answer is the conversation's newest event.
func (s *Service) Purge(ctx context.Context, a Actor, gc GroupCall, ranges [][2]Seq) (Place, error) {
	if err := checkRanges(ranges); err != nil {
		return Place{}, err
	}
	var seqs []Seq
	for _, r := range ranges {
		if r[1]-r[0] >= maxPurged || len(seqs)+int(r[1]-r[0]) >= maxPurged {
			return Place{}, invalid("ranges", "ranges: at most %d messages in one call", maxPurged)
		}
		for seq := r[0]; seq <= r[1]; seq++ {
			seqs = append(seqs, seq)
		}
	}
	slices.Sort(seqs)
	seqs = slices.Compact(seqs)
	cl := newCall(a.User, gc.Key, "messages.purge", string(gc.Conversation), fmt.Sprint(seqs))
	for {
		named, err := s.namedIn(ctx, gc.Conversation, seqs)
		if err != nil {
			return Place{}, err
		}
		var gone []*Event // written by the committer, and not to be looked at unless it has answered
		place, err := s.await(ctx, &operation{
			keys: func(k *Keys) {
				k.Calls = append(k.Calls, cl.key)
				standKeys(k, a.User, gc.Conversation)
				named.keys(k, gc.Conversation)
				for _, seq := range seqs {
					k.Events = append(k.Events, EventKey{gc.Conversation, seq})
				}
			},
			decide: func(b *batch) (Place, error) {
				if p, found, err := b.recall(cl.key, cl.hash); found {
					return p, err
				}
				c, home, m, err := s.standing(b, a, gc.Conversation)
				if err != nil {
					return Place{}, err
				}
				if err := may(a, home, m, RightManage); err != nil {
					return Place{}, err
				}
				gone = nil
				for _, seq := range seqs {
					if e := s.message(b, a, c, m, seq); e != nil {
						if !named.holds(mentions(e.Content)) {
							return Place{}, errNamed
						}
						gone = append(gone, e)
					}
				}
				if len(gone) == 0 {
					return Place{Conversation: c.ID, Seq: c.Seq, Time: c.Time}, nil
				}
				told := &Event{Kind: Purged, From: a.User, ClientID: gc.ClientID}
				b.eraseAll(c, gone, told)
				told.Content = mustJSON(textOnly{fmt.Sprintf("%s deleted %d messages", a.User, len(gone))})
				b.append(c, told)
				return b.remember(cl.key, cl.hash, told), nil
			},
		})
		if errors.Is(err, errNamed) {
			continue
		}
		if err == nil {
			for _, e := range gone {
				s.stopStream(EventKey{gc.Conversation, e.Seq})
			}
		}
		return place, err
	}
}

// eraseAll erases messages, in the order of their seqs, and names them as the targets of told,
// which is to be c's next event.
func (b *batch) eraseAll(c *Conversation, gone []*Event, told *Event) {
	for _, e := range gone {
		b.erase(c, e, c.Seq+1)
		if n := len(told.Targets); n > 0 && told.Targets[n-1][1] == e.Seq-1 {
			told.Targets[n-1][1] = e.Seq
		} else {
			told.Targets = append(told.Targets, [2]Seq{e.Seq, e.Seq})
		}
	}
}

// namedIn reads whom messages name now.
func (s *Service) namedIn(ctx context.Context, id ConversationID, seqs []Seq) (all mentioned, err error) {
	for len(seqs) > 0 { // a run of them at a time
		n := 1
		for n < len(seqs) && seqs[n] == seqs[n-1]+1 {
			n++
		}
		records, err := s.store.Events(ctx, EventRange{Conversation: id, From: seqs[0], To: seqs[n-1], Limit: n})
		if err != nil && !errors.Is(err, ErrNotFound) {
			return all, readError(err)
		}
		for _, r := range records {
			all.users = append(all.users, mentions(ParseEvent(id, r).Content).users...)
		}
		seqs = seqs[n:]
	}
	return all, nil
}
