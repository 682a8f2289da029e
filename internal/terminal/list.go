package terminal

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/wire"
)

// conversations draws the list, height lines of it.
func (m *Model) conversations(height int) []string {
	var lines []string
	at := 0
	for i := range m.list {
		if m.list[i].ID == m.open.id {
			at = i
		}
	}
	rows := max(1, height/2)
	first := max(0, min(at-rows/2, len(m.list)-rows))
	for i := first; i < len(m.list) && len(lines)+2 <= height; i++ {
		lines = append(lines, m.listEntry(&m.list[i])...)
	}
	for len(lines) < height {
		lines = append(lines, strings.Repeat(" ", listWidth))
	}
	return lines
}

// listEntry draws a conversation of the list in two lines.
func (m *Model) listEntry(c *client.Conversation) []string {
	unread := ""
	if c.Unread > 0 {
		unread = fmt.Sprintf(" %d", min(c.Unread, 999))
	}
	mark := "  "
	if c.User != "" {
		mark = presenceMark(m.presence[c.User].State) + " "
	}
	title := fit(mark+m.title(c), listWidth-len(unread)) + unread
	last := ""
	if e, ok := lastEvent(c); ok {
		last = oneLine(said(&e))
		if e.From != "" && e.From != c.User && e.Kind == "message" {
			last = m.name(e.From) + ": " + last
		}
	}
	last = fit("  "+last, listWidth)
	switch {
	case c.ID == m.open.id:
		return []string{here.Render(title), faint.Render(last)}
	case c.Unread > 0:
		return []string{bold.Render(title), last}
	}
	return []string{title, faint.Render(last)}
}

// lastEvent is the event that the list shows of a conversation.
func lastEvent(c *client.Conversation) (wire.Event, bool) {
	var e wire.Event
	err := json.Unmarshal(c.Last, &e)
	return e, err == nil
}
