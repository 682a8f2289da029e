package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// MessageCall is what every call that changes a message has.
type MessageCall struct {
	GroupCall // its conversation may be of any kind
	Seq       Seq
}

// message gives a message of c as the batch has it, if the actor may read it: nil for what
// is not there, is void, or is not for the actor. m is the actor's row, of a thread that in
// its parent, nil if there is none.
func (s *Service) message(b *batch, a Actor, c *Conversation, m *Member, seq Seq) *Event {
	e := b.event(EventKey{c.ID, seq})
	if e == nil || e.Kind != Message || e.Erased {
		return nil
	}
	if a.Server {
		return e
	}
	if c.Kind == Thread {
		m = b.rows.Members[MemberKey{c.ID, a.User}] // what is hidden in it, not in the parent
	}
	if !within(s.spans(a.User, c, m), seq) || e.Only != nil && !slices.Contains(e.Only, a.User) {
		return nil
	}
	return e
}

// noMessage is the one answer for a message that is not there, is gone, or is not for the caller.
func noMessage() *Error {
	return &Error{Code: CodeNotFound, Message: "there is no such message, or it is not for you"}
}

// errNamed says that a message names other users than those whose rows were loaded: it
// was edited in between.
var errNamed = errors.New("the message names others by now")

// changing is a message that is to be changed, and where.
type changing struct {
	c     *Conversation
	home  *Conversation // whose settings and roles hold: c's, of a thread its parent's
	self  *Member       // the caller's row in home; nil in rooms, and for server keys
	event *Event
}

// changeMessage runs change on a message that the caller may read, in a conversation that
// it is in, and logs the event it answers, which targets the message and is for whom the
// message is; nil means that there is nothing to log. The rows of those whom the message
// names are loaded. parts are what the caller sent, for its repetitions; keys may be nil.
// change checks first, then changes.
func (s *Service) changeMessage(ctx context.Context, a Actor, method string, mc MessageCall, parts []string, keys func(*Keys),
	change func(b *batch, on *changing) (*Event, error),
) (Place, error) {
	cl := newCall(a.User, mc.Key, method, append([]string{string(mc.Conversation), fmt.Sprint(mc.Seq)}, parts...)...)
	target := EventKey{mc.Conversation, mc.Seq}
	for {
		named, err := s.namedBy(ctx, target)
		if err != nil {
			return Place{}, err
		}
		place, err := s.await(ctx, &operation{
			keys: func(k *Keys) {
				if mc.Once() {
					k.Calls = append(k.Calls, cl.key)
				}
				standKeys(k, a.User, mc.Conversation)
				k.Events = append(k.Events, target)
				named.keys(k, mc.Conversation)
				if keys != nil {
					keys(k)
				}
			},
			decide: func(b *batch) (Place, error) {
				if mc.Once() {
					if p, found, err := b.recall(cl.key, cl.hash); found {
						return p, err
					}
				}
				c, home, m, err := s.standing(b, a, mc.Conversation)
				if err != nil {
					return Place{}, err
				}
				if err := alive(home); err != nil {
					return Place{}, err
				}
				e := s.message(b, a, c, m, mc.Seq)
				if e == nil {
					return Place{}, noMessage()
				}
				if !named.holds(mentions(e.Content)) {
					return Place{}, errNamed
				}
				told, err := change(b, &changing{c, home, m, e})
				if err != nil {
					return Place{}, err
				}
				if told == nil {
					return Place{Conversation: c.ID, Seq: c.Seq, Time: c.Time}, nil
				}
				told.From, told.ClientID, told.Only = a.User, mc.ClientID, e.Only
				told.Targets = [][2]Seq{{e.Seq, e.Seq}}
				b.append(c, told)
				if !mc.Once() {
					return Place{Conversation: c.ID, Seq: told.Seq, Time: told.Time}, nil
				}
				return b.remember(cl.key, cl.hash, told), nil
			},
		})
		if !errors.Is(err, errNamed) {
			return place, err
		}
	}
}

// Once says whether the call has a client_id.
func (mc *MessageCall) Once() bool { return mc.ClientID != "" }

// namedBy reads whom a message names now. Whether the caller may read it is looked at later.
func (s *Service) namedBy(ctx context.Context, key EventKey) (mentioned, error) {
	records, err := s.store.Events(ctx, EventRange{Conversation: key.Conversation, From: key.Seq, To: key.Seq, Limit: 1})
	if errors.Is(err, ErrNotFound) {
		return mentioned{}, nil
	}
	if err != nil {
		return mentioned{}, readError(err)
	}
	if len(records) == 0 {
		return mentioned{}, nil
	}
	return mentions(ParseEvent(key.Conversation, records[0]).Content), nil
}

// holds says whether all whom other names are in m.
func (m *mentioned) holds(other mentioned) bool {
	return !slices.ContainsFunc(other.users, func(u UserID) bool { return !slices.Contains(m.users, u) })
}

// seqKey is a seq in the key of an item: such keys are in the order of their seqs.
func seqKey(seq Seq) string { return fmt.Sprintf("%016d", seq) }

// notForGuests refuses guests whose name somebody else may take to change what they wrote.
func (s *Service) notForGuests(a Actor) error {
	if a.User.IsGuest() && s.cfg.Guests != GuestsFull {
		return forbidden("who wrote under a guest's name cannot be told: guests change and recall nothing")
	}
	return nil
}

// writeRate takes the token that changing a message costs, as sending one does.
func (s *Service) writeRate(a Actor) func(b *batch) error {
	var taken bool // a decision that is made again takes no second token
	var refused error
	return func(b *batch) error {
		if !a.Limited || taken {
			return refused
		}
		taken = true
		if wait, ok := s.rates.take("u"+string(a.User), s.cfg.Limits.SendsPerSecond, s.cfg.Limits.SendsBurst, b.now); !ok {
			refused = tooFast("you send too fast", wait)
		}
		return refused
	}
}
