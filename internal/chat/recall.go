package chat

import (
	"context"
	"fmt"
	"time"
)

// Recalled is the kind of the event that says that a message was taken back: the target is
// a void, and its content is nowhere any more.
const Recalled EventKind = "recalled"

// recalledContent says whose message it was; who took it back is the event's sender.
type recalledContent struct {
	Text string `json:"text"`
	From UserID `json:"from"`
}

// Recall takes a message back: its sender may, for a time, and who manages the group and
// server keys always. It goes on being counted as unread until it is read past.
func (s *Service) Recall(ctx context.Context, a Actor, mc MessageCall) (Place, error) {
	place, err := s.changeMessage(ctx, a, "messages.recall", mc, nil, nil, func(b *batch, on *changing) (*Event, error) {
		c, e := on.c, on.event
		if err := s.mayRecall(a, on, b.now); err != nil {
			return nil, err
		}
		text := fmt.Sprintf("%s recalled a message", a.User)
		if e.From != a.User {
			text = fmt.Sprintf("%s recalled a message of %s", a.User, e.From)
		}
		b.erase(c, e, c.Seq+1)
		return &Event{Kind: Recalled, Content: mustJSON(recalledContent{text, e.From})}, nil
	})
	if err == nil {
		s.stopStream(EventKey{mc.Conversation, mc.Seq})
	}
	return place, err
}

func (s *Service) mayRecall(a Actor, on *changing, now time.Time) error {
	e := on.event
	if may(a, on.home, on.self, RightManage) == nil {
		return nil
	}
	if e.From != a.User {
		return forbidden("a message is recalled by who wrote it, and by the owner and the admins")
	}
	if window := s.cfg.Limits.RecallWindow; window > 0 && now.Sub(e.Time) > window {
		return forbidden(fmt.Sprintf("a message is recalled within %s", window))
	}
	return s.notForGuests(a)
}

// erase makes a void of a message and removes everything that hangs on it. The rows of
// those whom it names are loaded; c is the caller's to put.
func (b *batch) erase(c *Conversation, e *Event, by Seq) {
	b.mark(c, e, mentions(e.Content), mentioned{})
	b.forgetItem(versionsKey(EventKey{c.ID, e.Seq}))
	b.eraseReactions(c, e)
	c.unpin(e.Seq)
	e.Erased, e.Reactions, e.Values = true, nil, nil
	e.Content, e.ClientID, e.ReplyTo, e.Stream, e.Edited = nil, "", 0, "", time.Time{}
	e.Burn, e.Opened = 0, time.Time{}
	b.revise(e, by)
}
