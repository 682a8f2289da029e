package api

import (
	"context"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) sessionRows() []*Method {
	return []*Method{
		row(Method{
			Name: "session.open", Access: Anybody, Repeat: ByNature, Scope: chat.ScopeNone,
			Doc: "Signs in, with a token or as a guest. From its answer on the session is told what its user may see.",
		}, func(ctx context.Context, c Caller, p *wire.OpenParams) (wire.OpenResult, error) {
			return c.Open(ctx, p)
		}),
		row(Method{
			Name: "session.close", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeNone, Live: true,
			Doc: "Ends the session; the answer is the connection's last frame. Calls sent behind it are not run.",
		}, func(_ context.Context, c Caller, _ *wire.Empty) (wire.Empty, error) {
			return wire.Empty{}, c.CloseSession()
		}),
		row(Method{
			Name: "session.ack", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeNone, Notify: true, Live: true,
			Doc: "Says that a cursor, of a checkpoint or of sync, and all before it, is kept on the device. Others are told by the notification delivered, in direct conversations and groups of up to 100.",
		}, func(_ context.Context, c Caller, p *wire.AckParams) (wire.Empty, error) {
			return wire.Empty{}, c.Ack(p.Cursor)
		}),
		row(Method{
			Name: "ping", Access: Anybody, Repeat: ByNature, Scope: chat.ScopeNone, Notify: true,
			Doc: "Is answered at once: proof that the connection lives. Any traffic counts as a heartbeat.",
		}, func(context.Context, Caller, *wire.Empty) (wire.Empty, error) { return wire.Empty{}, nil }),
		row(Method{
			Name: "sessions.list", Access: Users, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Where the caller is connected now, and the devices it has signed in on.",
		}, func(ctx context.Context, c Caller, _ *wire.Empty) (wire.SessionsResult, error) {
			return c.Signed().Sessions(ctx)
		}),
		row(Method{
			Name: "sessions.revoke", Access: Users, Repeat: ByNature, Scope: chat.ScopeManage,
			Doc: "Signs a live session of the caller out: its connection closes, its token is refused from now on, on every device.",
		}, func(ctx context.Context, c Caller, p *wire.SessionParams) (wire.RevokeResult, error) {
			return c.Signed().RevokeSession(ctx, p.Session)
		}),
		row(Method{
			Name: "devices.revoke", Access: Users, Repeat: ByNature, Scope: chat.ScopeManage,
			Doc: "Signs a device of the caller out, connected or not: its sessions close, and tokens made up to now are refused on it.",
		}, func(ctx context.Context, c Caller, p *wire.DeviceParams) (wire.RevokeResult, error) {
			return c.Signed().RevokeDevice(ctx, p.Device)
		}),
		row(Method{
			Name: "sessions.revoke_others", Access: Users, Repeat: ByNature, Scope: chat.ScopeManage,
			Doc: "Signs the caller out everywhere but here: all its other sessions close, and every token made up to now is refused but the one in use here.",
		}, func(ctx context.Context, c Caller, _ *wire.Empty) (wire.RevokeResult, error) {
			return c.Signed().RevokeOthers(ctx)
		}),
	}
}
