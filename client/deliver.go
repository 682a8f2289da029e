package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/linnet-im/linnet/wire"
)

// deliver sends what is in the outbox over a connection until ctx ends.
func (o *outbox) deliver(ctx context.Context, r *rpc) {
	var sending sync.WaitGroup
	defer sending.Wait()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		batch, next := o.due(time.Now())
		for _, e := range batch {
			sending.Go(func() { o.send(ctx, r, e) })
		}
		timer.Reset(next)
		select {
		case <-ctx.Done():
			return
		case <-o.wake:
		case <-timer.C:
		}
	}
}

// due takes the messages that can be sent now: of each conversation the first that
// waits, if it is not on its way and not to wait. next is when to look again.
func (o *outbox) due(now time.Time) (batch []*entry, next time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	next = time.Hour
	busy := make(map[wire.To]bool)
	flying := 0
	for _, e := range o.entries {
		if e.inFlight {
			flying++
		}
	}
	for _, e := range o.entries {
		if e.Failed != nil || busy[e.To] {
			continue
		}
		busy[e.To] = true
		switch wait := e.notUntil.Sub(now); {
		case e.inFlight:
		case wait > 0:
			next = min(next, wait)
		case flying < maxInFlight:
			e.inFlight = true
			flying++
			batch = append(batch, e)
		}
	}
	return batch, next
}

// remembered is how long the server is sure to remember a client id.
func (c *Client) remembered() time.Duration {
	if ms := c.Limits().DedupeMS; ms > 0 {
		return max(0, time.Duration(ms)*time.Millisecond-rememberMargin)
	}
	return rememberedAtLeast
}

// send sends one message and settles it, unless the server is to be asked again.
func (o *outbox) send(ctx context.Context, r *rpc, e *entry) {
	c := o.client
	if !e.allowOld && time.Since(e.Created) > c.remembered() {
		o.fail(e, ErrTooOld)
		return
	}
	if limit := c.Limits().ContentBytes; limit > 0 && len(e.Content) > limit {
		o.fail(e, ErrTooLarge) // it may be more than a frame: the server would hang up, each time
		return
	}
	var place wire.Place
	calling, cancel := context.WithTimeoutCause(ctx, callTime, ErrLost)
	err := r.call(calling, "messages.send", &wire.SendParams{To: e.To, ClientID: e.ClientID, Content: e.Content}, &place)
	cancel()
	var answered *Error
	switch {
	case err == nil:
		o.sent(e, place)
	case errors.As(err, &answered) && !again(answered):
		o.fail(e, answered)
	default:
		o.later(e, answered)
	}
}

// again says whether a message is to be sent again after an error of the server's.
func again(e *Error) bool {
	switch e.Code {
	case wire.CodeSession, wire.CodeToken, wire.CodeExpired, wire.CodeRevoked:
		return true // it is about the connection
	}
	return e.Outcome == wire.OutcomeRetry || e.Outcome == wire.OutcomeUnknown
}

// later puts a message back to its place at the head of its conversation's.
func (o *outbox) later(e *entry, why *Error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	e.inFlight = false
	if why != nil {
		wait := max(why.RetryAfter, min(maxWait, retryWait<<min(e.tries, 5)))
		e.notUntil = time.Now().Add(wait + rand.N(wait/4+1))
		e.tries++
	}
	o.signal()
}

// sent settles a message that the server has. If the store cannot be told so, the
// message will be sent again, and be there once all the same.
func (o *outbox) sent(e *entry, p wire.Place) {
	if err := o.client.store.Update(context.Background(), &Changes{Sent: []string{e.ClientID}}); err != nil {
		o.client.log.Error("a sent message stays in the outbox", "error", err)
	}
	o.mu.Lock()
	o.remove(e, p, nil)
	o.mu.Unlock()
	o.client.tellSent(Sent{ClientID: e.ClientID, Place: p})
	o.signal()
}

// fail marks a message as failed; the ones after it go on.
func (o *outbox) fail(e *entry, why error) {
	f := &Failure{Message: why.Error()}
	var answered *Error
	if errors.As(why, &answered) {
		f.Code, f.Message = answered.Code, answered.Message
	}
	o.mu.Lock()
	e.inFlight, e.Failed = false, f
	failed := e.Outgoing
	gone := o.find(e.ClientID) != e // it was discarded meanwhile
	o.mu.Unlock()
	if !gone {
		if err := o.client.store.Update(context.Background(), &Changes{Outgoing: []Outgoing{failed}}); err != nil {
			o.client.log.Error("a failed message is not marked so", "error", err)
		}
	}
	why = fmt.Errorf("message %s: %w", e.ClientID, why)
	o.mu.Lock()
	e.settle(wire.Place{}, why)
	o.mu.Unlock()
	o.client.tellSent(Sent{ClientID: e.ClientID, Err: why})
	o.signal()
}

func (c *Client) tellSent(s Sent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for f := range c.feeds {
		f.settled(s)
	}
}
