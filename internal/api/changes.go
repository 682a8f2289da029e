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
		row(Method{
			Name: "messages.open", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeSend,
			Doc: "Says that the caller has opened a message that burns: so long after it as the message says, it is erased.",
		}, m.messagesOpen),
		row(Method{
			Name: "messages.delete", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeSend,
			Doc: "Deletes ranges of events for the caller alone, on all its devices. Others see them as before.",
		}, m.messagesDelete),
		row(Method{
			Name: "conversations.clear", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeSend,
			Doc: "Deletes everything up to a seq for the caller alone, on all its devices.",
		}, m.conversationsClear),
		row(Method{
			Name: "messages.purge", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeModerate,
			Doc: "Deletes messages for all; a group's owner and admins may. They are voids from then on, and the event purged targets them.",
		}, m.messagesPurge),
		row(Method{
			Name: "reactions.set", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeSend,
			Doc: "Reacts to a message, or takes that back. The message has the totals; the event reactions targets it: " +
				"at once where up to 500 are, else what came in two seconds together.",
		}, m.reactionsSet),
		row(Method{
			Name: "reactions.list", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Who reacted to a message with what, by emoji and user.",
		}, m.reactionsList),
		row(Method{
			Name: "messages.pin", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeManage,
			Doc: "Pins a message for everybody; in a group those may whom its setting pin names. A conversation tells its pins.",
		}, m.messagesPin(true)),
		row(Method{
			Name: "messages.unpin", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeManage,
			Doc: "Takes a pin away.",
		}, m.messagesPin(false)),
		row(Method{
			Name: "messages.set_values", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeSend,
			Doc: "Changes the small map that a message was sent with, if it is still at the rev that the caller saw. " +
				"Its sender may, or everybody, as was said when it was sent.",
		}, m.messagesSetValues),
		row(Method{
			Name: "messages.forward", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeSend,
			Doc: "Sends messages on that the caller may read, as they are now: one as a copy, or several merged into one.",
		}, m.messagesForward),
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

func (m methods) messagesOpen(ctx context.Context, c Caller, p *wire.MessageCallParams) (wire.Place, error) {
	mc, err := messageCall(p.Conversation, p.Seq, p.ClientID)
	if err != nil {
		return wire.Place{}, err
	}
	place, err := m.chat.Open(ctx, actor(c), mc)
	return Place(place), err
}

// rangesOf checks ranges of seqs.
func rangesOf(list [][2]int64) ([][2]chat.Seq, error) {
	out := make([][2]chat.Seq, len(list))
	for i, r := range list {
		for side := range r {
			n, err := seqOf("ranges", &r[side])
			if err != nil {
				return nil, err
			}
			out[i][side] = *n
		}
	}
	return out, nil
}

func (m methods) messagesDelete(ctx context.Context, c Caller, p *wire.RangesParams) (wire.Empty, error) {
	ranges, err := rangesOf(p.Ranges)
	if err != nil {
		return wire.Empty{}, err
	}
	return wire.Empty{}, m.chat.Hide(ctx, actor(c), chat.ConversationID(p.Conversation), ranges)
}

func (m methods) conversationsClear(ctx context.Context, c Caller, p *wire.ClearParams) (wire.Empty, error) {
	seq, err := seqOf("seq", &p.Seq)
	if err != nil {
		return wire.Empty{}, err
	}
	return wire.Empty{}, m.chat.Clear(ctx, actor(c), chat.ConversationID(p.Conversation), *seq)
}

func (m methods) messagesPurge(ctx context.Context, c Caller, p *wire.PurgeParams) (wire.Place, error) {
	gc, err := groupCall(p.Conversation, p.ClientID)
	if err != nil {
		return wire.Place{}, err
	}
	ranges, err := rangesOf(p.Ranges)
	if err != nil {
		return wire.Place{}, err
	}
	place, err := m.chat.Purge(ctx, actor(c), gc, ranges)
	return Place(place), err
}

func (m methods) reactionsSet(ctx context.Context, c Caller, p *wire.ReactParams) (wire.Empty, error) {
	key, err := eventKey(p.Conversation, p.Seq)
	if err != nil {
		return wire.Empty{}, err
	}
	return wire.Empty{}, m.chat.React(ctx, actor(c), key, p.Emoji, p.On)
}

func (m methods) reactionsList(ctx context.Context, c Caller, p *wire.ReactionsParams) (wire.ReactionsResult, error) {
	key, err := eventKey(p.Conversation, p.Seq)
	if err != nil {
		return wire.ReactionsResult{}, err
	}
	limit, err := pageLimit(p.Limit, 100)
	if err != nil {
		return wire.ReactionsResult{}, err
	}
	list, page, err := m.chat.Reactors(ctx, actor(c), key, p.Emoji, p.Page, limit)
	if err != nil {
		return wire.ReactionsResult{}, err
	}
	out := wire.ReactionsResult{Reactions: make([]wire.Reactor, len(list)), Page: page}
	for i, r := range list {
		out.Reactions[i] = wire.Reactor{User: string(r.User), Emoji: r.Emoji}
	}
	return out, nil
}

func (m methods) messagesPin(on bool) func(context.Context, Caller, *wire.MessageCallParams) (wire.Place, error) {
	return func(ctx context.Context, c Caller, p *wire.MessageCallParams) (wire.Place, error) {
		mc, err := messageCall(p.Conversation, p.Seq, p.ClientID)
		if err != nil {
			return wire.Place{}, err
		}
		place, err := m.chat.Pin(ctx, actor(c), mc, on)
		return Place(place), err
	}
}

// values gives the domain's form to values, as compact JSON.
func values(set map[string]jsontext.Value) (map[string]json.RawMessage, error) {
	out := make(map[string]json.RawMessage, len(set))
	for name, v := range set {
		v = v.Clone()
		if err := v.Compact(); err != nil {
			return nil, paramErrorf("values", "values: not JSON")
		}
		out[name] = json.RawMessage(v)
	}
	return out, nil
}

func (m methods) messagesSetValues(ctx context.Context, c Caller, p *wire.SetValuesParams) (wire.Place, error) {
	mc, err := messageCall(p.Conversation, p.Seq, p.ClientID)
	if err != nil {
		return wire.Place{}, err
	}
	set, err := values(p.Set)
	if err != nil {
		return wire.Place{}, err
	}
	place, err := m.chat.SetValues(ctx, actor(c), chat.SetValues{MessageCall: mc, IfRev: p.IfRev, Set: set, Remove: p.Remove})
	return Place(place), err
}

func (m methods) messagesForward(ctx context.Context, c Caller, p *wire.ForwardParams) (wire.Place, error) {
	if err := checkTo(p.To); err != nil {
		return wire.Place{}, err
	}
	key, err := clientID(p.ClientID)
	if err != nil {
		return wire.Place{}, err
	}
	if err := characters("title", p.Title, maxTitle); err != nil {
		return wire.Place{}, paramErrorf("title", "title: one line of at most %d characters", maxTitle)
	}
	f := chat.Forward{
		Send: chat.Send{
			ToUser: chat.UserID(p.To.User), Conversation: chat.ConversationID(p.To.Conversation), ClientID: p.ClientID, Key: key,
		},
		From: chat.ConversationID(p.Conversation), Merged: p.Merged, Title: p.Title,
	}
	for i := range p.Seqs {
		seq, err := seqOf("seqs", &p.Seqs[i])
		if err != nil {
			return wire.Place{}, err
		}
		f.Seqs = append(f.Seqs, *seq)
	}
	place, err := m.chat.Forward(ctx, actor(c), f)
	return Place(place), err
}
