package chat

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"
)

const (
	// MaxListed is how many conversations of a user, those that changed last, are listed and
	// counted: both look at all of them.
	MaxListed = 10_000
	// maxCounted is where counts of mentions stop.
	maxCounted = 999
)

// Inbox asks for a page of a user's list. Without a filter it is what is neither archived
// nor hidden.
type Inbox struct {
	Kind     ConversationKind // "": all
	Archived bool             // what is archived instead
	Hidden   bool             // what is hidden instead
	Unread   bool             // only with something unread, or marked so
	Page     string
	Limit    int
}

// place is where a conversation stands in a list: pinned ones first, in their order; then
// by the newest event, the latest first; last those that the user has left, the last left
// first. What happens where the user no longer is does not move them.
type place struct {
	Rank  int            `json:"r"`
	Order int64          `json:"o"`
	ID    ConversationID `json:"i"`
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.Rank, o.Rank), cmp.Compare(p.Order, o.Order), cmp.Compare(p.ID, o.ID))
}

func placeOf(e *Entry, pins map[ConversationID]int) place {
	i, pinned := pins[e.Conversation.ID]
	switch {
	case pinned:
		return place{0, int64(i), e.Conversation.ID}
	case joined(&e.Member):
		return place{1, -e.Conversation.Time.UnixMilli(), e.Conversation.ID}
	}
	return place{2, -int64(e.Member.Pos), e.Conversation.ID}
}

// matches says whether the list asked for has e.
func (q *Inbox) matches(e *Entry, now time.Time) bool {
	c, m := &e.Conversation, &e.Member
	p := m.prefs(now)
	return c.Kind != Thread && c.Kind != Room && (q.Kind == "" || c.Kind == q.Kind) &&
		m.putAway(c) == q.Hidden && (q.Hidden || p.Archived == q.Archived) &&
		(!q.Unread || p.Unread || unread(c, m) > 0)
}

// Conversations answers a page of the caller's list, and the token of the next page, empty
// on the last. Between two pages a conversation that moves may come again or not at all:
// events and sync tell of it.
func (s *Service) Conversations(ctx context.Context, a Actor, q Inbox) ([]Summary, string, error) {
	after, err := parsePlace(q.Page)
	if err != nil {
		return nil, "", err
	}
	entries, _, err := s.entries(ctx, a.User, 0, farFuture, MaxListed)
	if err != nil {
		return nil, "", err
	}
	pins, err := s.pins(ctx, a.User)
	if err != nil {
		return nil, "", err
	}
	type placed struct {
		place
		entry *Entry
	}
	var rest []placed
	now := s.cfg.Now()
	for i := range entries {
		if e := &entries[i]; q.matches(e, now) {
			if at := placeOf(e, pins); after == nil || at.compare(*after) > 0 {
				rest = append(rest, placed{at, e})
			}
		}
	}
	slices.SortFunc(rest, func(x, y placed) int { return x.compare(y.place) })
	var list []Summary
	for i, one := range rest {
		if len(list) == q.Limit {
			return list, rest[i-1].token(), nil
		}
		sum, err := s.summary(ctx, a.User, &one.entry.Conversation, &one.entry.Member)
		if err != nil {
			return nil, "", err
		}
		if sum != nil {
			list = append(list, *sum)
		}
	}
	return list, "", nil
}

// pins answers where each of a user's pinned conversations stands.
func (s *Service) pins(ctx context.Context, u UserID) (map[ConversationID]int, error) {
	items, err := s.store.Items(ctx, ItemRange{Holder: UserHolder(u), Kind: pinsKind, Limit: 1})
	if err != nil {
		return nil, readError(err)
	}
	pins := make(map[ConversationID]int)
	for i := range items {
		for at, id := range items[i].pins() {
			pins[id] = at
		}
	}
	return pins, nil
}

// token gives a place the form of a page token: the next page is behind it.
func (p place) token() string { return base64.RawURLEncoding.EncodeToString(mustJSON(p)) }

// parsePlace reads a page token, from a peer that may have written anything: any place is
// one to begin behind. Nil is the beginning.
func parsePlace(token string) (*place, error) {
	if token == "" {
		return nil, nil
	}
	p := new(place)
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil && len(token) <= maxCursor {
		err = json.Unmarshal(b, p)
	}
	if err != nil || len(token) > maxCursor {
		return nil, invalid("page", "page: none of this method's; begin again without it")
	}
	return p, nil
}

// Unread is what a user has not read in all its conversations.
type Unread struct {
	Total    int64                      // messages, where the user is neither muted nor has archived it
	Kinds    map[ConversationKind]int64 // of Total
	Muted    int64                      // messages where not every one notifies
	Archived int64                      // messages in what is archived
	Mentions int64                      // unread ones that name the user or everybody, wherever; up to 999
	Marked   int                        // conversations that are marked as unread and have nothing unread
	More     bool                       // the user has more than MaxListed conversations: the others are not counted
}

// Unread counts what the caller has not read. Hidden conversations have no part in it.
func (s *Service) Unread(ctx context.Context, a Actor) (Unread, error) {
	entries, more, err := s.entries(ctx, a.User, 0, farFuture, MaxListed)
	if err != nil {
		return Unread{}, err
	}
	out := Unread{Kinds: make(map[ConversationKind]int64), More: more}
	now := s.cfg.Now()
	rows := make(map[ConversationID]*Entry)
	for i := range entries {
		rows[entries[i].Conversation.ID] = &entries[i]
	}
	for i := range entries {
		c, m := &entries[i].Conversation, &entries[i].Member
		if root, ok := c.Root(); ok { // of a thread in a room there may be no row of the parent
			if p := rows[root.Conversation]; p != nil && !s.threadIsFor(a.User, &p.Conversation, &p.Member, root.Seq) {
				continue
			}
		}
		if !s.MaySee(a.User, c.Kind) || c.Kind == Room || !joined(m) || m.putAway(c) {
			continue
		}
		n, p := unread(c, m), m.prefs(now)
		out.Mentions += int64(len(unreadMentions(c, m, s.spans(a.User, c, m))))
		if p.Unread && n == 0 {
			out.Marked++
		}
		switch {
		case p.Archived:
			out.Archived += n
		case p.Notify != "":
			out.Muted += n
		case n > 0:
			out.Total += n
			out.Kinds[c.Kind] += n
		}
	}
	out.Mentions = min(out.Mentions, maxCounted)
	return out, nil
}
