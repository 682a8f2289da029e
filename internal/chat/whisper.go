package chat

import "slices"

const (
	// maxOnly is the most users a message for a few is for.
	maxOnly = 100
	// maxWhispers is how many unread messages for a few are counted; more are not.
	maxWhispers = 999
)

// checkOnly checks whom a message is for alone and answers them sorted, with the sender.
func (s *Service) checkOnly(sender UserID, only []UserID) ([]UserID, error) {
	if len(only) > maxOnly {
		return nil, invalid("only", "only: a message is for at most %d users, or for everybody", maxOnly)
	}
	users, err := s.checkUsers("only", append(slices.Clone(only), sender), false)
	if err == nil && len(users) == 1 && len(only) == 0 {
		return nil, invalid("only", "only: name at least one user, or leave it out")
	}
	return users, err
}

// whisper notes in the rows of those a message is for that it is unread. All must be in
// the conversation: for whom it is not, it stays a void for ever.
func (b *batch) whisper(c *Conversation, sender UserID, only []UserID, seq Seq) {
	for _, u := range only {
		if u == sender {
			continue
		}
		m := b.rows.Members[MemberKey{c.ID, u}]
		d := m.details()
		d.Whispers = append(m.unreadWhispers(), seq)
		if n := len(d.Whispers); n > maxWhispers {
			d.Whispers = d.Whispers[n-maxWhispers:]
		}
		m.setDetails(d)
		b.putMember(m)
	}
}

// unreadWhispers answers a new slice of those above the read position.
func (m *Member) unreadWhispers() []Seq {
	if m.Details == nil {
		return nil
	}
	var unread []Seq
	for _, seq := range m.Details.Whispers {
		if seq > m.ReadSeq && !m.hides(seq) {
			unread = append(unread, seq)
		}
	}
	return unread
}
