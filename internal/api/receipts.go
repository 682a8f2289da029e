package api

import (
	"context"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) receiptRows() []*Method {
	return []*Method{
		row(Method{
			Name: "receipts.list", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Who has read a message, or has not: those who were there when it was said and still are, but for its sender and " +
				"who has receipts off, who may not ask either.",
		}, m.receiptsList),
		row(Method{
			Name: "receipts.count", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "By how many a message was read, of how many. In groups above 1,000 the answer may be ten seconds old.",
		}, m.receiptsCount),
	}
}

func (m methods) receiptsList(ctx context.Context, c Caller, p *wire.ReceiptsParams) (wire.ReceiptsResult, error) {
	limit, err := pageLimit(p.Limit, 100)
	if err != nil {
		return wire.ReceiptsResult{}, err
	}
	seq, err := seqOf("seq", &p.Seq)
	if err != nil {
		return wire.ReceiptsResult{}, err
	}
	list, next, err := m.chat.Receipts(ctx, actor(c), chat.ReceiptsPage{
		Conversation: chat.ConversationID(p.Conversation), Seq: *seq, Read: p.Read == nil || *p.Read,
		After: chat.UserID(p.After), Limit: limit,
	})
	if err != nil {
		return wire.ReceiptsResult{}, err
	}
	out := wire.ReceiptsResult{Users: make([]wire.Receipt, len(list)), Next: string(next)}
	for i := range list {
		out.Users[i] = wire.Receipt{User: string(list[i].User), ReadSeq: int64(list[i].ReadSeq)}
	}
	return out, nil
}

func (m methods) receiptsCount(ctx context.Context, c Caller, p *wire.ReceiptsCountParams) (wire.ReceiptsCountResult, error) {
	seq, err := seqOf("seq", &p.Seq)
	if err != nil {
		return wire.ReceiptsCountResult{}, err
	}
	n, err := m.chat.CountReceipts(ctx, actor(c), chat.ConversationID(p.Conversation), *seq)
	return wire.ReceiptsCountResult{Read: n.Read, Of: n.Of}, err
}
