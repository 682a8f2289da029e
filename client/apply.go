package client

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/wire"
)

func decodeEvent(raw jsontext.Value) (wire.Event, error) {
	var e wire.Event
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, fmt.Errorf("client: an event: %w", err)
	}
	return e, nil
}

func decodeEvents(conversation string, raw []jsontext.Value) ([]wire.Event, error) {
	events := make([]wire.Event, 0, len(raw))
	for _, one := range raw {
		e, err := decodeEvent(one)
		if err != nil {
			return nil, err
		}
		e.Conversation = conversation
		events = append(events, e)
	}
	return events, nil
}

func parseTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Now() // it only says how long ago
	}
	return t
}

// take takes the notifications that wait. What can be applied is applied in one step of
// the store; a cursor is kept in one step with the events it vouches for.
func (c *Client) take(ctx context.Context, r *rpc, opened *wire.OpenResult) error {
	notes, overflow := r.taken()
	if overflow {
		// Events were thrown away, and with them the cursors that vouch for them.
		c.log.Info("too much came at once: catching up")
		c.setState(State{Phase: CatchingUp})
		if err := c.catchUp(ctx, r, opened); err != nil {
			return err
		}
		c.setState(State{Phase: Connected})
	}
	b := &batch{client: c, rpc: r, working: make(map[string]*Conversation)}
	defer b.release()
	for _, n := range notes {
		if err := b.take(ctx, n); err != nil {
			return err
		}
	}
	return b.flush(ctx)
}

// batch is what a row of notifications changes.
type batch struct {
	client  *Client
	rpc     *rpc
	changes Changes
	working map[string]*Conversation
	order   []string // of working
	locked  bool     // client.changing is held, from the first working copy to the flush
	ack     string   // the last cursor kept
}

func (b *batch) take(ctx context.Context, n note) error {
	switch n.method {
	case "event":
		e, err := decodeEvent(n.params)
		if err != nil {
			return err
		}
		return b.event(ctx, &e)
	case "gap":
		var g wire.Gap
		if err := json.Unmarshal(n.params, &g); err != nil {
			return err
		}
		if err := b.flush(ctx); err != nil {
			return err
		}
		return b.client.fill(ctx, b.rpc, g.Conversation, g.ToSeq)
	case "checkpoint":
		var p wire.Checkpoint
		if err := json.Unmarshal(n.params, &p); err != nil {
			return err
		}
		b.changes.Cursor, b.ack = p.Cursor, p.Cursor
		b.client.vouched(b.conversation) // now: what follows in this batch it does not mark
		return nil
	case "hidden":
		var p wire.Hidden
		if err := json.Unmarshal(n.params, &p); err != nil {
			return err
		}
		if err := b.flush(ctx); err != nil {
			return err
		}
		if err := b.client.meet(ctx, b.rpc, p.Conversation); err != nil { // its ranges, and what they make of the rest
			return err
		}
	case "read":
		var p wire.ReadNotice
		if err := json.Unmarshal(n.params, &p); err != nil {
			return err
		}
		if err := b.read(ctx, &p); err != nil {
			return err
		}
	case "item":
		var it wire.Item
		if err := json.Unmarshal(n.params, &it); err != nil {
			return err
		}
		b.changes.Items = append(b.changes.Items, it)
	case "prefs":
		var p wire.PrefsNotice
		if err := json.Unmarshal(n.params, &p); err != nil {
			return err
		}
		if conv := b.conversation(p.Conversation); conv != nil {
			conv.Prefs = nil
			if p.Prefs != (wire.Prefs{}) {
				conv.Prefs = &p.Prefs
			}
		}
	}
	// These, and those this client does not know, are for the program.
	b.client.tellNotice(Notice{n.method, n.params})
	return nil
}

func (c *Client) tellNotice(n Notice) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for f := range c.feeds {
		f.noticed(n)
	}
}

// conversation gives the working copy of a conversation, nil if it is not known.
func (b *batch) conversation(id string) *Conversation {
	if conv := b.working[id]; conv != nil {
		return conv
	}
	if !b.locked {
		b.client.changing.Lock()
		b.locked = true
	}
	conv, known := b.client.Conversation(id)
	if !known {
		return nil
	}
	b.working[id] = &conv
	b.order = append(b.order, id)
	return &conv
}

// event applies a live event. One that is held is passed over; before one that does not
// follow, what is between is fetched.
func (b *batch) event(ctx context.Context, e *wire.Event) error {
	conv := b.conversation(e.Conversation)
	if conv == nil {
		// The first of a conversation. What it is is asked; what came before this event and
		// is for us comes with it.
		if err := b.flush(ctx); err != nil {
			return err
		}
		return b.client.meet(ctx, b.rpc, e.Conversation)
	}
	if e.Seq <= conv.Held.To {
		return nil
	}
	if e.Seq > conv.Held.To+1 {
		if err := b.flush(ctx); err != nil {
			return err
		}
		if err := b.client.fill(ctx, b.rpc, e.Conversation, e.Seq-1); err != nil {
			return err
		}
		if conv = b.conversation(e.Conversation); conv == nil || e.Seq != conv.Held.To+1 {
			return nil
		}
	}
	var changed []wire.Event
	if len(e.Targets) > 0 {
		var err error
		if conv, changed, err = b.changed(ctx, e); err != nil || conv == nil {
			return err
		}
	}
	if conv.Held.To < conv.Held.From {
		conv.Held.From = e.Seq
	}
	conv.Held.To = e.Seq
	// In one step: who holds an event holds what it changed.
	b.changes.Events = append(append(b.changes.Events, changed...), *e)
	self := b.client.User().ID
	conv.heard(e, self)
	if e.Kind == "message" && e.From == self { // it ended the draft there
		b.changes.Items = append(b.changes.Items, wire.Item{Kind: "draft", Key: e.Conversation})
	}
	if !conv.changed(e.Kind, changed) {
		// It may have changed what the conversation is.
		if err := b.flush(ctx); err != nil {
			return err
		}
		return b.client.meet(ctx, b.rpc, e.Conversation)
	}
	return nil
}

// changed fetches what a live event changes of what is held, and gives the conversation's
// working copy again, nil if the event no longer follows what is held.
func (b *batch) changed(ctx context.Context, e *wire.Event) (*Conversation, []wire.Event, error) {
	for {
		conv := b.conversation(e.Conversation)
		if conv == nil || e.Seq != conv.Held.To+1 {
			return nil, nil, nil
		}
		held := conv.Held
		if err := b.flush(ctx); err != nil {
			return nil, nil, err
		}
		changed, err := b.client.targets(ctx, b.rpc, e.Conversation, held, []wire.Event{*e})
		if err != nil {
			return nil, nil, err
		}
		// Older events may have come in meanwhile, as they were before.
		if conv = b.conversation(e.Conversation); conv == nil || conv.Held.From >= held.From {
			if conv != nil && e.Seq != conv.Held.To+1 {
				conv = nil
			}
			return conv, changed, nil
		}
	}
}

// changed takes what an event of a kind has changed, as it is now, and says whether that is
// all that it does to the conversation, as far as this client knows.
func (conv *Conversation) changed(kind string, events []wire.Event) bool {
	switch kind {
	case "message", "void":
		return true
	case "edited", "finished", "reactions", "values":
	default:
		return false
	}
	var last wire.Event
	if len(conv.Last) == 0 || json.Unmarshal(conv.Last, &last) != nil {
		return false
	}
	for i := range events {
		if e := &events[i]; e.Seq == last.Seq {
			if raw, err := json.Marshal(e); err == nil && e.Kind != "void" {
				conv.Last = raw
				continue
			}
			return false
		}
	}
	return true
}

// heard brings what is known of a conversation up to an event, as the user self sees it.
func (conv *Conversation) heard(e *wire.Event, self string) {
	conv.Seq, conv.AsOfSeq = e.Seq, e.Seq
	if e.Count > 0 {
		conv.Count = e.Count
	}
	if raw, err := json.Marshal(e); err == nil && e.Kind != "void" && len(e.Targets) == 0 {
		conv.Last = raw
	}
	switch {
	case e.Kind != "message" || conv.Kind == "room":
	case e.From == self:
		conv.read(e.Seq)
	default:
		conv.Unread++
		if mentions(e, self) {
			conv.Mentions = append(slices.Clone(conv.Mentions), e.Seq)
		}
	}
}

// read says that everything up to the newest event is read.
func (conv *Conversation) read(seq int64) {
	conv.ReadSeq, conv.Unread, conv.Mentions = seq, 0, nil
	if conv.Prefs != nil && conv.Prefs.Unread { // the mark ends with it
		p := *conv.Prefs
		p.Unread = false
		conv.Prefs = &p
	}
}

// mentions says whether a message names a user, or everybody.
func mentions(e *wire.Event, user string) bool {
	var content struct {
		Mentions []struct {
			User string `json:"user"`
			All  bool   `json:"all"`
		} `json:"mentions"`
	}
	if json.Unmarshal(e.Content, &content) != nil {
		return false
	}
	for _, m := range content.Mentions {
		if m.All || m.User == user {
			return true
		}
	}
	return false
}

// read applies a read position of the user's own, from another of its devices.
func (b *batch) read(ctx context.Context, p *wire.ReadNotice) error {
	conv := b.conversation(p.Conversation)
	if conv == nil || p.User != b.client.User().ID || p.ReadSeq <= conv.ReadSeq {
		return nil
	}
	if p.ReadSeq >= conv.Seq {
		conv.read(p.ReadSeq)
		return nil
	}
	if err := b.flush(ctx); err != nil {
		return err
	}
	return b.client.meet(ctx, b.rpc, p.Conversation)
}

func (b *batch) release() {
	if b.locked {
		b.locked = false
		b.client.changing.Unlock()
	}
}

// flush writes what was gathered, and acknowledges the cursor that is kept with it.
func (b *batch) flush(ctx context.Context) error {
	defer b.release()
	for _, id := range b.order {
		b.changes.Conversations = append(b.changes.Conversations, *b.working[id])
	}
	if err := b.client.update(ctx, &b.changes); err != nil {
		return err
	}
	ack := b.ack
	b.changes, b.order, b.ack = Changes{}, nil, ""
	clear(b.working)
	b.release()
	if ack == "" {
		return nil
	}
	return b.rpc.notify("session.ack", &wire.AckParams{Cursor: ack})
}

// meet asks what a conversation is now, and fetches what is missing of it.
func (c *Client) meet(ctx context.Context, r *rpc, id string) error {
	var s wire.Conversation
	err := c.own(ctx, r, "conversations.get", &wire.ConversationParams{Conversation: id}, &s)
	if isCode(err, wire.CodeNotFound) {
		return c.update(ctx, &Changes{Drop: []string{id}})
	}
	if err != nil {
		return err
	}
	return c.learn(ctx, r, &s, false)
}
