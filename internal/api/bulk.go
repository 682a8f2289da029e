package api

import (
	"context"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

const (
	// maxBulk is the most items of one bulk call.
	maxBulk = 1000
	// usualTokenTime and maxTokenTime are how long a token of tokens.create is good.
	usualTokenTime = 24 * time.Hour
	maxTokenTime   = 30 * 24 * time.Hour
)

func (m methods) bulkRows() []*Method {
	return []*Method{
		row(Method{
			Name: "users.import", Access: Servers, Repeat: ByNature, Scope: chat.ScopeManage,
			Doc: "Sets the profiles of up to 1,000 users, known or not: all that are right, in one commit, with a result for each.",
		}, m.usersImport),
		row(Method{
			Name: "messages.send_batch", Access: Servers, Repeat: ByEach, Scope: chat.ScopeSend,
			Doc: "Sends up to 1,000 messages of any users, in their order, in one commit if it can, with a result for each. " +
				"Each has its own client_id: repeat the whole batch, and what was stored is answered.",
		}, m.messagesSendBatch),
		row(Method{
			Name: "tokens.create", Access: Servers, Repeat: ByNature, Scope: chat.ScopeAdmin,
			Doc: "Makes a token for a user, which an app signs in with: for back ends that sign none themselves.",
		}, m.tokensCreate),
	}
}

// bulk checks the number of a bulk call's items against what a call may have, and against
// the key's rate: each of them counts.
func (m methods) bulk(c Caller, param string, n int) error {
	if n == 0 || n > maxBulk {
		return paramErrorf(param, "%s: 1 to %d of them", param, maxBulk)
	}
	return m.chat.KeyUsed(actor(c), n-1) // the call itself counted already
}

func fault(err error) *wire.Fault {
	e := Error(err)
	return &wire.Fault{
		Code: string(e.Code), Message: e.Message, Outcome: string(e.Outcome), Param: e.Param,
		RetryAfterMS: e.RetryAfter.Milliseconds(), First: e.First,
	}
}

func (m methods) usersImport(ctx context.Context, c Caller, p *wire.UsersImportParams) (wire.UsersImportResult, error) {
	if err := m.bulk(c, "users", len(p.Users)); err != nil {
		return wire.UsersImportResult{}, err
	}
	list := make([]chat.Import, len(p.Users))
	for i, u := range p.Users {
		list[i] = chat.Import{User: chat.UserID(u.ID), ProfileChange: profileChange(&u.UsersUpdateParams)}
	}
	errs, err := m.chat.ImportUsers(ctx, list)
	if err != nil {
		return wire.UsersImportResult{}, err
	}
	out := wire.UsersImportResult{Results: make([]wire.UserImported, len(errs))}
	for i, err := range errs {
		out.Results[i].ID = p.Users[i].ID
		if err != nil {
			out.Results[i].Error = fault(err)
			out.Failed++
		}
	}
	return out, nil
}

func (m methods) messagesSendBatch(ctx context.Context, c Caller, p *wire.SendBatchParams) (wire.SendBatchResult, error) {
	if err := m.bulk(c, "messages", len(p.Messages)); err != nil {
		return wire.SendBatchResult{}, err
	}
	out := wire.SendBatchResult{Results: make([]wire.BatchSent, len(p.Messages))}
	refuse := func(i int, err error) {
		out.Results[i].Error = fault(err)
		out.Failed++
	}
	var list []chat.SendAs
	var places []int // of the list's items among the results
	for i := range p.Messages {
		msg := &p.Messages[i]
		out.Results[i].ClientID = msg.ClientID
		send, err := sendAs(actor(c).User, msg)
		if err != nil {
			refuse(i, err)
			continue
		}
		list, places = append(list, send), append(places, i)
	}
	for n, sent := range m.chat.SendMany(ctx, actor(c), list) {
		i := places[n]
		if sent.Err != nil {
			refuse(i, sent.Err)
			continue
		}
		place := Place(sent.Place)
		out.Results[i].Place = &place
	}
	return out, nil
}

// sendAs reads one message of a batch.
func sendAs(user chat.UserID, msg *wire.BatchMessage) (chat.SendAs, error) {
	from := user
	if msg.From != "" {
		from = chat.UserID(msg.From)
	}
	if from == "" || from.IsGuest() || chat.CheckUserID(from) != nil {
		return chat.SendAs{}, paramErrorf("from", "from: a user id, and no guest's")
	}
	send, err := sendOf(&msg.SendParams)
	return chat.SendAs{From: from, Send: send}, err
}

func (m methods) tokensCreate(ctx context.Context, c Caller, p *wire.TokensCreateParams) (wire.TokensCreateResult, error) {
	life, err := lifetime("ttl_ms", p.TTLMS)
	switch {
	case err != nil:
		return wire.TokensCreateResult{}, err
	case life > maxTokenTime:
		return wire.TokensCreateResult{}, paramErrorf("ttl_ms", "ttl_ms: at most %d days", maxTokenTime/(24*time.Hour))
	case life == 0:
		life = usualTokenTime
	}
	user := chat.UserID(p.User)
	if err := chat.CheckUserID(user); err != nil || user.IsGuest() {
		return wire.TokensCreateResult{}, paramErrorf("user", "user: a user id, and no guest's")
	}
	if p.Name != "" {
		if err := chat.CheckName(p.Name); err != nil {
			return wire.TokensCreateResult{}, err
		}
	}
	if _, err := m.chat.Admitted(ctx, user); err != nil {
		return wire.TokensCreateResult{}, err
	}
	token, expires, err := c.SignToken(user, p.Name, life)
	return wire.TokensCreateResult{Token: token, Expires: wire.FormatTime(expires)}, err
}
