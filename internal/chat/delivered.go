package chat

import (
	"context"
	"sync"
	"time"
)

// delivered is up to where users' devices have said that they have everything. That is
// written together every second or two, merged by user: it is lazily durable, and a crash
// sets it back by as much, until the next acknowledgement.
type delivered struct {
	mu      sync.Mutex
	waiting map[UserID]Position
	done    map[UserID]Position // what was written of users lately
}

const (
	// deliveredStep bounds the users that one commit writes.
	deliveredStep = 200
	// deliveredNewest is in how many of a user's conversations, the newest, it is told at a time.
	deliveredNewest = 100
	// maxDelivered is of how many users it is known what was written; others begin anew.
	maxDelivered = 100_000
)

// Delivered notes that a device of the user keeps everything up to a cursor. It does not
// block. A cursor that is not the user's, or no longer holds, is nothing.
func (s *Service) Delivered(u UserID, cursorText string) {
	if u.IsGuest() || !s.KnowsCursor(u, cursorText) {
		return
	}
	c, err := parseCursor(cursorText)
	if err != nil {
		return
	}
	s.delivered.mu.Lock()
	defer s.delivered.mu.Unlock()
	if s.delivered.waiting == nil {
		s.delivered.waiting = make(map[UserID]Position)
	}
	if c.pos > max(s.delivered.done[u], s.delivered.waiting[u]) {
		s.delivered.waiting[u] = c.pos
	}
}

// reached is how far one user was reached, and from where on it is to be looked at.
type reached struct {
	user     UserID
	from, to Position
}

func (d *delivered) take() []reached {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []reached
	if len(d.done)+deliveredStep > maxDelivered || d.done == nil {
		d.done = make(map[UserID]Position)
	}
	for u, pos := range d.waiting {
		if len(list) == deliveredStep {
			break
		}
		list = append(list, reached{u, d.done[u], pos})
		d.done[u] = pos
		delete(d.waiting, u)
	}
	return list
}

// FlushDelivered writes and tells what Delivered has noted, in direct conversations and in
// groups of up to 100. What could not be written is lost: the next acknowledgement says it again.
func (s *Service) FlushDelivered(ctx context.Context) error {
	for {
		list := s.delivered.take()
		if len(list) == 0 {
			return nil
		}
		at := make(map[MemberKey]Seq)
		for _, r := range list {
			if err := s.reachedIn(ctx, r, at); err != nil {
				return err
			}
		}
		if err := s.putDelivered(ctx, at); err != nil {
			return err
		}
	}
}

// reachedIn adds to at in which conversations the user was reached, up to where.
func (s *Service) reachedIn(ctx context.Context, r reached, at map[MemberKey]Seq) error {
	off, err := s.receiptsOff(ctx, r.user)
	if err != nil || off[r.user] {
		return err
	}
	entries, err := s.store.Changed(ctx, Changed{User: r.user, After: r.from, Before: farFuture, Limit: deliveredNewest})
	if err != nil {
		return readError(err)
	}
	for i := range entries {
		c, m := &entries[i].Conversation, &entries[i].Member
		if c.Kind != Direct && c.Kind != Group || c.Members > smallConversation || !joined(m) || c.Apart() {
			continue
		}
		seq := c.Seq
		if c.Pos > r.to {
			if seq, err = s.store.Fork(ctx, c.ID, r.to); err != nil {
				return readError(err)
			}
		}
		if seq > m.Delivered() {
			at[m.MemberKey] = seq
		}
	}
	return nil
}

func (s *Service) putDelivered(ctx context.Context, at map[MemberKey]Seq) error {
	if len(at) == 0 {
		return nil
	}
	// Written by the committer, and not to be looked at unless it has answered.
	var moved []Notice
	_, err := s.await(ctx, &operation{
		keys: func(k *Keys) {
			for key := range at {
				k.Members = append(k.Members, key)
				k.Conversations = append(k.Conversations, key.Conversation)
			}
		},
		decide: func(b *batch) (Place, error) {
			moved = nil
			for key, seq := range at {
				c, m := b.rows.Conversations[key.Conversation], b.rows.Members[key]
				if c == nil || !joined(m) || seq <= m.Delivered() {
					continue
				}
				d := m.details()
				d.Delivered = seq
				m.setDetails(d)
				b.putMember(m)
				c.Rev++
				b.conversations.add(c)
				moved = append(moved, Notice{Conversation: *c, Method: "delivered", Except: key.User, Params: mustJSON(struct {
					Conversation ConversationID `json:"conversation"`
					User         UserID         `json:"user"`
					DeliveredSeq Seq            `json:"delivered_seq"`
				}{c.ID, key.User, seq})})
			}
			return Place{}, nil
		},
	})
	if err != nil {
		return err
	}
	for i := range moved {
		n := &moved[i]
		if err := s.tellPosition(ctx, &n.Conversation, n.Except, n); err != nil {
			return err
		}
		if n.Only == "" {
			s.bus.Notify(*n)
		}
	}
	return nil
}

// FlushDeliveredEvery calls FlushDelivered now and then until ctx ends, and once more then.
// failed is told what could not be written.
func (s *Service) FlushDeliveredEvery(ctx context.Context, every time.Duration, failed func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for done := false; !done; {
		select {
		case <-ctx.Done():
			done = true
		case <-tick.C:
		}
		if err := s.FlushDelivered(context.WithoutCancel(ctx)); err != nil {
			failed(err)
		}
	}
}
