package chat

import "sync"

// begun remembers direct conversations that are known to be there: what is asked at the
// beginning of one need not be loaded again for every message.
type begun struct {
	mu    sync.Mutex
	known map[ConversationID]struct{}
}

// maxBegun bounds what is remembered; when it is full it begins anew.
const maxBegun = 1 << 16

func (b *begun) has(id ConversationID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.known[id]
	return ok
}

func (b *begun) add(id ConversationID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known == nil || len(b.known) >= maxBegun {
		b.known = make(map[ConversationID]struct{})
	}
	b.known[id] = struct{}{}
}

// beginKeys names what decides whether a may begin a direct conversation with other.
func beginKeys(k *Keys, a, other UserID) {
	k.Users = append(k.Users, other)
	k.Items = append(
		k.Items,
		ItemKey{UserHolder(a), blockKind, string(other)},
		ItemKey{UserHolder(other), blockKind, string(a)},
		ItemKey{UserHolder(other), friendKind, string(a)},
	)
}

// mayBegin says whether a may begin a direct conversation with other, as far as other has
// chosen. beginKeys were loaded.
func (b *batch) mayBegin(a, other UserID) bool {
	if a == other {
		return true
	}
	if b.item(ItemKey{UserHolder(other), blockKind, string(a)}) != nil {
		return false
	}
	friendsOnly := b.rows.Users[other].settings().Contact == ContactFriends
	return !friendsOnly || b.item(ItemKey{UserHolder(other), friendKind, string(a)}) != nil
}
