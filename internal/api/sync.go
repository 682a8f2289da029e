package api

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) syncRows() []*Method {
	return []*Method{
		row(Method{
			Name: "sync", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "What changed for the caller since a cursor, newest first, in pages. The new cursor comes with the last page.",
		}, m.sync),
	}
}

func (m methods) sync(ctx context.Context, c Caller, p *wire.SyncParams) (wire.SyncResult, error) {
	limit, err := pageLimit(p.Limit, 100)
	if err != nil {
		return wire.SyncResult{}, err
	}
	if p.Cursor != "" && p.Page != "" {
		return wire.SyncResult{}, paramErrorf("page", "at most one of cursor and page")
	}
	s, err := m.chat.Sync(ctx, actor(c), p.Cursor, p.Page, limit)
	if err != nil {
		return wire.SyncResult{}, err
	}
	out := wire.SyncResult{
		Epoch: m.chat.Epoch(), Reset: s.Reset, Page: s.Page, Cursor: s.Cursor,
		Conversations: conversations(s.Conversations, actor(c).User),
	}
	for _, it := range s.Items {
		out.Items = append(out.Items, wire.Item{Kind: string(it.Kind), Key: it.Key, Body: jsontext.Value(it.Body)})
	}
	if s.User != nil {
		u := User(*s.User)
		out.User = &u
	}
	return out, nil
}
