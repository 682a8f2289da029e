package session

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

// onDevice opens a session with a token of so many hours on a device.
func (n *node) onDevice(u chat.UserID, hours int, device, session string) (*Session, *peer) {
	n.t.Helper()
	s, p := n.connect()
	s.Frame(fmt.Appendf(nil, `{"id":1,"method":"session.open","params":{"token":%q,"session":%q,"device":{"id":%q,"platform":"ios","name":"N"}}}`,
		n.token(u, time.Duration(hours)*time.Hour), session, device))
	wantKinds(n.t, "session.open", p, "result 1")
	return s, p
}

func result[T any](t *testing.T, s *Session, p *peer, method, params string) (v T) {
	t.Helper()
	s.Frame(fmt.Appendf(nil, `{"id":77,"method":%q,"params":%s}`, method, params))
	for _, line := range p.taken() {
		if f := read(t, line); string(f.ID) == "77" {
			if f.Error != nil {
				t.Fatalf("%s: %s", method, line)
			}
			if err := json.Unmarshal(f.Result, &v); err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatalf("%s is not answered", method)
	return v
}

// on are the parameters that name a device.
func on(device string) string { return fmt.Sprintf(`,"device":{"id":%q}`, device) }

func (n *node) refused(what, token, device string) {
	n.t.Helper()
	s, p := n.connect()
	defer s.Closed()
	s.Frame(fmt.Appendf(nil, `{"id":1,"method":"session.open","params":{"token":%q%s}}`, token, device))
	wantKinds(n.t, what, p, "revoked 1")
}

func TestSessionsList(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		phone, p := n.onDevice("alice", 1, "phone", "s-phone")
		time.Sleep(time.Second)
		laptop, _ := n.onDevice("alice", 2, "laptop", "s-laptop")
		n.onDevice("bob", 1, "phone", "s-bob")
		laptop.Frame([]byte(`{"method":"presence.set","params":{"state":"away"}}`))
		synctest.Wait()
		got := result[wire.SessionsResult](t, phone, p, "sessions.list", `{}`)
		if len(got.Sessions) != 2 || len(got.Devices) != 2 {
			t.Fatalf("%+v", got)
		}
		first, second := got.Sessions[0], got.Sessions[1]
		if first.Session != "s-laptop" || first.State != "away" || first.Current || second.Session != "s-phone" ||
			!second.Current || second.Platform != "ios" || second.Name != "N" || second.Device != "phone" {
			t.Errorf("%+v", got.Sessions)
		}
		laptop.Closed()
		got = result[wire.SessionsResult](t, phone, p, "sessions.list", `{}`)
		if len(got.Sessions) != 1 || len(got.Devices) != 2 {
			t.Fatalf("%+v", got)
		}
		for _, d := range got.Devices {
			if here := d.Device == "phone"; d.Online != here || d.Current != here || d.Revoked {
				t.Errorf("%+v", d)
			}
		}
	})
}

// What is signed out is closed at once, and its token opens nothing any more, whatever
// it calls itself. Mutants: signOut without Revoke; without closing; Tokens left empty.
func TestSignOut(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		alice, p := n.onDevice("alice", 1, "phone", "s-phone")
		_, lost := n.onDevice("alice", 2, "lost", "s-lost")
		lostToken := n.token("alice", 2*time.Hour)
		if got := result[wire.RevokeResult](t, alice, p, "sessions.revoke", `{"session":"s-lost"}`); got.Closed != 1 {
			t.Errorf("%+v", got)
		}
		if last, ended := lost.ended(); !ended || last != "close revoked 0" {
			t.Errorf("the session that was signed out hears %q", last)
		}
		n.refused("under its name", lostToken, on("lost"))
		n.refused("under another name", lostToken, on("new"))
		alice.Frame([]byte(`{"id":2,"method":"sessions.revoke","params":{"session":"s-lost"}}`))
		wantKinds(t, "again", p, "not_found 2")

		// A device that is not here now: its last token everywhere, older ones on it.
		tablet, _ := n.onDevice("alice", 3, "tablet", "s-tablet")
		tablet.Closed()
		result[wire.RevokeResult](t, alice, p, "devices.revoke", `{"device":"tablet"}`)
		n.refused("its last token", n.token("alice", 3*time.Hour), "")
		n.refused("an older token", n.token("alice", 4*time.Hour), on("tablet"))
		time.Sleep(time.Second)
		n.onDevice("alice", 4, "tablet", "s-tablet") // with a new one
		if last, ended := p.ended(); ended {
			t.Errorf("the one that signed out the others was closed: %s", last)
		}
	})
}

// Mutants: Others without Keep; the caller's own session closed.
func TestSignOutElsewhere(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		alice, p := n.onDevice("alice", 1, "phone", "s-phone")
		_, second := n.onDevice("alice", 2, "laptop", "s-laptop")
		_, bob := n.onDevice("bob", 1, "phone", "s-bob")
		mine, unused := n.token("alice", time.Hour), n.token("alice", 5*time.Hour)
		if got := result[wire.RevokeResult](t, alice, p, "sessions.revoke_others", `{}`); got.Closed != 1 {
			t.Errorf("%+v", got)
		}
		if _, ended := second.ended(); !ended {
			t.Error("the other session is still there")
		}
		if _, ended := bob.ended(); ended {
			t.Error("somebody else's session is closed")
		}
		n.refused("a token from before", unused, "")
		again, q := n.connect()
		again.Frame([]byte(open(mine, "")))
		wantKinds(t, "the caller's own token", q, "result 1")
		time.Sleep(time.Second)
		n.onDevice("alice", 6, "laptop", "s-laptop")
	})
}

// Who signs in while it is signed out does not slip through: its account was read
// before, it goes live after the closing. Mutant: Open without StillAdmitted.
func TestSignOutOfWhoIsSigningIn(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		alice, p := n.onDevice("alice", 1, "phone", "s-phone")
		n.store.afterAccounts = func() {
			if _, err := alice.Signed().RevokeOthers(t.Context()); err != nil {
				t.Error(err)
			}
		}
		thief, q := n.connect()
		thief.Frame([]byte(open(n.token("alice", 2*time.Hour), "")))
		wantKinds(t, "the thief", q, "revoked 1")
		if last, ended := q.ended(); !ended || !strings.Contains(last, "revoked") {
			t.Errorf("the thief hears %q", last)
		}
		wantKinds(t, "alice", p)
	})
}

// Mutant: notices not held back for the answer.
func TestPresenceSubscribe(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		bob, bobPeer := n.online("bob")
		bob.Frame(send("alice", 7))
		bobPeer.taken()
		alice, p := n.online("alice")
		users := `{"users":["bob","eve"]}`
		got := result[wire.PresenceResult](t, alice, p, "presence.subscribe", users)
		if len(got.Presence) != 2 || !got.Presence[0].Online || got.Presence[1].Online || got.LeaseMS != 300_000 {
			t.Fatalf("%+v", got)
		}
		bob.Frame([]byte(`{"id":8,"method":"presence.set","params":{"state":"background","status":"asleep"}}`))
		time.Sleep(2 * time.Second) // the board tells once a second
		if lines := p.taken(); len(lines) != 1 || !strings.Contains(lines[0], `"method":"presence","params":{"user":"bob","online":false,"state":"background","status":"asleep"`) {
			t.Errorf("told %q", lines)
		}
		if got := result[wire.PresenceResult](t, alice, p, "presence.get", users); got.Presence[0].Status != "asleep" || got.LeaseMS != 0 {
			t.Errorf("%+v", got)
		}
		alice.Frame([]byte(`{"id":9,"method":"presence.unsubscribe","params":{"users":["bob"]}}`))
		wantKinds(t, "unsubscribed", p, "result 9")
		bob.Frame([]byte(`{"method":"presence.set","params":{"state":"active"}}`))
		synctest.Wait()
		time.Sleep(2 * time.Second) // the board tells once a second
		wantKinds(t, "nothing more is told", p)
	})
}

// stalled is a peer that takes nothing more once full is closed: who waits for room then
// waits until the connection is.
type stalled struct {
	*peer
	full, gone chan struct{}
}

func (p stalled) WaitRoom() {
	select {
	case <-p.full:
		<-p.gone
	default:
	}
}

func (p stalled) Close() error {
	close(p.gone)
	return p.peer.Close()
}

// Who does not read is closed within five seconds of being signed out all the same, and
// the call that waited for it to read is not run. Mutants: revoke without Close; run
// without a look at what is closed.
func TestSignOutOfWhoDoesNotRead(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		alice, _ := n.onDevice("alice", 1, "phone", "s-phone")
		_, bob := n.online("bob")
		p := stalled{&peer{}, make(chan struct{}), make(chan struct{})}
		thief := n.New(p, lineFraming(), Remote{Loopback: true})
		thief.Frame([]byte(open(n.token("alice", 2*time.Hour), "thief")))
		wantKinds(t, "the thief", p.peer, "result 1")
		close(p.full)
		thief.Frame(send("bob", 1))
		synctest.Wait()
		if _, err := alice.Signed().RevokeSession(t.Context(), "thief"); err != nil {
			t.Fatal(err)
		}
		select {
		case <-p.gone:
		case <-time.After(5 * time.Second):
			t.Error("after five seconds it is still connected")
			_ = p.Close()
		}
		wantKinds(t, "bob", bob)
	})
}
