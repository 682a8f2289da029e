package terminal

import (
	"math"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/wire"
)

// allRows is every row of the open conversation, as far as it is loaded.
func (m *Model) allRows() []row {
	if m.history.rows == nil {
		m.history.rows = m.eventRows()
	}
	return append(m.history.rows[:len(m.history.rows):len(m.history.rows)], m.pendingRows()...)
}

func (m *Model) eventRows() []row {
	h := &m.history
	rows := []row{}
	if h.more {
		rows = append(rows, row{0, faint.Render("… pgup shows what was before")})
	}
	h.names = m.nameWidth()
	day := ""
	for i := range h.events {
		e := &h.events[i]
		if said(e) == "" {
			continue
		}
		if d := localTime(e.Time).Format("Monday, 2 January 2006"); d != day {
			day = d
			rows = append(rows, row{e.Seq, m.rule(d, faint)})
		}
		if h.newFrom > 0 && e.Seq >= h.newFrom && (i == 0 || h.events[i-1].Seq < h.newFrom) {
			rows = append(rows, row{e.Seq, m.rule("new", marked)})
		}
		for _, text := range m.eventLines(e) {
			rows = append(rows, row{e.Seq, text})
		}
	}
	return rows
}

// nameWidth is the width of the column of names: that of the widest, if it leaves room.
func (m *Model) nameWidth() int {
	w := ansi.StringWidth(m.name(m.client.User().ID))
	for i := range m.history.events {
		w = max(w, ansi.StringWidth(m.name(m.history.events[i].From)))
	}
	return max(2, min(w, 16, m.mainWidth()/4))
}

// eventLines draws one event.
func (m *Model) eventLines(e *wire.Event) []string {
	clock := localTime(e.Time).Format("15:04")
	switch {
	case e.Kind != "message":
		return m.beside(clock, "—", faint, said(e), faint)
	case e.From == m.client.User().ID:
		return m.beside(clock, m.name(e.From), mine, said(e), plain)
	}
	return m.beside(clock, m.name(e.From), others, said(e), plain)
}

// beside draws a text beside its time and name.
func (m *Model) beside(clock, who string, whoStyle lipgloss.Style, text string, style lipgloss.Style) []string {
	names := m.history.names
	who = ansi.Truncate(who, names, "…")
	head := faint.Render(fit(clock, 6)) + strings.Repeat(" ", names-ansi.StringWidth(who)) + whoStyle.Render(who) + "  "
	lines := wrap(text, m.mainWidth()-names-8)
	for i, l := range lines {
		lines[i] = head + style.Render(l)
		head = strings.Repeat(" ", names+8)
	}
	return lines
}

// rule draws a line with words in it.
func (m *Model) rule(text string, style lipgloss.Style) string {
	w := m.mainWidth()
	left := max(2, (w-ansi.StringWidth(text)-2)/2)
	return style.Render(ansi.Truncate(strings.Repeat("─", left)+" "+text+" "+strings.Repeat("─", left+1), w, ""))
}

// pendingRows draws what was written here and is not sent.
func (m *Model) pendingRows() []row {
	outbox := m.client.Outbox()
	if len(outbox) == 0 {
		return nil
	}
	to := m.open.to()
	conv, _ := m.client.Conversation(m.open.id)
	arrived := make(map[string]bool)
	for i := range m.history.events {
		arrived[m.history.events[i].ClientID] = true
	}
	var rows []row
	for _, o := range outbox {
		if arrived[o.ClientID] || o.To != to && (o.To.User == "" || o.To.User != conv.User) {
			continue
		}
		for _, text := range m.pendingLines(&o) {
			rows = append(rows, row{math.MaxInt64, text})
		}
	}
	return rows
}

func (m *Model) pendingLines(o *client.Outgoing) []string {
	mark, style, text := "…", faint, said(&wire.Event{Kind: "message", Content: o.Content})
	if o.Failed != nil {
		mark, style, text = "✗", alert, text+" (not sent: "+oneLine(o.Failed.Message)+"; /retry or /discard)"
	}
	return m.beside("  "+mark, m.name(m.client.User().ID), style, text, style)
}

func localTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t.Local()
}
