package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// itemSchedule is a message that is to be sent later, held by its sender. Its key is the
// client_id, its body a scheduled, and it is due when it is to be sent.
const itemSchedule ItemKind = "schedule"

const (
	// maxScheduled is how many messages a user may have waiting.
	maxScheduled = 200
	// maxScheduleAhead is how far ahead one may be.
	maxScheduleAhead = 366 * 24 * time.Hour
)

// scheduled is a message that waits. It is what its sender's devices are told of it.
type scheduled struct {
	ToUser       UserID          `json:"user,omitempty"`
	Conversation ConversationID  `json:"conversation,omitempty"`
	Content      json.RawMessage `json:"content"`
	Only         []UserID        `json:"only,omitempty"`
	ReplyTo      Seq             `json:"reply_to,omitempty"`
	Values       *Values         `json:"values,omitempty"`
	Priority     Priority        `json:"priority,omitempty"`
	BurnMS       int64           `json:"burn_ms,omitempty"`
	At           string          `json:"at"`
	Server       bool            `json:"server,omitempty"` // a server key has it sent
	// Failed is why it could not be sent when it was due. It stays until its sender removes it.
	Failed Code `json:"failed,omitempty"`
}

// Schedule has a message sent at a time, as if the caller sent it then: what is not allowed
// then is not sent, and the caller's devices are told by its item. Sent, it has the same
// ClientID, and its item goes in the same commit. It answers when that will be; the caller's
// read position is not moved by it.
func (s *Service) Schedule(ctx context.Context, a Actor, m Send, at time.Time) (time.Time, error) {
	if !s.MaySee(a.User, Group) {
		return time.Time{}, forbidden("guests in open rooms send at once")
	}
	m.Once = false // the item stands for the repetitions
	op, err := s.newSend(a, m)
	if err != nil {
		return time.Time{}, err
	}
	at = at.UTC().Truncate(time.Millisecond)
	wait := &scheduled{
		ToUser: m.ToUser, Conversation: m.Conversation, Content: m.Content, Only: m.Only,
		ReplyTo: m.ReplyTo, Values: m.Values, Priority: m.Priority, BurnMS: m.Burn.Milliseconds(),
		At: string(AppendTime(nil, at)), Server: a.Server,
	}
	key := ItemKey{UserHolder(a.User), itemSchedule, m.ClientID}
	cl := newCall(a.User, m.Key, "schedule.create", string(mustJSON(wait)))
	have, err := s.store.Items(ctx, ItemRange{Holder: key.Holder, Kind: itemSchedule, Limit: maxScheduled + 1})
	if err != nil {
		return time.Time{}, readError(err)
	}
	place, err := s.await(ctx, &operation{
		keys: func(k *Keys) {
			op.keys(k) // whether the caller may send there is looked at now too
			k.Calls = append(k.Calls, cl.key)
			k.Items = append(k.Items, key)
		},
		decide: func(b *batch) (Place, error) {
			if p, found, err := b.recall(cl.key, cl.hash); found {
				return p, err
			}
			switch {
			case !at.After(b.now):
				return Place{}, invalid("at", "at: in the future; messages.send sends at once")
			case at.Sub(b.now) > maxScheduleAhead:
				return Place{}, invalid("at", "at: at most %d days ahead", maxScheduleAhead/(24*time.Hour))
			case len(have) >= maxScheduled:
				return Place{}, forbidden(fmt.Sprintf("at most %d messages wait to be sent", maxScheduled))
			}
			c, err := op.mayWrite(b)
			if err != nil {
				return Place{}, err
			}
			// It costs what sending costs now, since sending it costs nothing when it is due.
			if err := op.rateNow(b, c); err != nil {
				return Place{}, err
			}
			b.putOwnDue(a.User, itemSchedule, m.ClientID, mustJSON(wait), at)
			// Its place is to come: the answer is when.
			call := &Call{CallKey: cl.key, Hash: cl.hash, Conversation: op.id, Time: at, At: b.now}
			b.rows.Calls[cl.key] = call
			b.changes.Calls = append(b.changes.Calls, call)
			return Place{Conversation: op.id, Time: at}, nil
		},
	})
	return place.Time, err
}

// Unschedule removes a message that waits, or that could not be sent. It answers false when
// there is none: it was sent, or removed before.
func (s *Service) Unschedule(ctx context.Context, a Actor, clientID string) (removed bool, err error) {
	key := ItemKey{UserHolder(a.User), itemSchedule, clientID}
	_, err = s.await(ctx, &operation{
		keys: func(k *Keys) { k.Items = append(k.Items, key) },
		decide: func(b *batch) (Place, error) {
			if removed = b.item(key) != nil; removed {
				b.putOwn(a.User, itemSchedule, clientID, nil)
			}
			return Place{}, nil
		},
	})
	return removed && err == nil, err
}

// Scheduled is a message that waits.
type Scheduled struct {
	ClientID string
	Body     json.RawMessage // as the sender's devices are told it
}

// Schedules answers the caller's messages that wait or could not be sent, by client_id.
func (s *Service) Schedules(ctx context.Context, a Actor) ([]Scheduled, error) {
	items, err := s.store.Items(ctx, ItemRange{Holder: UserHolder(a.User), Kind: itemSchedule, Limit: 2 * maxScheduled})
	if err != nil {
		return nil, readError(err)
	}
	list := make([]Scheduled, len(items))
	for i, it := range items {
		list[i] = Scheduled{ClientID: it.Key, Body: it.Body}
	}
	return list, nil
}

// sendScheduled sends a message that is due, and removes it from those that wait in the
// same commit, so that it is sent once, whatever happens meanwhile.
func (s *Service) sendScheduled(it Item) *operation {
	u := it.Holder.user()
	var wait scheduled
	err := json.Unmarshal(it.Body, &wait)
	var op *sendOp
	if err == nil {
		op, err = s.newSend(Actor{User: u, Server: wait.Server}, Send{
			ToUser: wait.ToUser, Conversation: wait.Conversation, ClientID: it.Key, Content: wait.Content, Only: wait.Only, KeepUnread: true,
			ReplyTo: wait.ReplyTo, Values: wait.Values, Priority: wait.Priority, Burn: time.Duration(wait.BurnMS) * time.Millisecond,
		})
	}
	return &operation{
		keys: func(k *Keys) {
			k.Items = append(k.Items, it.ItemKey)
			if err == nil {
				op.keys(k)
			}
		},
		decide: func(b *batch) (Place, error) {
			now := b.item(it.ItemKey)
			if now == nil || now.Due.IsZero() || now.Due.After(b.now) {
				return Place{}, nil // removed, or sent by another node
			}
			place, refused := Place{}, err
			if refused == nil {
				place, refused = op.decide(b)
			}
			if refused != nil {
				wait.Failed = codeOf(refused)
				b.putOwn(u, itemSchedule, it.Key, mustJSON(wait))
				return Place{}, nil
			}
			b.putOwn(u, itemSchedule, it.Key, nil)
			return place, nil
		},
	}
}
