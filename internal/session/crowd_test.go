package session

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func refusedWith(t *testing.T, what string, err error, code wire.Code) {
	t.Helper()
	if e, ok := errors.AsType[*wire.Error](err); !ok || e.Code != code || e.RetryAfter == 0 {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// Who polls under ever new names, as one does that names no session, leaves no crowd
// behind. Mutants: Poll without join; the newest poller evicted; a poll that is under way.
func TestManyPollers(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		alice, bob := n.token("alice", time.Hour), n.token("bob", time.Hour)
		waiting, err := n.Poll(t.Context(), &wire.OpenParams{Token: alice, Session: "waits"})
		if err != nil {
			t.Fatal(err)
		}
		other := n.polls(bob, "other")
		first := n.polls(alice, "0")
		var last *Poller
		for k := range 3 * maxListeners {
			last = n.polls(alice, fmt.Sprint(k))
		}
		if got := n.Links()["poll"]; got != maxListeners+1 {
			t.Errorf("%d pollers are there", got)
		}
		for what, s := range map[string]*Poller{"one that waits": waiting.Poller, "the last one": last, "another user's": other} {
			if s.hasEnded() {
				t.Errorf("%s has ended", what)
			}
		}
		if !first.hasEnded() {
			t.Error("the first one is still there")
		}
		for k := range 2 * n.cfg.MaxListeners {
			n.polls(n.token(chat.UserID(fmt.Sprint("u", k)), time.Hour), "")
		}
		if got := n.Links()["poll"]; got != n.cfg.MaxListeners || waiting.hasEnded() {
			t.Errorf("%d pollers of all are there, or the one that waits is not", got)
		}
		time.Sleep(PollGrace + time.Second)
		for _, s := range n.all() {
			s.check(time.Now())
		}
		waiting.Done()
		waiting.finish(nil)
		if got := n.Links()["poll"]; got != 0 || n.crowd.n != 0 || len(n.crowd.of) != 0 || n.crowd.idle.Len() != 0 {
			t.Errorf("%d are left, %d counted of %d", got, n.crowd.n, len(n.crowd.of))
		}
	})
}

// Event streams are counted, and refused when nobody can make room.
func TestManyStreams(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		alice := n.token("alice", time.Hour)
		open := func(token string) (*Stream, error) {
			return n.OpenStream(t.Context(), &wire.OpenParams{Token: token}, "sse", 1000)
		}
		poller := n.polls(alice, "p")
		var streams []*Stream
		for range maxListeners {
			s, err := open(alice)
			if err != nil {
				t.Fatal(err)
			}
			streams = append(streams, s)
		}
		if !poller.hasEnded() {
			t.Error("an idle poller makes no room")
		}
		_, err := open(alice)
		refusedWith(t, "one stream more", err, wire.CodeRate)
		_, err = n.Poll(t.Context(), &wire.OpenParams{Token: alice})
		refusedWith(t, "one poll more", err, wire.CodeRate)
		for k := maxListeners; k < n.cfg.MaxListeners; k++ {
			s, err := open(n.token(chat.UserID(fmt.Sprint("u", k)), time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			streams = append(streams, s)
		}
		_, err = open(n.token("bob", time.Hour))
		refusedWith(t, "a stream more than all", err, wire.CodeBusy)
		for _, s := range streams {
			s.Closed()
		}
		if n.crowd.n != 0 || len(n.crowd.of) != 0 {
			t.Errorf("%d are left of %d", n.crowd.n, len(n.crowd.of))
		}
	})
}

// One user cannot take every connection; this machine may. A session that comes back takes
// the place that it had. Mutant: Open without a look at SessionsOf.
func TestManyConnections(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		token := n.token("alice", time.Hour)
		connect := func(loopback bool, session, want string) *Session {
			t.Helper()
			p := &peer{}
			s := n.New(p, lineFraming(), Remote{Loopback: loopback})
			s.Frame([]byte(open(token, session)))
			wantKinds(t, session, p, want)
			return s
		}
		first := connect(false, "0", "result 1")
		for k := 1; k < maxSessions; k++ {
			connect(false, fmt.Sprint(k), "result 1")
		}
		connect(false, "more", "rate_limited 1")
		connect(true, "here", "result 1").Closed()
		connect(false, "0", "result 1")
		first.Closed()
		connect(false, "more", "rate_limited 1")
	})
}
