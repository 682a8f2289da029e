package chat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A broadcast is a direct message from one account to everybody, or to everybody with a
// tag. It is a job: an item of the server's that says how far it is. A step sends to some
// users and moves that in one commit, so that whatever happens to the server nobody gets it
// twice and nobody is left out who was there when it began. Each of the messages has a
// client_id of its own, made of the broadcast's id and the user.

// broadcastKind is the kind of the server's items that are broadcasts, by id: ids are in the
// order of their times, the newest first. It is due while there is something to do, and when
// it is to be forgotten.
const broadcastKind ItemKind = "broadcast"

const (
	// maxBroadcasts is how many broadcasts are under way at once.
	maxBroadcasts = 20
	// broadcastStep is to how many users one commit sends.
	broadcastStep = 50
	// broadcastPause is how many times as long as a step took is waited after it. A person's
	// send waits for one step at most, and of four commits three are people's.
	broadcastPause = 3
	// broadcastKept is how long a broadcast that has ended is listed.
	broadcastKept = 30 * 24 * time.Hour
)

// BroadcastState says what a broadcast is at.
type BroadcastState string

// The states of a broadcast.
const (
	BroadcastRunning   BroadcastState = "running"
	BroadcastDone      BroadcastState = "done"
	BroadcastCancelled BroadcastState = "cancelled"
)

// Broadcast is a message to many, and how far it is.
type Broadcast struct {
	ID      string          `json:"-"`
	From    UserID          `json:"from"`
	Tag     string          `json:"tag,omitempty"` // "": to everybody
	Content json.RawMessage `json:"content"`
	State   BroadcastState  `json:"state"`
	Time    time.Time       `json:"time"`
	Ended   time.Time       `json:"ended,omitzero"`
	After   UserID          `json:"after,omitempty"` // it was sent to those up to this one
	Sent    int64           `json:"sent"`
	Refused int64           `json:"refused,omitempty"` // users it could not be sent to
}

// NewBroadcast is a broadcast to be made.
type NewBroadcast struct {
	Key     [16]byte
	From    UserID
	Tag     string          // "": to everybody
	Content json.RawMessage // checked by the caller; compact JSON
}

// CreateBroadcast begins a broadcast and answers it as it is now: a repetition, as far as
// it has come. RunBroadcasts sends it. Only server keys may call it.
func (s *Service) CreateBroadcast(ctx context.Context, n NewBroadcast) (Broadcast, error) {
	if err := CheckUserID(n.From); err != nil {
		return Broadcast{}, paramError("from", err)
	}
	if !s.MaySee(n.From, Direct) {
		return Broadcast{}, invalid("from", "from: guests are in open rooms only")
	}
	if n.Tag != "" {
		if err := checkTags("to.tag", []string{n.Tag}, 1); err != nil {
			return Broadcast{}, err
		}
	}
	if mentions(n.Content).all {
		return Broadcast{}, invalid("content.mentions", "content.mentions: each gets a message of its own, which does not name everybody")
	}
	running, err := s.store.DueItems(ctx, broadcastKind, s.cfg.Now(), maxBroadcasts+1)
	if err != nil {
		return Broadcast{}, readError(err)
	}
	cl := newCall(n.From, n.Key, "broadcasts.create", n.Tag, string(n.Content))
	id := fmt.Sprintf("%013d_%s", maxMilli-s.cfg.Now().UnixMilli(), randomID())
	place, err := s.await(ctx, &operation{
		keys: func(k *Keys) { k.Calls = append(k.Calls, cl.key) },
		decide: func(b *batch) (Place, error) {
			if p, found, err := b.recall(cl.key, cl.hash); found {
				return p, err
			}
			if len(running) >= maxBroadcasts {
				return Place{}, &Error{Code: CodeRate, Message: fmt.Sprintf("%d broadcasts are under way already", maxBroadcasts), RetryAfter: time.Minute}
			}
			bc := Broadcast{ID: id, From: n.From, Tag: n.Tag, Content: n.Content, State: BroadcastRunning, Time: b.now}
			b.putBroadcast(&bc, b.now)
			// The place of a broadcast is its id.
			return b.remember(cl.key, cl.hash, &Event{Conversation: ConversationID(id), Time: b.now}), nil
		},
	})
	if err != nil {
		return Broadcast{}, err
	}
	return s.Broadcast(ctx, string(place.Conversation))
}

// maxMilli is above every time in milliseconds that an id is made of.
const maxMilli = 9_999_999_999_999

func broadcastKey(id string) ItemKey { return ItemKey{ServerHolder, broadcastKind, id} }

func (b *batch) putBroadcast(bc *Broadcast, due time.Time) {
	b.putItem(&Item{ItemKey: broadcastKey(bc.ID), Body: mustJSON(bc), Due: due})
}

func broadcastOf(it *Item) (bc Broadcast, err error) {
	if err := json.Unmarshal(it.Body, &bc); err != nil {
		return bc, fmt.Errorf("broadcast %q: %w", it.Key, err)
	}
	bc.ID = it.Key
	return bc, nil
}

// Broadcast answers one broadcast.
func (s *Service) Broadcast(ctx context.Context, id string) (Broadcast, error) {
	items, err := s.store.Items(ctx, ItemRange{Holder: ServerHolder, Kind: broadcastKind, Prefix: id, Limit: 1})
	if err != nil {
		return Broadcast{}, readError(err)
	}
	if len(items) == 0 || items[0].Key != id {
		return Broadcast{}, noBroadcast()
	}
	return broadcastOf(&items[0])
}

func noBroadcast() error {
	return &Error{Code: CodeNotFound, Message: "there is no such broadcast"}
}

// Broadcasts answers broadcasts, newest first, after an id, and whether there are more. Those
// that ended more than 30 days ago are forgotten.
func (s *Service) Broadcasts(ctx context.Context, after string, limit int) ([]Broadcast, bool, error) {
	items, err := s.store.Items(ctx, ItemRange{Holder: ServerHolder, Kind: broadcastKind, After: after, Limit: limit + 1})
	if err != nil {
		return nil, false, readError(err)
	}
	list := make([]Broadcast, 0, len(items))
	for i := range items[:min(limit, len(items))] {
		bc, err := broadcastOf(&items[i])
		if err != nil {
			return nil, false, readError(err)
		}
		list = append(list, bc)
	}
	return list, len(items) > limit, nil
}

// CancelBroadcast ends a broadcast where it is, and answers it. One that has ended stays as
// it is. What was sent is sent.
func (s *Service) CancelBroadcast(ctx context.Context, id string) (bc Broadcast, err error) {
	key := broadcastKey(id)
	_, err = s.await(ctx, &operation{
		keys: func(k *Keys) { k.Items = append(k.Items, key) },
		decide: func(b *batch) (Place, error) {
			it := b.item(key)
			if it == nil {
				return Place{}, noBroadcast()
			}
			now, err := broadcastOf(it)
			if err != nil {
				return Place{}, err
			}
			if now.State == BroadcastRunning {
				now.end(BroadcastCancelled, b.now)
				b.putBroadcast(&now, b.now.Add(broadcastKept))
			}
			bc = now
			return Place{}, nil
		},
	})
	return bc, err
}

func (bc *Broadcast) end(state BroadcastState, at time.Time) { bc.State, bc.Ended = state, at }

// RunBroadcasts sends the broadcasts there are, a step of each in turn, until all have ended
// or ctx does. After each step it waits with pause for what it is told to, so that people's
// sends do not.
func (s *Service) RunBroadcasts(ctx context.Context, pause func(context.Context, time.Duration)) error {
	for ctx.Err() == nil {
		items, err := s.store.DueItems(ctx, broadcastKind, s.cfg.Now(), 2*maxBroadcasts)
		if err != nil {
			return readError(err)
		}
		if len(items) == 0 {
			return nil
		}
		var errs []error
		for i := range items {
			began := time.Now()
			errs = append(errs, s.broadcastStep(ctx, &items[i]))
			pause(ctx, broadcastPause*time.Since(began))
		}
		if err := errors.Join(errs...); err != nil {
			return err // the next look goes on
		}
	}
	return ctx.Err()
}

// RunBroadcastsEvery calls RunBroadcasts now and then until ctx ends. failed is told what
// could not be done.
func (s *Service) RunBroadcastsEvery(ctx context.Context, every time.Duration, failed func(error)) {
	pause := func(ctx context.Context, d time.Duration) {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
	}
	for ctx.Err() == nil {
		if err := s.RunBroadcasts(ctx, pause); err != nil && ctx.Err() == nil {
			failed(err)
		}
		pause(ctx, every)
	}
}

// broadcastStep sends to the next users and moves the broadcast on, in one commit; or ends
// it, or forgets one that ended long ago.
func (s *Service) broadcastStep(ctx context.Context, it *Item) error {
	seen, err := broadcastOf(it)
	if err != nil {
		return err
	}
	var users []UserID
	if seen.State == BroadcastRunning {
		if users, err = s.audienceOf(ctx, &seen); err != nil {
			return err
		}
	}
	sends := make([]*sendOp, 0, len(users))
	for _, u := range users {
		if op := s.broadcastTo(&seen, u); op != nil {
			sends = append(sends, op)
		}
	}
	_, err = s.await(ctx, &operation{
		keys: func(k *Keys) {
			k.Items = append(k.Items, it.ItemKey)
			for _, op := range sends {
				op.keys(k)
				k.Users = append(k.Users, op.send.ToUser)
			}
		},
		decide: func(b *batch) (Place, error) {
			now := b.item(it.ItemKey)
			if now == nil || now.Due.After(b.now) {
				return Place{}, nil
			}
			bc, err := broadcastOf(now)
			switch {
			case err != nil:
				return Place{}, err
			case bc.State != BroadcastRunning:
				b.forgetItem(it.ItemKey)
				return Place{}, nil
			case bc.After != seen.After:
				return Place{}, nil // another node was first
			}
			if len(users) == 0 {
				bc.end(BroadcastDone, b.now)
				b.putBroadcast(&bc, b.now.Add(broadcastKept))
				return Place{}, nil
			}
			for _, op := range sends {
				if row := b.rows.Users[op.send.ToUser]; row != nil && row.details().Deleted {
					continue
				}
				if _, err := op.decide(b); err != nil {
					bc.Refused++
				} else {
					bc.Sent++
				}
			}
			bc.After = users[len(users)-1]
			b.putBroadcast(&bc, b.now)
			return Place{}, nil
		},
	})
	return err
}

// audienceOf answers the next users of a broadcast.
func (s *Service) audienceOf(ctx context.Context, bc *Broadcast) ([]UserID, error) {
	if bc.Tag != "" {
		users, _, err := s.Tagged(ctx, bc.Tag, bc.After, broadcastStep)
		return users, err
	}
	users, err := s.store.UserIDs(ctx, bc.After, broadcastStep)
	if err != nil {
		return nil, readError(err)
	}
	return users, nil
}

// broadcastTo makes the message to one user, nil if it gets none.
func (s *Service) broadcastTo(bc *Broadcast, u UserID) *sendOp {
	if u == bc.From || u.IsGuest() {
		return nil
	}
	sum := sha256.Sum256([]byte("broadcast\n" + bc.ID + "\n" + string(u)))
	key := [16]byte(sum[:])
	key[6], key[8] = key[6]&0x0f|0x80, key[8]&0x3f|0x80 // a UUID of version 8
	h := hex.EncodeToString(key[:])
	op, err := s.newSend(Actor{User: bc.From, Server: true}, Send{
		ToUser: u, ClientID: h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:],
		Key: key, Once: true, Content: bc.Content, KeepUnread: true,
	})
	if err != nil {
		return nil // an id that is none any more
	}
	op.begins = true // what others do meanwhile is not looked at twice
	return op
}
