package chat

import (
	"context"
	"encoding/json"
	"time"
)

const draftKind ItemKind = "draft" // own, by the conversation

// maxDraft is the longest draft, in bytes.
const maxDraft = 8 << 10

type draftBody struct {
	Content json.RawMessage `json:"content"`
	Time    stamp           `json:"time"`
}

// SetDraft keeps what the caller has begun to write in a conversation for its other
// devices; nil content is none. at is when the device knew it: the latest one stays, and
// false is answered to an older one. A message of the caller's there ends it.
func (s *Service) SetDraft(ctx context.Context, a Actor, id ConversationID, content json.RawMessage, at time.Time) (kept bool, err error) {
	if len(content) > maxDraft {
		return false, invalid("content", "content: at most %d bytes in a draft", maxDraft)
	}
	_, err = s.await(ctx, &operation{
		keys: func(k *Keys) { standKeys(k, a.User, id) },
		decide: func(b *batch) (Place, error) {
			_, m, err := s.ownMember(b, a, id)
			if err != nil {
				return Place{}, err
			}
			at := at.UTC().Truncate(time.Millisecond)
			if at.IsZero() || at.After(b.now) {
				at = b.now // a clock that is ahead does not win for ever
			}
			d := m.details()
			if kept = !at.Before(d.DraftAt); !kept || content == nil && !d.Draft {
				return Place{}, nil
			}
			b.putDraft(m, content, at)
			return Place{}, nil
		},
	})
	return kept, err
}

// putDraft gives m's conversation another draft, nil for none, and puts m.
func (b *batch) putDraft(m *Member, content json.RawMessage, at time.Time) {
	it := b.keepDraft(m, content, at)
	b.notifyItem(m.User, it.Kind, it.Key, it.Body)
}

// keepDraft is putDraft where the user's sessions are told by something else.
func (b *batch) keepDraft(m *Member, content json.RawMessage, at time.Time) *Item {
	d := m.details()
	d.Draft, d.DraftAt = content != nil, at
	m.setDetails(d)
	b.putMember(m)
	var body json.RawMessage
	if content != nil {
		body = mustJSON(draftBody{content, stamp{at}})
	}
	it := &Item{ItemKey: ItemKey{UserHolder(m.User), draftKind, string(m.Conversation)}, Body: body}
	b.putItem(it)
	return it
}
