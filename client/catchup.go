package client

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/linnet-im/linnet/wire"
)

const (
	// syncPage is how many conversations a page of sync has.
	syncPage = 200
	// listPage is how many events a page of messages.list has.
	listPage = 200
	// roomGap is how many missed events of a room are fetched; of more only the newest are.
	roomGap = 1000
)

// catchUp asks for what was missed, until what is held is what the server has. The
// cursor is stored last: who is interrupted begins where it began.
func (c *Client) catchUp(ctx context.Context, r *rpc, opened *wire.OpenResult) error {
	c.mu.Lock()
	cursor := c.cursor
	c.mu.Unlock()
	if err := c.doubt(ctx, r, opened.Epoch); err != nil {
		return err
	}
	// What is held by now, the cursor at the end will vouch for.
	before := c.Conversations()
	told := make(map[string]bool)
	page, reset, first := "", false, cursor == ""
	for {
		var s wire.SyncResult
		if err := c.own(ctx, r, "sync", &wire.SyncParams{Cursor: cursor, Page: page, Limit: syncPage}, &s); err != nil {
			if page != "" && isCode(err, wire.CodeParam) {
				page, reset = "", false // the walk no longer holds: begin again
				clear(told)
				continue
			}
			return err
		}
		reset = reset || s.Reset
		for i := range s.Conversations {
			told[s.Conversations[i].ID] = true
			if err := c.learn(ctx, r, &s.Conversations[i], first); err != nil {
				return err
			}
		}
		// After a reset every item is told; those that are not are no more.
		if err := c.update(ctx, &Changes{Renew: s.Reset && page == "", Items: s.Items}); err != nil {
			return err
		}
		if s.User != nil {
			c.mu.Lock()
			c.user = *s.User
			c.mu.Unlock()
		}
		if page, cursor = s.Page, s.Cursor; page == "" {
			break
		}
		cursor = ""
	}
	if reset {
		if err := c.dropUntold(ctx, told); err != nil {
			return err
		}
	}
	if err := c.enterRooms(ctx, r, opened, reset); err != nil {
		return err
	}
	return c.caughtUp(ctx, cursor, opened.Epoch, before)
}

// caughtUp keeps the new cursor, which vouches for what was held before.
func (c *Client) caughtUp(ctx context.Context, cursor, epoch string, before []Conversation) error {
	c.changing.Lock()
	defer c.changing.Unlock()
	ch := &Changes{Cursor: cursor, Epoch: epoch}
	for i := range before {
		conv, known := c.Conversation(before[i].ID)
		if sure := min(before[i].Held.To, conv.Held.To); known && sure > conv.Sure {
			conv.Sure = sure
			ch.Conversations = append(ch.Conversations, conv)
		}
	}
	if err := c.update(ctx, ch); err != nil {
		return err
	}
	c.vouched(func(id string) *Conversation { // it is a checkpoint: what is held now is marked
		conv, known := c.Conversation(id)
		if !known {
			return nil
		}
		return &conv
	})
	return nil
}

// own makes a call of the client's own.
func (c *Client) own(ctx context.Context, r *rpc, method string, params, result any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, callTime, ErrLost)
	defer cancel()
	return r.call(ctx, method, params, result)
}

func isCode(err error, code wire.Code) bool {
	var answered *Error
	return errors.As(err, &answered) && answered.Code == code
}

// learn takes in what the server says of a conversation, and fetches what was missed.
// first says that nothing was known before: then history is left where it is.
func (c *Client) learn(ctx context.Context, r *rpc, s *wire.Conversation, first bool) error {
	if err := c.settle(ctx, s, first); err != nil {
		return err
	}
	return c.fill(ctx, r, s.ID, s.Seq)
}

// settle is the part of learn that needs no server.
func (c *Client) settle(ctx context.Context, s *wire.Conversation, first bool) error {
	c.changing.Lock()
	defer c.changing.Unlock()
	ch := &Changes{}
	have, known := c.Conversation(s.ID)
	held, sure := have.Held, have.Sure
	if !known {
		held = Range{From: 1, To: 0}
		if first {
			held, sure = Range{From: s.Seq + 1, To: s.Seq}, s.Seq
		}
	}
	if s.ForkSeq != nil && known {
		var err error
		if held, err = c.fork(ctx, ch, &have, *s.ForkSeq); err != nil {
			return err
		}
	}
	if s.Reset {
		ch.Forget = append(ch.Forget, Span{s.ID, held})
		held, sure = Range{From: s.Seq + 1, To: s.Seq}, s.Seq
	}
	for _, r := range s.Hidden { // deleted by this user, on another device
		if from, to := max(r[0], held.From), min(r[1], held.To); from <= to {
			ch.Forget = append(ch.Forget, Span{s.ID, Range{from, to}})
		}
	}
	s.ForkSeq, s.Reset = nil, false
	ch.Conversations = []Conversation{{Conversation: *s, Held: held, Sure: min(sure, held.To)}}
	return c.updateAndResend(ctx, ch)
}

// fork drops what is held of a conversation above the seq at which the store's lineage
// parted from ours. What we sent up there and the server acknowledged goes back into
// the outbox: under the same client ids it is there once, whatever else was restored.
func (c *Client) fork(ctx context.Context, ch *Changes, conv *Conversation, fork int64) (Range, error) {
	held := conv.Held
	events, err := c.store.Events(ctx, conv.ID, held.From, held.To)
	if err != nil {
		return held, err
	}
	oldest := time.Now().Add(-c.remembered())
	for _, e := range events {
		if e.Seq <= fork && e.Changed <= fork {
			continue
		}
		ch.Forget = append(ch.Forget, Span{conv.ID, Range{e.Seq, e.Seq}})
		if e.Seq > fork && e.Kind == "message" && e.From == c.User().ID && e.ClientID != "" && parseTime(e.Time).After(oldest) {
			to := wire.To{Conversation: conv.ID}
			if conv.User != "" {
				to = wire.To{User: conv.User} // that makes it again, if it is gone too
			}
			ch.Outgoing = append(ch.Outgoing, Outgoing{ClientID: e.ClientID, To: to, Content: e.Content, Created: parseTime(e.Time)})
		}
		if e.Seq <= fork {
			// It was changed above the fork: what it is now has to be asked for, and what is
			// held begins after it.
			held.From = max(held.From, e.Seq+1)
		}
	}
	held.To = min(held.To, fork)
	held.From = min(held.From, held.To+1)
	return held, nil
}

// updateAndResend is update for changes that put messages back into the outbox.
func (c *Client) updateAndResend(ctx context.Context, ch *Changes) error {
	if err := c.update(ctx, ch); err != nil {
		return err
	}
	c.outbox.restore(ch.Outgoing)
	return nil
}

// dropUntold drops the conversations that a reset did not tell of: the store went back
// to before they were.
func (c *Client) dropUntold(ctx context.Context, told map[string]bool) error {
	c.changing.Lock()
	defer c.changing.Unlock()
	ch := &Changes{}
	for _, conv := range c.Conversations() {
		if told[conv.ID] || conv.Kind == "room" {
			continue
		}
		if _, err := c.fork(ctx, ch, &conv, 0); err != nil {
			return err
		}
		ch.Drop = append(ch.Drop, conv.ID)
	}
	return c.updateAndResend(ctx, ch)
}

// enterRooms catches up with the rooms that the session is in.
func (c *Client) enterRooms(ctx context.Context, r *rpc, opened *wire.OpenResult, reset bool) error {
	rooms := slices.Clone(c.cfg.Rooms)
	if opened.User.Guest {
		rooms = append(rooms, "lobby")
	}
	slices.Sort(rooms)
	for _, id := range slices.Compact(rooms) {
		var s wire.Conversation
		if err := c.own(ctx, r, "conversations.get", &wire.ConversationParams{Conversation: id}, &s); err != nil {
			return err
		}
		have, known := c.Conversation(id)
		// What was said there while nobody listened may be very much.
		s.Reset = known && s.Seq-have.Held.To > roomGap
		if known && reset {
			fork := int64(0) // sync tells no fork of a room: any of it may be of another lineage
			s.ForkSeq, s.Reset = &fork, true
		}
		if err := c.learn(ctx, r, &s, !known); err != nil {
			return err
		}
	}
	return nil
}

// fill fetches the events of a conversation from what is held up to seq to.
func (c *Client) fill(ctx context.Context, r *rpc, id string, to int64) error {
	for {
		conv, known := c.Conversation(id)
		if !known || conv.Held.To >= to {
			return nil
		}
		after := conv.Held.To
		var l wire.ListResult
		if err := c.own(ctx, r, "messages.list", &wire.ListParams{Conversation: id, AfterSeq: &after, Limit: listPage}, &l); err != nil {
			if isCode(err, wire.CodeNotFound) {
				return c.update(ctx, &Changes{Drop: []string{id}})
			}
			return err
		}
		if l.ToSeq <= after {
			return nil // it is not for us any more
		}
		events, err := decodeEvents(id, l.Events)
		if err != nil {
			return err
		}
		changed, err := c.targets(ctx, r, id, conv.Held, events)
		if err != nil {
			return err
		}
		if err := c.extend(ctx, id, conv.Held, l.ToSeq, changed, events); err != nil {
			return err
		}
	}
}

// extend puts events that follow what was held of a conversation, with what they changed of
// that. If something else is held by now it does nothing.
func (c *Client) extend(ctx context.Context, id string, held Range, to int64, changed, events []wire.Event) error {
	c.changing.Lock()
	defer c.changing.Unlock()
	conv, known := c.Conversation(id)
	if !known || conv.Held != held {
		return nil
	}
	if conv.Held.To < conv.Held.From {
		conv.Held.From = held.To + 1
	}
	conv.Held.To = to
	self := c.User().ID
	for i := range events {
		if events[i].Seq > conv.Seq {
			conv.heard(&events[i], self)
		}
	}
	return c.update(ctx, &Changes{Conversations: []Conversation{conv}, Events: append(changed, events...)})
}

// targets fetches, as they are now, the events of a held range that these change.
func (c *Client) targets(ctx context.Context, r *rpc, id string, held Range, events []wire.Event) ([]wire.Event, error) {
	var changed []wire.Event
	for _, e := range events {
		for _, t := range e.Targets {
			from, to := max(t[0], held.From), min(t[1], held.To)
			for after := from - 1; after < to; {
				var l wire.ListResult
				limit := int(min(listPage, to-after))
				p := &wire.ListParams{Conversation: id, AfterSeq: &after, Limit: limit}
				if err := c.own(ctx, r, "messages.list", p, &l); err != nil {
					return nil, err
				}
				if l.ToSeq <= after {
					break
				}
				now, err := decodeEvents(id, l.Events)
				if err != nil {
					return nil, err
				}
				for _, e := range now {
					for last := max(e.Seq, e.ToSeq); e.Seq <= min(last, to); e.Seq++ { // a void may stand for many
						e.ToSeq = 0
						changed = append(changed, e)
					}
				}
				after = l.ToSeq
			}
		}
	}
	return changed, nil
}
