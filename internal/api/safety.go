package api

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) safetyRows() []*Method {
	return []*Method{
		row(Method{
			Name: "reports.create", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeSend,
			Doc: "Reports a user, or a message that the caller can read, to the operator's side. The message is kept as it is now, whatever becomes of it.",
		}, m.reportsCreate),
		row(Method{
			Name: "reports.list", Access: Servers, Repeat: ByNature, Scope: chat.ScopeModerate,
			Doc: "The reports that nobody has looked at, or those that somebody has, the oldest first.",
		}, m.reportsList),
		row(Method{
			Name: "reports.resolve", Access: Servers, Repeat: ByNature, Scope: chat.ScopeModerate,
			Doc: "Says what came of a report. It is kept for 180 days then.",
		}, m.reportsResolve),
		row(Method{
			Name: "account.delete", Access: Users, Repeat: ByNature, Scope: chat.ScopeManage,
			Doc: "Deletes the caller's account: it is signed out everywhere, its profile and own items are erased, it leaves its groups. Its id is nobody's for 30 days.",
		}, m.accountDelete),
	}
}

func (m methods) reportsCreate(ctx context.Context, c Caller, p *wire.ReportsCreateParams) (wire.ReportsCreateResult, error) {
	key, err := clientID(p.ClientID)
	if err != nil {
		return wire.ReportsCreateResult{}, err
	}
	seq, err := seqOf("seq", &p.Seq)
	if err != nil {
		return wire.ReportsCreateResult{}, err
	}
	id, err := m.chat.Report(ctx, actor(c), chat.NewReport{
		Key: key, User: chat.UserID(p.User), Reason: p.Reason, Text: p.Text,
		Target: chat.EventKey{Conversation: chat.ConversationID(p.Conversation), Seq: *seq},
	})
	return wire.ReportsCreateResult{Report: id}, err
}

func (m methods) reportsList(ctx context.Context, _ Caller, p *wire.ReportsListParams) (wire.ReportsResult, error) {
	limit, err := pageLimit(p.Limit, 100)
	if err != nil {
		return wire.ReportsResult{}, err
	}
	if p.State != "" && p.State != "open" && p.State != "resolved" {
		return wire.ReportsResult{}, paramErrorf("state", "state: open or resolved")
	}
	list, more, err := m.chat.Reports(ctx, p.State != "resolved", p.After, limit)
	out := wire.ReportsResult{Reports: make([]wire.Report, len(list)), More: more}
	for i := range list {
		out.Reports[i] = report(&list[i])
	}
	return out, err
}

func report(r *chat.Report) wire.Report {
	out := wire.Report{
		ID: r.ID, From: string(r.From), Time: wire.FormatTime(r.Time), User: string(r.User),
		Conversation: string(r.Conversation), Seq: int64(r.Seq), Reason: r.Reason, Text: r.Text,
		Event: jsontext.Value(r.Event), Outcome: r.Outcome, Note: r.Note, By: string(r.By),
	}
	if !r.Closed.IsZero() {
		out.ResolvedAt = wire.FormatTime(r.Closed)
	}
	return out
}

func (m methods) reportsResolve(ctx context.Context, c Caller, p *wire.ReportsResolveParams) (wire.Empty, error) {
	return wire.Empty{}, m.chat.ResolveReport(ctx, actor(c), p.Report, p.Outcome, p.Note)
}

func (m methods) accountDelete(ctx context.Context, c Caller, p *wire.AccountDeleteParams) (wire.Empty, error) {
	if p.Confirm != string(actor(c).User) {
		return wire.Empty{}, paramErrorf("confirm", "confirm: the id of the user whose account is to be deleted")
	}
	if p.Messages != "" && p.Messages != "keep" && p.Messages != "purge" {
		return wire.Empty{}, paramErrorf("messages", "messages: keep or purge")
	}
	return wire.Empty{}, c.Signed().DeleteAccount(ctx, p.Messages == "purge")
}
