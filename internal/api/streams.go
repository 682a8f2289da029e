package api

import (
	"context"
	"encoding/json"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) streamRows() []*Method {
	return []*Method{
		row(Method{
			Name: "streams.open", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeSend,
			Doc: "Sends a message that grows while it is written, by an AI for example. What is appended is told by the notification stream. " +
				"Silent for a minute, it is finished as interrupted; it is open for 30 minutes at most and has at most 131,072 bytes.",
		}, m.streamsOpen),
		row(Method{
			Name: "streams.append", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeSend,
			Doc: "Adds text to a streamed message, at an offset. It is answered at once; what is on disk is in the answer. " +
				"After a restart go on from offset of an answer or from the message as messages.list has it.",
		}, m.streamsAppend),
		row(Method{
			Name: "streams.finish", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeSend,
			Doc: "Ends a streamed message: it is whole, and logged as an event of kind finished that targets it.",
		}, m.streamsFinish),
	}
}

func (m methods) streamsOpen(ctx context.Context, c Caller, p *wire.StreamOpenParams) (wire.Place, error) {
	if err := checkTo(p.To); err != nil {
		return wire.Place{}, err
	}
	key, err := clientID(p.ClientID)
	if err != nil {
		return wire.Place{}, err
	}
	if p.Type != "text" && p.Type != "markdown" {
		return wire.Place{}, paramErrorf("type", "type: text or markdown")
	}
	content, err := json.Marshal(struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}{p.Type, p.Text})
	if err != nil {
		return wire.Place{}, err
	}
	if len(content) > MaxContent {
		return wire.Place{}, wire.Errorf(wire.CodeTooLarge, "text: begin with at most %d bytes, and append", MaxContent)
	}
	place, err := m.chat.OpenStream(ctx, actor(c), chat.Send{
		ToUser: chat.UserID(p.To.User), Conversation: chat.ConversationID(p.To.Conversation),
		ClientID: p.ClientID, Key: key, Content: content,
	})
	return Place(place), err
}

func eventKey(conversation string, seq int64) (chat.EventKey, error) {
	n, err := seqOf("seq", &seq)
	if err != nil {
		return chat.EventKey{}, err
	}
	return chat.EventKey{Conversation: chat.ConversationID(conversation), Seq: *n}, nil
}

func (m methods) streamsAppend(ctx context.Context, c Caller, p *wire.StreamAppendParams) (wire.StreamAppendResult, error) {
	key, err := eventKey(p.Conversation, p.Seq)
	if err != nil {
		return wire.StreamAppendResult{}, err
	}
	st, err := m.chat.AppendStream(ctx, actor(c), key, p.Offset, p.Text)
	return wire.StreamAppendResult{Offset: st.Offset, Durable: st.Durable}, err
}

func (m methods) streamsFinish(ctx context.Context, c Caller, p *wire.StreamFinishParams) (wire.Place, error) {
	key, err := eventKey(p.Conversation, p.Seq)
	if err != nil {
		return wire.Place{}, err
	}
	id, err := clientID(p.ClientID)
	if err != nil {
		return wire.Place{}, err
	}
	place, err := m.chat.FinishStream(ctx, actor(c), key, id, p.ClientID)
	return Place(place), err
}
