package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// What Prefs.Notify may be. What is not set is NotifyAll.
const (
	NotifyAll      = "all"
	NotifyMentions = "mentions"
	NotifyNone     = "none"
)

const (
	pinsKind ItemKind = "pinned" // own; one item
	pinsKey  string   = "pinned"
)

// maxPinned is how many conversations a user has first in its list.
const maxPinned = 100

// Prefs are what a member has chosen about one conversation in its own list. Nobody else
// is told.
type Prefs struct {
	Pinned   bool `json:"pinned,omitempty"` // which is first is in the item pinned
	Archived bool `json:"archived,omitempty"`
	// HiddenAt is 1 more than Conversation.Count when it was hidden, HiddenSeq its Seq: a
	// message after that brings it back, and no row has to be written for it.
	HiddenAt    int64     `json:"hidden_at,omitempty"`
	HiddenSeq   Seq       `json:"hidden_seq,omitempty"`
	Unread      bool      `json:"unread,omitempty"` // marked by hand; reading there ends it
	Notify      string    `json:"notify,omitempty"`
	NotifyUntil time.Time `json:"notify_until,omitzero"` // after it, NotifyAll; zero: for good
}

// PrefsChange is what is to change of Prefs: what is nil stays.
type PrefsChange struct {
	Pinned, Archived, Hidden, Unread *bool
	Notify                           *string
	NotifyUntil                      time.Time
}

// prefs gives what m has chosen, as it holds at now.
func (m *Member) prefs(now time.Time) Prefs {
	if m == nil || m.Details == nil {
		return Prefs{}
	}
	p := m.Details.Prefs
	if !p.NotifyUntil.IsZero() && !now.Before(p.NotifyUntil) {
		p.Notify, p.NotifyUntil = "", time.Time{}
	}
	return p
}

// putAway says whether m has the conversation hidden from its list.
func (m *Member) putAway(c *Conversation) bool {
	if m == nil || m.Details == nil || m.Details.Prefs.HiddenAt == 0 || c.Count >= m.Details.Prefs.HiddenAt {
		return false
	}
	// What is for a few does not count.
	return !slices.ContainsFunc(m.Details.Whispers, func(s Seq) bool { return s > m.Details.Prefs.HiddenSeq })
}

// MarshalTold gives prefs the form in which a user's sessions are told of them.
func (p Prefs) MarshalTold() []byte {
	told := struct {
		Pinned      bool   `json:"pinned,omitempty"`
		Archived    bool   `json:"archived,omitempty"`
		HiddenCount *int64 `json:"hidden_count,omitempty"`
		Unread      bool   `json:"unread,omitempty"`
		Notify      string `json:"notify,omitempty"`
		NotifyUntil *stamp `json:"notify_until,omitempty"`
	}{p.Pinned, p.Archived, nil, p.Unread, p.Notify, nil}
	if p.HiddenAt > 0 {
		count := p.HiddenAt - 1
		told.HiddenCount = &count
	}
	if !p.NotifyUntil.IsZero() {
		told.NotifyUntil = &stamp{p.NotifyUntil}
	}
	return mustJSON(told)
}

// setPrefs gives m other prefs and tells its sessions. The caller puts m.
func (b *batch) setPrefs(m *Member, p Prefs) {
	m.keepPrefs(p)
	b.notifyUser(m.User, "prefs", struct {
		Conversation ConversationID  `json:"conversation"`
		Prefs        json.RawMessage `json:"prefs"`
	}{m.Conversation, p.MarshalTold()})
}

func (m *Member) keepPrefs(p Prefs) {
	d := m.details()
	d.Prefs = p
	m.setDetails(d)
}

// unmark ends that m has the conversation marked as unread, and tells its sessions. It
// says whether it had. The caller puts m.
func (b *batch) unmark(m *Member) bool {
	p := m.prefs(b.now)
	if !p.Unread {
		return false
	}
	p.Unread = false
	b.setPrefs(m, p)
	return true
}

// wrote ends what a message of m's own ends: that the conversation is marked as unread,
// and the draft. Its sessions know by the message. The caller puts m.
func (b *batch) wrote(m *Member) {
	if p := m.prefs(b.now); p.Unread {
		p.Unread = false
		m.keepPrefs(p)
	}
	if m.Details != nil && m.Details.Draft {
		b.keepDraft(m, nil, b.now)
	}
}

// ownMember gives the conversation and the caller's row in it, for what the caller keeps
// of it for itself. standKeys were loaded.
func (s *Service) ownMember(b *batch, a Actor, id ConversationID) (*Conversation, *Member, error) {
	c, m := b.rows.Conversations[id], b.rows.Members[MemberKey{id, a.User}]
	switch {
	case c == nil, !s.MaySee(a.User, c.Kind), c.Kind != Room && c.Kind != Thread && m == nil:
		return nil, nil, notFound()
	case c.Kind == Room:
		return nil, nil, forbidden("rooms are in nobody's list")
	case c.Kind == Thread:
		if _, _, _, err := s.standing(b, a, id); err != nil {
			return nil, nil, err
		}
		if !joined(m) {
			return nil, nil, forbidden("you do not follow this thread")
		}
	}
	return c, m, nil
}

func (p *Prefs) take(c *Conversation, ch *PrefsChange, now time.Time) {
	set := func(to *bool, from *bool) {
		if from != nil {
			*to = *from
		}
	}
	set(&p.Pinned, ch.Pinned)
	set(&p.Archived, ch.Archived)
	set(&p.Unread, ch.Unread)
	if ch.Hidden != nil {
		p.HiddenAt, p.HiddenSeq = 0, 0
		if *ch.Hidden {
			p.HiddenAt, p.HiddenSeq = c.Count+1, c.Seq
		}
	}
	if ch.Notify != nil {
		p.Notify, p.NotifyUntil = *ch.Notify, ch.NotifyUntil
		if p.Notify == NotifyAll || !p.NotifyUntil.IsZero() && !now.Before(p.NotifyUntil) {
			p.Notify, p.NotifyUntil = "", time.Time{}
		}
	}
}

// SetPrefs changes what the caller has chosen about a conversation in its list, and
// answers all of it. Hiding holds until there is a message after it.
func (s *Service) SetPrefs(ctx context.Context, a Actor, id ConversationID, ch PrefsChange) (Prefs, error) {
	if ch.Notify != nil {
		if err := oneOf("notify", *ch.Notify, NotifyAll, NotifyMentions, NotifyNone); err != nil {
			return Prefs{}, err
		}
	} else if !ch.NotifyUntil.IsZero() {
		return Prefs{}, invalid("notify_until", "notify_until: the end of notify, which is to be given with it")
	}
	var now Prefs
	_, err := s.await(ctx, &operation{
		keys: func(k *Keys) {
			standKeys(k, a.User, id)
			k.Items = append(k.Items, pinsItem(a.User))
		},
		decide: func(b *batch) (Place, error) {
			c, m, err := s.ownMember(b, a, id)
			if err != nil {
				return Place{}, err
			}
			before := m.prefs(b.now)
			now = before
			now.take(c, &ch, b.now)
			if now == before {
				return Place{}, nil
			}
			if now.Pinned != before.Pinned {
				if err := b.pin(a.User, id, now.Pinned); err != nil {
					return Place{}, err
				}
			}
			b.setPrefs(m, now)
			b.putMember(m)
			return Place{}, nil
		},
	})
	return now, err
}

type pinsBody struct {
	Conversations []ConversationID `json:"conversations"`
}

func pinsItem(u UserID) ItemKey { return ItemKey{UserHolder(u), pinsKind, pinsKey} }

func (it *Item) pins() []ConversationID {
	var body pinsBody
	if it != nil && it.Body != nil {
		_ = json.Unmarshal(it.Body, &body) // what this package wrote
	}
	return body.Conversations
}

// pin puts a conversation in front of a user's pinned ones, or takes it out.
func (b *batch) pin(u UserID, id ConversationID, pinned bool) error {
	pins := b.item(pinsItem(u)).pins()
	rest := slices.DeleteFunc(slices.Clone(pins), func(p ConversationID) bool { return p == id })
	if pinned {
		if len(rest) >= maxPinned {
			return forbidden(fmt.Sprintf("you can pin at most %d conversations; unpin one first", maxPinned))
		}
		rest = slices.Insert(rest, 0, id)
	}
	b.putPins(u, rest)
	return nil
}

func (b *batch) putPins(u UserID, pins []ConversationID) {
	var body json.RawMessage
	if len(pins) > 0 {
		body = mustJSON(pinsBody{pins})
	}
	b.putOwn(u, pinsKind, pinsKey, body)
}

// OrderPins puts the caller's pinned conversations in this order, and answers it. Those
// that are pinned and not named stay behind them; those that are not pinned are passed over.
func (s *Service) OrderPins(ctx context.Context, a Actor, order []ConversationID) ([]ConversationID, error) {
	if len(order) > maxPinned {
		return nil, invalid("conversations", "conversations: at most %d", maxPinned)
	}
	var now []ConversationID
	_, err := s.await(ctx, &operation{
		keys: func(k *Keys) { k.Items = append(k.Items, pinsItem(a.User)) },
		decide: func(b *batch) (Place, error) {
			before := b.item(pinsItem(a.User)).pins()
			now = nil
			for _, id := range slices.Concat(order, before) {
				if slices.Contains(before, id) && !slices.Contains(now, id) {
					now = append(now, id)
				}
			}
			if !slices.Equal(now, before) {
				b.putPins(a.User, now)
			}
			return Place{}, nil
		},
	})
	return now, err
}
