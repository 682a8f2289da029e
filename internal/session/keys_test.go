package session

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func (n *node) key(t *testing.T, scopes ...chat.Scope) (id, text string) {
	t.Helper()
	key, err := wire.ParseUUID(wire.NewUUIDv7())
	if err != nil {
		t.Fatal(err)
	}
	k, text, err := n.cfg.Chat.CreateKey(t.Context(), chat.NewKey{Key: key, Name: "test", Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	return k.ID, text
}

// A revoked key's sessions end within seconds, on every link, however it was revoked: here in
// the store behind the hub's back, as another node does. The key is not its user's device
// meanwhile. Mutants: checkKeys not called; liveOf with keys' sessions; sit enters a key's
// session on the board; a key's session of the same id replaces its user's.
func TestRevokedKeysSessionsEnd(t *testing.T) {
	inBubble(t, chat.GuestsOff, func(t *testing.T, n *node) {
		id, text := n.key(t, chat.ScopeRead)
		_, other := n.key(t, chat.ScopeRead)
		open := func(key, session string) *wire.OpenParams {
			return &wire.OpenParams{Key: key, User: "alice", Session: session}
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go n.Run(ctx)
		opened := func(p *wire.OpenParams) (*Session, *peer) {
			s, out := n.connect()
			if _, err := s.Open(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			return s, out
		}
		alice, aliceOut := opened(&wire.OpenParams{Token: n.token("alice", time.Hour), Session: "one"})
		_, socket := opened(open(text, "one"))
		_, stays := opened(open(other, "one"))
		stream, err := n.OpenStream(t.Context(), open(text, "two"), "sse", 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Closed()
		poll, err := n.Poll(t.Context(), open(text, "three"))
		if err != nil {
			t.Fatal(err)
		}
		list, err := alice.Signed().Sessions(t.Context())
		if err != nil || len(list.Sessions) != 1 || len(list.Devices) != 0 {
			t.Errorf("alice sees %+v, %v", list, err)
		}
		if _, err := alice.Signed().RevokeOthers(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := n.cfg.Chat.RevokeKey(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second) // of the bubble
		for what, p := range map[string]*peer{"the key's": socket, "alice's": aliceOut, "the other key's": stays} {
			if _, closed := p.ended(); closed != (p == socket) {
				t.Errorf("%s session is closed: %v", what, closed)
			}
		}
		if told, last := stream.Next(t.Context()); !last || told[len(told)-1].Method != "close" {
			t.Errorf("the stream was told %v, %v", told, last)
		}
		if told, last := poll.Notices(); !last || told[len(told)-1].Method != "close" {
			t.Errorf("the poll was told %v, %v", told, last)
		}
		_, err = n.Authenticate(t.Context(), open(text, ""))
		wantCode(t, err, wire.CodeToken)
		stop()
		synctest.Wait()
	})
}

// Keys are not taken in plain text off loopback. Mutant: TakesKeys answers nil.
func TestKeysAreNotTakenInPlainText(t *testing.T) {
	inBubble(t, chat.GuestsOff, func(t *testing.T, n *node) {
		_, text := n.key(t, chat.ScopeRead)
		n.cfg.PlainLAN = true
		far, _ := n.connect()
		far.remote.Loopback = false
		_, err := far.Open(t.Context(), &wire.OpenParams{Key: text, User: "alice"})
		wantCode(t, err, wire.CodeForbidden)
		near, _ := n.connect()
		if _, err := near.Open(t.Context(), &wire.OpenParams{Key: text, User: "alice"}); err != nil {
			t.Error(err)
		}
	})
}

func wantCode(t *testing.T, err error, want wire.Code) {
	t.Helper()
	if err == nil || api.Error(err).Code != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
