package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

const (
	// maxForwarded is how many messages one forward holds.
	maxForwarded = 100
	// maxForwardBytes is the longest content of one.
	maxForwardBytes = 48 << 10
	// maxForwardDepth is how many forwards may be in each other.
	maxForwardDepth = 2
)

// Forward is messages to be sent on.
type Forward struct {
	Send   // where to, under which client_id; the rest of it is not looked at
	From   ConversationID
	Seqs   []Seq
	Merged bool   // as one message that holds them; else there is one, and it is copied
	Title  string // of a merged one
}

// forwarded is a message in a merged forward.
type forwarded struct {
	From    UserID          `json:"from"`
	Name    string          `json:"name,omitempty"`
	Time    string          `json:"time"`
	Content json.RawMessage `json:"content"`
}

// Forward sends messages on that the caller may read, as they are now. Whom they name is not
// told of it.
func (s *Service) Forward(ctx context.Context, a Actor, f Forward) (Place, error) {
	switch {
	case len(f.Seqs) == 0 || len(f.Seqs) > maxForwarded:
		return Place{}, invalid("seqs", "seqs: 1 to %d messages", maxForwarded)
	case !f.Merged && (len(f.Seqs) != 1 || f.Title != ""):
		return Place{}, invalid("seqs", "seqs: one message, or merged: true and any title")
	}
	m := f.Send
	m.Once, m.Only, m.ReplyTo, m.Values = true, nil, 0, nil
	var readErr error // told once it is known that this is no repetition
	m.Content, readErr = s.forwardContent(ctx, a, &f)
	op, err := s.newSend(a, m)
	if err != nil {
		return Place{}, err
	}
	// Repeated, it is the same call though the messages may be others by then.
	op.call = newCall(a.User, m.Key, "messages.forward", string(op.id), string(f.From), fmt.Sprint(f.Seqs), fmt.Sprint(f.Merged), f.Title)
	return s.await(ctx, &operation{keys: op.keys, decide: func(b *batch) (Place, error) {
		if readErr != nil {
			if p, found, err := b.recall(op.call.key, op.call.hash); found {
				return p, err
			}
			return Place{}, readErr
		}
		return op.decide(b)
	}})
}

// forwardContent makes the content of what is forwarded.
func (s *Service) forwardContent(ctx context.Context, a Actor, f *Forward) (json.RawMessage, error) {
	items := make([]forwarded, len(f.Seqs))
	users := make([]UserID, len(f.Seqs))
	for i, seq := range f.Seqs {
		e, err := s.readMessage(ctx, a, EventKey{f.From, seq})
		if err != nil {
			return nil, err
		}
		if e.Burn != 0 {
			return nil, forbidden("a message that burns is not sent on: the copy would stay")
		}
		users[i] = e.From
		items[i] = forwarded{From: e.From, Time: string(AppendTime(nil, e.Time)), Content: withoutMentions(e.Content)}
	}
	if !f.Merged {
		return items[0].Content, nil
	}
	profiles, err := s.Users(ctx, users)
	if err != nil {
		return nil, err
	}
	for i := range items {
		if items[i].Name = profiles[i].Name; items[i].Name == string(items[i].From) {
			items[i].Name = ""
		}
		if forwardDepth(items[i].Content) >= maxForwardDepth {
			return nil, invalid("seqs", "seqs: forwards are in each other at most %d deep", maxForwardDepth)
		}
	}
	text := f.Title
	if text == "" {
		text = fmt.Sprintf("%d messages", len(items))
	}
	content := mustJSON(struct {
		Type  string      `json:"type"`
		Text  string      `json:"text"`
		Title string      `json:"title,omitempty"`
		Items []forwarded `json:"items"`
	}{"forward", text, f.Title, items})
	if len(content) > maxForwardBytes {
		return nil, invalid("seqs", "seqs: these messages are %d bytes together, more than the %d of one", len(content), maxForwardBytes)
	}
	return content, nil
}

// withoutMentions leaves out of a content whom it names: who forwards it does not mean them.
func withoutMentions(content json.RawMessage) json.RawMessage {
	if !strings.Contains(string(content), `"mentions"`) {
		return content
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(content, &fields) != nil {
		return content
	}
	delete(fields, "mentions")
	return mustJSON(fields)
}

// forwardDepth is how many forwards are in each other in a content.
func forwardDepth(content json.RawMessage) int {
	var c struct {
		Type  string      `json:"type"`
		Items []forwarded `json:"items"`
	}
	if json.Unmarshal(content, &c) != nil || c.Type != "forward" {
		return 0
	}
	deepest := 0
	for _, it := range c.Items {
		deepest = max(deepest, forwardDepth(it.Content))
	}
	return deepest + 1
}
