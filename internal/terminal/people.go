package terminal

import (
	"cmp"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/go-json-experiment/json"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/wire"
)

// watch subscribes to the presence of those one writes with.
func (m *Model) watch() tea.Cmd {
	m.unwatched, m.watched = false, m.now()
	var users []string
	for _, c := range m.list {
		if c.User != "" && len(users) < 100 {
			users = append(users, c.User)
		}
	}
	if len(users) == 0 {
		return nil
	}
	return func() tea.Msg {
		var r wire.PresenceResult
		if m.client.Call(m.ctx, "presence.subscribe", &wire.WatchParams{Users: users}, &r) != nil {
			return nil // when connected, it is asked again
		}
		return seen{r.Presence}
	}
}

// notice takes what is told live and not logged.
func (m *Model) notice(n client.Notice) {
	switch n.Method {
	case "typing":
		var t wire.Typing
		if json.Unmarshal(n.Params, &t) != nil || t.Conversation != m.open.id {
			return
		}
		delete(m.typing, t.User)
		if t.Typing {
			m.typing[t.User] = m.now().Add(time.Duration(t.ExpiresMS) * time.Millisecond)
		}
	case "presence":
		var p wire.Presence
		if json.Unmarshal(n.Params, &p) == nil {
			m.presence[p.User] = p
		}
	case "room.members":
		var r wire.RoomMembers
		if json.Unmarshal(n.Params, &r) == nil {
			m.online[r.Room] = r.Online
		}
	}
}

// askNames asks for the names of those on the screen.
func (m *Model) askNames() tea.Cmd {
	var ids []string
	need := func(id string) {
		if id != "" && !m.asked[id] && len(ids) < 100 {
			m.asked[id] = true
			ids = append(ids, id)
		}
	}
	for i := range m.history.events {
		need(m.history.events[i].From)
	}
	for i := range m.list[:min(len(m.list), m.height)] {
		need(m.list[i].User)
		if e, ok := lastEvent(&m.list[i]); ok {
			need(e.From)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return func() tea.Msg {
		var r wire.UsersResult
		if m.client.Call(m.ctx, "users.get", &wire.UsersGetParams{IDs: ids}, &r) != nil {
			return nil // ids are shown
		}
		return named{r.Users}
	}
}

// name is what a user is called on the screen. A guest has a ~ before the name: anybody
// may claim it.
func (m *Model) name(id string) string {
	if guest, ok := strings.CutPrefix(id, "guest:"); ok {
		return "~" + oneLine(guest)
	}
	return cmp.Or(m.names[id], oneLine(id))
}

// title is what a conversation is called.
func (m *Model) title(c *client.Conversation) string {
	switch {
	case c.User != "":
		return m.name(c.User)
	case c.Name != "":
		return oneLine(c.Name)
	}
	return oneLine(c.ID)
}

// sayPresent tells how present one is.
func (m *Model) sayPresent(state string) tea.Cmd {
	return func() tea.Msg {
		_ = m.client.Notify("presence.set", &wire.PresenceSetParams{State: state}) // offline nobody sees one anyway
		return nil
	}
}
