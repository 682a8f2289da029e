package api

import (
	"context"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) roomRows() []*Method {
	return []*Method{
		row(Method{
			Name: "rooms.join", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead, Live: true,
			Doc: "This session is in the room until it leaves or ends. Guests are in the lobby from the start.",
		}, m.roomsJoin),
		row(Method{
			Name: "rooms.leave", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead, Live: true,
			Doc: "This session is out of the room.",
		}, func(_ context.Context, c Caller, p *wire.RoomParams) (wire.Empty, error) {
			return wire.Empty{}, c.LeaveRoom(chat.ConversationID(p.Room))
		}),
	}
}

func (m methods) roomsJoin(ctx context.Context, c Caller, p *wire.RoomParams) (wire.RoomResult, error) {
	return c.JoinRoom(ctx, chat.ConversationID(p.Room))
}
