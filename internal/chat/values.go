package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ValuesSet is the kind of the event that says that a message's values changed.
const ValuesSet EventKind = "values"

const (
	maxValues     = 50
	maxValueName  = 64      // bytes
	maxValueBytes = 1 << 10 // of one
	maxValuesSize = 8 << 10 // bytes of all
)

// Values is a small map that a message carries and that can be changed: votes, the shares
// of a red packet. Who changes it names the revision that it saw, so that two who do it at
// the same time do not undo each other's change.
type Values struct {
	Rev int64                      `json:"rev"` // moves with each change
	By  string                     `json:"by"`  // who may change it: ValuesBySender or ValuesByEverybody
	Set map[string]json.RawMessage `json:"set"`
}

// Who may change values.
const (
	ValuesBySender    = "sender"
	ValuesByEverybody = "everybody"
)

// check says what is wrong with values.
func (v *Values) check() error {
	size := 0
	for name, value := range v.Set {
		if name == "" || len(name) > maxValueName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
			return invalid("values", "values: a name has 1 to %d bytes, without control characters", maxValueName)
		}
		if len(value) > maxValueBytes {
			return invalid("values", "values: %q is over %d bytes", name, maxValueBytes)
		}
		size += len(name) + len(value)
	}
	switch {
	case v.By != ValuesBySender && v.By != ValuesByEverybody:
		return invalid("values.by", "values.by: sender or everybody")
	case len(v.Set) > maxValues:
		return invalid("values", "values: a message has at most %d", maxValues)
	case size > maxValuesSize:
		return invalid("values", "values: over %d bytes together", maxValuesSize)
	}
	return nil
}

// SetValues is a change of a message's values.
type SetValues struct {
	MessageCall
	IfRev  *int64 // only if they are at this revision; nil: however they are
	Set    map[string]json.RawMessage
	Remove []string
}

// SetValues changes a message's values: its sender may, or everybody in the conversation, as
// was said when it was sent. CodeStale means that they are at another revision by now.
func (s *Service) SetValues(ctx context.Context, a Actor, sv SetValues) (Place, error) {
	if len(sv.Set)+len(sv.Remove) == 0 || len(sv.Set)+len(sv.Remove) > 2*maxValues {
		return Place{}, invalid("set", "set, remove: at least one value")
	}
	parts := []string{string(mustJSON(sv.IfRev)), string(mustJSON(sv.Set)), string(mustJSON(sv.Remove))}
	rate := s.writeRate(a)
	return s.changeMessage(ctx, a, "messages.set_values", sv.MessageCall, parts, nil, func(b *batch, at *changing) (*Event, error) {
		e := at.event
		switch {
		case e.Values == nil:
			return nil, forbidden("this message has no values: they come with sending it")
		case e.Values.By == ValuesBySender && e.From != a.User && !a.Server:
			return nil, forbidden("only who wrote the message changes its values")
		}
		if e.From == a.User {
			if err := s.notForGuests(a); err != nil {
				return nil, err
			}
		}
		if err := respond(a, at.home, at.self, b.now); err != nil {
			return nil, err
		}
		if sv.IfRev != nil && *sv.IfRev != e.Values.Rev {
			return nil, &Error{Code: CodeStale, Message: fmt.Sprintf("the values are at rev %d: look at them and try again", e.Values.Rev), Param: "if_rev"}
		}
		now := Values{Rev: e.Values.Rev + 1, By: e.Values.By, Set: maps.Clone(e.Values.Set)}
		if now.Set == nil {
			now.Set = make(map[string]json.RawMessage)
		}
		maps.Copy(now.Set, sv.Set)
		for _, name := range sv.Remove {
			delete(now.Set, name)
		}
		if err := now.check(); err != nil {
			return nil, err
		}
		if err := rate(b); err != nil {
			return nil, err
		}
		e.Values = &now
		b.revise(e, at.c.Seq+1)
		// What they are is in the message alone, so that it goes with it.
		return &Event{Kind: ValuesSet, Content: mustJSON(struct {
			Text string `json:"text"`
			Rev  int64  `json:"rev"`
		}{fmt.Sprintf("%s changed the values of a message", a.User), now.Rev})}, nil
	})
}

// newValues checks the values that a message is sent with.
func newValues(v *Values) error {
	v.Rev = 1
	return v.check()
}
