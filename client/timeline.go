package client

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/linnet-im/linnet/wire"
)

// Page is a piece of a conversation's timeline.
type Page struct {
	Events []wire.Event // in seq order, as they are now
	From   int64        // what is covered; what is absent inside it is not for this user
	To     int64
	Older  bool // there is something before From
}

// Timeline answers up to limit events of a conversation before a seq, 0 for the newest.
// They come from what is held; what is older is asked of the server and then held too.
// Without a connection it answers what is held, with ErrOffline if there would be more.
// Of a conversation that is not known the error is an *Error with the code not_found.
//
// The answer is how things are now: called again after a Changed, it has the edits,
// recalls and resets that came meanwhile, so who shows the page need not know of them.
func (c *Client) Timeline(ctx context.Context, conversation string, before int64, limit int) (Page, error) {
	for {
		conv, known := c.Conversation(conversation)
		if !known {
			return Page{}, &Error{Code: wire.CodeNotFound, Message: "there is no such conversation, or it is not for you", Outcome: wire.OutcomeNo}
		}
		to := conv.Held.To
		if before > 0 {
			to = min(to, before-1)
		}
		from := max(conv.Held.From, to-int64(limit)+1)
		if enough := to-from+1 >= int64(limit) || conv.Held.From <= 1; enough || to < 1 {
			return c.held(ctx, conversation, &conv, from, to)
		}
		err := c.older(ctx, &conv, limit)
		if errors.Is(err, ErrOffline) || errors.Is(err, ErrLost) {
			p, heldErr := c.held(ctx, conversation, &conv, from, to)
			if heldErr != nil {
				return p, heldErr
			}
			return p, ErrOffline
		}
		if err != nil {
			return Page{}, err
		}
	}
}

func (c *Client) held(ctx context.Context, id string, conv *Conversation, from, to int64) (Page, error) {
	p := Page{From: from, To: to, Older: from > 1}
	var err error
	if to >= from {
		p.Events, err = c.store.Events(ctx, id, from, to)
	}
	if conv.Held.From > 1 && from <= conv.Held.From {
		p.Older = true
	}
	return p, err
}

// older fetches a page of events below what is held.
func (c *Client) older(ctx context.Context, conv *Conversation, limit int) error {
	before := conv.Held.From
	var l wire.ListResult
	p := &wire.ListParams{Conversation: conv.ID, BeforeSeq: &before, Limit: max(1, min(limit, listPage))}
	if err := c.Call(ctx, "messages.list", p, &l); err != nil {
		return err
	}
	events, err := decodeEvents(conv.ID, l.Events)
	if err != nil {
		return err
	}
	c.changing.Lock()
	defer c.changing.Unlock()
	now, known := c.Conversation(conv.ID)
	if !known || now.Held.From != before {
		return nil // somebody else fetched it, or it was reset meanwhile
	}
	// What was changed meanwhile may have come as it was: it is asked for again.
	came, err := c.store.Events(ctx, conv.ID, conv.Held.To+1, now.Held.To)
	if err != nil {
		return err
	}
	for _, e := range came {
		for _, t := range e.Targets {
			if t[0] < before && t[1] >= l.FromSeq {
				return nil
			}
		}
	}
	now.Held.From = min(before-1, l.FromSeq)
	if len(events) == 0 && l.FromSeq >= before {
		now.Held.From = 1
	}
	return c.update(ctx, &Changes{Conversations: []Conversation{now}, Events: events})
}

// Incoming gives every event of every conversation and room, the user's own too, in each
// in seq order and once, from when the client first is Connected after the loop began;
// also what comes while it is not connected, once it is again. What came before that,
// while the program did not run, IncomingSince gives.
//
// In two cases the seqs of a conversation do not follow each other. They begin again
// lower, when the server's store went back to a backup: what was given from that seq on is
// no more, and these are in its place. They jump, over what is not for this user, and
// where so much was missed that it is not fetched (10,000 events of a conversation, 1,000
// of a room): Timeline has it.
//
// The loop ends with an error: Run's when that has ended, ctx's cause when ctx has, or one
// of the store. Events are read from the store as the loop asks for them: a slow loop
// holds nothing up. Several loops are given the same.
func (c *Client) Incoming(ctx context.Context) iter.Seq2[wire.Event, error] {
	return c.IncomingSince(ctx, func(Conversation) int { return 0 })
}

// IncomingSince is Incoming, and gives before it, once the client is Connected, the last
// events of each conversation: as many as past says, which is asked for each once, after
// the client has caught up. Between them and what comes there is no hole. A program that
// keeps up to which seq it has done its work asks for Conversation.Seq less that. The
// conversation with the newest event comes last.
func (c *Client) IncomingSince(ctx context.Context, past func(Conversation) int) iter.Seq2[wire.Event, error] {
	return func(yield func(wire.Event, error) bool) {
		f := c.Feed()
		defer f.Close()
		s := &seen{}
		defer c.forget(s)
		for {
			u, err := f.Next(ctx)
			var events []wire.Event
			switch u := u.(type) {
			case State:
				switch {
				case u.Phase == Connected && s.upTo == nil:
					events, err = c.see(ctx, s, past)
				case u.Phase == Offline && u.Err != nil:
					err = u.Err // Run has ended: nothing more comes
				}
			case Changed:
				if s.upTo != nil {
					events, err = c.unseen(ctx, u.Conversation, s)
				}
			}
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
			}
			if err != nil {
				yield(wire.Event{}, err)
				return
			}
		}
	}
}

// seen is up to which seq an Incoming was given what is held of each conversation. It is
// guarded by Client.mu.
type seen struct{ upTo map[string]int64 }

// see begins with all that is held as seen, and answers the last events of it.
func (c *Client) see(ctx context.Context, s *seen, past func(Conversation) int) ([]wire.Event, error) {
	c.mu.Lock()
	conversations := c.list()
	s.upTo = make(map[string]int64, len(conversations))
	for i := range conversations {
		s.upTo[conversations[i].ID] = conversations[i].Held.To
	}
	c.seen[s] = struct{}{}
	c.mu.Unlock()
	var events []wire.Event
	for _, conv := range slices.Backward(conversations) {
		// What is not held yet will be told as Changed.
		n := past(conv) - int(conv.Seq-conv.Held.To)
		if n <= 0 {
			continue
		}
		last, err := c.last(ctx, conv.ID, conv.Held.To+1, n)
		if err != nil && !isCode(err, wire.CodeNotFound) { // it may be gone by now
			return events, err
		}
		c.mu.Lock()
		upTo := s.upTo[conv.ID]
		c.mu.Unlock()
		for _, e := range last {
			if e.Seq <= upTo { // what has come since then is told as Changed
				events = append(events, e)
			}
		}
	}
	return events, nil
}

// last answers the last n events of a conversation before a seq, and waits for a
// connection if it has to.
func (c *Client) last(ctx context.Context, id string, before int64, n int) ([]wire.Event, error) {
	f := c.Feed()
	defer f.Close()
	for {
		page, err := c.Timeline(ctx, id, before, n)
		if !errors.Is(err, ErrOffline) {
			return page.Events, err
		}
		if _, err := f.Next(ctx); err != nil {
			return nil, err
		}
	}
}

func (c *Client) forget(s *seen) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.seen, s)
}

// unsee says, under c.mu, that nothing above a seq of a conversation is held any more.
func (c *Client) unsee(id string, seq int64) {
	for s := range c.seen {
		if upTo, met := s.upTo[id]; met {
			s.upTo[id] = min(upTo, seq)
		}
	}
}

// unseen gives what is held of a conversation above what was seen of it, as seen.
func (c *Client) unseen(ctx context.Context, id string, s *seen) ([]wire.Event, error) {
	c.changing.Lock()
	defer c.changing.Unlock()
	c.mu.Lock()
	conv := c.conversations[id]
	if conv == nil {
		c.mu.Unlock()
		return nil, nil
	}
	from, to := max(s.upTo[id]+1, conv.Held.From), conv.Held.To
	s.upTo[id] = to
	c.mu.Unlock()
	return c.store.Events(ctx, id, from, to)
}
