package terminal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/wire"
)

// The colours are the terminal's own, so they fit a light one and a dark one.
var (
	faint  = lipgloss.NewStyle().Faint(true)
	plain  = lipgloss.NewStyle()
	bold   = lipgloss.NewStyle().Bold(true)
	mine   = lipgloss.NewStyle().Foreground(lipgloss.Cyan)
	others = lipgloss.NewStyle().Foreground(lipgloss.Green)
	alert  = lipgloss.NewStyle().Foreground(lipgloss.Red)
	marked = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	here   = lipgloss.NewStyle().Reverse(true)
)

const (
	// narrow is below how many columns the list of conversations is left out.
	narrow = 60
	// listWidth is how many columns it has.
	listWidth = 24
)

func (m *Model) mainWidth() int {
	if m.width < narrow {
		return m.width
	}
	return m.width - listWidth - 1
}

// noteRows is a command's answer, as much of it as there is room for.
func (m *Model) noteRows() []string {
	var rows []string
	for _, n := range m.note {
		rows = append(rows, wrap(clean(n), m.mainWidth())...)
	}
	room := max(1, m.height-4-m.composer.Height())
	if hidden := len(rows) - room; hidden > 0 {
		rows = append(rows[:room-1], fmt.Sprintf("… and %d more lines", hidden+1))
	}
	return rows
}

// historyHeight is what is left for messages: of the height without the title, who is
// typing, what is written and the state.
func (m *Model) historyHeight() int {
	return max(1, m.height-3-m.composer.Height()-len(m.noteRows()))
}

// View draws the screen.
func (m *Model) View() tea.View {
	main := m.main()
	if m.width >= narrow {
		list := m.conversations(len(main))
		for i := range main {
			main[i] = list[i] + faint.Render("│") + main[i]
		}
	}
	v := tea.NewView(strings.Join(append(main, m.stateLine()), "\n"))
	if c := m.composer.Cursor(); c != nil {
		c.X += m.width - m.mainWidth()
		c.Y += len(main) - m.composer.Height()
		v.Cursor = c
	}
	v.AltScreen = true
	v.ReportFocus = true
	v.WindowTitle = "linnet"
	if n := m.unread(); n > 0 {
		v.WindowTitle = fmt.Sprintf("(%d) linnet", n)
	}
	return v
}

// main draws everything but the list and the state: one string a line.
func (m *Model) main() []string {
	w := m.mainWidth()
	lines := []string{fit(bold.Render(m.heading()), w)}
	all, h := m.allRows(), m.historyHeight()
	end := max(0, len(all)-m.history.up)
	begin := max(0, end-h)
	for range h - (end - begin) {
		lines = append(lines, strings.Repeat(" ", w))
	}
	for _, r := range all[begin:end] {
		lines = append(lines, fit(r.text, w))
	}
	lines = append(lines, fit(faint.Render(m.hint()), w))
	for _, n := range m.noteRows() {
		lines = append(lines, fit(marked.Render(n), w))
	}
	for _, l := range strings.Split(m.composer.View(), "\n") {
		lines = append(lines, fit(l, w))
	}
	return lines
}

// heading says what is open, and who is there.
func (m *Model) heading() string {
	if m.open == (place{}) {
		return "nothing is open: /open USER"
	}
	conv, known := m.client.Conversation(m.open.id)
	if !known {
		return oneLine(m.open.user + m.open.id)
	}
	text := m.title(&conv)
	switch {
	case conv.Kind == "group":
		text += fmt.Sprintf("  %d members", conv.Members)
	case conv.Kind == "channel":
		text += fmt.Sprintf("  a channel of %d", conv.Members)
	case conv.Kind == "room":
		text += "  an open room"
		if n := m.online[conv.ID]; n > 0 {
			text += fmt.Sprintf(", %d here", n)
		}
	case conv.User != "":
		text += "  " + presenceText(m.presence[conv.User])
	}
	if conv.Membership == "left" {
		text += "  (you have left)"
	}
	return text
}

func presenceText(p wire.Presence) string {
	text := map[string]string{"active": "● is there", "away": "◐ away", "background": "○ connected"}[p.State]
	if seen, err := time.Parse(time.RFC3339, p.LastSeen); err == nil && text == "" {
		text = "last seen " + seen.Local().Format("2 Jan 15:04")
	}
	if p.Status != "" {
		text = strings.TrimSpace(text + " – " + oneLine(p.Status))
	}
	return text
}

// hint says who is writing, or what is above or below.
func (m *Model) hint() string {
	if n := m.newAbove(); n > 0 {
		return "↑ more is new above; tab goes there"
	}
	if m.history.up > 0 {
		return fmt.Sprintf("↓ %d lines below; esc goes to the end", m.history.up)
	}
	var names []string
	for user, until := range m.typing {
		if m.now().Before(until) {
			names = append(names, m.name(user))
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return strings.Join(names, ", ") + " … writing"
}

// unread is how many messages are unread in all.
func (m *Model) unread() int64 {
	var n int64
	for i := range m.list {
		n += m.list[i].Unread
	}
	return n
}

// stateLine says how the connection is; it is never wrong.
func (m *Model) stateLine() string {
	s := m.client.State()
	text := m.name(m.client.User().ID) + "  "
	switch s.Phase {
	case client.Connected:
		text += "connected"
		if n := m.unread(); n > 0 {
			text += fmt.Sprintf("  ·  %d unread", n)
		}
		return fit(faint.Render(text+m.unsent()+"  ·  /help"), m.width)
	case client.Waiting:
		text += fmt.Sprintf("not connected, again in %v", max(0, s.Until.Sub(m.now())).Round(time.Second))
	case client.Offline:
		text += "not connected"
	default:
		text += string(s.Phase) + "…"
	}
	text += m.unsent()
	if s.Err != nil {
		text += "  ·  " + oneLine(s.Err.Error())
	}
	return fit(marked.Render(text), m.width)
}

// unsent says what waits for the server, and what it did not take.
func (m *Model) unsent() string {
	waiting, failed := 0, 0
	for _, o := range m.client.Outbox() {
		if o.Failed == nil {
			waiting++
		} else {
			failed++
		}
	}
	text := ""
	if waiting > 0 {
		text += fmt.Sprintf("  ·  %d to be sent", waiting)
	}
	if failed > 0 {
		text += fmt.Sprintf("  ·  %d not sent", failed)
	}
	return text
}
