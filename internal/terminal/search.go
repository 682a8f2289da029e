package terminal

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/linnet-im/linnet/wire"
)

// searchShown is how many results are shown.
const searchShown = 10

// search looks for messages with the words, in all of one's conversations.
func (m *Model) search(args []string) tea.Cmd {
	if len(args) == 0 {
		return m.usage("/search WORDS")
	}
	query := strings.Join(args, " ")
	titles := make(map[string]string)
	for i := range m.list {
		titles[m.list[i].ID] = m.title(&m.list[i])
	}
	return m.answer(func(ctx context.Context) ([]string, error) {
		var r wire.MessagesSearchResult
		if err := m.client.Call(ctx, "messages.search", &wire.MessagesSearchParams{Query: query, Limit: searchShown}, &r); err != nil {
			return nil, err
		}
		names, err := m.namesOf(ctx, r.Messages)
		if err != nil {
			return nil, err
		}
		return foundLines(&r, titles, names), nil
	})
}

// namesOf asks for the names of those who wrote.
func (m *Model) namesOf(ctx context.Context, found []wire.FoundMessage) (map[string]string, error) {
	names := make(map[string]string)
	var ids []string
	for _, f := range found {
		if _, ok := names[f.From]; !ok {
			names[f.From] = f.From
			ids = append(ids, f.From)
		}
	}
	if len(ids) == 0 {
		return names, nil
	}
	var r wire.UsersResult
	err := m.client.Call(ctx, "users.get", &wire.UsersGetParams{IDs: ids}, &r)
	for _, u := range r.Users {
		names[u.ID] = u.Name
	}
	return names, err
}

func foundLines(r *wire.MessagesSearchResult, titles, names map[string]string) []string {
	var lines []string
	for _, f := range r.Messages {
		where := titles[f.Conversation]
		if where == "" {
			where = f.Conversation
		}
		who := names[f.From]
		if strings.HasPrefix(f.From, "guest:") {
			who = "~" + strings.TrimPrefix(f.From, "guest:")
		}
		lines = append(lines, localTime(f.Time).Format("2006-01-02 15:04")+"  "+oneLine(where)+"  "+oneLine(who)+": "+oneLine(f.Snippet))
	}
	switch {
	case r.Page != "":
		lines = append(lines, "and more")
	case len(lines) == 0:
		lines = append(lines, "nothing was found")
	}
	if r.Behind {
		lines = append(lines, "the server is still looking through what there is; try again in a moment")
	}
	return lines
}
