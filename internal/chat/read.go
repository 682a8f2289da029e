package chat

import (
	"context"
	"encoding/json"
)

// MarkRead moves the caller's read position up to seq, or to the head if that is
// lower; it never moves back. It answers where it stands and what is unread then.
// Rooms keep no positions.
func (s *Service) MarkRead(ctx context.Context, a Actor, id ConversationID, seq Seq) (read Seq, left int64, err error) {
	if seq < 0 {
		return 0, 0, invalid("seq", "seq: not below 0")
	}
	// A caller that does not wait is to hear what became of the operation, not of this look.
	off, err := s.receiptsOff(context.WithoutCancel(ctx), a.User)
	if err != nil {
		return 0, 0, err
	}
	key := MemberKey{id, a.User}
	// Written by the committer, and not to be looked at unless it has answered.
	var position Seq
	var unreadLeft int64
	var notice *Notice
	_, err = s.await(ctx, &operation{
		keys: func(k *Keys) {
			standKeys(k, a.User, id)
			k.Tallies = append(k.Tallies, TallyKey{key, seq})
		},
		decide: func(b *batch) (Place, error) {
			notice = nil
			c, m := b.rows.Conversations[id], b.rows.Members[key]
			if c == nil || !s.MaySee(a.User, c.Kind) || c.Kind != Room && c.Kind != Thread && m == nil {
				return Place{}, notFound()
			}
			if c.Kind == Thread {
				if _, _, _, err := s.standing(b, a, id); err != nil {
					return Place{}, err
				}
				if !joined(m) {
					return Place{}, forbidden("who does not follow a thread has no read position in it")
				}
			}
			if c.Kind == Room {
				return Place{}, forbidden("rooms keep no read positions")
			}
			// The tally was taken before the batch's own events: the caller cannot have read those.
			tally := b.rows.Tallies[TallyKey{key, seq}]
			if joined(m) && tally.Seq > m.ReadSeq {
				m.ReadSeq, m.ReadCount, m.ReadSent = tally.Seq, tally.Count, tally.Mine
				if m.Details != nil && m.Details.Whispers != nil {
					d := m.details()
					d.Whispers = m.unreadWhispers()
					m.setDetails(d)
				}
				b.setMarks(m, m.marks())
				b.putMember(m)
				if home := b.rows.Conversations[id.home()]; c.Members <= smallConversation && home.Kind != Channel && !home.Apart() && !off[a.User] {
					c.Rev++
					b.conversations.add(c)
				}
				notice = readNotice(c, a.User, m.ReadSeq)
			}
			if joined(m) && b.unmark(m) {
				b.putMember(m)
			}
			position, unreadLeft = m.ReadSeq, unread(c, m)
			return Place{}, nil
		},
	})
	if err != nil {
		return 0, 0, err
	}
	if notice != nil {
		if err := s.tellPosition(ctx, &notice.Conversation, a.User, notice); err == nil { // else it is lost, as notices may be
			s.bus.Notify(*notice)
		}
	}
	return position, unreadLeft, nil
}

// smallConversation is up to how many members a conversation tells them of each other's read positions.
const smallConversation = 100

// readNotice tells that u has read up to seq; tellPosition says whom.
func readNotice(c *Conversation, u UserID, seq Seq) *Notice {
	params, err := json.Marshal(struct {
		Conversation ConversationID `json:"conversation"`
		User         UserID         `json:"user"`
		ReadSeq      Seq            `json:"read_seq"`
	}{c.ID, u, seq})
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return &Notice{Conversation: *c, Method: "read", Params: params}
}
