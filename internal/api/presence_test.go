package api_test

import (
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

// Whose presence is shown to whom. Everybody is there; what is not for the caller looks
// like somebody nobody knows. Mutant: accounts of all who are asked for.
func TestWhoSeesWhom(t *testing.T) {
	for _, tt := range []struct {
		who   chat.UserID
		sees  string
		blind string
	}{
		{"mia", `"olga"`, `"bob","sam","fred","nobody-at-all"`},
		{"olga", `"mia"`, `"bob","sam","fred"`},
		{"fred", `"fred"`, `"olga","mia","bob"`}, // removed from the group
		{"sam", `"sam"`, `"olga","mia","bob","fred"`},
		{"bob", `"guest:ann"`, `"olga","mia"`}, // she has written to him
		{"guest:ann", `"olga","mia"`, `"bob","sam"`},
	} {
		s := newScene(t, chat.GuestsFull)
		for _, u := range []chat.UserID{"mia", "olga", "fred", "sam", "bob", "guest:ann"} {
			s.caller(u)
		}
		c := s.caller(tt.who)
		for _, method := range []string{"presence.get", "presence.subscribe"} {
			for _, p := range s.must(c, method, `{"users":[`+tt.sees+`]}`).(wire.PresenceResult).Presence {
				if !p.Online {
					t.Errorf("%s: %s is shown %+v", method, tt.who, p)
				}
			}
			for _, p := range s.must(c, method, `{"users":[`+tt.blind+`]}`).(wire.PresenceResult).Presence {
				want := wire.Presence{User: p.User, State: "offline"}
				if p.Online || p.State != want.State || p.Status != "" || p.LastSeen != "" || p.Devices != nil {
					t.Errorf("%s: %s is shown %+v", method, tt.who, p)
				}
			}
		}
	}
	s := newScene(t, chat.GuestsLobby)
	s.caller("bob")
	got := s.must(s.caller("guest:ann"), "presence.get", `{"users":["bob","guest:ann"]}`).(wire.PresenceResult)
	if got.Presence[0].Online || got.Presence[1].Online {
		t.Errorf("a guest in the lobby is shown %+v", got)
	}
}
