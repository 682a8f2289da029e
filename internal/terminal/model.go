package terminal

import (
	"context"
	"time"

	"charm.land/bubbles/v2/textarea"
	tea "charm.land/bubbletea/v2"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/wire"
)

const (
	// typingEvery is how often the server is told that one goes on typing.
	typingEvery = 3 * time.Second
	// watchEvery is how often presence is subscribed to again: its lease is five minutes.
	watchEvery = 4 * time.Minute
	// composerRows is how many rows of what one writes are shown at most, maxRows how many
	// there can be.
	composerRows = 6
	maxRows      = 2000
)

// Client is what the screen needs of a *client.Client.
type Client interface {
	State() client.State
	User() wire.User
	Limits() wire.Limits
	Conversations() []client.Conversation
	Conversation(id string) (client.Conversation, bool)
	Timeline(ctx context.Context, conversation string, before int64, limit int) (client.Page, error)
	Send(ctx context.Context, to wire.To, content any) (client.Sending, error)
	Outbox() []client.Outgoing
	Retry(ctx context.Context, clientID string) error
	Discard(ctx context.Context, clientID string) error
	Read(ctx context.Context, conversation string, seq int64) error
	Call(ctx context.Context, method string, params, result any) error
	Notify(method string, params any) error
	Wake()
}

var _ Client = (*client.Client)(nil)

// Updates is a feed of the client.
type Updates interface {
	Next(ctx context.Context) (client.Update, error)
}

// Model is the screen.
type Model struct {
	ctx     context.Context
	client  Client
	updates Updates
	now     func() time.Time

	width, height int
	composer      textarea.Model
	drafts        map[place]string // what was begun elsewhere
	list          []client.Conversation
	open          place
	history       history
	names         map[string]string
	asked         map[string]bool // whose names were asked for since the last connection
	presence      map[string]wire.Presence
	watched       time.Time            // when presence was subscribed to
	unwatched     bool                 // since then somebody else may be seen
	online        map[string]int       // of rooms
	typing        map[string]time.Time // who types in the open conversation, until when
	told          time.Time            // when the server was last told that we type
	note          []string             // what a command answered, above the composer
	blurred       bool                 // the terminal is not looked at
}

// New makes the screen of a client, on the newest conversation or on open.
func New(ctx context.Context, c Client, updates Updates, now func() time.Time, open string) *Model {
	m := &Model{
		ctx: ctx, client: c, updates: updates, now: now, composer: newComposer(), width: 80, height: 24,
		names: make(map[string]string), asked: make(map[string]bool), presence: make(map[string]wire.Presence),
		online: make(map[string]int), drafts: make(map[place]string),
	}
	m.list = c.Conversations()
	switch {
	case open != "":
		m.open = m.find(open)
	case len(m.list) > 0:
		m.open = place{id: m.list[0].ID}
	}
	return m
}

func newComposer() textarea.Model {
	c := textarea.New()
	c.Placeholder = "write, or /help"
	c.Prompt = "› "
	c.ShowLineNumbers = false
	c.DynamicHeight = true
	c.MaxHeight, c.MaxContentHeight = composerRows, maxRows
	look := textarea.StyleState{Placeholder: faint, EndOfBuffer: faint} // no colours: they fit a light terminal and a dark one
	c.SetStyles(textarea.Styles{Focused: look, Blurred: look})
	c.KeyMap.InsertNewline.SetKeys("alt+enter", "ctrl+j", "shift+enter")
	c.SetVirtualCursor(false) // the terminal's own: an input method shows itself there
	c.Focus()
	return c
}

// Messages.

type (
	updated struct{ update client.Update }
	ended   struct{ err error }
	called  struct {
		lines []string
		err   error
	}
	named   struct{ users []wire.User }
	seen    struct{ list []wire.Presence }
	entered struct{ wire.RoomResult }
	tick    time.Time
	opened  struct{ at place }
)

// Init begins.
func (m *Model) Init() tea.Cmd {
	return tea.Batch(m.wait(), m.goTo(m.open), m.watch(), every())
}

// wait waits for the next update.
func (m *Model) wait() tea.Cmd {
	return func() tea.Msg {
		u, err := m.updates.Next(m.ctx)
		if err != nil {
			return ended{err}
		}
		return updated{u}
	}
}

// every is the clock of what ends by itself: typing, waiting.
func every() tea.Cmd {
	return tea.Tick(time.Second, func(t time.Time) tea.Msg { return tick(t) })
}

// Update changes the screen.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.keepPlace(func() {
			m.width, m.height = msg.Width, msg.Height
			m.composer.MaxHeight = min(composerRows, max(1, m.height/4))
			m.composer.SetWidth(m.mainWidth())
		})
	case tea.FocusMsg:
		m.blurred = false
		m.client.Wake()
		return m, tea.Batch(m.markRead(), m.sayPresent("active"))
	case tea.BlurMsg:
		m.blurred = true
		if conv, _ := m.client.Conversation(m.open.id); conv.Unread == 0 {
			m.markNew(0) // what was new was read: what comes now is
		}
		return m, m.sayPresent("away")
	case tea.KeyPressMsg:
		return m.key(msg)
	case updated:
		return m, tea.Batch(m.wait(), m.take(msg.update))
	case ended:
		m.note = []string{"the connection is closed: " + msg.err.Error()}
	case loaded:
		return m, m.show(msg)
	case called:
		m.note = msg.lines
		if msg.err != nil {
			m.note = []string{msg.err.Error()}
		}
	case named:
		m.keepPlace(func() {
			for _, u := range msg.users {
				m.names[u.ID] = oneLine(u.Name)
			}
		})
	case seen:
		for _, p := range msg.list {
			m.presence[p.User] = p
		}
	case entered:
		m.online[msg.Room] = msg.Online
	case opened:
		return m, m.goTo(msg.at)
	case tick:
		if m.unwatched || m.now().Sub(m.watched) >= watchEvery {
			return m, tea.Batch(every(), m.watch())
		}
		return m, every()
	}
	var cmd tea.Cmd
	m.composer, cmd = m.composer.Update(msg)
	return m, cmd
}

// take takes an update of the client's.
func (m *Model) take(u client.Update) tea.Cmd {
	switch u := u.(type) {
	case client.State:
		if u.Phase == client.Connected {
			m.list = m.client.Conversations()
			clear(m.asked) // names may have changed
			return tea.Batch(m.watch(), m.refresh(), m.enterRoom())
		}
		// Who is there is not known without a connection.
		clear(m.presence)
		clear(m.online)
		clear(m.typing)
	case client.Changed:
		return m.changed(u.Conversation)
	case client.Sent:
		return tea.Batch(m.arrived(), m.refresh())
	case client.Notice:
		m.notice(u)
	}
	return nil
}

// changed takes that a conversation is not what it was.
func (m *Model) changed(id string) tea.Cmd {
	before := len(m.list)
	m.list = m.client.Conversations()
	cmds := []tea.Cmd{m.arrived()}
	if m.open == (place{}) && len(m.list) > 0 {
		cmds = append(cmds, m.goTo(place{id: m.list[0].ID}))
	}
	// Who has just written to us may be seen from now on.
	if conv, known := m.client.Conversation(id); len(m.list) != before || known && conv.User != "" && !m.presence[conv.User].Online {
		m.unwatched = true
	}
	if id == m.open.id {
		if conv, _ := m.client.Conversation(id); m.blurred && conv.Unread > 0 && m.history.newFrom == 0 {
			m.markNew(conv.ReadSeq + 1)
		}
		cmds = append(cmds, m.refresh())
	}
	return tea.Batch(cmds...)
}
