package api_test

import (
	"testing"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func searchRules() []rule {
	return []rule{
		//                                                                             nobody lobby full stranger member owner former pair
		{"messages.search", "everywhere", `{"query":"hi"}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"messages.search", "in the group", `{"query":"hi","conversation":"GROUP"}`, [basic]wire.Code{ss, no, ok, no, ok, ok, ok, no}, nil},
		{"messages.search", "in the direct one", `{"query":"hi","conversation":"DIRECT"}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(ok)},
		{"messages.search", "in the lobby", `{"query":"hi","conversation":"lobby"}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"messages.search", "in nothing", `{"query":"hi","conversation":"g_none"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},

		{"conversations.search", "", `{"query":"n"}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},
		{"users.search", "", `{"query":"bob"}`, [basic]wire.Code{ss, ok, ok, ok, ok, ok, ok, ok}, nil},

		{"members.search", "the group", `{"conversation":"GROUP","query":"m"}`, [basic]wire.Code{ss, no, ok, no, ok, ok, fb, no}, nil},
		{"members.search", "the direct one", `{"conversation":"DIRECT","query":"b"}`, [basic]wire.Code{ss, no, ok, no, no, no, no, ok}, by(ok)},
		{"members.search", "the lobby", `{"conversation":"lobby","query":"b"}`, [basic]wire.Code{ss, fb, fb, fb, fb, fb, fb, fb}, nil},
		{"members.search", "nothing", `{"conversation":"g_none","query":"b"}`, [basic]wire.Code{ss, no, no, no, no, no, no, no}, nil},
	}
}

// A guest who may be in open rooms only finds nothing of what it once was in.
func TestGuestInTheLobbySearches(t *testing.T) {
	for guests, some := range map[chat.Guests]bool{chat.GuestsFull: true, chat.GuestsLobby: false} {
		s := newScene(t, guests)
		ann := s.caller("guest:ann")
		found := s.must(ann, "messages.search", `{"query":"hi"}`).(wire.MessagesSearchResult)
		people := s.must(ann, "users.search", `{"query":"bob"}`).(wire.UsersSearchResult)
		if len(found.Messages) > 0 != some || len(people.Users) > 0 != some {
			t.Errorf("guests %s: found %+v and %+v", guests, found, people)
		}
	}
}

// Without an index the methods are there, and say that search is off.
func TestSearchIsOff(t *testing.T) {
	w := lobbyWorld(t)
	table := api.New(w.chat, nil)
	for method, params := range map[string]string{
		"messages.search": `{"query":"x"}`, "conversations.search": `{"query":"x"}`, "users.search": `{"query":"x"}`,
		"members.search": `{"query":"x","conversation":"c"}`,
	} {
		m, err := table.Find(method)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Call(t.Context(), w.caller("alice"), []byte(params)); err == nil || err.Code != wire.CodeForbidden {
			t.Errorf("%s: %v", method, err)
		}
	}
}

func TestSearchParameters(t *testing.T) {
	w := lobbyWorld(t)
	alice := w.caller("alice")
	for param, params := range map[string]string{
		"limit": `{"query":"x","limit":51}`, "since": `{"query":"x","since":"yesterday"}`, "until": `{"query":"x","until":"1"}`, "query": `{}`,
	} {
		if _, err := w.call(alice, "messages.search", params); err == nil || err.Code != wire.CodeParam || err.Param != param {
			t.Errorf("%s: %v", param, err)
		}
	}
}
