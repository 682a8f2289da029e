package terminal

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/linnet-im/linnet/wire"
)

// key takes a key.
func (m *Model) key(msg tea.KeyPressMsg) (tea.Model, tea.Cmd) {
	switch msg.String() {
	case "ctrl+c":
		return m, tea.Quit
	case "enter":
		return m, m.enter()
	case "pgup", "ctrl+b":
		return m, m.scroll(m.historyHeight() - 1)
	case "pgdown", "ctrl+f":
		return m, m.scroll(-(m.historyHeight() - 1))
	case "shift+up":
		return m, m.scroll(1)
	case "shift+down":
		return m, m.scroll(-1)
	case "esc":
		m.note = nil
		return m, m.scroll(-m.up)
	case "ctrl+n", "alt+down":
		return m, m.step(1)
	case "ctrl+p", "alt+up":
		return m, m.step(-1)
	case "ctrl+u":
		return m, m.nextUnread()
	}
	var cmd tea.Cmd
	m.composer, cmd = m.composer.Update(msg)
	m.composer.SetHeight(min(composerLines, max(1, m.composer.LineCount())))
	return m, tea.Batch(cmd, m.sayTyping())
}

// enter sends what was written, or runs it.
func (m *Model) enter() tea.Cmd {
	text := strings.TrimRight(m.composer.Value(), " \n")
	if strings.TrimSpace(text) == "" {
		return nil
	}
	m.composer.Reset()
	m.composer.SetHeight(1)
	m.note = nil
	// Two slashes are one: so a message can begin with a slash.
	if strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") {
		return m.command(text[1:])
	}
	return m.send(strings.TrimPrefix(text, "/"))
}

// scroll moves up by lines, or down. At the top it loads what is older.
func (m *Model) scroll(lines int) tea.Cmd {
	top := max(0, len(m.history())-m.historyHeight())
	m.up = min(max(0, m.up+lines), top)
	if m.up == 0 {
		return m.markRead()
	}
	if m.up == top && m.older && !m.loading {
		m.want += pageEvents
		return m.load()
	}
	return nil
}

// step opens the next conversation of the list, or the one before.
func (m *Model) step(by int) tea.Cmd {
	if len(m.list) == 0 {
		return nil
	}
	at := -1
	for i := range m.list {
		if m.list[i].ID == m.open.id {
			at = i
		}
	}
	at = (at + by + len(m.list)) % len(m.list)
	return m.goTo(place{id: m.list[at].ID})
}

// nextUnread opens the newest conversation with something unread.
func (m *Model) nextUnread() tea.Cmd {
	for i := range m.list {
		if m.list[i].Unread > 0 && m.list[i].ID != m.open.id {
			return m.goTo(place{id: m.list[i].ID})
		}
	}
	return nil
}

// sayTyping tells the others that one is writing, now and then.
func (m *Model) sayTyping() tea.Cmd {
	text := m.composer.Value()
	if text == "" || strings.HasPrefix(text, "/") || m.open.id == "" || m.now().Sub(m.told) < typingEvery {
		return nil
	}
	m.told = m.now()
	id := m.open.id
	return func() tea.Msg {
		_ = m.client.Notify("typing.set", &wire.TypingParams{Conversation: id, Typing: true}) // it may be lost
		return nil
	}
}
