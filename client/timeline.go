package client

import (
	"context"
	"errors"
	"iter"

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
		if errors.Is(err, ErrOffline) || errors.Is(err, errLost) {
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
	now.Held.From = min(before-1, l.FromSeq)
	if len(events) == 0 && l.FromSeq >= before {
		now.Held.From = 1
	}
	return c.update(ctx, &Changes{Conversations: []Conversation{now}, Events: events})
}

// Incoming gives every event of every conversation and room, in each in seq order,
// from when the client first is Connected after the call; also what comes while it is
// not connected, once it is again. It ends with the error when ctx ends. Events are read
// from the store as the loop asks for them: a slow loop holds nothing up.
func (c *Client) Incoming(ctx context.Context) iter.Seq2[wire.Event, error] {
	return func(yield func(wire.Event, error) bool) {
		f := c.Feed()
		defer f.Close()
		var seen map[string]int64
		for {
			u, err := f.Next(ctx)
			if err != nil {
				yield(wire.Event{}, err)
				return
			}
			switch u := u.(type) {
			case State:
				if u.Phase == Connected && seen == nil {
					seen = make(map[string]int64)
					for _, conv := range c.Conversations() {
						seen[conv.ID] = conv.Held.To
					}
				}
			case Changed:
				if seen == nil {
					continue
				}
				if err := c.unseen(ctx, u, seen, yield); err != nil {
					if !errors.Is(err, errLeft) {
						yield(wire.Event{}, err)
					}
					return
				}
			}
		}
	}
}

var errLeft = errors.New("the loop was left")

// unseen yields what is held of a conversation above what was seen of it.
func (c *Client) unseen(ctx context.Context, u Changed, seen map[string]int64, yield func(wire.Event, error) bool) error {
	id := u.Conversation
	conv, known := c.Conversation(id)
	if !known {
		delete(seen, id)
		return nil
	}
	last, met := seen[id]
	if !met {
		last = conv.Held.From - 1
	}
	last = min(last, u.Low)
	events, err := c.store.Events(ctx, id, max(last+1, conv.Held.From), conv.Held.To)
	if err != nil {
		return err
	}
	seen[id] = conv.Held.To
	for _, e := range events {
		if !yield(e, nil) {
			return errLeft
		}
	}
	return nil
}
