package chat

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Forever is the end of a mute or a ban that has none.
var Forever = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// maxExcept is how many plain members may go on speaking while all are muted.
const maxExcept = 100

// MuteAll is the silence of a group or a room: only the owner, the admins and Except speak.
type MuteAll struct {
	Until  time.Time `json:"until"`
	Except []UserID  `json:"except,omitempty"` // sorted
}

// speak says whether the caller, whose row in c is m, may say something there at now. It
// is asked by everything that puts words before others. An end is compared, not waited for:
// when a mute has ended nothing is written.
func speak(a Actor, c *Conversation, m *Member, now time.Time) error {
	if c.Kind == Channel && !a.Server && !m.Staff() && !c.Dismissed() {
		return forbidden("only the owner and the admins write in a channel")
	}
	return respond(a, c, m, now)
}

// respond is speak for what answers what others said and is no words of one's own: reactions and
// votes, which the subscribers of a channel have too.
func respond(a Actor, c *Conversation, m *Member, now time.Time) error {
	if err := alive(c); err != nil {
		return err
	}
	if !a.Server && c.refuses(a.User) {
		return notAccepted()
	}
	if a.Server || m.rank() >= Admin.rank() {
		return nil
	}
	if m != nil && m.Details != nil && now.Before(m.Details.MutedUntil) {
		return muted("you are muted here", m.Details.MutedUntil, now)
	}
	if all := c.details().MuteAll; all != nil && now.Before(all.Until) {
		if _, excepted := slices.BinarySearch(all.Except, a.User); !excepted {
			return muted("only the owner and the admins speak here now", all.Until, now)
		}
	}
	return nil
}

func muted(message string, until, now time.Time) error {
	e := &Error{Code: CodeMuted, Message: message, Until: until}
	if until.Before(Forever) {
		e.RetryAfter = until.Sub(now)
	}
	return e
}

// slow takes what a plain member's message costs in slow mode. It is asked last, once a
// message. What was said before a restart is forgotten.
func (s *Service) slow(a Actor, c *Conversation, m *Member, now time.Time) error {
	pause := time.Duration(c.details().Settings.SlowModeMS) * time.Millisecond
	if pause == 0 || a.Server || m.rank() >= Admin.rank() {
		return nil
	}
	key := "s" + string(c.ID) + " " + string(a.User)
	if wait, ok := s.rates.take(key, 1/pause.Seconds(), 1, now); !ok {
		return tooFast(fmt.Sprintf("slow mode: a message each %v", pause), wait)
	}
	return nil
}

// endOf answers an end as it is kept: Forever for none.
func endOf(until *time.Time) time.Time {
	if until == nil || !until.Before(Forever) {
		return Forever
	}
	return until.UTC().Truncate(time.Millisecond)
}

// toCome refuses an end that is over. It is asked by what decides: a repetition, which may
// come when the end is over, is answered before.
func toCome(end, now time.Time) error {
	if !end.After(now) {
		return invalid("until", "until: a time to come, or none for no end")
	}
	return nil
}

// MuteMembers keeps members of a group, or anybody in a room, from speaking, until a time or, with nil, for good;
// its owner and admins may, to those below them.
func (s *Service) MuteMembers(ctx context.Context, a Actor, ch ChangeMembers, until *time.Time) (Place, error) {
	return s.setMutes(ctx, a, "members.mute", ch, endOf(until), "muted")
}

// UnmuteMembers ends what MuteMembers began.
func (s *Service) UnmuteMembers(ctx context.Context, a Actor, ch ChangeMembers) (Place, error) {
	return s.setMutes(ctx, a, "members.unmute", ch, time.Time{}, "unmuted")
}

func (s *Service) setMutes(ctx context.Context, a Actor, method string, ch ChangeMembers, end time.Time, verb string) (Place, error) {
	return s.changeMembers(ctx, a, method, ch, []string{end.String()}, func(b *batch, c *Conversation, self *Member, users []UserID) (*Event, error) {
		if err := may(a, c, self, RightManage); err != nil {
			return nil, err
		}
		if err := toCome(end, b.now); err != nil && !end.IsZero() {
			return nil, err
		}
		if c.Kind == Channel {
			return nil, forbidden("in a channel nobody but its staff writes")
		}
		var rows []*Member
		for _, u := range users {
			m := b.rowOf(c, u)
			switch {
			case m == nil:
				continue
			case !outranks(a, self, m):
				return nil, forbidden("you may mute those below you only")
			}
			if d := m.details(); !d.MutedUntil.Equal(end) {
				rows = append(rows, m)
			}
		}
		if len(rows) == 0 {
			return nil, nil
		}
		b.keepsRows(c)
		content, told := updateContent{}, timeText(end)
		names := make([]UserID, 0, len(rows))
		for _, m := range rows {
			d := m.details()
			d.MutedUntil = end
			m.setDetails(d)
			b.putMember(m)
			names = append(names, m.User)
			content.member(memberChange{User: m.User, MutedUntil: &told})
		}
		content.Text = fmt.Sprintf("%s %s %s", a.User, verb, listed(names))
		return content.event(), nil
	})
}

// MuteGroup keeps, in a group or a room, everybody but the owner, the admins and some from speaking, until a time
// or, with nil, for good; the owner and the admins may.
func (s *Service) MuteGroup(ctx context.Context, a Actor, gc GroupCall, until *time.Time, except []UserID) (Place, error) {
	if len(except) > maxExcept {
		return Place{}, invalid("except", "except: at most %d users", maxExcept)
	}
	except, err := s.checkUsers("except", except, gc.Conversation.isRoom())
	if err != nil {
		return Place{}, err
	}
	return s.setMuteAll(ctx, a, "groups.mute", gc, &MuteAll{Until: endOf(until), Except: except}, "muted everybody")
}

// UnmuteGroup ends what MuteGroup began.
func (s *Service) UnmuteGroup(ctx context.Context, a Actor, gc GroupCall) (Place, error) {
	return s.setMuteAll(ctx, a, "groups.unmute", gc, nil, "ended the mute of everybody")
}

func (s *Service) setMuteAll(ctx context.Context, a Actor, method string, gc GroupCall, mute *MuteAll, verb string) (Place, error) {
	var parts []string
	if mute != nil {
		parts = append(names(mute.Except), mute.Until.String())
	}
	return s.changeGroup(ctx, a, method, gc, parts, nil, func(b *batch, c *Conversation, self *Member) (*Event, error) {
		if err := may(a, c, self, RightManage); err != nil {
			return nil, err
		}
		if mute != nil {
			if err := toCome(mute.Until, b.now); err != nil {
				return nil, err
			}
		}
		if c.Kind == Channel {
			return nil, forbidden("in a channel nobody but its staff writes")
		}
		d := c.details()
		if mute == nil && d.MuteAll == nil {
			return nil, nil
		}
		d.MuteAll = mute
		c.setDetails(d)
		content := updateContent{Text: fmt.Sprintf("%s %s", a.User, verb), MuteAll: &muteAllContent{}}
		if mute != nil {
			content.MuteAll = &muteAllContent{On: true, Except: mute.Except}
			if mute.Until.Before(Forever) {
				content.MuteAll.Until = timeText(mute.Until)
			}
		}
		return content.event(), nil
	})
}
