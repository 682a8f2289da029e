package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Who blocks whom is kept in three places that change together: the blocker's own items,
// which its devices are told; what is kept of the blocked one unseen by it, by which a
// group's typing finds its blockers; and the direct conversation of the two, which every
// send there loads anyway.
const (
	blockKind     ItemKind = "block"      // own, by the blocked user
	blockedByKind ItemKind = "blocked_by" // unseen, by the blocker
	countKind     ItemKind = "count"      // unseen: how many items of a kind a user has
)

// maxBlocks is how many users a user blocks at most.
const maxBlocks = 2000

// maxHiding is of how many blockers it is known in a group who they are; who is blocked by
// more has no typing in groups.
const maxHiding = 1000

// unseenHolder holds what is kept of a user that its devices are not told.
func unseenHolder(u UserID) Holder { return Holder("h:" + string(u)) }

// Blocked is somebody whom a user has blocked.
type Blocked struct {
	User  UserID
	Since time.Time
}

type blockBody struct {
	Since stamp `json:"since"`
}

// notAccepted is the one answer to who is blocked, is not a friend where only friends may,
// or comes to somebody who takes no more.
func notAccepted() *Error {
	return &Error{Code: CodeNotAccepted, Message: "this user does not accept it"}
}

// Block blocks a user: what it sends to the caller directly is not accepted, and neither
// sees the other's presence, typing or read positions. In groups the log stays as it is.
func (s *Service) Block(ctx context.Context, a Actor, other UserID) error {
	if err := s.checkOther(a, other); err != nil {
		return err
	}
	return s.changeBlock(ctx, a, other, func(b *batch) error {
		if b.item(ItemKey{UserHolder(a.User), blockKind, string(other)}) != nil {
			return nil
		}
		if !b.count(a.User, blockKind, 1, maxBlocks) {
			return forbidden(fmt.Sprintf("you can block at most %d users; unblock one first", maxBlocks))
		}
		b.putOwn(a.User, blockKind, string(other), mustJSON(blockBody{stamp{b.now}}))
		b.putItem(&Item{ItemKey: ItemKey{unseenHolder(other), blockedByKind, string(a.User)}, Body: json.RawMessage("{}")})
		b.refuse(a.User, other, true)
		return nil
	})
}

// Unblock ends Block.
func (s *Service) Unblock(ctx context.Context, a Actor, other UserID) error {
	if err := s.checkOther(a, other); err != nil {
		return err
	}
	return s.changeBlock(ctx, a, other, func(b *batch) error {
		if b.item(ItemKey{UserHolder(a.User), blockKind, string(other)}) == nil {
			return nil
		}
		b.count(a.User, blockKind, -1, 0)
		b.putOwn(a.User, blockKind, string(other), nil)
		b.forgetItem(ItemKey{unseenHolder(other), blockedByKind, string(a.User)})
		b.refuse(a.User, other, false)
		return nil
	})
}

// checkOther checks whom a user has something to do with: another one. Guests have no
// state of their own.
func (s *Service) checkOther(a Actor, other UserID) error {
	if a.User.IsGuest() {
		return forbidden("this is not for guests")
	}
	if err := CheckUserID(other); err != nil {
		return paramError("user", err)
	}
	if other == a.User {
		return invalid("user", "user: somebody else")
	}
	return nil
}

func (s *Service) changeBlock(ctx context.Context, a Actor, other UserID, change func(*batch) error) error {
	_, err := s.await(ctx, &operation{
		keys: func(k *Keys) {
			k.Conversations = append(k.Conversations, DirectID(a.User, other))
			k.Items = append(k.Items, ItemKey{UserHolder(a.User), blockKind, string(other)}, countKey(a.User, blockKind))
		},
		decide: func(b *batch) (Place, error) { return Place{}, change(b) },
	})
	return err
}

// Blocks answers whom the caller has blocked, by id, and whether there are more.
func (s *Service) Blocks(ctx context.Context, a Actor, after UserID, limit int) ([]Blocked, bool, error) {
	items, more, err := s.ownItems(ctx, a.User, blockKind, string(after), limit)
	if err != nil {
		return nil, false, err
	}
	list := make([]Blocked, len(items))
	for i, it := range items {
		var body blockBody
		if err := json.Unmarshal(it.Body, &body); err != nil {
			return nil, false, readError(err)
		}
		list[i] = Blocked{UserID(it.Key), body.Since.Time}
	}
	return list, more, nil
}

// ownItems answers a page of a user's items of one kind, and whether there are more.
func (s *Service) ownItems(ctx context.Context, u UserID, kind ItemKind, after string, limit int) ([]Item, bool, error) {
	items, err := s.store.Items(ctx, ItemRange{Holder: UserHolder(u), Kind: kind, After: after, Limit: limit + 1})
	if err != nil {
		return nil, false, readError(err)
	}
	if len(items) > limit {
		return items[:limit], true, nil
	}
	return items, false, nil
}

// hasItem says whether there is an item. In a batch, b.item does.
func (s *Service) hasItem(ctx context.Context, key ItemKey) (bool, error) {
	items, err := s.store.Items(ctx, ItemRange{Holder: key.Holder, Kind: key.Kind, Prefix: key.Key, Limit: 1})
	if err != nil {
		return false, readError(err)
	}
	return len(items) == 1 && items[0].Key == key.Key, nil
}

// apart says whether one of two blocks the other.
func (s *Service) apart(ctx context.Context, u, other UserID) (bool, error) {
	blocks, err := s.hasItem(ctx, ItemKey{UserHolder(u), blockKind, string(other)})
	if blocks || err != nil {
		return blocks, err
	}
	return s.hasItem(ctx, ItemKey{UserHolder(other), blockKind, string(u)})
}

// Apart says whether one of the two of a direct conversation blocks the other: neither is
// told what the other reads or that it types.
func (c *Conversation) Apart() bool { return c.Details != nil && len(c.Details.Refused) > 0 }

// refuses says whether what u sends into a direct conversation is not accepted.
func (c *Conversation) refuses(u UserID) bool {
	return c.Details != nil && slices.Contains(c.Details.Refused, u)
}

// refuse has the direct conversation of the two, if it is there, take nothing from other
// any more, or take it again.
func (b *batch) refuse(blocker, other UserID, refused bool) {
	c := b.rows.Conversations[DirectID(blocker, other)]
	if c == nil || c.refuses(other) == refused {
		return
	}
	d := c.details()
	d.Refused = slices.DeleteFunc(slices.Clone(d.Refused), func(u UserID) bool { return u == other })
	switch {
	case refused:
		d.Refused = append(d.Refused, other)
	case len(d.Refused) == 0:
		d.Refused = nil // an empty one is not kept, and is none when it is read again
	}
	c.setDetails(d)
	b.conversations.add(c)
}

func countKey(u UserID, kind ItemKind) ItemKey {
	return ItemKey{unseenHolder(u), countKind, string(kind)}
}

// counted answers how many items of a kind a user has.
func (b *batch) counted(u UserID, kind ItemKind) (n int) {
	if it := b.item(countKey(u, kind)); it != nil {
		if err := json.Unmarshal(it.Body, &n); err != nil {
			n = 0 // it only bounds
		}
	}
	return n
}

// count adds to how many items of a kind a user has. It answers false, and adds nothing,
// when that would be more than limit.
func (b *batch) count(u UserID, kind ItemKind, add, limit int) bool {
	n := b.counted(u, kind) + add
	if add > 0 && n > limit {
		return false
	}
	b.putItem(&Item{ItemKey: countKey(u, kind), Body: json.RawMessage(strconv.Itoa(max(0, n)))})
	return true
}

// blockers answers those who are not to be told that u types in a group: those who block
// it, or more than maxHiding if they are more than that.
func (s *Service) blockers(ctx context.Context, c *Conversation, u UserID) ([]UserID, error) {
	if c.Kind != Group && c.Kind != Thread {
		return nil, nil
	}
	items, err := s.store.Items(ctx, ItemRange{Holder: unseenHolder(u), Kind: blockedByKind, Limit: maxHiding + 1})
	if err != nil {
		return nil, readError(err)
	}
	var users []UserID
	for _, it := range items {
		users = append(users, UserID(it.Key))
	}
	return users, nil
}
