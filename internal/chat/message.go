package chat

import "slices"

// message gives a message of c as the batch has it, if the actor may read it: nil for what
// is not there, is void, or is not for the actor. m is the actor's row, nil if there is none.
func (s *Service) message(b *batch, a Actor, c *Conversation, m *Member, seq Seq) *Event {
	e := b.event(EventKey{c.ID, seq})
	if e == nil || e.Kind != Message {
		return nil
	}
	if a.Server {
		return e
	}
	if !within(s.spans(a.User, c, m), seq) || e.Only != nil && !slices.Contains(e.Only, a.User) {
		return nil
	}
	return e
}
