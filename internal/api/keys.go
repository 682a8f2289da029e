package api

import (
	"context"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) keyRows() []*Method {
	return []*Method{
		row(Method{
			Name: "keys.create", Access: Servers, Repeat: ByClientID, Scope: chat.ScopeAdmin,
			Doc: "Makes a server key. Its text is told this once; there are at most 100.",
		}, m.keysCreate),
		row(Method{
			Name: "keys.list", Access: Servers, Repeat: ByNature, Scope: chat.ScopeAdmin,
			Doc: "The server keys there are, and when each was last used.",
		}, m.keysList),
		row(Method{
			Name: "keys.revoke", Access: Servers, Repeat: ByNature, Scope: chat.ScopeAdmin,
			Doc: "Revokes a server key: it is refused at once, and its live sessions close within seconds.",
		}, m.keysRevoke),
	}
}

func (m methods) keysCreate(ctx context.Context, _ Caller, p *wire.KeysCreateParams) (wire.KeysCreateResult, error) {
	id, err := clientID(p.ClientID)
	if err != nil {
		return wire.KeysCreateResult{}, err
	}
	life, err := lifetime("ttl_ms", p.TTLMS)
	if err != nil {
		return wire.KeysCreateResult{}, err
	}
	scopes := make([]chat.Scope, len(p.Scopes))
	for i, s := range p.Scopes {
		scopes[i] = chat.Scope(s)
	}
	key, secret, err := m.chat.CreateKey(ctx, chat.NewKey{Key: id, Name: p.Name, Scopes: scopes, Time: life})
	if err != nil {
		return wire.KeysCreateResult{}, err
	}
	return wire.KeysCreateResult{Key: serverKey(key), Secret: secret}, nil
}

// lifetime reads milliseconds; what is too many to count is as long as can be.
func lifetime(param string, ms int64) (time.Duration, error) {
	const most = int64(1<<63-1) / int64(time.Millisecond)
	if ms < 0 || ms > most {
		return 0, paramErrorf(param, "%s: milliseconds, not below 0 and not that many", param)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

func (m methods) keysList(ctx context.Context, _ Caller, _ *wire.Empty) (wire.KeysResult, error) {
	list, err := m.chat.Keys(ctx)
	out := wire.KeysResult{Keys: make([]wire.ServerKey, len(list))}
	for i, k := range list {
		out.Keys[i] = serverKey(k)
	}
	return out, err
}

func (m methods) keysRevoke(ctx context.Context, _ Caller, p *wire.KeysRevokeParams) (wire.Empty, error) {
	return wire.Empty{}, m.chat.RevokeKey(ctx, p.Key)
}

func serverKey(k chat.Key) wire.ServerKey {
	out := wire.ServerKey{ID: k.ID, Name: k.Name, Created: wire.FormatTime(k.Created)}
	for _, s := range k.Scopes {
		out.Scopes = append(out.Scopes, string(s))
	}
	if !k.Expires.IsZero() {
		out.Expires = wire.FormatTime(k.Expires)
	}
	if !k.Used.IsZero() {
		out.Used = wire.FormatTime(k.Used)
	}
	return out
}
