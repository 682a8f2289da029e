package api

import (
	"context"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) threadRows() []*Method {
	return []*Method{
		row(Method{
			Name: "threads.create", Access: Sessions, Repeat: ByClientID, Scope: chat.ScopeSend,
			Doc: "Begins the thread on a message, or answers the one that is there, and follows it. A thread is a conversation: send, list and " +
				"read as in others. Who is in its parent reads and writes in it; its followers are told its events.",
		}, m.threadsCreate),
		row(Method{
			Name: "threads.list", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "The threads in a conversation.",
		}, m.threadsList),
		row(Method{
			Name: "threads.follow", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeSend,
			Doc: "Has the caller told of a thread's events, live and by sync. Who writes in a thread follows it.",
		}, func(ctx context.Context, c Caller, p *wire.ThreadParams) (wire.Empty, error) {
			return wire.Empty{}, m.chat.Follow(ctx, actor(c), chat.ConversationID(p.Thread), true)
		}),
		row(Method{
			Name: "threads.unfollow", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeSend,
			Doc: "Ends what threads.follow began.",
		}, func(ctx context.Context, c Caller, p *wire.ThreadParams) (wire.Empty, error) {
			return wire.Empty{}, m.chat.Follow(ctx, actor(c), chat.ConversationID(p.Thread), false)
		}),
	}
}

func (m methods) threadsCreate(ctx context.Context, c Caller, p *wire.ThreadCreateParams) (wire.Conversation, error) {
	root, err := eventKey(p.Conversation, p.Seq)
	if err != nil {
		return wire.Conversation{}, err
	}
	key, err := clientID(p.ClientID)
	if err != nil {
		return wire.Conversation{}, err
	}
	id, err := m.chat.CreateThread(ctx, actor(c), root, key, p.ClientID)
	if err != nil {
		return wire.Conversation{}, err
	}
	sum, err := m.chat.Conversation(ctx, actor(c), id)
	return conversation(sum, actor(c).User), err
}

func (m methods) threadsList(ctx context.Context, c Caller, p *wire.ThreadsParams) (wire.ThreadsResult, error) {
	limit, err := pageLimit(p.Limit, 50)
	if err != nil {
		return wire.ThreadsResult{}, err
	}
	before, err := seqOf("before_seq", &p.BeforeSeq)
	if err != nil {
		return wire.ThreadsResult{}, err
	}
	list, more, err := m.chat.Threads(ctx, actor(c), chat.ConversationID(p.Conversation), *before, limit)
	return wire.ThreadsResult{Threads: conversations(list, actor(c).User), More: more}, err
}
