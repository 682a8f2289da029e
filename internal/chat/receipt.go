package chat

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// Who has read and who was reached follows from positions: one of each a member, and no row
// a message. A user with receipts off tells nobody of its own and is told of nobody's: it
// is in no list, and in neither part of "read by k of n".

// private knows for a while which users have receipts off, since every position that is
// told must know it. A switch holds at once on this node, and within privateFor on others.
type private struct {
	mu    sync.Mutex
	users map[UserID]privateUser
}

type privateUser struct {
	off   bool
	until time.Time
}

const (
	privateFor = time.Minute
	// maxPrivate bounds the memory; it begins anew when it is full.
	maxPrivate = 100_000
)

func (p *private) forget(u UserID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.users, u)
}

// get answers what is known of users, and of which nothing is.
func (p *private) get(users []UserID, now time.Time) (off map[UserID]bool, unknown []UserID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	off = make(map[UserID]bool)
	for _, u := range users {
		switch known, ok := p.users[u]; {
		case !ok || !now.Before(known.until):
			unknown = append(unknown, u)
		case known.off:
			off[u] = true
		}
	}
	return off, unknown
}

func (p *private) put(users []UserID, off map[UserID]bool, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.users == nil || len(p.users)+len(users) > maxPrivate {
		p.users = make(map[UserID]privateUser)
	}
	for _, u := range users {
		p.users[u] = privateUser{off[u], until}
	}
}

// receiptsOff answers which of the users have receipts off.
func (s *Service) receiptsOff(ctx context.Context, users ...UserID) (map[UserID]bool, error) {
	now := s.cfg.Now()
	off, unknown := s.private.get(users, now)
	if len(unknown) == 0 {
		return off, nil
	}
	rows, err := s.store.Users(ctx, unknown)
	if err != nil {
		return nil, readError(err)
	}
	read := make(map[UserID]bool)
	for i := range rows {
		if rows[i].ReceiptsOff() {
			read[rows[i].ID] = true
		}
	}
	s.private.put(unknown, read, now.Add(privateFor))
	maps.Copy(off, read)
	return off, nil
}

// tellPosition says to whom it is told that u's position in c has moved: n is told to those
// who may know it, or to u's own sessions alone.
func (s *Service) tellPosition(ctx context.Context, c *Conversation, u UserID, n *Notice) error {
	home, err := s.homeOf(ctx, c)
	if err != nil {
		return err
	}
	if c.Members > smallConversation || home.Kind == Channel || home.Apart() {
		n.Only = u
		return nil
	}
	users := slices.Clone(c.Pair[:])
	if c.Kind != Direct {
		members, err := s.store.Members(ctx, c.ID, "", smallConversation+1)
		if err != nil {
			return readError(err)
		}
		users = users[:0]
		for i := range members {
			users = append(users, members[i].User)
		}
	}
	off, err := s.receiptsOff(ctx, append(users, u)...)
	if err != nil {
		return err
	}
	if off[u] {
		n.Only = u
		return nil
	}
	n.Unseen = slices.Sorted(maps.Keys(off))
	return nil
}

// hidePositions takes out of member rows the positions that a reader is not to know. The
// rows are the caller's own.
func (s *Service) hidePositions(ctx context.Context, a Actor, c *Conversation, rows []Member) error {
	if a.Server {
		return nil
	}
	users := []UserID{a.User}
	for i := range rows {
		users = append(users, rows[i].User)
	}
	off, err := s.receiptsOff(ctx, users...)
	if err != nil {
		return err
	}
	home, err := s.homeOf(ctx, c)
	if err != nil {
		return err
	}
	for i := range rows {
		m := &rows[i]
		if m.User != a.User && (off[a.User] || off[m.User] || home.Apart()) {
			m.ReadSeq = 0
			if d := m.details(); d.Delivered != 0 {
				d.Delivered = 0
				m.setDetails(d)
			}
		}
	}
	return nil
}

// Delivered answers up to where the member's devices have what is there for it.
func (m *Member) Delivered() Seq {
	if m.Details == nil {
		return m.ReadSeq
	}
	return max(m.ReadSeq, m.Details.Delivered)
}

// peer answers the other one's row in a direct conversation as the reader may see it, nil
// for none.
func (s *Service) peer(ctx context.Context, u UserID, c *Conversation) (*Member, error) {
	other := c.Pair[0]
	if other == u {
		other = c.Pair[1]
	}
	if other == u {
		return nil, nil
	}
	m, err := s.store.Member(ctx, MemberKey{c.ID, other})
	if err != nil {
		return nil, readError(err)
	}
	rows := []Member{m}
	if err := s.hidePositions(ctx, Actor{User: u}, c, rows); err != nil {
		return nil, err
	}
	return &rows[0], nil
}

// ReceiptsPage asks who has read an event, or has not.
type ReceiptsPage struct {
	Conversation ConversationID
	Seq          Seq
	Read         bool
	After        UserID
	Limit        int
}

// receiptsScan is how many members one page of receipts looks at; a page of a large group
// may be short, and still not the last.
const receiptsScan = 5000

// Receipts answers members who have read an event or have not, by user id, and after whom
// the next page begins, "" on the last. Asked are those who were in the conversation when it
// was said and still are, but for its sender and who has receipts off.
func (s *Service) Receipts(ctx context.Context, a Actor, page ReceiptsPage) (list []Member, next UserID, err error) {
	q, err := s.asked(ctx, a, page.Conversation, page.Seq)
	if err != nil {
		return nil, "", err
	}
	after := page.After
	for range receiptsScan / receiptsStep {
		rows, last, err := q.members(ctx, after)
		if err != nil {
			return nil, "", err
		}
		for _, m := range rows {
			if (m.ReadSeq >= page.Seq) != page.Read {
				continue
			}
			if len(list) == page.Limit {
				return list, list[len(list)-1].User, nil
			}
			list = append(list, m)
		}
		if last == "" {
			return list, "", nil
		}
		after = last
	}
	return list, after, nil
}

// receiptsStep is how many members are read at a time.
const receiptsStep = 1000

// asked is of whom it is asked whether they have read an event.
type asked struct {
	service *Service
	c       *Conversation
	event   *Event
}

// asked checks that the caller may know who has read an event.
func (s *Service) asked(ctx context.Context, a Actor, id ConversationID, seq Seq) (*asked, error) {
	c, m, spans, err := s.find(ctx, a, id)
	if err != nil {
		return nil, err
	}
	home, err := s.homeOf(ctx, c)
	switch {
	case err != nil:
		return nil, err
	case c.Kind == Room:
		return nil, forbidden("rooms keep no read positions")
	case !a.Server && !joined(m):
		return nil, forbidden("only members see who has read something")
	case home.Apart():
		return nil, forbidden("there are no receipts between you two")
	}
	if err := s.mayName(ctx, a, c); err != nil {
		return nil, err
	}
	if !a.Server {
		off, err := s.receiptsOff(ctx, a.User)
		if err != nil {
			return nil, err
		}
		if off[a.User] {
			return nil, forbidden("your receipts are off: you are not told of others' either")
		}
	}
	if !within(spans, seq) {
		return nil, noMessage()
	}
	records, err := s.store.Events(ctx, EventRange{Conversation: id, From: seq, To: seq, Limit: 1})
	if err != nil {
		return nil, readError(err)
	}
	if len(records) != 1 || !a.Server && !records[0].isFor(a.User) {
		return nil, noMessage()
	}
	return &asked{s, c, ParseEvent(id, records[0])}, nil
}

// members reads the next members of whom it is asked, and after whom to go on, "" at the end.
func (q *asked) members(ctx context.Context, after UserID) (rows []Member, last UserID, err error) {
	rows, err = q.service.store.Members(ctx, q.c.ID, after, receiptsStep)
	if err != nil {
		return nil, "", readError(err)
	}
	if len(rows) == receiptsStep {
		last = rows[len(rows)-1].User
	}
	users := make([]UserID, len(rows))
	for i := range rows {
		users[i] = rows[i].User
	}
	off, err := q.service.receiptsOff(ctx, users...)
	if err != nil {
		return nil, "", err
	}
	return slices.DeleteFunc(rows, func(m Member) bool {
		return off[m.User] || m.User == q.event.From || m.Since > q.event.Seq ||
			q.event.Only != nil && !slices.Contains(q.event.Only, m.User)
	}), last, nil
}

// ReceiptsCount is by how many an event was read, of how many.
type ReceiptsCount struct{ Read, Of int }

// counts keeps the positions of large groups for a while, so that however many ask, the
// members are read once.
type counts struct {
	mu        sync.Mutex // held while members are read: one group at a time
	positions map[ConversationID]positions
}

type positions struct {
	until time.Time
	rows  []position
}

// position is what a count needs of a member.
type position struct {
	user        UserID
	since, read Seq
}

const (
	// countsAt is from how many members on a group's positions are kept; countsFor is how
	// long, and so how old a count may be.
	countsAt  = receiptsStep
	countsFor = 10 * time.Second
	maxCounts = 4 // groups
)

// CountReceipts answers by how many an event was read, of how many: see Receipts. In groups
// above 1,000 the answer may be ten seconds old.
func (s *Service) CountReceipts(ctx context.Context, a Actor, id ConversationID, seq Seq) (ReceiptsCount, error) {
	q, err := s.asked(ctx, a, id, seq)
	if err != nil {
		return ReceiptsCount{}, err
	}
	var rows []position
	if q.c.Members <= countsAt || q.event.Only != nil {
		rows, err = q.positions(ctx)
	} else {
		rows, err = s.counts.get(ctx, q)
	}
	if err != nil {
		return ReceiptsCount{}, err
	}
	var n ReceiptsCount
	for _, p := range rows {
		if p.since > seq || p.user == q.event.From {
			continue
		}
		n.Of++
		if p.read >= seq {
			n.Read++
		}
	}
	return n, nil
}

// positions reads the positions of all of whom it is asked.
func (q *asked) positions(ctx context.Context) ([]position, error) {
	rows := make([]position, 0, q.c.Members)
	for after := UserID(""); ; {
		members, last, err := q.members(ctx, after)
		if err != nil {
			return nil, err
		}
		for i := range members {
			rows = append(rows, position{members[i].User, members[i].Since, members[i].ReadSeq})
		}
		if last == "" {
			return rows, nil
		}
		after = last
	}
}

func (k *counts) get(ctx context.Context, q *asked) ([]position, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := q.service.cfg.Now()
	if known, ok := k.positions[q.c.ID]; ok && now.Before(known.until) {
		return known.rows, nil
	}
	// Of everybody, whatever the event: the next one asks of another.
	all := &asked{q.service, q.c, &Event{Seq: q.c.Seq}}
	rows, err := all.positions(ctx)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(k.positions, func(_ ConversationID, p positions) bool { return !now.Before(p.until) })
	if k.positions == nil || len(k.positions) >= maxCounts {
		k.positions = make(map[ConversationID]positions)
	}
	k.positions[q.c.ID] = positions{now.Add(countsFor), rows}
	return rows, nil
}
