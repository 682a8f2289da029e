package api

import (
	"context"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) broadcastRows() []*Method {
	return []*Method{
		row(Method{
			Name: "broadcasts.create", Access: Servers, Repeat: ByClientID, Scope: chat.ScopeSend,
			Doc: "Begins to send a direct message from one account to every known user, or to every user with a tag. It is sent in the background, " +
				"goes on after a restart of the server, and nobody gets it twice.",
		}, m.broadcastsCreate),
		row(Method{
			Name: "broadcasts.get", Access: Servers, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "A broadcast, and how far it is.",
		}, func(ctx context.Context, _ Caller, p *wire.BroadcastParams) (wire.Broadcast, error) {
			bc, err := m.chat.Broadcast(ctx, p.ID)
			return broadcast(bc), err
		}),
		row(Method{
			Name: "broadcasts.list", Access: Servers, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Broadcasts, newest first. Those that ended more than 30 days ago are forgotten.",
		}, m.broadcastsList),
		row(Method{
			Name: "broadcasts.cancel", Access: Servers, Repeat: ByNature, Scope: chat.ScopeSend,
			Doc: "Ends a broadcast where it is. What was sent is sent.",
		}, func(ctx context.Context, _ Caller, p *wire.BroadcastParams) (wire.Broadcast, error) {
			bc, err := m.chat.CancelBroadcast(ctx, p.ID)
			return broadcast(bc), err
		}),
	}
}

func (m methods) broadcastsCreate(ctx context.Context, _ Caller, p *wire.BroadcastCreateParams) (wire.Broadcast, error) {
	key, err := clientID(p.ClientID)
	if err != nil {
		return wire.Broadcast{}, err
	}
	if p.To.All == (p.To.Tag != "") {
		return wire.Broadcast{}, paramErrorf("to", "to: either all or a tag")
	}
	content, err := checkContent(p.Content)
	if err != nil {
		return wire.Broadcast{}, err
	}
	bc, err := m.chat.CreateBroadcast(ctx, chat.NewBroadcast{
		Key: key, From: chat.UserID(p.From), Tag: p.To.Tag, Content: json.RawMessage(content),
	})
	return broadcast(bc), err
}

func (m methods) broadcastsList(ctx context.Context, _ Caller, p *wire.BroadcastsParams) (wire.BroadcastsResult, error) {
	limit, err := pageLimit(p.Limit, 50)
	if err != nil {
		return wire.BroadcastsResult{}, err
	}
	list, more, err := m.chat.Broadcasts(ctx, p.After, limit)
	out := wire.BroadcastsResult{Broadcasts: make([]wire.Broadcast, len(list)), More: more}
	for i, bc := range list {
		out.Broadcasts[i] = broadcast(bc)
	}
	return out, err
}

// broadcast gives a broadcast its wire form.
func broadcast(bc chat.Broadcast) wire.Broadcast {
	out := wire.Broadcast{
		ID: bc.ID, From: string(bc.From), To: wire.BroadcastTo{All: bc.Tag == "", Tag: bc.Tag}, Content: jsontext.Value(bc.Content),
		State: string(bc.State), Time: wire.FormatTime(bc.Time), Sent: bc.Sent, Refused: bc.Refused,
	}
	if !bc.Ended.IsZero() {
		out.Ended = wire.FormatTime(bc.Ended)
	}
	return out
}
