package api

import (
	"context"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

// changeRows are what is done to messages that are there.
func (m methods) changeRows() []*Method {
	return []*Method{
		row(Method{
			Name: "messages.edit", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeSend,
			Doc: "Gives a message another content; its sender may, for a time. The event edited targets it.",
		}, m.messagesEdit),
		row(Method{
			Name: "messages.versions", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "What an edited message was before. Who may read the message may.",
		}, m.messagesVersions),
		row(Method{
			Name: "messages.recall", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeModerate,
			Doc: "Takes a message back: its sender may, for a time, and a group's owner and admins always. " +
				"It is a void from then on, its content and earlier versions are erased, and the event recalled targets it.",
		}, m.messagesRecall),
	}
}

// messageCall checks what every call that changes a message has.
func messageCall(conversation string, seq int64, client string) (chat.MessageCall, error) {
	gc, err := groupCall(conversation, client)
	if err != nil {
		return chat.MessageCall{}, err
	}
	n, err := seqOf("seq", &seq)
	if err != nil {
		return chat.MessageCall{}, err
	}
	return chat.MessageCall{GroupCall: gc, Seq: *n}, nil
}

func (m methods) messagesEdit(ctx context.Context, c Caller, p *wire.EditParams) (wire.Place, error) {
	mc, err := messageCall(p.Conversation, p.Seq, p.ClientID)
	if err != nil {
		return wire.Place{}, err
	}
	content, err := checkEdit(p.Content)
	if err != nil {
		return wire.Place{}, err
	}
	place, err := m.chat.Edit(ctx, actor(c), mc, json.RawMessage(content))
	return Place(place), err
}

func (m methods) messagesVersions(ctx context.Context, c Caller, p *wire.MessageParams) (wire.VersionsResult, error) {
	key, err := eventKey(p.Conversation, p.Seq)
	if err != nil {
		return wire.VersionsResult{}, err
	}
	list, err := m.chat.Versions(ctx, actor(c), key)
	if err != nil {
		return wire.VersionsResult{}, err
	}
	out := wire.VersionsResult{Versions: make([]wire.Version, len(list))}
	for i, v := range list {
		out.Versions[i] = wire.Version{Time: wire.FormatTime(v.Time), Content: jsontext.Value(v.Content)}
	}
	return out, nil
}

func (m methods) messagesRecall(ctx context.Context, c Caller, p *wire.MessageCallParams) (wire.Place, error) {
	mc, err := messageCall(p.Conversation, p.Seq, p.ClientID)
	if err != nil {
		return wire.Place{}, err
	}
	place, err := m.chat.Recall(ctx, actor(c), mc)
	return Place(place), err
}
