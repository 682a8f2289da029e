package terminal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/go-json-experiment/json"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/wire"
)

// The colours are the terminal's own, so they fit a light one and a dark one.
var (
	faint  = lipgloss.NewStyle().Faint(true)
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

// noteHeight is how many lines a command's answer takes.
func (m *Model) noteHeight() int {
	return min(len(m.note), max(0, m.height-4-m.composer.Height()))
}

// historyHeight is what is left for messages: of the height without the title, who is
// typing, what is written and the state.
func (m *Model) historyHeight() int {
	return max(1, m.height-3-m.composer.Height()-m.noteHeight())
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
	return v
}

// main draws everything but the list and the state: one string a line.
func (m *Model) main() []string {
	w := m.mainWidth()
	lines := []string{fit(bold.Render(m.heading()), w)}
	history := m.history()
	h := m.historyHeight()
	end := max(0, len(history)-m.up)
	begin := max(0, end-h)
	for range h - (end - begin) {
		lines = append(lines, strings.Repeat(" ", w))
	}
	for _, l := range history[begin:end] {
		lines = append(lines, fit(l, w))
	}
	lines = append(lines, fit(faint.Render(m.typingLine()), w))
	for _, n := range m.note[:m.noteHeight()] {
		lines = append(lines, fit(marked.Render(n), w))
	}
	m.composer.SetWidth(w)
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
		return m.name(m.open.user) + m.open.id
	}
	text := m.title(&conv)
	switch {
	case conv.Kind == "group":
		text += fmt.Sprintf("  %d members", conv.Members)
	case conv.Kind == "room":
		text += "  an open room"
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

// history is every line of the open conversation, as far as it is loaded.
func (m *Model) history() []string {
	var lines []string
	if m.older {
		lines = append(lines, faint.Render("… pgup shows what was before"))
	}
	day := ""
	for i := range m.events {
		e := &m.events[i]
		if said(e) == "" {
			continue
		}
		if d := localTime(e.Time).Format("Monday, 2 January 2006"); d != day {
			day = d
			lines = append(lines, m.rule(d, faint))
		}
		if m.newFrom > 0 && e.Seq >= m.newFrom && (i == 0 || m.events[i-1].Seq < m.newFrom) {
			lines = append(lines, m.rule("new", marked))
		}
		lines = append(lines, m.eventLines(e)...)
	}
	return append(lines, m.pendingLines()...)
}

// rule draws a line with words in it.
func (m *Model) rule(text string, style lipgloss.Style) string {
	w := m.mainWidth()
	left := max(2, (w-ansi.StringWidth(text)-2)/2)
	return style.Render(ansi.Truncate(strings.Repeat("─", left)+" "+text+" "+strings.Repeat("─", left), w, ""))
}

// eventLines draws one event.
func (m *Model) eventLines(e *wire.Event) []string {
	text := said(e)
	at := localTime(e.Time).Format("15:04")
	if e.Kind != "message" {
		return indented(faint.Render(at)+" ", 6, text, m.mainWidth(), faint)
	}
	style := others
	if e.From == m.client.User().ID {
		style = mine
	}
	who := ansi.Truncate(m.name(e.From), max(4, m.mainWidth()/3), "…")
	return indented(faint.Render(at)+" "+style.Render(who)+" ", 7+ansi.StringWidth(who), text, m.mainWidth(), lipgloss.NewStyle())
}

// indented wraps text beside a head of so many columns.
func indented(head string, columns int, text string, width int, style lipgloss.Style) []string {
	var lines []string
	for i, l := range wrap(text, width-columns) {
		if i > 0 {
			head = strings.Repeat(" ", columns)
		}
		lines = append(lines, head+style.Render(l))
	}
	return lines
}

// pendingLines draws what was written here and is not sent.
func (m *Model) pendingLines() []string {
	to := m.open.to()
	conv, _ := m.client.Conversation(m.open.id)
	var lines []string
	for _, o := range m.client.Outbox() {
		if o.To != to && (o.To.User == "" || o.To.User != conv.User) {
			continue
		}
		if slices.ContainsFunc(m.events, func(e wire.Event) bool { return e.ClientID == o.ClientID }) {
			continue // it is on the screen already
		}
		var c content
		if json.Unmarshal(o.Content, &c) != nil {
			continue
		}
		mark, style, text := "  …   ", faint, clean(c.Text)
		if o.Failed != nil {
			mark, style, text = "  ✗   ", alert, text+" (not sent: "+oneLine(o.Failed.Message)+"; /retry or /discard)"
		}
		lines = append(lines, indented(style.Render(mark), 6, text, m.mainWidth(), style)...)
	}
	return lines
}

func localTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t.Local()
}

// typingLine says who is writing, or how to come back down.
func (m *Model) typingLine() string {
	if m.up > 0 {
		return fmt.Sprintf("↓ %d lines below; esc goes there", m.up)
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
	var e wire.Event
	if json.Unmarshal(c.Last, &e) == nil {
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

// stateLine says how the connection is; it is never wrong.
func (m *Model) stateLine() string {
	s := m.client.State()
	who := m.name(m.client.User().ID)
	var text string
	switch s.Phase {
	case client.Connected:
		return fit(faint.Render(who+"  connected  ·  /help"), m.width)
	case client.Waiting:
		wait := max(0, s.Until.Sub(m.now())).Round(time.Second)
		text = fmt.Sprintf("%s  not connected, again in %v: %v", who, wait, s.Err)
	case client.Offline:
		text = who + "  not connected"
		if s.Err != nil {
			text += ": " + s.Err.Error()
		}
	default:
		text = fmt.Sprintf("%s  %s…", who, s.Phase)
	}
	return fit(marked.Render(oneLine(text)), m.width)
}
