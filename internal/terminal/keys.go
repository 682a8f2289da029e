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
	case "pgup":
		return m, m.scroll(m.historyHeight() - 1)
	case "pgdown":
		return m, m.scroll(1 - m.historyHeight())
	case "shift+up":
		return m, m.scroll(1)
	case "shift+down":
		return m, m.scroll(-1)
	case "esc":
		m.note = nil
		return m, m.scroll(-m.history.up)
	case "ctrl+n", "alt+down":
		return m, m.step(1)
	case "ctrl+p", "alt+up":
		return m, m.step(-1)
	case "tab":
		return m, m.nextUnread()
	}
	var cmd tea.Cmd
	m.composer, cmd = m.composer.Update(msg)
	return m, tea.Batch(cmd, m.sayTyping())
}

// enter sends what was written, or runs it.
func (m *Model) enter() tea.Cmd {
	text := strings.TrimRight(m.composer.Value(), " \n")
	if strings.TrimSpace(text) == "" {
		return nil
	}
	m.composer.Reset()
	m.note = nil
	// Two slashes are one: so a message can begin with a slash.
	if strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") {
		return m.command(text[1:])
	}
	m.send(strings.TrimPrefix(text, "/"))
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
