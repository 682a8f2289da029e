package client

import (
	"context"

	"github.com/linnet-im/linnet/wire"
)

// A cursor vouches for what was told before it was made. What is told live after that
// is held too, but if the server's store goes back to a backup that is younger than the
// cursor, the cursor holds and that does not. So a client keeps, for each conversation,
// up to where its cursor vouches, and when it meets another start of the store it
// compares what is above with what the server has. From the first difference on it takes
// it as it takes what lies above a fork: it is dropped, and its own messages there go out
// again under their client ids.
//
// A checkpoint may come behind events that are younger than it. But it is younger than
// the checkpoint before: what was held at that one, it vouches for.

// vouched brings what is sure up to a new checkpoint, in the caller's working copies, and
// marks what is held now for the next one.
func (c *Client) vouched(working func(id string) *Conversation) {
	c.mu.Lock()
	marks := make(map[string]int64, len(c.unsure))
	for id, mark := range c.unsure {
		marks[id] = mark
	}
	c.mu.Unlock()
	for id, mark := range marks {
		conv := working(id)
		if conv == nil {
			continue
		}
		if mark > conv.Sure {
			conv.Sure = min(mark, conv.Held.To)
		}
		marks[id] = conv.Held.To
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, mark := range marks {
		if _, still := c.unsure[id]; still {
			c.unsure[id] = mark
		}
	}
}

// doubt compares what is held above what is sure with what the server has, when the
// server's store has begun another start since. From the first difference on it is
// dropped, as above a fork.
func (c *Client) doubt(ctx context.Context, r *rpc, epoch string) error {
	c.mu.Lock()
	same := c.epoch == "" || c.epoch == epoch
	c.mu.Unlock()
	if same {
		return nil
	}
	for _, conv := range c.Conversations() {
		if conv.Held.To <= conv.Sure {
			continue
		}
		holds, err := c.holdsUpTo(ctx, r, &conv)
		if err != nil {
			return err
		}
		if err := c.cutAt(ctx, conv.ID, holds); err != nil {
			return err
		}
	}
	return nil
}

// holdsUpTo answers up to which seq what is held above Sure is what the server has.
func (c *Client) holdsUpTo(ctx context.Context, r *rpc, conv *Conversation) (int64, error) {
	at := max(conv.Sure, conv.Held.From-1)
	for at < conv.Held.To {
		var l wire.ListResult
		limit := int(min(listPage, conv.Held.To-at))
		err := c.own(ctx, r, "messages.list", &wire.ListParams{Conversation: conv.ID, AfterSeq: &at, Limit: limit}, &l)
		if isCode(err, wire.CodeNotFound) {
			return 0, nil // it never was, there
		}
		if err != nil {
			return 0, err
		}
		theirs, err := decodeEvents(conv.ID, l.Events)
		if err != nil {
			return 0, err
		}
		ours, err := c.store.Events(ctx, conv.ID, at+1, min(l.ToSeq, conv.Held.To))
		if err != nil {
			return 0, err
		}
		if seq := differ(ours, theirs); seq > 0 {
			return seq - 1, nil
		}
		if l.ToSeq <= at {
			return at, nil // it has no more
		}
		at = l.ToSeq
	}
	return conv.Held.To, nil
}

// differ answers the first seq at which two lists are not of the same events, 0 for none.
// An event that was changed since is the same one.
func differ(ours, theirs []wire.Event) int64 {
	for i := range ours {
		switch {
		case i >= len(theirs):
			return ours[i].Seq
		case ours[i].Seq != theirs[i].Seq:
			return min(ours[i].Seq, theirs[i].Seq)
		case theirs[i].Kind != "void" && (ours[i].Time != theirs[i].Time || ours[i].From != theirs[i].From || ours[i].ClientID != theirs[i].ClientID):
			return ours[i].Seq
		}
	}
	return 0
}

// cutAt drops what is held of a conversation above a seq, if anything is.
func (c *Client) cutAt(ctx context.Context, id string, seq int64) error {
	c.changing.Lock()
	defer c.changing.Unlock()
	conv, known := c.Conversation(id)
	if !known || conv.Held.To <= seq {
		return nil
	}
	ch := &Changes{}
	var err error
	if conv.Held, err = c.fork(ctx, ch, &conv, seq); err != nil {
		return err
	}
	conv.Sure = min(conv.Sure, conv.Held.To)
	ch.Conversations = []Conversation{conv}
	return c.updateAndResend(ctx, ch)
}
