package chat

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Alert is an event that may be worth a notification, with what decides it.
type Alert struct {
	Event        *Event
	Conversation *Conversation
	Member       *Member // the user's row; nil: none
	User         *User   // nil: it has chosen nothing
	Blocks       bool    // the user blocks who wrote it
	Now          time.Time
}

// Notifies says whether an event is to notify a user now: a message of somebody else's
// that the user may see, from nobody it blocks, as it has chosen for the conversation,
// outside its quiet hours. What is for a few counts as naming them.
func (al *Alert) Notifies() bool {
	e, m := al.Event, al.Member
	switch {
	case m == nil, e.Kind != Message, e.From == m.User, al.Blocks, !joined(m), !m.Sees(e.Seq),
		e.Only != nil && !slices.Contains(e.Only, m.User), al.User.settings().QuietHours.Hold(al.Now):
		return false
	}
	switch m.prefs(al.Now).Notify {
	case NotifyNone:
		return false
	case NotifyMentions:
		return e.Only != nil || al.named()
	}
	return true
}

// named says whether the event names the user, or everybody.
func (al *Alert) named() bool {
	if d := al.Member.Details; d != nil && slices.Contains(d.Mentions, al.Event.Seq) {
		return true
	}
	d := al.Conversation.Details
	return d != nil && slices.ContainsFunc(d.MarksOfAll, func(m MarkOfAll) bool { return m.Seq == al.Event.Seq })
}

// Notifies says whether a committed event is to notify a user now. See Alert.
func (s *Service) Notifies(ctx context.Context, u UserID, e *Event) (bool, error) {
	c, err := s.store.Conversation(ctx, e.Conversation)
	if err != nil {
		return false, readError(err)
	}
	al := Alert{Event: e, Conversation: &c, Now: s.cfg.Now()}
	m, err := s.store.Member(ctx, MemberKey{c.ID, u})
	switch {
	case err == nil:
		al.Member = &m
	case !errors.Is(err, ErrNotFound):
		return false, readError(err)
	}
	if al.User, err = s.userRow(ctx, u); err != nil {
		return false, err
	}
	if al.Blocks, err = s.hasItem(ctx, ItemKey{UserHolder(u), blockKind, string(e.From)}); err != nil {
		return false, err
	}
	return al.Notifies(), nil
}
