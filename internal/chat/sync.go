package chat

import (
	"context"
	"errors"
	"slices"
)

// Summary is a conversation as one reader sees it.
type Summary struct {
	Conversation Conversation
	Member       *Member // nil in a room
	Peer         *Member // of a direct conversation: the other one, as the reader may see it
	Joined       bool
	Whole        bool // as a server key sees it, whose user need not be in it
	Head         Seq  // the highest seq the reader may see
	Unread       int64
	Pins         []Pin // that the reader may read, the newest pin last
	Prefs        Prefs
	Mentions     []Seq   // unread messages that name the reader or everybody, the newest
	Last         *Record // the newest event the reader may see
	Fork         *Seq    // after a reset: what the reader holds above it no longer holds
	Reset        bool    // too much is missing: drop what is held, load the last page
}

// Synced is one page of what changed for a user.
type Synced struct {
	Reset         bool
	User          *Profile
	Conversations []Summary
	Items         []Item // of the caller's own state, in the order they changed
	Page          string // there is more
	Cursor        string // comes with the last page
}

// resetGap is how many events may be missing before a client is told to start over.
const resetGap = 10_000

// farFuture is above every position.
const farFuture = Position(1) << 62

// Epoch names the store's present start. Whether what a client holds is still true is
// told by Sync alone, which compares lineages.
func (s *Service) Epoch() string {
	lineage := s.store.Lineage()
	return lineage[len(lineage)-1].ID
}

// Cursor makes the cursor of a user who knows everything up to pos.
func (s *Service) Cursor(u UserID, pos Position) string {
	c := s.cursorAt(u, pos)
	return c.encode()
}

func (s *Service) cursorAt(u UserID, pos Position) cursor {
	lineage := s.store.Lineage()
	return cursor{user: userMark(u), starts: lineage[max(0, len(lineage)-cursorStarts):], pos: pos}
}

// Position answers a position up to which everything is visible.
func (s *Service) Position() Position { return s.store.Position() }

// KnowsCursor says whether a cursor is the user's and still holds.
func (s *Service) KnowsCursor(u UserID, text string) bool {
	c, err := parseCursor(text)
	if err != nil || c.walk || c.user != userMark(u) {
		return false
	}
	_, whole := c.shared(s.store.Lineage(), s.store.Position())
	return whole
}

// Sync answers, page by page and newest first, the conversations that changed for the
// caller since the cursor (empty: all of them), and its profile if that changed. page
// goes on with a walk. The new cursor comes with the last page; its upper bound was
// taken before the first, so what moves during a walk is told by the next one. A cursor
// that is unknown, another user's or of another lineage is answered with a reset.
func (s *Service) Sync(ctx context.Context, a Actor, cursorText, pageText string, limit int) (Synced, error) {
	walk, err := s.walk(a.User, cursorText, pageText)
	if err != nil {
		return Synced{}, err
	}
	out := Synced{Reset: walk.reset}
	first := walk.before > walk.upTo
	// Once the conversations are all told, the walk goes on for the items alone.
	page, before, more, err := s.changedPage(ctx, a.User, walk.pos, Changed{After: walk.pos, Before: walk.before, Limit: limit})
	if err != nil {
		return Synced{}, err
	}
	for i := range page {
		if err := s.since(ctx, &page[i], walk); err != nil {
			return Synced{}, err
		}
	}
	out.Conversations = page
	var settings []Item
	if first {
		rows, err := s.store.Users(ctx, []UserID{a.User})
		if err != nil {
			return Synced{}, readError(err)
		}
		if len(rows) == 1 && rows[0].Pos > walk.pos {
			p := profile(a.User, &rows[0])
			out.User = &p
			if set := rows[0].settings(); set != (UserSettings{}) {
				settings = append(settings, set.whole().item())
			}
		}
	}
	moreItems, err := s.syncItems(ctx, a.User, walk, limit, &out)
	if err != nil {
		return Synced{}, err
	}
	out.Items = append(settings, out.Items...)
	if more || moreItems {
		walk.before = before
		out.Page = walk.encode()
		return out, nil
	}
	out.Cursor = s.Cursor(a.User, walk.upTo)
	return out, nil
}

// syncItems tells the caller's items that changed since the walk's last page, and says
// whether there are more.
func (s *Service) syncItems(ctx context.Context, u UserID, walk *cursor, limit int, out *Synced) (more bool, err error) {
	out.Items, err = s.store.ChangedItems(ctx, UserHolder(u), max(walk.items, walk.pos), walk.upTo, limit)
	if err != nil {
		return false, readError(err)
	}
	if len(out.Items) < limit {
		walk.items = walk.upTo
		return false, nil
	}
	walk.items = out.Items[limit-1].Pos
	return true, nil
}

// changedPage answers a page of what changed for a user who knows everything up to since,
// before which position the next page is, and whether there is one.
func (s *Service) changedPage(ctx context.Context, u UserID, since Position, q Changed) (page []Summary, next Position, more bool, err error) {
	entries, more, err := s.entries(ctx, u, q.After, q.Before, q.Limit)
	if err != nil {
		return nil, 0, false, err
	}
	for i := range entries {
		sum, err := s.summary(ctx, u, &entries[i].Conversation, &entries[i].Member)
		if err != nil {
			return nil, 0, false, err
		}
		if sum == nil || sum.Conversation.Kind == Room || !sum.Joined && entries[i].Member.Pos <= since {
			continue // what others do where the caller no longer is, is not told
		}
		page = append(page, *sum)
	}
	if more {
		next = entries[len(entries)-1].Pos()
	}
	return page, next, more, nil
}

// walk begins a walk from a cursor, or goes on with one from a page token.
func (s *Service) walk(u UserID, text, page string) (*cursor, error) {
	if page != "" {
		c, err := parseCursor(page)
		if err != nil || !c.walk || c.user != userMark(u) {
			return nil, invalid("page", "page: not one of this user's; begin again without it")
		}
		if _, whole := c.shared(s.store.Lineage(), s.store.Position()); !whole {
			return nil, invalid("page", "page: the store was restored since; begin again without it")
		}
		return c, nil
	}
	now := s.store.Position()
	w := s.cursorAt(u, 0)
	w.walk, w.upTo, w.before = true, now, now+1
	if text == "" {
		return &w, nil
	}
	c, err := parseCursor(text)
	if err != nil || c.walk || c.user != userMark(u) {
		w.reset = true
		return &w, nil
	}
	fork, whole := c.shared(s.store.Lineage(), now)
	if whole {
		w.pos = c.pos
		return &w, nil
	}
	w.reset, w.fork = true, fork
	return &w, nil
}

// since says what the walk's cursor makes of a conversation: where a reset forks, or
// that too much is missing.
func (s *Service) since(ctx context.Context, sum *Summary, walk *cursor) error {
	from := walk.pos
	if walk.reset {
		from = walk.fork
	} else if from == 0 || sum.Head <= resetGap {
		return nil
	}
	had, err := s.store.Fork(ctx, sum.Conversation.ID, from)
	if err != nil {
		return readError(err)
	}
	had = min(had, sum.Head)
	if walk.reset {
		sum.Fork = &had
	}
	sum.Reset = sum.Head-had > resetGap
	return nil
}

// entries answers a page of the user's conversations and whether there is more.
func (s *Service) entries(ctx context.Context, u UserID, after, before Position, limit int) ([]Entry, bool, error) {
	entries, err := s.store.Changed(ctx, Changed{User: u, After: after, Before: before, Limit: limit + 1})
	if err != nil {
		return nil, false, readError(err)
	}
	if len(entries) > limit {
		return entries[:limit], true, nil
	}
	return entries, false, nil
}

// Conversation answers one conversation as the caller sees it.
func (s *Service) Conversation(ctx context.Context, a Actor, id ConversationID) (Summary, error) {
	c, m, spans, err := s.find(ctx, a, id)
	if err != nil {
		return Summary{}, err
	}
	if a.Server {
		return s.summaryWhole(ctx, c, m, spans)
	}
	sum, err := s.summary(ctx, a.User, c, m)
	if err != nil {
		return Summary{}, err
	}
	return *sum, nil
}

// summary makes what u sees of c, nil if that is nothing.
func (s *Service) summary(ctx context.Context, u UserID, c *Conversation, m *Member) (*Summary, error) {
	spans, err := s.readable(ctx, u, c, m)
	var own *Error
	if errors.As(err, &own) && own.Code == CodeNotFound {
		return nil, nil // a thread's parent is not for u any more
	}
	if err != nil || spans == nil {
		return nil, err
	}
	sum := &Summary{Conversation: *c, Member: m, Joined: c.Kind == Room || joined(m), Head: s.head(Actor{User: u}, c, m)}
	sum.Pins = c.pins(spans)
	if m != nil {
		sum.Unread, sum.Mentions, sum.Prefs = unread(c, m), unreadMentions(c, m, spans), m.prefs(s.cfg.Now())
	}
	if c.Kind == Direct {
		if sum.Peer, err = s.peer(ctx, u, c); err != nil {
			return nil, err
		}
	}
	if top(spans) == 0 {
		return sum, nil
	}
	sum.Last, err = s.last(ctx, spans, c.ID, func(r *Record) bool { return r.isFor(u) })
	return sum, err
}

// summaryWhole makes what a server key sees of c.
func (s *Service) summaryWhole(ctx context.Context, c *Conversation, m *Member, spans []Span) (Summary, error) {
	sum := Summary{Conversation: *c, Member: m, Joined: c.Kind == Room || joined(m), Head: c.Seq, Whole: true}
	sum.Pins = c.pins(spans)
	if m != nil {
		sum.Unread = unread(c, m)
	}
	if c.Seq == 0 {
		return sum, nil
	}
	var err error
	sum.Last, err = s.last(ctx, spans, c.ID, func(*Record) bool { return true })
	return sum, err
}

// previewDepth is how far back the last event that can stand for a conversation is looked for.
const previewDepth = 20

// last answers the newest event for the reader, within its spans, that can stand for the conversation: one
// that is something by itself, and not a change of others. Nil: none of the newest.
func (s *Service) last(ctx context.Context, spans []Span, id ConversationID, isFor func(*Record) bool) (*Record, error) {
	head := top(spans)
	// Nearly always it is the head; and if not, near it.
	for _, depth := range []Seq{1, previewDepth} {
		records, err := s.store.Events(ctx, EventRange{
			Conversation: id, From: max(1, head-depth+1), To: head, Limit: int(depth), Newest: true,
		})
		if err != nil {
			return nil, readError(err)
		}
		for i := range slices.Backward(records) {
			if r := &records[i]; within(spans, r.Seq) && isFor(r) && r.standsAlone() {
				return r, nil
			}
		}
		if head <= depth {
			break
		}
	}
	return nil, nil
}

// DirectWith answers the caller's direct conversation with a user. Until somebody
// writes in it there is none in the store, and what is answered has seq 0.
func (s *Service) DirectWith(ctx context.Context, a Actor, other UserID) (Summary, error) {
	if err := CheckUserID(other); err != nil {
		return Summary{}, paramError("user", err)
	}
	if !s.MaySee(a.User, Direct) {
		return Summary{}, forbidden("guests are in open rooms only here")
	}
	id := DirectID(a.User, other)
	sum, err := s.Conversation(ctx, a, id)
	var own *Error
	if errors.As(err, &own) && own.Code == CodeNotFound {
		pair := sortedPair(a.User, other)
		c := Conversation{ID: id, Kind: Direct, Pair: pair, SharedPast: true, Members: 2}
		if pair[0] == pair[1] {
			c.Members = 1
		}
		return Summary{
			Conversation: c, Joined: true,
			Member: &Member{MemberKey: MemberKey{id, a.User}, Role: Plain, Spans: []Span{{From: 1}}},
		}, nil
	}
	return sum, err
}
