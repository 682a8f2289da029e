package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// itemAttribute is an attribute of a room, held by it under its key. One that goes with its
// owner is due when somebody must look whether the owner is still there.
const itemAttribute ItemKind = "attribute"

const (
	maxRoomAttributes = 100
	maxRoomKey        = 128     // bytes
	maxRoomValue      = 4 << 10 // bytes
	// attributeCheck is how often it is looked whether the owner of an attribute is there. It
	// is also how long after a restart of the server clients have to come back.
	attributeCheck = time.Minute
)

// Attribute is a named value of a room: who sits on which seat, what is being played.
type Attribute struct {
	Key   string `json:"-"`
	Value string `json:"value"`
	Owner UserID `json:"owner"`           // who set it last
	Rev   int64  `json:"rev"`             // 1, 2, 3… with each setting
	Open  bool   `json:"open,omitempty"`  // everybody may change it
	Until bool   `json:"until,omitempty"` // it goes when its owner leaves the room
}

// SetAttribute is a change of one attribute.
type SetAttribute struct {
	Room      ConversationID
	Key       string
	Value     *string // nil: it is removed
	IfRev     *int64  // only if it has this rev, 0 for one that is not there; nil: whatever it is
	Open      bool
	UntilLeft bool
}

// leavers are those who left rooms and whose attributes are to be looked for.
type leavers struct {
	mu   sync.Mutex
	owes map[MemberKey]bool // who has set an attribute that goes with them, on this node
	left map[MemberKey]bool
}

// SetAttribute changes an attribute of a room, and tells those who are in it. What another
// user has set may be changed if it is open, or by the room's owner and admins. A rev that
// is another one is CodeStale. It answers the attribute's rev, 0 for a removed one.
func (s *Service) SetAttribute(ctx context.Context, a Actor, set SetAttribute) (rev int64, err error) {
	if err := checkAttribute(&set); err != nil {
		return 0, err
	}
	key := ItemKey{ConversationHolder(set.Room), itemAttribute, set.Key}
	have, err := s.store.Items(ctx, ItemRange{Holder: key.Holder, Kind: itemAttribute, Limit: maxRoomAttributes + 1})
	if err != nil {
		return 0, readError(err)
	}
	limit := s.attributeRate(a, set.Room)
	_, err = s.await(ctx, &operation{
		keys: func(k *Keys) {
			standKeys(k, a.User, set.Room)
			k.Items = append(k.Items, key)
		},
		decide: func(b *batch) (Place, error) {
			c, m, err := s.roomOf(b, a, set.Room)
			if err != nil {
				return Place{}, err
			}
			if err := speak(a, c, m, b.now); err != nil {
				return Place{}, err
			}
			if err := limit(); err != nil {
				return Place{}, err
			}
			now, err := attributeOf(b.item(key))
			if err != nil {
				return Place{}, err
			}
			if set.IfRev != nil && *set.IfRev != now.Rev {
				return Place{}, &Error{Code: CodeStale, Message: fmt.Sprintf("the attribute has rev %d", now.Rev)}
			}
			if now.Rev > 0 && now.Owner != a.User && !now.Open && may(a, c, m, RightManage) != nil {
				return Place{}, forbidden(fmt.Sprintf("%s has set this attribute, and it is not open", now.Owner))
			}
			if set.Value == nil {
				rev = 0
				if now.Rev > 0 {
					b.forgetItem(key)
					b.notifyAttributes(c, nil, []string{set.Key})
				}
				return Place{}, nil
			}
			if now.Rev == 0 && len(have) >= maxRoomAttributes {
				return Place{}, forbidden(fmt.Sprintf("a room has at most %d attributes", maxRoomAttributes))
			}
			next := Attribute{Key: set.Key, Value: *set.Value, Owner: a.User, Rev: now.Rev + 1, Open: set.Open, Until: set.UntilLeft}
			rev = next.Rev
			it := &Item{ItemKey: key, Body: mustJSON(next)}
			if next.Until {
				it.Due = b.now.Add(attributeCheck)
			}
			b.putItem(it)
			b.notifyAttributes(c, &next, nil)
			return Place{}, nil
		},
	})
	if err == nil && set.UntilLeft && set.Value != nil {
		s.leavers.mu.Lock()
		s.leavers.owes[MemberKey{set.Room, a.User}] = true
		s.leavers.mu.Unlock()
	}
	return rev, err
}

// attributeRate answers a function that takes what a change costs: as much as a message, once.
func (s *Service) attributeRate(a Actor, room ConversationID) func() error {
	return sync.OnceValue(func() error {
		if !a.Limited {
			return nil
		}
		l := &s.cfg.Limits
		if wait, ok := s.rates.take("u"+string(a.User), l.SendsPerSecond, l.SendsBurst, s.cfg.Now()); !ok {
			return tooFast("you change attributes too fast", wait)
		}
		if wait, ok := s.rates.take("a"+string(room), l.RoomSendsPerSec, l.RoomSendsBurst, s.cfg.Now()); !ok {
			return tooFast("too much is being changed in this room", wait)
		}
		return nil
	})
}

func checkAttribute(set *SetAttribute) error {
	switch {
	case set.Key == "" || len(set.Key) > maxRoomKey || !utf8.ValidString(set.Key) || strings.ContainsFunc(set.Key, hidden):
		return invalid("key", "key: 1 to %d bytes without control or invisible characters", maxRoomKey)
	case set.Value != nil && len(*set.Value) > maxRoomValue:
		return invalid("value", "value: at most %d bytes", maxRoomValue)
	case set.IfRev != nil && *set.IfRev < 0:
		return invalid("if_rev", "if_rev: not below 0")
	}
	return nil
}

// attributeOf reads an attribute; the zero one, whose rev is 0, for nil.
func attributeOf(it *Item) (at Attribute, err error) {
	if it == nil {
		return at, nil
	}
	if err := json.Unmarshal(it.Body, &at); err != nil {
		return at, fmt.Errorf("attribute %v: %w", it.ItemKey, err)
	}
	at.Key = it.Key
	return at, nil
}

func (b *batch) notifyAttributes(c *Conversation, set *Attribute, removed []string) {
	type value struct {
		Key string `json:"key"`
		Attribute
	}
	var n struct {
		Room    ConversationID `json:"room"`
		Set     []value        `json:"set,omitempty"`
		Removed []string       `json:"removed,omitempty"`
	}
	n.Room, n.Removed = c.ID, removed
	if set != nil {
		n.Set = []value{{set.Key, *set}}
	}
	b.notify(Notice{Conversation: *c, Method: "room.attributes", Params: mustJSON(n)})
}

// attributes answers those of a room, by key.
func (s *Service) attributes(ctx context.Context, id ConversationID) ([]Attribute, error) {
	items, err := s.store.Items(ctx, ItemRange{Holder: ConversationHolder(id), Kind: itemAttribute, Limit: 2 * maxRoomAttributes})
	if err != nil {
		return nil, readError(err)
	}
	list := make([]Attribute, len(items))
	for i := range items {
		if list[i], err = attributeOf(&items[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// LeftRoom notes that the last session of a user has left a room. It does not block: what
// goes with the user goes within seconds, unless the user comes back.
func (s *Service) LeftRoom(id ConversationID, u UserID) {
	key := MemberKey{id, u}
	s.leavers.mu.Lock()
	defer s.leavers.mu.Unlock()
	if s.leavers.owes[key] {
		s.leavers.left[key] = true
	}
}

// dropLeft removes the attributes of those who have left rooms and are not back.
func (s *Service) dropLeft(ctx context.Context) error {
	s.leavers.mu.Lock()
	left := s.leavers.left
	s.leavers.left = make(map[MemberKey]bool)
	s.leavers.mu.Unlock()
	var errs []error
	for who := range left {
		if s.cfg.Presence.Present(who.Conversation, who.User) {
			continue
		}
		items, err := s.store.Items(ctx, ItemRange{Holder: ConversationHolder(who.Conversation), Kind: itemAttribute, Limit: 2 * maxRoomAttributes})
		if err != nil {
			s.LeftRoom(who.Conversation, who.User) // again the next time
			return readError(err)
		}
		for _, it := range items {
			if at, err := attributeOf(&it); err == nil && at.Until && at.Owner == who.User {
				_, err := s.await(ctx, s.dropAttribute(it, true))
				errs = append(errs, err)
			}
		}
		s.leavers.mu.Lock()
		delete(s.leavers.owes, who)
		s.leavers.mu.Unlock()
	}
	return errors.Join(errs...)
}

// attributeDue looks whether the owner of an attribute is still there.
func (s *Service) attributeDue(it Item) *operation { return s.dropAttribute(it, false) }

// dropAttribute removes an attribute that goes with its owner, if that one is not in the room.
func (s *Service) dropAttribute(it Item, now bool) *operation {
	id := it.Holder.conversation()
	return &operation{
		keys: func(k *Keys) {
			k.Conversations = append(k.Conversations, id)
			k.Items = append(k.Items, it.ItemKey)
		},
		decide: func(b *batch) (Place, error) {
			item, c := b.item(it.ItemKey), b.rows.Conversations[id]
			at, err := attributeOf(item)
			if err != nil || c == nil || !at.Until || !now && item.Due.After(b.now) {
				return Place{}, err
			}
			if s.cfg.Presence.Present(id, at.Owner) {
				b.putItem(&Item{ItemKey: it.ItemKey, Body: item.Body, Due: b.now.Add(attributeCheck)})
				return Place{}, nil
			}
			b.forgetItem(it.ItemKey)
			b.notifyAttributes(c, nil, []string{it.Key})
			return Place{}, nil
		},
	}
}
