package chat

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
)

// Scope is a part of what a server key may do.
type Scope string

// The scopes. Admin is all of them.
const (
	ScopeRead     Scope = "read"     // read everything, whoever is in it
	ScopeSend     Scope = "send"     // do what a person does with messages and own state, as any user
	ScopeManage   Scope = "manage"   // users, groups and their members, sessions and devices
	ScopeModerate Scope = "moderate" // recall, mute and ban; reports
	ScopeAdmin    Scope = "admin"    // keys and tokens, and everything else
	ScopeNone     Scope = "none"     // every key may
)

// Scopes answers the scopes that a key may have.
func Scopes() []Scope { return []Scope{ScopeRead, ScopeSend, ScopeManage, ScopeModerate, ScopeAdmin} }

// Key is a server key: what an app's back end calls by, for any of its users.
type Key struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Scopes  []Scope   `json:"scopes"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"` // zero: never
	Used    time.Time `json:"used,omitzero"`    // the last time; lags by up to a minute
}

// Has says whether the key may do what needs a scope.
func (k *Key) Has(s Scope) bool {
	return s == ScopeNone || slices.Contains(k.Scopes, s) || slices.Contains(k.Scopes, ScopeAdmin)
}

// Operator is the key of who holds the server's folder.
func Operator() *Key { return &Key{ID: "operator", Name: "operator", Scopes: []Scope{ScopeAdmin}} }

// ServerCaller is who has called, for client_ids, when a key calls for nobody.
const ServerCaller UserID = "server:"

const (
	// KeyPrefix begins the text of every server key.
	KeyPrefix = "lk_"
	// maxKeys is how many server keys there may be.
	maxKeys = 100
	// maxKeyTime is the longest time a key may be good for, if not for ever.
	maxKeyTime = 10 * 365 * 24 * time.Hour
	// keyUsedEvery is how exactly the last use of a key is kept.
	keyUsedEvery = time.Minute

	keyKind ItemKind = "key"
)

// storedKey is a key as its item holds it: of its secret only the hash. The secret has 256
// random bits, so that a fast hash is as good as a slow one.
type storedKey struct {
	Key
	Hash []byte `json:"hash"`
}

func keyItem(id string) ItemKey { return ItemKey{ServerHolder, keyKind, id} }

func parseKey(it *Item) storedKey {
	var k storedKey
	_ = json.Unmarshal(it.Body, &k) // the domain has written it; of a damaged one no secret is right
	return k
}

// NewKey is a server key to be made.
type NewKey struct {
	Key    [16]byte
	Name   string
	Scopes []Scope
	Time   time.Duration // how long it is good; 0: for ever
}

// CreateKey makes a server key and answers its text, which is told this once: a repetition
// is answered the same key with none.
func (s *Service) CreateKey(ctx context.Context, n NewKey) (Key, string, error) {
	scopes, err := n.check()
	if err != nil {
		return Key{}, "", err
	}
	list, err := s.Keys(ctx)
	if err != nil {
		return Key{}, "", err
	}
	var raw [32 + 8]byte
	rand.Read(raw[:])
	id, secret := idEncoding(raw[32:]), idEncoding(raw[:32])
	hash := sha256.Sum256([]byte(secret))
	parts := []string{n.Name, n.Time.String()}
	for _, scope := range scopes {
		parts = append(parts, string(scope))
	}
	cl := newCall(ServerCaller, n.Key, "keys.create", parts...)
	var made *Key
	place, err := s.await(ctx, &operation{
		keys: func(k *Keys) { k.Calls = append(k.Calls, cl.key) },
		decide: func(b *batch) (Place, error) {
			made = nil
			if p, found, err := b.recall(cl.key, cl.hash); found {
				return p, err
			}
			if len(list) >= maxKeys {
				return Place{}, forbidden("there are 100 server keys: revoke one that is not used")
			}
			made = &Key{ID: id, Name: n.Name, Scopes: scopes, Created: b.now}
			if n.Time > 0 {
				made.Expires = b.now.Add(n.Time)
			}
			b.putItem(&Item{ItemKey: keyItem(id), Body: mustJSON(storedKey{*made, hash[:]})})
			// The place of a key is its id.
			return b.remember(cl.key, cl.hash, &Event{Conversation: ConversationID(id), Time: b.now}), nil
		},
	})
	switch {
	case err != nil:
		return Key{}, "", err
	case made != nil:
		return *made, KeyPrefix + id + "_" + secret, nil
	}
	first, err := s.key(ctx, string(place.Conversation))
	if err == nil && first == nil {
		err = noKey()
	}
	if err != nil {
		return Key{}, "", err
	}
	return first.Key, "", nil
}

// check checks a key that is to be made and answers its scopes in order.
func (n *NewKey) check() ([]Scope, error) {
	if err := CheckName(n.Name); err != nil {
		return nil, err
	}
	if n.Time < 0 || n.Time > maxKeyTime {
		return nil, invalid("ttl_ms", "ttl_ms: up to ten years; 0 is for ever")
	}
	var scopes []Scope
	for _, scope := range Scopes() {
		if slices.Contains(n.Scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	if len(scopes) == 0 || len(scopes) != len(n.Scopes) {
		return nil, invalid("scopes", "scopes: one or more of read, send, manage, moderate and admin, each once")
	}
	return scopes, nil
}

// Keys answers the server keys there are, by id.
func (s *Service) Keys(ctx context.Context) ([]Key, error) {
	items, err := s.store.Items(ctx, ItemRange{Holder: ServerHolder, Kind: keyKind, Limit: 2 * maxKeys})
	if err != nil {
		return nil, readError(err)
	}
	list := make([]Key, len(items))
	for i := range items {
		list[i] = parseKey(&items[i]).Key
	}
	return list, nil
}

// RevokeKey refuses a key from now on; it returns when that is on disk.
func (s *Service) RevokeKey(ctx context.Context, id string) error {
	_, err := s.await(ctx, &operation{
		keys: func(k *Keys) { k.Items = append(k.Items, keyItem(id)) },
		decide: func(b *batch) (Place, error) {
			if b.item(keyItem(id)) == nil {
				return Place{}, noKey()
			}
			b.forgetItem(keyItem(id))
			return Place{}, nil
		},
	})
	s.revocations.Add(1) // also when the commit's outcome is not known
	return err
}

func noKey() error { return &Error{Code: CodeNotFound, Message: "there is no such server key"} }

// key answers a stored key, nil for none.
func (s *Service) key(ctx context.Context, id string) (*storedKey, error) {
	items, err := s.store.Items(ctx, ItemRange{Holder: ServerHolder, Kind: keyKind, Prefix: id, Limit: 1})
	if err != nil {
		return nil, readError(err)
	}
	if len(items) == 0 || items[0].Key != id {
		return nil, nil
	}
	k := parseKey(&items[0])
	return &k, nil
}

// FindKey answers the key of a text. One that never was, one that was revoked and one that
// has expired are answered alike, after the same work.
func (s *Service) FindKey(ctx context.Context, text string) (*Key, error) {
	id, secret, _ := strings.Cut(strings.TrimPrefix(text, KeyPrefix), "_")
	if len(id) > 64 {
		id = ""
	}
	k, err := s.key(ctx, id)
	if err != nil {
		return nil, err
	}
	known := k != nil && len(k.Hash) == sha256.Size && !k.expired(s.cfg.Now())
	if !known {
		k = &storedKey{Hash: make([]byte, sha256.Size)}
	}
	hash := sha256.Sum256([]byte(secret))
	if right := subtle.ConstantTimeCompare(hash[:], k.Hash) == 1; !right || !known {
		return nil, &Error{Code: CodeToken, Message: "this is no server key, or it was revoked or has expired"}
	}
	return &k.Key, nil
}

func (k *Key) expired(now time.Time) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) }

// KeyHolds says whether a key that was found is still good.
func (s *Service) KeyHolds(ctx context.Context, id string) (bool, error) {
	k, err := s.key(ctx, id)
	return k != nil && !k.expired(s.cfg.Now()), err
}

// keyUses is how keys are used: their last uses that are not written yet, and their rates.
type keyUses struct {
	mu    sync.Mutex
	used  map[string]time.Time
	rates rates
}

// KeyUsed notes that the actor's key is used for so many things, and says whether that is
// too fast for it.
func (s *Service) KeyUsed(a Actor, things int) error {
	now := s.cfg.Now().UTC().Truncate(time.Millisecond)
	u := &s.keyUses
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.used == nil {
		u.used, u.rates = make(map[string]time.Time), newRates()
	}
	if last := a.Key.Used; now.Sub(last) > keyUsedEvery && a.Key.ID != Operator().ID {
		u.used[a.Key.ID] = now
	}
	if !a.Rated {
		return nil
	}
	l := &s.cfg.Limits
	if wait, ok := u.rates.takeMany(a.Key.ID, things, l.KeyCallsPerSecond, l.KeyCallsBurst, now); !ok {
		return tooFast("this server key is used too fast", wait)
	}
	return nil
}

// flushKeyUses writes when keys were last used. What cannot be written is lost.
func (s *Service) flushKeyUses(ctx context.Context) error {
	s.keyUses.mu.Lock()
	used := s.keyUses.used
	if used != nil {
		s.keyUses.used = make(map[string]time.Time)
	}
	s.keyUses.mu.Unlock()
	if len(used) == 0 {
		return nil
	}
	var keys Keys
	for id := range used {
		keys.Items = append(keys.Items, keyItem(id))
	}
	err := s.store.Update(ctx, keys, func(rows *Rows) *Changes {
		c := &Changes{}
		for id, at := range used {
			it := rows.Items[keyItem(id)]
			if it == nil || it.Body == nil {
				continue // it was revoked
			}
			k := parseKey(it)
			if at.Sub(k.Used) > keyUsedEvery {
				k.Used = at
				c.Items = append(c.Items, &Item{ItemKey: it.ItemKey, Body: mustJSON(k)})
			}
		}
		return c
	})
	if err != nil {
		return storeError(err)
	}
	return nil
}
