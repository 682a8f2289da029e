package terminal

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/wire"
)

// place is what one has open: a conversation, or a user one has not written with yet.
type place struct {
	id   string // "" until there is a conversation
	user string
}

func (p place) to() wire.To {
	if p.id != "" {
		return client.ToConversation(p.id)
	}
	return client.ToUser(p.user)
}

// find gives the place that a person names: a conversation by id, a user, or a
// conversation by its name. Names are anybody's to choose, so they come last.
func (m *Model) find(text string) place {
	user := strings.TrimPrefix(text, "@")
	for _, c := range m.list {
		if c.ID == text || c.User == user {
			return place{id: c.ID}
		}
	}
	for _, c := range m.list {
		if strings.EqualFold(m.title(&c), text) {
			return place{id: c.ID}
		}
	}
	if isConversation(text) {
		return place{id: text}
	}
	return place{user: user}
}

// isConversation says whether a word is a conversation's id rather than a user's.
func isConversation(text string) bool {
	return text == "lobby" || strings.HasPrefix(text, "g_") || strings.HasPrefix(text, "d_")
}

// goTo opens a place.
func (m *Model) goTo(p place) tea.Cmd {
	if p != m.open {
		m.drafts[m.open] = m.composer.Value()
		m.composer.SetValue(m.drafts[p])
		delete(m.drafts, p)
	}
	m.open, m.history = p, history{visit: m.history.visit + 1}
	m.typing = make(map[string]time.Time)
	if conv, known := m.client.Conversation(p.id); known && conv.Unread > 0 {
		m.history.newFrom = conv.ReadSeq + 1
	}
	return tea.Batch(m.refresh(), m.enterRoom())
}

// enterRoom asks how many are in the room that is open.
func (m *Model) enterRoom() tea.Cmd {
	id := m.open.id
	if conv, known := m.client.Conversation(id); !known || conv.Kind != "room" {
		return nil
	}
	return func() tea.Msg {
		var r wire.RoomResult
		if m.client.Call(m.ctx, "rooms.join", &wire.RoomJoinParams{Room: id}, &r) != nil {
			return nil // when connected, it is asked again
		}
		return entered{r}
	}
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
	if at < 0 && by < 0 {
		at = 0 // nothing of the list is open: the last one is before the first
	}
	at = (at + by + len(m.list)) % len(m.list)
	return m.goTo(place{id: m.list[at].ID})
}

// nextUnread goes up to what is new here, if that is not seen, else to the newest
// conversation with something unread.
func (m *Model) nextUnread() tea.Cmd {
	if n := m.newAbove(); n > 0 {
		return m.scroll(n)
	}
	for i := range m.list {
		if m.list[i].Unread > 0 && m.list[i].ID != m.open.id {
			return m.goTo(place{id: m.list[i].ID})
		}
	}
	return nil
}

// arrived opens the conversation with the user that is open, once there is one.
func (m *Model) arrived() tea.Cmd {
	if m.open.user == "" {
		return nil
	}
	for _, c := range m.list {
		if c.User == m.open.user {
			m.drafts[place{id: c.ID}] = m.composer.Value()
			return m.goTo(place{id: c.ID})
		}
	}
	return nil
}

// markRead moves the read position when one sees the newest events.
func (m *Model) markRead() tea.Cmd {
	conv, known := m.client.Conversation(m.open.id)
	if !known || conv.Unread == 0 || m.history.up > 0 || m.blurred || m.lastSeq() < conv.Seq {
		return nil
	}
	return func() tea.Msg {
		_ = m.client.Read(m.ctx, conv.ID, conv.Seq) // offline it is read again later
		return nil
	}
}

// contentMargin is how much of a message's content is not its text, and how much longer
// its text may become as JSON is left to the server to say.
const contentMargin = 64

// send puts what was written into the outbox. It is on the disk before the next key is
// taken: nothing overtakes it, and who quits loses nothing.
func (m *Model) send(text string) {
	to := m.open.to()
	if to == (wire.To{}) {
		m.refuse(text, "nothing is open: /open USER")
		return
	}
	if limit := m.client.Limits().ContentBytes; limit > 0 && len(text) > limit-contentMargin {
		m.refuse(text, fmt.Sprintf("that is %d bytes long; %d can be sent at once", len(text), limit-contentMargin))
		return
	}
	if _, err := m.client.Send(m.ctx, to, client.Text(text)); err != nil {
		m.refuse(text, "not kept: "+err.Error())
		return
	}
	m.history.up, m.told = 0, time.Time{}
	m.markNew(0)
}

// refuse gives a text back to whoever wrote it.
func (m *Model) refuse(text, why string) {
	m.composer.SetValue(text)
	m.note = []string{why}
}
