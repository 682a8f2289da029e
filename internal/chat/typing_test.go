package chat_test

import (
	"errors"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// Mutants: due always true; Except left out; the bound on members left out.
func TestTyping(t *testing.T) {
	w := newWorld(t)
	group := w.group(1, false, "alice", "bob")
	w.bus.taken()
	told := func() []chat.Notice {
		_, notices := w.bus.taken()
		return notices
	}
	typing := func(u chat.UserID, on bool) {
		t.Helper()
		if err := w.Typing(t.Context(), as(u), group, on, chat.TypingText); err != nil {
			t.Fatal(err)
		}
	}
	typing("alice", false)
	if n := told(); len(n) != 0 {
		t.Errorf("who never typed has stopped: %+v", n)
	}
	typing("alice", true)
	n := told()
	const want = `{"conversation":"` // then the id
	if len(n) != 1 || n[0].Method != "typing" || n[0].Except != "alice" || n[0].Conversation.ID != group ||
		string(n[0].Params) != want+string(group)+`","user":"alice","typing":true,"kind":"text","expires_ms":6000}` {
		t.Fatalf("%+v %s", n, n[0].Params)
	}
	w.clock.set(w.clock.now().Add(time.Second))
	typing("alice", true)
	typing("bob", true)
	if n := told(); len(n) != 1 || n[0].Except != "bob" {
		t.Errorf("within two seconds: %+v", n)
	}
	w.clock.set(w.clock.now().Add(time.Second))
	typing("alice", true)
	typing("alice", false)
	typing("alice", false)
	if n := told(); len(n) != 2 {
		t.Errorf("again, and stopped once: %+v", n)
	}

	for _, tt := range []struct {
		user chat.UserID
		in   chat.ConversationID
		want chat.Code
	}{
		{"eve", group, chat.CodeNotFound},
		{"alice", "g_none", chat.CodeNotFound},
		{chat.GuestID("ann"), group, chat.CodeNotFound},
	} {
		err := w.Typing(t.Context(), as(tt.user), tt.in, true, chat.TypingText)
		if own, ok := errors.AsType[*chat.Error](err); !ok || own.Code != tt.want {
			t.Errorf("%s in %s: %v", tt.user, tt.in, err)
		}
	}
	if err := w.Typing(t.Context(), as("alice"), chat.Lobby, true, chat.TypingText); err != nil {
		t.Error(err)
	}
	if n := told(); len(n) != 0 {
		t.Errorf("told all the same: %+v", n)
	}
}

// Whose presence one may see. Mutants: a message to somebody is enough; Sent not asked.
func TestAcquainted(t *testing.T) {
	w := newWorld(t)
	w.group(1, false, "alice", "bob", "gone")
	cid, key := id(2)
	if _, err := w.leave("gone", w.group(3, false, "gone", "carl"), 4); err != nil {
		t.Fatal(err)
	}
	w.mustSend("dora", chat.Send{ClientID: cid, Key: key, Once: true, ToUser: "alice", Content: text("hi")})
	all := []chat.UserID{"alice", "bob", "gone", "carl", "dora", "eve", chat.GuestID("ann")}
	for u, want := range map[chat.UserID][]chat.UserID{
		"alice":             {"alice", "bob", "gone", "dora"},
		"dora":              {"dora"}, // alice has not written to her
		"carl":              {"carl"}, // gone has left
		"eve":               {"eve"},
		chat.GuestID("ann"): nil, // kept to the lobby
	} {
		got, err := w.Acquainted(t.Context(), u, all)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Errorf("%s sees %v, want %v", u, got, want)
		}
		for _, o := range want {
			if !got[o] {
				t.Errorf("%s does not see %s", u, o)
			}
		}
	}
}
