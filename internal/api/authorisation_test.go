package api_test

import (
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
	"github.com/linnet-im/linnet/wire"
)

// Who calls. The columns of the table below, in this order.
const (
	nobody    = iota // has not signed in
	lobbyist         // guest:ann, kept to open rooms; was in the group and wrote to bob when guests were full users
	fullGuest        // guest:ann, a user like others, in the group and with bob
	stranger         // a user who is in nothing
	member           // of the group; nothing else
	owner            // of the group
	former           // was in the group and was removed
	pair             // bob, in the direct conversation with guest:ann
	callers
)

func names() [callers]string {
	return [callers]string{"nobody", "guest in the lobby", "full guest", "stranger", "member", "owner", "former member", "member of the direct"}
}

func users() [callers]chat.UserID {
	return [callers]chat.UserID{"", "guest:ann", "guest:ann", "sam", "mia", "olga", "fred", "bob"}
}

// Short names of what a call may answer.
const (
	ok = wire.Code("")
	no = wire.CodeNotFound
	fb = wire.CodeForbidden
	ss = wire.CodeSession
	pa = wire.CodeParam
	ao = wire.CodeOpen
)

// rule is one line: what each caller gets for a call. GROUP, DIRECT and CID in the
// parameters stand for ids of the fixture and a fresh client_id.
type rule struct {
	method, what, params string
	want                 [callers]wire.Code
}

func rules() []rule {
	const send = `,"client_id":"CID","content":{"type":"text","text":"hi"}}`
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"ping", "", `{}`, [callers]wire.Code{ok, ok, ok, ok, ok, ok, ok, ok}},
		{"session.open", "as a guest", `{"guest":"zoe"}`, [callers]wire.Code{ok, ao, ao, ao, ao, ao, ao, ao}},
		{"session.close", "", `{}`, [callers]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}},
		{"session.ack", "with no cursor of the caller's", `{"cursor":"x"}`, [callers]wire.Code{ss, pa, pa, pa, pa, pa, pa, pa}},

		{"users.get", "", `{"ids":["bob","nobody-at-all"]}`, [callers]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}},
		{"users.update", "", `{"name":"N"}`, [callers]wire.Code{ss, fb, fb, ok, ok, ok, ok, ok}},

		{"conversations.create", "a group", `{"kind":"group","client_id":"CID","name":"n"}`, [callers]wire.Code{ss, fb, ok, ok, ok, ok, ok, ok}},
		{"conversations.create", "a direct one", `{"kind":"direct","user":"bob"}`, [callers]wire.Code{ss, fb, ok, ok, ok, ok, ok, ok}},

		{"conversations.get", "the group", `{"conversation":"GROUP"}`, [callers]wire.Code{ss, no, ok, no, ok, ok, ok, no}},
		{"conversations.get", "the direct one", `{"conversation":"DIRECT"}`, [callers]wire.Code{ss, no, ok, no, no, no, no, ok}},
		{"conversations.get", "the lobby", `{"conversation":"lobby"}`, [callers]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}},
		{"conversations.get", "nothing", `{"conversation":"g_none"}`, [callers]wire.Code{ss, no, no, no, no, no, no, no}},
		{"conversations.list", "", `{}`, [callers]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}},

		{"conversations.leave", "the group", `{"conversation":"GROUP","client_id":"CID"}`, [callers]wire.Code{ss, no, ok, no, ok, ok, no, no}},
		{"conversations.leave", "the direct one", `{"conversation":"DIRECT","client_id":"CID"}`, [callers]wire.Code{ss, no, fb, no, no, no, no, fb}},
		{"conversations.leave", "the lobby", `{"conversation":"lobby","client_id":"CID"}`, [callers]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}},
		{"conversations.leave", "nothing", `{"conversation":"g_none","client_id":"CID"}`, [callers]wire.Code{ss, no, no, no, no, no, no, no}},

		{"members.list", "the group", `{"conversation":"GROUP"}`, [callers]wire.Code{ss, no, ok, no, ok, ok, fb, no}},
		{"members.list", "the direct one", `{"conversation":"DIRECT"}`, [callers]wire.Code{ss, no, ok, no, no, no, no, ok}},
		{"members.list", "the lobby", `{"conversation":"lobby"}`, [callers]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}},
		{"members.list", "nothing", `{"conversation":"g_none"}`, [callers]wire.Code{ss, no, no, no, no, no, no, no}},

		{"members.add", "to the group", `{"conversation":"GROUP","client_id":"CID","users":["new"]}`, [callers]wire.Code{ss, no, ok, no, ok, ok, no, no}},
		{"members.add", "to the direct one", `{"conversation":"DIRECT","client_id":"CID","users":["new"]}`, [callers]wire.Code{ss, no, fb, no, no, no, no, fb}},
		{"members.add", "to the lobby", `{"conversation":"lobby","client_id":"CID","users":["new"]}`, [callers]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}},
		{"members.add", "to nothing", `{"conversation":"g_none","client_id":"CID","users":["new"]}`, [callers]wire.Code{ss, no, no, no, no, no, no, no}},

		{"members.remove", "from the group", `{"conversation":"GROUP","client_id":"CID","users":["max"]}`, [callers]wire.Code{ss, no, fb, no, fb, ok, no, no}},
		{"members.remove", "from the direct one", `{"conversation":"DIRECT","client_id":"CID","users":["bob"]}`, [callers]wire.Code{ss, no, fb, no, no, no, no, fb}},
		{"members.remove", "from nothing", `{"conversation":"g_none","client_id":"CID","users":["max"]}`, [callers]wire.Code{ss, no, no, no, no, no, no, no}},

		{"messages.send", "to the group", `{"to":{"conversation":"GROUP"}` + send, [callers]wire.Code{ss, no, ok, no, ok, ok, no, no}},
		{"messages.send", "to the direct one", `{"to":{"conversation":"DIRECT"}` + send, [callers]wire.Code{ss, no, ok, no, no, no, no, ok}},
		{"messages.send", "to the lobby", `{"to":{"conversation":"lobby"}` + send, [callers]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}},
		{"messages.send", "to nothing", `{"to":{"conversation":"g_none"}` + send, [callers]wire.Code{ss, no, no, no, no, no, no, no}},
		{"messages.send", "to bob", `{"to":{"user":"bob"}` + send, [callers]wire.Code{ss, fb, ok, ok, ok, ok, ok, ok}},
		{"messages.send", "to one nobody knows", `{"to":{"user":"who"}` + send, [callers]wire.Code{ss, fb, ok, ok, ok, ok, ok, ok}},

		{"messages.list", "the group", `{"conversation":"GROUP"}`, [callers]wire.Code{ss, no, ok, no, ok, ok, ok, no}},
		{"messages.list", "the direct one", `{"conversation":"DIRECT"}`, [callers]wire.Code{ss, no, ok, no, no, no, no, ok}},
		{"messages.list", "the lobby", `{"conversation":"lobby"}`, [callers]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}},
		{"messages.list", "nothing", `{"conversation":"g_none"}`, [callers]wire.Code{ss, no, no, no, no, no, no, no}},

		{"messages.read", "the group", `{"conversation":"GROUP","seq":1}`, [callers]wire.Code{ss, no, ok, no, ok, ok, ok, no}},
		{"messages.read", "the direct one", `{"conversation":"DIRECT","seq":1}`, [callers]wire.Code{ss, no, ok, no, no, no, no, ok}},
		{"messages.read", "the lobby", `{"conversation":"lobby","seq":1}`, [callers]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}},
		{"messages.read", "nothing", `{"conversation":"g_none","seq":1}`, [callers]wire.Code{ss, no, no, no, no, no, no, no}},

		{"rooms.join", "the lobby", `{"room":"lobby"}`, [callers]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}},
		{"rooms.join", "the group", `{"room":"GROUP"}`, [callers]wire.Code{ss, no, fb, no, fb, fb, fb, no}},
		{"rooms.join", "the direct one", `{"room":"DIRECT"}`, [callers]wire.Code{ss, no, fb, no, no, no, no, fb}},
		{"rooms.join", "nothing", `{"room":"g_none"}`, [callers]wire.Code{ss, no, no, no, no, no, no, no}},
		{"rooms.leave", "the lobby", `{"room":"lobby"}`, [callers]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}},
		{"rooms.leave", "the group", `{"room":"GROUP"}`, [callers]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}},

		{"typing.set", "in the group", `{"conversation":"GROUP","typing":true}`, [callers]wire.Code{ss, no, ok, no, ok, ok, fb, no}},
		{"typing.set", "in the direct one", `{"conversation":"DIRECT","typing":true}`, [callers]wire.Code{ss, no, ok, no, no, no, no, ok}},
		{"typing.set", "in the lobby", `{"conversation":"lobby","typing":true}`, [callers]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}},
		{"typing.set", "in nothing", `{"conversation":"g_none","typing":true}`, [callers]wire.Code{ss, no, no, no, no, no, no, no}},

		// Whose presence is shown to whom: TestWhoSeesWhom.
		{"presence.set", "of the session", `{"state":"away"}`, [callers]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}},
		{"presence.set", "of the user", `{"status":"in a meeting"}`, [callers]wire.Code{ss, fb, fb, ok, ok, ok, ok, ok}},
		{"presence.get", "", `{"users":["bob"]}`, [callers]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}},
		{"presence.subscribe", "", `{"users":["bob"]}`, [callers]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}},
		{"presence.unsubscribe", "", `{"users":["bob"]}`, [callers]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}},

		{"sessions.list", "", `{}`, [callers]wire.Code{ss, fb, fb, ok, ok, ok, ok, ok}},
		{"sessions.revoke", "none of the caller's", `{"session":"x"}`, [callers]wire.Code{ss, fb, fb, no, no, no, no, no}},
		{"devices.revoke", "none of the caller's", `{"device":"x"}`, [callers]wire.Code{ss, fb, fb, no, no, no, no, no}},
		{"sessions.revoke_others", "", `{}`, [callers]wire.Code{ss, fb, fb, ok, ok, ok, ok, ok}},

		{"sync", "", `{}`, [callers]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}},
	}
}

// scene is the fixture: a group, a direct conversation, and who is in them.
type scene struct {
	*world
	replacer *strings.Replacer
}

func newScene(t *testing.T, guests chat.Guests) *scene {
	t.Helper()
	store := memory.New()
	w, stop := newWorld(t, store, chat.GuestsFull)
	group := w.must(w.caller("olga"), "conversations.create",
		`{"kind":"group","client_id":"00000000-0000-7000-8000-000000000001","members":["mia","fred","max","guest:ann"]}`).(wire.Conversation).ID
	w.must(w.caller("olga"), "members.remove",
		`{"conversation":"`+group+`","client_id":"00000000-0000-7000-8000-000000000002","users":["fred"]}`)
	direct := w.must(w.caller("guest:ann"), "messages.send",
		`{"to":{"user":"bob"},"client_id":"00000000-0000-7000-8000-000000000003","content":{"type":"text","text":"hi"}}`).(wire.Place).Conversation
	s := &scene{w, strings.NewReplacer("GROUP", group, "DIRECT", direct, "CID", "00000000-0000-7000-8000-0000000000ff")}
	if guests != chat.GuestsFull {
		stop()
		s.world, _ = newWorld(t, store, guests)
	}
	return s
}

// Mutants: a row of access Anybody; DirectWith without MaySee; joined left out of
// groupOf or of the send's rights; RemoveMembers without the owner.
func TestAuthorisation(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range rules() {
		seen[r.method] = true
		t.Run(r.method+" "+r.what, func(t *testing.T) {
			t.Parallel()
			for who, want := range r.want {
				guests := chat.GuestsFull
				if who == lobbyist || who == nobody {
					guests = chat.GuestsLobby
				}
				s := newScene(t, guests)
				_, err := s.call(s.caller(users()[who]), r.method, s.replacer.Replace(r.params))
				got := ok
				if err != nil {
					got = err.Code
				}
				if got != want {
					t.Errorf("%s: got %q (%v), want %q", names()[who], got, err, want)
				}
			}
		})
	}
	for _, m := range lobbyWorld(t).table.Methods() {
		if !seen[m.Name] {
			t.Errorf("%s has no line in the table of who may call it", m.Name)
		}
	}
}

// What is not for the caller is answered, byte for byte, like what is not there. Mutant:
// groupOf answers forbidden to strangers.
func TestNotThereAndNotForYouAreAlike(t *testing.T) {
	s := newScene(t, chat.GuestsLobby)
	answer := func(u chat.UserID, method, params string) string {
		_, err := s.call(s.caller(u), method, s.replacer.Replace(params))
		if err == nil {
			t.Errorf("%s %s was answered to %s", method, params, u)
			return ""
		}
		return string(wire.AppendError(nil, nil, err))
	}
	for _, r := range rules() {
		if !strings.Contains(r.params, "GROUP") && !strings.Contains(r.params, "DIRECT") {
			continue
		}
		for _, who := range []int{lobbyist, stranger} {
			if r.want[who] != no {
				continue
			}
			u := users()[who]
			nothing := strings.NewReplacer("GROUP", "g_none", "DIRECT", "g_none").Replace(r.params)
			if got, want := answer(u, r.method, r.params), answer(u, r.method, nothing); got != want {
				t.Errorf("%s %s to %s:\n%s\nand of what is not there\n%s", r.method, r.what, names()[who], got, want)
			}
		}
	}
	const send = `,"client_id":"CID","content":{"type":"text","text":"hi"}}`
	if got, want := answer("guest:ann", "messages.send", `{"to":{"user":"bob"}`+send), answer("guest:ann", "messages.send", `{"to":{"user":"who"}`+send); got != want {
		t.Errorf("whom a guest knows is told: %s and %s", got, want)
	}
}

// A former member's view holds nothing from after its removal.
func TestFormerMemberSeesThePast(t *testing.T) {
	s := newScene(t, chat.GuestsFull)
	fred := s.caller("fred")
	before := s.must(fred, "conversations.get", s.replacer.Replace(`{"conversation":"GROUP"}`)).(wire.Conversation)
	if before.Membership != "left" || before.ToSeq != 2 || before.Members != 0 || before.Count != 0 || before.Rev != 0 || before.Role != "" {
		t.Errorf("got %+v", before)
	}
	olga := s.caller("olga")
	s.must(olga, "messages.send", s.replacer.Replace(`{"to":{"conversation":"GROUP"},"client_id":"CID","content":{"type":"text","text":"hi"}}`))
	s.must(s.caller("mia"), "messages.read", s.replacer.Replace(`{"conversation":"GROUP","seq":3}`))
	s.must(olga, "members.add", s.replacer.Replace(`{"conversation":"GROUP","client_id":"00000000-0000-7000-8000-0000000000aa","users":["new"]}`))
	after := s.must(fred, "conversations.get", s.replacer.Replace(`{"conversation":"GROUP"}`)).(wire.Conversation)
	want, got := asJSON(t, before), asJSON(t, after)
	if got != want {
		t.Errorf("before\n%s\nafter\n%s", want, got)
	}
}
