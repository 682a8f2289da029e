package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/linnet-im/linnet/wire"
)

const (
	// maxInFlight is how many messages are on their way at a time, each in another
	// conversation: in one of them the next waits for the one before.
	maxInFlight = 32
	// retryWait is the wait before a message that the server could not take now is sent
	// again, when the server gives none. It doubles up to maxWait.
	retryWait = time.Second
	// rememberedAtLeast is taken for how long a server remembers client ids until it says so.
	rememberedAtLeast = 24 * time.Hour
	// rememberMargin is how much less is counted on, for what is on its way.
	rememberMargin = time.Hour
)

// outbox is what is to be sent, in order. It is on the store's disk before Send returns.
type outbox struct {
	client *Client
	wake   chan struct{} // holds a token when there may be something to send

	mu      sync.Mutex
	entries []*entry
	stopped bool
}

type entry struct {
	Outgoing
	done     chan struct{} // closed when it is settled
	place    wire.Place
	err      error
	inFlight bool
	tries    int
	notUntil time.Time
	allowOld bool // the program wants it sent however old it is
}

// Sending is a message that was put into the outbox.
type Sending struct{ entry *entry }

// ClientID gives the message's own id: the event it becomes has the same one.
func (s Sending) ClientID() string { return s.entry.ClientID }

// Wait waits until the message is sent, and answers its place in the log, or why there is
// none: an *Error is the server's no, ErrTooLarge, ErrTooOld and ErrDiscarded are the
// client's. When ctx ends first, the error is its cause; when Run does, it is ErrStopped
// with Run's; the message stays in the outbox then.
func (s Sending) Wait(ctx context.Context) (wire.Place, error) {
	select {
	case <-s.entry.done:
		return s.entry.place, s.entry.err
	case <-ctx.Done():
		return wire.Place{}, context.Cause(ctx)
	}
}

func newOutbox(c *Client, known []Outgoing) *outbox {
	o := &outbox{client: c, wake: make(chan struct{}, 1)}
	for _, out := range known {
		o.entries = append(o.entries, newEntry(out))
	}
	return o
}

func newEntry(out Outgoing) *entry { return &entry{Outgoing: out, done: make(chan struct{})} }

// ToUser and ToConversation say where a message goes.
func ToUser(id string) wire.To         { return wire.To{User: id} }
func ToConversation(id string) wire.To { return wire.To{Conversation: id} }

// Text is the content of a text message.
func Text(text string) any { return textContent{"text", text} }

type textContent struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// Send puts a message into the outbox and returns when the store has it: it will be
// sent once, in the order of the calls in each conversation, as soon as there is a
// connection, by this program or by the next one with the same store. It needs no
// connection and does not wait for one. content becomes the message's content: an object
// with type and text, as Text makes it.
//
// An error means that the message is not in the outbox; after Run it is ErrStopped.
// Whether the server takes the message, Sending.Wait tells.
func (c *Client) Send(ctx context.Context, to wire.To, content any) (Sending, error) {
	return c.send(ctx, newID(), to, content)
}

// SendAs is Send under a client id that the program chooses, a UUID: however often it is
// called with the same one, by this program or after a crash by the next one, there is
// one message (for as long as the server remembers client ids: Limits, DedupeMS). It is
// for a program that cannot know whether it had got to a Send before it was killed; IDFor
// makes such an id.
//
// A message under that id that is still in the outbox stays as it is; one that failed is
// replaced and tried again. When the server has one with another content, Wait answers
// an *Error with the code client_id_reused.
func (c *Client) SendAs(ctx context.Context, clientID string, to wire.To, content any) (Sending, error) {
	id, err := uuid.Parse(clientID)
	if err != nil {
		return Sending{}, fmt.Errorf("client: the client id %q: %w", clientID, err)
	}
	return c.send(ctx, id.String(), to, content)
}

// IDFor makes the client id of what a program does once because of an event, an answer
// say: the same purpose and the same event always give the same id. The event is known
// again also when the server's store went back to a backup and it was sent anew.
func IDFor(purpose string, e *wire.Event) string {
	what := []string{purpose, e.From, e.ClientID}
	if e.ClientID == "" { // it came by a link that has none
		what = []string{purpose, e.Conversation, strconv.FormatInt(e.Seq, 10), e.Time}
	}
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("linnet\x00"+strings.Join(what, "\x00"))).String()
}

func (c *Client) send(ctx context.Context, clientID string, to wire.To, content any) (Sending, error) {
	if (to.User == "") == (to.Conversation == "") {
		return Sending{}, errors.New("client: a message goes to a user or to a conversation")
	}
	raw, err := json.Marshal(content)
	if err != nil {
		return Sending{}, fmt.Errorf("client: the content: %w", err)
	}
	return c.outbox.add(ctx, Outgoing{ClientID: clientID, To: to, Content: raw, Created: time.Now().UTC()})
}

func (o *outbox) add(ctx context.Context, out Outgoing) (Sending, error) {
	// The lock is held over the store's write: the order of the outbox is the store's.
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stopped {
		return Sending{}, ErrStopped
	}
	there := o.find(out.ClientID)
	if there != nil && there.Failed == nil {
		return Sending{there}, nil
	}
	if err := o.client.store.Update(ctx, &Changes{Outgoing: []Outgoing{out}}); err != nil {
		return Sending{}, fmt.Errorf("client: the outbox: %w", err)
	}
	e := newEntry(out)
	if there != nil {
		o.entries[slices.Index(o.entries, there)] = e // the store keeps its place too
	} else {
		o.entries = append(o.entries, e)
	}
	o.signal()
	return Sending{e}, nil
}

// restore takes up messages that are in the store's outbox again.
func (o *outbox) restore(list []Outgoing) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, out := range list {
		if o.find(out.ClientID) == nil {
			o.entries = append(o.entries, newEntry(out))
		}
	}
	o.signal()
}

// Outbox answers the messages that are not sent, in order: those that wait, and those
// that failed, until Retry or Discard.
func (c *Client) Outbox() []Outgoing {
	c.outbox.mu.Lock()
	defer c.outbox.mu.Unlock()
	list := make([]Outgoing, len(c.outbox.entries))
	for i, e := range c.outbox.entries {
		list[i] = e.Outgoing
	}
	return list
}

// Retry sends a message that failed again, under the same client id. An error means that
// it has not failed, or that the store did not take it.
func (c *Client) Retry(ctx context.Context, clientID string) error {
	o := c.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.find(clientID)
	if e == nil || e.Failed == nil {
		return fmt.Errorf("client: %s has not failed", clientID)
	}
	again := e.Outgoing
	again.Failed = nil
	if err := c.store.Update(ctx, &Changes{Outgoing: []Outgoing{again}}); err != nil {
		return fmt.Errorf("client: the outbox: %w", err)
	}
	fresh := newEntry(again)
	fresh.allowOld = true
	o.entries[slices.Index(o.entries, e)] = fresh
	o.signal()
	return nil
}

// Discard takes a message out of the outbox; its Sending answers ErrDiscarded. One that
// is on its way may still arrive. One that is not in the outbox is no error.
func (c *Client) Discard(ctx context.Context, clientID string) error {
	o := c.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.find(clientID)
	if e == nil {
		return nil
	}
	if err := c.store.Update(ctx, &Changes{Sent: []string{clientID}}); err != nil {
		return fmt.Errorf("client: the outbox: %w", err)
	}
	o.remove(e, wire.Place{}, ErrDiscarded)
	return nil
}

func (o *outbox) find(clientID string) *entry {
	for _, e := range o.entries {
		if e.ClientID == clientID {
			return e
		}
	}
	return nil
}

// remove settles e and takes it out, under o.mu.
func (o *outbox) remove(e *entry, p wire.Place, err error) {
	if i := slices.Index(o.entries, e); i >= 0 {
		o.entries = slices.Delete(o.entries, i, i+1)
	}
	e.settle(p, err)
}

func (e *entry) settle(p wire.Place, err error) {
	select {
	case <-e.done:
	default:
		e.place, e.err = p, err
		close(e.done)
	}
}

// stop ends the outbox, for the reason why: what waits stays on the store's disk.
func (o *outbox) stop(why error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stopped = true
	for _, e := range o.entries {
		e.settle(wire.Place{}, fmt.Errorf("%w: %w", ErrStopped, why))
	}
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}
