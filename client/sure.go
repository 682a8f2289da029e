package client

import "context"

// A cursor vouches for what was told before it was made. What is told live after that
// is held too, but if the server's store goes back to a backup that is younger than the
// cursor, the cursor holds and that does not. So a client keeps, for each conversation,
// up to where its cursor vouches, and when it meets another start of the store it takes
// what is above as it takes what lies above a fork: it asks for it again, and its own
// messages there go out again under their client ids.
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

// doubt drops what is held above what is sure, when the server's store has begun another
// start since.
func (c *Client) doubt(ctx context.Context, epoch string) error {
	c.changing.Lock()
	defer c.changing.Unlock()
	c.mu.Lock()
	same := c.epoch == "" || c.epoch == epoch
	c.mu.Unlock()
	if same {
		return nil
	}
	ch := &Changes{}
	for _, conv := range c.Conversations() {
		if conv.Held.To <= conv.Sure {
			continue
		}
		var err error
		if conv.Held, err = c.fork(ctx, ch, &conv, conv.Sure); err != nil {
			return err
		}
		ch.Conversations = append(ch.Conversations, conv)
	}
	return c.updateAndResend(ctx, ch)
}
