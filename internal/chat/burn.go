package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// A message that burns is erased some time after the other one of a direct conversation has
// opened it: by a call of its own, never by reading past it, which would burn what nobody
// has looked at.

// The kinds of the events that tell of it.
const (
	Opened EventKind = "opened"
	Burned EventKind = "burned"
)

// itemBurn is a message that was opened, held by its conversation under its seq. It is due
// when it burns, and its body holds the two of the conversation.
const itemBurn ItemKind = "burn"

const (
	minBurn = time.Second
	maxBurn = 7 * 24 * time.Hour
)

// checkBurn says whether a message can burn in c (nil: a direct conversation that it begins).
func (o *sendOp) checkBurn(c *Conversation) error {
	switch burn := o.send.Burn; {
	case burn == 0:
		return nil
	case c != nil && c.Kind != Direct:
		return invalid("burn_ms", "burn_ms: in direct conversations")
	case burn < minBurn || burn > maxBurn:
		return invalid("burn_ms", "burn_ms: %d to %d", minBurn.Milliseconds(), maxBurn.Milliseconds())
	}
	return nil
}

// Open says that the caller has opened a message that burns: from then on its time runs. A
// second time changes nothing.
func (s *Service) Open(ctx context.Context, a Actor, mc MessageCall) (Place, error) {
	return s.changeMessage(ctx, a, "messages.open", mc, nil, nil, func(b *batch, on *changing) (*Event, error) {
		c, e := on.c, on.event
		switch {
		case e.Burn == 0:
			return nil, forbidden("this message does not burn: it needs no opening")
		case e.From == a.User:
			return nil, forbidden("the other one opens it")
		case !e.Opened.IsZero():
			return nil, nil
		}
		e.Opened = b.now
		b.revise(e, c.Seq+1)
		b.putItem(&Item{ItemKey: EventKey{c.ID, e.Seq}.item(itemBurn), Body: mustJSON(c.Pair), Due: b.now.Add(e.Burn)})
		return &Event{Kind: Opened, Content: mustJSON(struct {
			Text  string `json:"text"`
			Burns string `json:"burns_at"`
		}{fmt.Sprintf("%s opened a message", a.User), string(AppendTime(nil, b.now.Add(e.Burn)))})}, nil
	})
}

// burn erases a message whose time is over.
func (s *Service) burn(it Item) *operation {
	seq, err := strconv.ParseInt(it.Key, 10, 64)
	key := EventKey{it.Holder.conversation(), Seq(seq)}
	var pair [2]UserID
	if err == nil {
		err = json.Unmarshal(it.Body, &pair)
	}
	return &operation{
		keys: func(k *Keys) {
			for _, u := range pair {
				standKeys(k, u, key.Conversation)
			}
			k.Events = append(k.Events, key)
			k.Items = append(k.Items, it.ItemKey)
		},
		decide: func(b *batch) (Place, error) {
			now, c, e := b.item(it.ItemKey), b.rows.Conversations[key.Conversation], b.event(key)
			if err != nil || now == nil || now.Due.After(b.now) {
				return Place{}, err
			}
			b.forgetItem(it.ItemKey)
			if c == nil || e == nil || e.Kind != Message || e.Erased {
				return Place{}, nil // recalled meanwhile
			}
			b.erase(c, e, c.Seq+1)
			b.append(c, &Event{Kind: Burned, From: e.From, Targets: [][2]Seq{{e.Seq, e.Seq}}, Content: mustJSON(struct {
				Text string `json:"text"`
			}{"a message burned"})})
			return Place{}, nil
		},
	}
}
