package session

import (
	"slices"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

// polls polls once as a session, with a token and in rooms, and ends the poll.
func (n *node) polls(token, session string, rooms ...string) *Poller {
	n.t.Helper()
	p, err := n.Poll(n.t.Context(), &wire.OpenParams{Token: token, Session: session, Rooms: rooms})
	if err != nil {
		n.t.Fatal(err)
	}
	p.Done()
	return p.Poller
}

// A poller that comes back with another token, as it must before the first one expires,
// goes on with that; signing it out refuses both. Mutants: goOn without renew; info with
// the last token alone.
func TestPollerRenewsItsToken(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		first, second := n.token("alice", time.Hour), n.token("alice", 3*time.Hour)
		s := n.polls(first, "p")
		if n.polls(second, "p") != s {
			t.Fatal("it is another poller")
		}
		time.Sleep(2 * time.Hour)
		n.polls(second, "p")
		s.check(time.Now())
		if _, last := s.Notices(); last {
			t.Error("it has ended with its first token")
		}
		third, fourth := n.token("alice", 3*time.Hour), n.token("alice", 4*time.Hour)
		n.polls(third, "p")
		alice, p := n.online("alice")
		if got := result[wire.RevokeResult](t, alice, p, "sessions.revoke", `{"session":"p"}`); got.Closed != 1 {
			t.Errorf("%+v", got)
		}
		n.refused("an earlier token", second, "")
		n.refused("the last one", third, "")
		again, q := n.connect()
		again.Frame([]byte(open(fourth, "p")))
		wantKinds(t, "one that it never had", q, "result 1")
	})
}

// A socket that comes back with another token before the server has noticed that the old
// connection is gone is signed out with both, too. Mutant: sit without inherit.
func TestReplacedSessionsTokenIsSignedOut(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		first, _ := n.onDevice("alice", 2, "phone", "s")
		n.onDevice("alice", 3, "phone", "s")
		first.Closed()
		alice, p := n.online("alice")
		result[wire.RevokeResult](t, alice, p, "sessions.revoke", `{"session":"s"}`)
		n.refused("the token of the connection that was replaced", n.token("alice", 2*time.Hour), "")
		n.refused("the last one", n.token("alice", 3*time.Hour), "")
	})
}

// A poller is in the rooms that its last poll names, once in each. Mutant: enterRooms
// without Leave.
func TestPollerChangesRooms(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		token := n.token("alice", time.Hour)
		s := n.polls(token, "p", "lobby", "lobby")
		if got := s.Rooms(); !slices.Equal(got, []chat.ConversationID{chat.Lobby}) {
			t.Errorf("it is in %v", got)
		}
		if got := n.cfg.Router.Online(chat.Lobby); got != 1 {
			t.Errorf("%d are in the lobby", got)
		}
		n.polls(token, "p")
		if got := n.cfg.Router.Online(chat.Lobby); got != 0 {
			t.Errorf("%d are in the lobby that nobody names any more", got)
		}
	})
}

// A poller that is signed out while it goes live is not kept. Mutant: Poll without a look
// at what has ended.
func TestPollerEndsWhileItBegins(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		alice, _ := n.online("alice")
		n.store.afterAccounts = func() {
			// Somebody's revocation has the account read again when the poller is live.
			if err := n.cfg.Chat.Revoke(t.Context(), "bob", chat.Revocation{Others: true}); err != nil {
				t.Error(err)
			}
			n.store.afterAccounts = func() {
				if _, err := alice.Signed().RevokeSession(t.Context(), "p"); err != nil {
					t.Error(err)
				}
			}
		}
		s := n.polls(n.token("alice", 2*time.Hour), "p")
		if told, last := s.Notices(); !last || len(told) != 1 {
			t.Errorf("it is told %v", told)
		}
		if links := n.Links(); links["poll"] != 0 {
			t.Errorf("%v are open", links)
		}
	})
}
