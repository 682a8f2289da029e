package chat

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Pinned is the kind of the event that says that a message was pinned, or is no longer.
const Pinned EventKind = "pinned"

// maxPins is how many messages of a conversation are pinned.
const maxPins = 50

// Pin is a message that is pinned.
type Pin struct {
	Seq  Seq       `json:"seq"`
	By   UserID    `json:"by"`
	Time time.Time `json:"time"`
}

// pinnedContent is the content of the event.
type pinnedContent struct {
	Text string `json:"text"`
	On   bool   `json:"on"`
}

// Pin pins a message for everybody in its conversation, or takes the pin away. Who may, the
// group says; in a direct conversation both may. What is so already stays so.
func (s *Service) Pin(ctx context.Context, a Actor, mc MessageCall, on bool) (Place, error) {
	method, verb := "messages.pin", "pinned a message"
	if !on {
		method, verb = "messages.unpin", "unpinned a message"
	}
	rate := s.writeRate(a)
	return s.changeMessage(ctx, a, method, mc, nil, nil, func(b *batch, at *changing) (*Event, error) {
		if err := may(a, at.home, at.self, RightPin); err != nil {
			return nil, err
		}
		if err := speak(a, at.home, at.self, b.now); err != nil {
			return nil, err
		}
		if at.event.Only != nil {
			return nil, forbidden("a message for a few is not pinned: everybody sees the pins")
		}
		d := at.c.details()
		pinned := slices.ContainsFunc(d.Pins, func(p Pin) bool { return p.Seq == mc.Seq })
		switch {
		case pinned == on:
			return nil, nil
		case on && len(d.Pins) >= maxPins:
			return nil, forbidden(fmt.Sprintf("at most %d messages are pinned", maxPins))
		}
		if err := rate(b); err != nil {
			return nil, err
		}
		if on {
			d.Pins = append(slices.Clone(d.Pins), Pin{mc.Seq, a.User, b.now})
			at.c.setDetails(d)
		} else {
			at.c.unpin(mc.Seq)
		}
		return &Event{Kind: Pinned, Content: mustJSON(pinnedContent{fmt.Sprintf("%s %s", a.User, verb), on})}, nil
	})
}

// unpin takes a pin away, if there is one. The row is the caller's to put.
func (c *Conversation) unpin(seq Seq) {
	d := c.details()
	d.Pins = slices.DeleteFunc(slices.Clone(d.Pins), func(p Pin) bool { return p.Seq == seq })
	if len(d.Pins) == 0 {
		d.Pins = nil
	}
	c.setDetails(d)
}

// pins answers those of the pinned messages that are in spans, the newest pin last.
func (c *Conversation) pins(spans []Span) []Pin {
	if c.Details == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(c.Details.Pins), func(p Pin) bool { return !within(spans, p.Seq) })
}
