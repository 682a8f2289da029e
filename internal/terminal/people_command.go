package terminal

import (
	"context"
	"fmt"

	tea "charm.land/bubbletea/v2"
	"github.com/google/uuid"

	"github.com/linnet-im/linnet/wire"
)

// prefs changes what is chosen about the open conversation, and says what that is then.
func (m *Model) prefs(change func(now wire.Prefs, p *wire.PrefsSetParams), say func(wire.Prefs) string) tea.Cmd {
	if m.open.id == "" {
		return m.usage("nobody has written here yet")
	}
	conv, _ := m.client.Conversation(m.open.id)
	var now wire.Prefs
	if conv.Prefs != nil {
		now = *conv.Prefs
	}
	p := &wire.PrefsSetParams{Conversation: m.open.id}
	change(now, p)
	return m.answer(func(ctx context.Context) ([]string, error) {
		var r wire.PrefsNotice
		err := m.client.Call(ctx, "prefs.set", p, &r)
		return []string{say(r.Prefs)}, err
	})
}

func (m *Model) pin([]string) tea.Cmd {
	return m.prefs(func(now wire.Prefs, p *wire.PrefsSetParams) {
		pinned := !now.Pinned
		p.Pinned = &pinned
	}, func(p wire.Prefs) string { return either(p.Pinned, "it stands in front", "it stands in front no more") })
}

func (m *Model) archive([]string) tea.Cmd {
	return m.prefs(func(now wire.Prefs, p *wire.PrefsSetParams) {
		archived := !now.Archived
		p.Archived = &archived
	}, func(p wire.Prefs) string { return either(p.Archived, "it is put away", "it is back") })
}

func (m *Model) mute(args []string) tea.Cmd {
	what := "none"
	if len(args) > 0 {
		what = args[0]
	}
	return m.prefs(func(_ wire.Prefs, p *wire.PrefsSetParams) { p.Notify = what }, func(p wire.Prefs) string {
		switch p.Notify {
		case "none":
			return "nothing notifies here; /mute all ends that"
		case "mentions":
			return "what names you notifies here"
		}
		return "everything notifies here"
	})
}

func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

// userCall makes a command that calls a method about one user.
func userCall(method, done string) func(m *Model, args []string) tea.Cmd {
	return func(m *Model, args []string) tea.Cmd {
		if len(args) != 1 {
			return m.usage("name one user")
		}
		return m.answer(func(ctx context.Context) ([]string, error) {
			err := m.client.Call(ctx, method, &wire.UserParams{User: args[0]}, nil)
			return []string{oneLine(args[0]) + " is " + done}, err
		})
	}
}

// friend asks to be friends; who has been asked by that user accepts by it.
func (m *Model) friend(args []string) tea.Cmd {
	if len(args) != 1 {
		return m.usage("name one user")
	}
	p := &wire.FriendsRequestParams{User: args[0], ClientID: uuid.NewString()}
	return m.answer(func(ctx context.Context) ([]string, error) {
		var r wire.FriendsRequestResult
		err := m.client.Call(ctx, "friends.request", p, &r)
		return []string{either(r.State == "friends", "you are friends", oneLine(args[0])+" is asked")}, err
	})
}

func (m *Model) friends([]string) tea.Cmd {
	return m.answer(func(ctx context.Context) ([]string, error) {
		var f wire.FriendsResult
		var r wire.FriendRequestsResult
		if err := m.client.Call(ctx, "friends.list", &wire.AfterParams{}, &f); err != nil {
			return nil, err
		}
		if err := m.client.Call(ctx, "friends.requests", &wire.AfterParams{}, &r); err != nil {
			return nil, err
		}
		lines := []string{}
		for _, one := range f.Friends {
			line := one.User
			if one.Remark != "" {
				line = one.Remark + " (" + one.User + ")"
			}
			lines = append(lines, oneLine(line))
		}
		for _, one := range r.Requests {
			line := either(one.Direction == "in", one.User+" asks to be your friend: /friend "+one.User, one.User+" is asked")
			if one.Message != "" {
				line += fmt.Sprintf(" – %s", one.Message)
			}
			lines = append(lines, oneLine(line))
		}
		if len(lines) == 0 {
			lines = []string{"none yet; /friend USER asks somebody"}
		}
		return lines, nil
	})
}
