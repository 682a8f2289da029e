package api

import (
	"context"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/search"
	"github.com/linnet-im/linnet/wire"
)

func (m methods) searchRows() []*Method {
	return []*Method{
		row(Method{
			Name: "messages.search", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Finds messages by words, Chinese from one character on, by sender, type and time, in one conversation or all of the caller's, newest first. " +
				"A word is found by its first three letters or more; a shorter one only whole.",
		}, m.messagesSearch),
		row(Method{
			Name: "conversations.search", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Finds groups by name among the caller's 1,000 newest conversations.",
		}, m.conversationsSearch),
		row(Method{
			Name: "users.search", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Finds people by name or id among those the caller shares a conversation with, and anybody by the exact id.",
		}, m.usersSearch),
		row(Method{
			Name: "members.search", Access: Sessions, Repeat: ByNature, Scope: chat.ScopeRead,
			Doc: "Finds members of a direct conversation or a group by name or the beginning of the id.",
		}, m.membersSearch),
	}
}

// searching gives the search, and the number of results that are asked for.
func (m methods) searching(limit int) (*search.Service, int, error) {
	const usual = 20
	switch {
	case m.search == nil:
		return nil, 0, wire.Errorf(wire.CodeForbidden, "search is off on this server")
	case limit == 0:
		return m.search, usual, nil
	case limit < 0 || limit > search.MaxPage:
		return nil, 0, paramErrorf("limit", "limit: 1 to %d", search.MaxPage)
	}
	return m.search, limit, nil
}

func (m methods) messagesSearch(ctx context.Context, c Caller, p *wire.MessagesSearchParams) (wire.MessagesSearchResult, error) {
	var out wire.MessagesSearchResult
	s, limit, err := m.searching(p.Limit)
	if err != nil {
		return out, err
	}
	q := search.Query{
		Text: p.Query, Conversation: chat.ConversationID(p.Conversation), Senders: userIDs(p.From), Types: p.Types, Page: p.Page, Limit: limit,
	}
	if q.Since, err = timeOf("since", p.Since); err != nil {
		return out, err
	}
	if q.Until, err = timeOf("until", p.Until); err != nil {
		return out, err
	}
	found, err := s.Messages(ctx, actor(c), q)
	if err != nil {
		return out, err
	}
	out = wire.MessagesSearchResult{Messages: make([]wire.FoundMessage, len(found.Found)), Page: found.Page, Behind: found.Behind}
	for i, f := range found.Found {
		out.Messages[i] = wire.FoundMessage{
			Conversation: string(f.Conversation), Seq: int64(f.Seq), From: string(f.From), Time: wire.FormatTime(f.Time),
			Type: f.Type, Snippet: f.Snippet.Text, Matches: make([][2]int, len(f.Snippet.Matches)),
		}
		for k, r := range f.Snippet.Matches {
			out.Messages[i].Matches[k] = [2]int{r.Start, r.End}
		}
	}
	return out, nil
}

func (m methods) conversationsSearch(ctx context.Context, c Caller, p *wire.ConversationsSearchParams) (wire.ConversationsSearchResult, error) {
	s, limit, err := m.searching(p.Limit)
	if err != nil {
		return wire.ConversationsSearchResult{}, err
	}
	list, err := s.Conversations(ctx, actor(c), p.Query, limit)
	return wire.ConversationsSearchResult{Conversations: conversations(list, actor(c).User)}, err
}

func (m methods) usersSearch(ctx context.Context, c Caller, p *wire.UsersSearchParams) (wire.UsersSearchResult, error) {
	s, limit, err := m.searching(p.Limit)
	if err != nil {
		return wire.UsersSearchResult{}, err
	}
	found, err := s.Users(ctx, actor(c), p.Query, limit)
	if err != nil {
		return wire.UsersSearchResult{}, err
	}
	out := wire.UsersSearchResult{Users: make([]wire.User, len(found.Found))}
	for i, u := range found.Found {
		out.Users[i] = User(u)
	}
	if found.Exact != nil {
		exact := User(*found.Exact)
		out.Exact = &exact
	}
	return out, nil
}

func (m methods) membersSearch(ctx context.Context, c Caller, p *wire.MembersSearchParams) (wire.MembersSearchResult, error) {
	s, limit, err := m.searching(p.Limit)
	if err != nil {
		return wire.MembersSearchResult{}, err
	}
	found, err := s.Members(ctx, actor(c), chat.ConversationID(p.Conversation), p.Query, limit)
	if err != nil {
		return wire.MembersSearchResult{}, err
	}
	out := wire.MembersSearchResult{Members: make([]wire.FoundMember, len(found))}
	for i, f := range found {
		out.Members[i] = wire.FoundMember{User: User(f.Profile), Role: string(f.Role)}
	}
	return out, nil
}
