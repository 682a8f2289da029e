package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/google/uuid"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/wire"
)

// command is what can be typed behind a slash.
type command struct {
	name, args, help string
	run              func(m *Model, args []string) tea.Cmd
}

func commands() []command {
	return []command{
		{"help", "", "this", (*Model).help},
		{"open", "WHERE", "go to a user or a conversation", (*Model).openCommand},
		{"new", "NAME USER…", "make a group and go there", (*Model).newGroup},
		{"add", "USER…", "add people to this group", members("members.add")},
		{"remove", "USER…", "remove people from it", members("members.remove")},
		{"leave", "", "leave this group", (*Model).leave},
		{"who", "", "who is a member, and who is there", (*Model).who},
		{"pin", "", "put this in front, or no more", (*Model).pin},
		{"archive", "", "put this away, or back", (*Model).archive},
		{"mute", "[WHAT]", "what notifies here: all, mentions or none", (*Model).mute},
		{"block", "USER", "take nothing from somebody", userCall("blocks.add", "blocked")},
		{"unblock", "USER", "take it again", userCall("blocks.remove", "no longer blocked")},
		{"friend", "USER", "ask to be friends, or accept that", (*Model).friend},
		{"friends", "", "who they are, and who asks", (*Model).friends},
		{"search", "WORDS", "messages with all of them", (*Model).search},
		{"name", "NAME", "what you are called", (*Model).rename},
		{"status", "[TEXT]", "a line that others see", (*Model).status},
		{"edit", "TEXT", "say it better: your last message here", (*Model).edit},
		{"recall", "", "take your last message here back", (*Model).recall},
		{"read", "", "mark this as read", (*Model).read},
		{"retry", "", "send again what could not be sent", (*Model).retry},
		{"discard", "", "throw away what could not be sent", (*Model).discard},
		{"sessions", "", "where you are signed in", (*Model).sessions},
		{"signout", "DEVICE", "sign out there; others: elsewhere", (*Model).signOut},
		{"quit", "", "or ctrl+c", func(*Model, []string) tea.Cmd { return tea.Quit }},
	}
}

// command runs what was typed behind the slash.
func (m *Model) command(text string) tea.Cmd {
	words := strings.Fields(text)
	if len(words) == 0 {
		return m.help(nil)
	}
	for _, c := range commands() {
		if c.name == words[0] {
			return c.run(m, words[1:])
		}
	}
	m.note = []string{fmt.Sprintf("there is no /%s; /help lists what there is", oneLine(words[0]))}
	return nil
}

func (m *Model) help([]string) tea.Cmd {
	m.note = nil
	for _, c := range commands() {
		m.note = append(m.note, fit("/"+c.name+" "+c.args, 16)+" "+c.help)
	}
	m.note = append(m.note,
		"enter sends, alt+enter is a new line, // writes a /",
		"pgup, pgdn scroll; esc goes to the end",
		"ctrl+n, ctrl+p: other conversations; tab: what is new")
	return nil
}

// answer runs something that takes time, and shows what it says.
func (m *Model) answer(f func(ctx context.Context) ([]string, error)) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(m.ctx, 20*time.Second)
		defer cancel()
		lines, err := f(ctx)
		return called{lines, err}
	}
}

func (m *Model) usage(text string) tea.Cmd {
	m.note = []string{text}
	return nil
}

func (m *Model) openCommand(args []string) tea.Cmd {
	if len(args) == 0 {
		return m.usage("/open USER, or a conversation's name or id")
	}
	p := m.find(strings.Join(args, " "))
	if p.user != "" && strings.ContainsAny(p.user, " :") && !strings.HasPrefix(p.user, "guest:") {
		return m.usage("there is no such conversation, and a user's id has no blanks")
	}
	return m.goTo(p)
}

func (m *Model) newGroup(args []string) tea.Cmd {
	if len(args) == 0 {
		return m.usage("/new NAME USER…")
	}
	p := &wire.CreateParams{Kind: "group", ClientID: uuid.NewString(), Name: args[0], Members: args[1:]}
	return func() tea.Msg {
		var c wire.Conversation
		if err := m.client.Call(m.ctx, "conversations.create", p, &c); err != nil {
			return called{err: err}
		}
		return opened{place{id: c.ID}}
	}
}

// members makes /add and /remove.
func members(method string) func(m *Model, users []string) tea.Cmd {
	return func(m *Model, users []string) tea.Cmd {
		if len(users) == 0 || m.open.id == "" {
			return m.usage("in a group, name at least one user")
		}
		p := &wire.MembersChangeParams{Conversation: m.open.id, ClientID: uuid.NewString(), Users: users}
		return m.answer(func(ctx context.Context) ([]string, error) { return nil, m.client.Call(ctx, method, p, nil) })
	}
}

// lastOwn answers the seq of the user's last message that is loaded, 0 for none.
func (m *Model) lastOwn() int64 {
	for _, e := range slices.Backward(m.history.events) {
		if e.Kind == "message" && e.From == m.client.User().ID {
			return e.Seq
		}
	}
	return 0
}

func (m *Model) edit(words []string) tea.Cmd {
	seq := m.lastOwn()
	if len(words) == 0 || seq == 0 {
		return m.usage("/edit TEXT, where you have said something")
	}
	content, err := json.Marshal(client.Text(strings.Join(words, " ")))
	if err != nil {
		return m.usage(err.Error())
	}
	p := &wire.EditParams{Conversation: m.open.id, Seq: seq, ClientID: uuid.NewString(), Content: content}
	return m.answer(func(ctx context.Context) ([]string, error) { return nil, m.client.Call(ctx, "messages.edit", p, nil) })
}

func (m *Model) recall([]string) tea.Cmd {
	seq := m.lastOwn()
	if seq == 0 {
		return m.usage("/recall, where you have said something")
	}
	p := &wire.MessageCallParams{Conversation: m.open.id, Seq: seq, ClientID: uuid.NewString()}
	return m.answer(func(ctx context.Context) ([]string, error) { return nil, m.client.Call(ctx, "messages.recall", p, nil) })
}

func (m *Model) leave([]string) tea.Cmd {
	p := &wire.GroupParams{Conversation: m.open.id, ClientID: uuid.NewString()}
	return m.answer(func(ctx context.Context) ([]string, error) {
		return nil, m.client.Call(ctx, "conversations.leave", p, nil)
	})
}

func (m *Model) who([]string) tea.Cmd {
	id := m.open.id
	if id == "" {
		return m.usage("nobody has written here yet")
	}
	return m.answer(func(ctx context.Context) ([]string, error) {
		var r wire.MembersResult
		if err := m.client.Call(ctx, "members.list", &wire.MembersParams{Conversation: id, Limit: 100}, &r); err != nil {
			return nil, err
		}
		ids := make([]string, len(r.Members))
		for i, one := range r.Members {
			ids[i] = one.User
		}
		var u wire.UsersResult
		var p wire.PresenceResult
		err := errors.Join(
			m.client.Call(ctx, "users.get", &wire.UsersGetParams{IDs: ids}, &u),
			m.client.Call(ctx, "presence.get", &wire.WatchParams{Users: ids}, &p))
		if err != nil {
			return nil, err
		}
		return memberLines(&r, u.Users, p.Presence), nil
	})
}

func memberLines(r *wire.MembersResult, users []wire.User, there []wire.Presence) []string {
	names, presence := make(map[string]string), make(map[string]wire.Presence)
	for _, u := range users {
		names[u.ID] = u.Name
	}
	for _, p := range there {
		presence[p.User] = p
	}
	lines := make([]string, 0, len(r.Members)+1)
	for _, one := range r.Members {
		p, line := presence[one.User], one.User
		if n := names[one.User]; n != "" && n != one.User {
			line = n + " (" + one.User + ")"
		}
		if one.Role == "owner" {
			line += ", owner"
		}
		if p.Status != "" {
			line += " – " + p.Status
		}
		lines = append(lines, presenceMark(p.State)+" "+oneLine(line))
	}
	if r.More {
		lines = append(lines, "and more")
	}
	return lines
}

func (m *Model) rename(args []string) tea.Cmd {
	if len(args) == 0 {
		return m.usage("/name NAME")
	}
	return m.answer(func(ctx context.Context) ([]string, error) {
		var u wire.User
		name := strings.Join(args, " ")
		err := m.client.Call(ctx, "users.update", &wire.UsersUpdateParams{Name: &name}, &u)
		return []string{"you are called " + oneLine(u.Name)}, err
	})
}

func (m *Model) status(args []string) tea.Cmd {
	text := strings.Join(args, " ")
	return m.answer(func(ctx context.Context) ([]string, error) {
		return nil, m.client.Call(ctx, "presence.set", &wire.PresenceSetParams{Status: &text}, nil)
	})
}

func (m *Model) read([]string) tea.Cmd {
	conv, known := m.client.Conversation(m.open.id)
	if !known {
		return nil
	}
	return m.answer(func(ctx context.Context) ([]string, error) { return nil, m.client.Read(ctx, conv.ID, conv.Seq) })
}

// failed are the messages of the outbox that could not be sent.
func (m *Model) failed() []string {
	var ids []string
	for _, o := range m.client.Outbox() {
		if o.Failed != nil {
			ids = append(ids, o.ClientID)
		}
	}
	return ids
}

func (m *Model) retry([]string) tea.Cmd {
	ids := m.failed()
	return m.answer(func(ctx context.Context) ([]string, error) {
		var errs []error
		for _, id := range ids {
			errs = append(errs, m.client.Retry(ctx, id))
		}
		return []string{fmt.Sprintf("%d sent again", len(ids))}, errors.Join(errs...)
	})
}

func (m *Model) discard([]string) tea.Cmd {
	ids := m.failed()
	return m.answer(func(ctx context.Context) ([]string, error) {
		var errs []error
		for _, id := range ids {
			errs = append(errs, m.client.Discard(ctx, id))
		}
		return []string{fmt.Sprintf("%d thrown away", len(ids))}, errors.Join(errs...)
	})
}

func (m *Model) sessions([]string) tea.Cmd {
	return m.answer(func(ctx context.Context) ([]string, error) {
		var r wire.SessionsResult
		if err := m.client.Call(ctx, "sessions.list", struct{}{}, &r); err != nil {
			return nil, err
		}
		var lines []string
		for _, d := range r.Devices {
			line := fmt.Sprintf("%s  %s %s, seen %s", oneLine(d.Device), oneLine(d.Platform), oneLine(d.Name), d.Seen)
			switch {
			case d.Current:
				line += " – this one"
			case d.Online:
				line += " – connected"
			case d.Revoked:
				line += " – signed out"
			}
			lines = append(lines, line)
		}
		return lines, nil
	})
}

func (m *Model) signOut(args []string) tea.Cmd {
	if len(args) != 1 {
		return m.usage("/signout DEVICE, one of /sessions, or /signout others")
	}
	return m.answer(func(ctx context.Context) ([]string, error) {
		var r wire.RevokeResult
		var err error
		if args[0] == "others" {
			err = m.client.Call(ctx, "sessions.revoke_others", struct{}{}, &r)
		} else {
			err = m.client.Call(ctx, "devices.revoke", &wire.DeviceParams{Device: args[0]}, &r)
		}
		return []string{fmt.Sprintf("signed out; %d connections were closed", r.Closed)}, err
	})
}

// presenceMark stands before a name.
func presenceMark(state string) string {
	if i := slices.Index([]string{"active", "away", "background"}, state); i >= 0 {
		return []string{"●", "◐", "○"}[i]
	}
	return "·"
}
