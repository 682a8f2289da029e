package terminal

import (
	"context"
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/textarea"
	tea "charm.land/bubbletea/v2"
	"github.com/go-json-experiment/json"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/wire"
)

const (
	// pageEvents is how many events are loaded at first, and more each time one scrolls up to their end.
	pageEvents = 100
	// typingEvery is how often the server is told that one goes on typing.
	typingEvery = 3 * time.Second
	// watchEvery is how often presence is subscribed to again: its lease is five minutes.
	watchEvery = 4 * time.Minute
	// composerLines is how many lines of what one writes are shown at most.
	composerLines = 5
)

// Client is what the screen needs of a *client.Client.
type Client interface {
	State() client.State
	User() wire.User
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
	events        []wire.Event
	older         bool  // there is more above events
	loading       bool  // it is being asked for
	want          int   // how many events to hold
	newFrom       int64 // the line above it says what is new; 0: none
	up            int   // lines scrolled up from the bottom
	names         map[string]string
	asked         map[string]bool // whose names were asked for
	presence      map[string]wire.Presence
	typing        map[string]time.Time // who types in the open conversation, until when
	told          time.Time            // when the server was last told that we type
	note          []string             // what a command answered, above the composer
	blurred       bool                 // the terminal is not looked at
}

// New makes the screen of a client, on the newest conversation or on open.
func New(ctx context.Context, c Client, updates Updates, now func() time.Time, open string) *Model {
	composer := textarea.New()
	composer.Placeholder = "write, or /help"
	composer.Prompt = "› "
	composer.ShowLineNumbers = false
	composer.CharLimit = 8000
	composer.SetHeight(1)
	composer.KeyMap.InsertNewline.SetKeys("alt+enter", "ctrl+j", "shift+enter")
	composer.SetVirtualCursor(false) // the terminal's own: an input method shows itself there
	composer.Focus()
	m := &Model{
		ctx: ctx, client: c, updates: updates, now: now, composer: composer, width: 80, height: 24,
		names: make(map[string]string), asked: make(map[string]bool), presence: make(map[string]wire.Presence), drafts: make(map[place]string),
	}
	m.list = c.Conversations()
	switch {
	case open != "":
		m.open = m.find(open)
	case len(m.list) > 0:
		m.open = place{id: m.list[0].ID}
	}
	m.want = pageEvents
	return m
}

// Messages.

type (
	updated struct{ update client.Update }
	ended   struct{ err error }
	loaded  struct {
		id    string
		limit int
		page  client.Page
		err   error
	}
	called struct {
		lines []string
		err   error
	}
	named  struct{ users []wire.User }
	seen   struct{ list []wire.Presence }
	tick   time.Time
	opened struct{ at place }
)

// Init begins.
func (m *Model) Init() tea.Cmd {
	return tea.Batch(m.wait(), m.load(), m.watch(), every())
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

// load reads the open conversation's events.
func (m *Model) load() tea.Cmd {
	id, limit := m.open.id, m.want
	if id == "" {
		return nil
	}
	m.loading = true
	return func() tea.Msg {
		page, err := m.client.Timeline(m.ctx, id, 0, limit)
		return loaded{id, limit, page, err}
	}
}

// watch subscribes to the presence of those one writes with.
func (m *Model) watch() tea.Cmd {
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

// Update changes the screen.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.FocusMsg:
		m.blurred = false
		m.client.Wake()
		return m, tea.Batch(m.markRead(), m.sayPresent("active"))
	case tea.BlurMsg:
		m.blurred = true
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
		for _, u := range msg.users {
			m.names[u.ID] = oneLine(u.Name)
		}
	case seen:
		for _, p := range msg.list {
			m.presence[p.User] = p
		}
	case opened:
		return m, m.goTo(msg.at)
	case tick:
		cmd := every()
		if msg := time.Time(msg); msg.Unix()%int64(watchEvery/time.Second) == 0 {
			cmd = tea.Batch(cmd, m.watch())
		}
		return m, cmd
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
			return tea.Batch(m.watch(), m.load(), m.markRead())
		}
	case client.Changed:
		before := len(m.list)
		m.list = m.client.Conversations()
		cmds := []tea.Cmd{m.arrived()}
		if m.open == (place{}) && len(m.list) > 0 {
			cmds = append(cmds, m.goTo(place{id: m.list[0].ID}))
		}
		// Who has just written to us may be seen from now on.
		if conv, known := m.client.Conversation(u.Conversation); len(m.list) != before || known && conv.User != "" && !m.presence[conv.User].Online {
			cmds = append(cmds, m.watch())
		}
		if u.Conversation == m.open.id {
			cmds = append(cmds, m.load())
		}
		return tea.Batch(cmds...)
	case client.Sent:
		return tea.Batch(m.arrived(), m.load())
	case client.Notice:
		m.notice(u)
	}
	return nil
}

// arrived opens the conversation with the user that is open, once there is one.
func (m *Model) arrived() tea.Cmd {
	if m.open.user == "" {
		return nil
	}
	for _, c := range m.client.Conversations() {
		if c.User == m.open.user {
			draft := m.composer.Value()
			cmd := m.goTo(place{id: c.ID})
			m.composer.SetValue(draft)
			return cmd
		}
	}
	return nil
}

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
	}
}

// show takes loaded events. Who has scrolled up goes on seeing what he sees.
func (m *Model) show(l loaded) tea.Cmd {
	if l.id != m.open.id {
		return nil
	}
	m.loading = false
	if l.err != nil && len(l.page.Events) == 0 && l.page.To == 0 {
		m.note = []string{l.err.Error()}
		return nil
	}
	had := m.lastSeq()
	m.events, m.older = l.page.Events, l.page.Older
	if m.up > 0 && had > 0 {
		added := 0
		for i := range m.events {
			if m.events[i].Seq > had {
				added += len(m.eventLines(&m.events[i]))
				delete(m.typing, m.events[i].From)
			}
		}
		m.up += added
	}
	if m.lastSeq() > had {
		for i := range m.events {
			if m.events[i].Seq > had {
				delete(m.typing, m.events[i].From)
			}
		}
	}
	return tea.Batch(m.askNames(), m.markRead())
}

func (m *Model) lastSeq() int64 {
	if len(m.events) == 0 {
		return 0
	}
	return m.events[len(m.events)-1].Seq
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
	for i := range m.events {
		need(m.events[i].From)
	}
	for _, c := range m.list {
		need(c.User)
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

// name is what a user is called on the screen.
func (m *Model) name(id string) string {
	if n := m.names[id]; n != "" {
		return n
	}
	return oneLine(strings.TrimPrefix(id, "guest:"))
}

// title is what a conversation is called.
func (m *Model) title(c *client.Conversation) string {
	switch {
	case c.User != "":
		return m.name(c.User)
	case c.Name != "":
		return oneLine(c.Name)
	}
	return c.ID
}

// find gives the place that a person names: a conversation by id or name, or a user.
func (m *Model) find(text string) place {
	for _, c := range m.list {
		if c.ID == text || strings.EqualFold(m.title(&c), text) || c.User == text {
			return place{id: c.ID}
		}
	}
	if isConversation(text) {
		return place{id: text}
	}
	return place{user: strings.TrimPrefix(text, "@")}
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
		m.composer.SetHeight(min(composerLines, max(1, m.composer.LineCount())))
		delete(m.drafts, p)
	}
	m.open, m.events, m.older, m.up, m.want, m.newFrom = p, nil, false, 0, pageEvents, 0
	m.typing = make(map[string]time.Time)
	if conv, known := m.client.Conversation(p.id); known && conv.Unread > 0 {
		m.newFrom = conv.ReadSeq + 1
	}
	return m.load()
}

// markRead moves the read position when one sees the newest events.
func (m *Model) markRead() tea.Cmd {
	conv, known := m.client.Conversation(m.open.id)
	if !known || conv.Unread == 0 || m.up > 0 || m.blurred || m.lastSeq() < conv.Seq {
		return nil
	}
	return func() tea.Msg {
		_ = m.client.Read(m.ctx, conv.ID, conv.Seq) // offline it is read again later
		return nil
	}
}

// sayPresent tells how present one is.
func (m *Model) sayPresent(state string) tea.Cmd {
	return func() tea.Msg {
		_ = m.client.Notify("presence.set", &wire.PresenceSetParams{State: state}) // offline nobody sees one anyway
		return nil
	}
}

// send sends what was written.
func (m *Model) send(text string) tea.Cmd {
	to := m.open.to()
	if to == (wire.To{}) {
		m.note = []string{"nothing is open: /open USER"}
		return nil
	}
	m.up, m.newFrom, m.told = 0, 0, time.Time{}
	return func() tea.Msg {
		if _, err := m.client.Send(m.ctx, to, client.Text(text)); err != nil {
			return called{err: fmt.Errorf("not kept: %w", err)}
		}
		return updated{client.Changed{Conversation: to.Conversation}}
	}
}
