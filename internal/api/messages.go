package api

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) messageRows() []*Method {
	return []*Method{
		laterRow(Method{
			Name: "messages.send", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeSend,
			Doc: "Sends a message. The answer comes when it is on disk, with its seq. " +
				"One caller's sends into a conversation are stored in the order they came.",
		}, m.messagesSend),
		row(Method{
			Name: "messages.list", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Events of a conversation in seq order, as they are now. The newest when neither after_seq nor before_seq is given.",
		}, m.messagesList),
		row(Method{
			Name: "messages.read", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeSend,
			Doc: "Moves the caller's read position up. Members of conversations of up to 100 are told by the notification read.",
		}, m.messagesRead),
	}
}

func (m methods) messagesSend(c Caller, p *wire.SendParams, reply chat.Reply) error {
	send, err := sendOf(p)
	if err != nil {
		return err
	}
	m.chat.Send(actor(c), send, reply)
	return nil
}

// sendOf reads a message.
func sendOf(p *wire.SendParams) (chat.Send, error) {
	if err := checkTo(p.To); err != nil {
		return chat.Send{}, err
	}
	if p.Priority != "" && p.Priority != string(chat.HighPriority) && p.Priority != string(chat.LowPriority) {
		return chat.Send{}, paramErrorf("priority", "priority: high or low; absent for a usual one")
	}
	if p.BurnMS < 0 || p.BurnMS > math.MaxInt64/int64(time.Millisecond) {
		return chat.Send{}, paramErrorf("burn_ms", "burn_ms: 1000 to 604800000")
	}
	key, err := clientID(p.ClientID)
	if err != nil {
		return chat.Send{}, err
	}
	content, err := checkContent(p.Content)
	if err != nil {
		return chat.Send{}, err
	}
	replyTo, err := seqOf("reply_to", &p.ReplyTo)
	if err != nil {
		return chat.Send{}, err
	}
	var carried *chat.Values
	if p.Values != nil {
		set, err := values(p.Values.Set)
		if err != nil {
			return chat.Send{}, err
		}
		carried = &chat.Values{By: cmp.Or(p.Values.By, chat.ValuesBySender), Set: set}
	}
	return chat.Send{
		ToUser: chat.UserID(p.To.User), Conversation: chat.ConversationID(p.To.Conversation),
		ClientID: p.ClientID, Key: key, Once: true,
		Content: json.RawMessage(content), KeepUnread: p.Read != nil && !*p.Read,
		Burn: time.Duration(p.BurnMS) * time.Millisecond,
		Only: userIDs(p.Only), Priority: chat.Priority(p.Priority), ReplyTo: *replyTo, Values: carried,
	}, nil
}

func (m methods) messagesList(ctx context.Context, c Caller, p *wire.ListParams) (wire.ListResult, error) {
	limit, err := pageLimit(p.Limit, 50)
	if err != nil {
		return wire.ListResult{}, err
	}
	if p.AfterSeq != nil && p.BeforeSeq != nil {
		return wire.ListResult{}, paramErrorf("before_seq", "at most one of after_seq and before_seq")
	}
	if p.View != "" && p.View != "log" && p.View != "messages" {
		return wire.ListResult{}, paramErrorf("view", "view: log or messages")
	}
	after, err := seqOf("after_seq", p.AfterSeq)
	if err != nil {
		return wire.ListResult{}, err
	}
	before, err := seqOf("before_seq", p.BeforeSeq)
	if err != nil {
		return wire.ListResult{}, err
	}
	listed, err := m.chat.List(ctx, actor(c), chat.List{
		Conversation: chat.ConversationID(p.Conversation), After: after, Before: before,
		Limit: limit, Messages: p.View == "messages",
	})
	if err != nil {
		return wire.ListResult{}, err
	}
	out := wire.ListResult{
		Conversation: p.Conversation, FromSeq: int64(listed.From), ToSeq: int64(listed.To),
		HeadSeq: int64(listed.Head), Events: make([]jsontext.Value, len(listed.Events)),
	}
	for i, e := range listed.Events {
		out.Events[i] = e.JSON
	}
	mine, err := m.chat.Mine(ctx, actor(c), chat.ConversationID(p.Conversation), listed.Events)
	if err != nil {
		return wire.ListResult{}, err
	}
	for _, one := range mine {
		out.Mine = append(out.Mine, wire.MyReactions{Seq: int64(one.Seq), Emoji: one.Emoji})
	}
	return out, nil
}

// maxSeq is the highest seq a JSON number holds exactly.
const maxSeq = 1<<53 - 1

func seqOf(param string, n *int64) (*chat.Seq, error) {
	if n == nil {
		return nil, nil
	}
	if *n < 0 || *n > maxSeq {
		return nil, paramErrorf(param, "%s: 0 to 2^53-1", param)
	}
	seq := chat.Seq(*n)
	return &seq, nil
}

func (m methods) messagesRead(ctx context.Context, c Caller, p *wire.ReadParams) (wire.ReadResult, error) {
	seq, err := seqOf("seq", &p.Seq)
	if err != nil {
		return wire.ReadResult{}, err
	}
	read, unread, err := m.chat.MarkRead(ctx, actor(c), chat.ConversationID(p.Conversation), *seq)
	return wire.ReadResult{Conversation: p.Conversation, ReadSeq: int64(read), Unread: unread}, err
}
