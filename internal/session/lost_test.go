package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/chat"
)

// The notice of a message is lost on its way to the session, and then nobody says anything
// more: within two heartbeats the session has been told the message, and only behind it
// comes a checkpoint; with that a sync tells nothing more, without it the sync had told
// it. Mutant: a checkpoint without the comparison of heads.
func TestNoticeLost(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		alice, p := n.online("alice")
		bob, b := n.online("bob")
		bob.Frame(send("alice", 1))
		time.Sleep(5 * time.Second)
		lines := p.taken()
		if got := kinds(t, lines); !slices.Equal(got, []string{"event 1", "checkpoint"}) {
			t.Fatalf("before the loss: %v", got)
		}
		before := read(t, lines[1]).Params.Cursor
		b.taken()

		n.bus.lose.Store(true)
		bob.Frame(send("alice", 2))
		wantKinds(t, "bob is answered", b, "result 2")
		if got := p.taken(); len(got) != 0 {
			t.Fatalf("it was not lost: %v", got)
		}
		alice.Frame(fmt.Appendf(nil, `{"id":8,"method":"sync","params":{"cursor":%q}}`, before))
		if got := p.taken(); len(got) != 1 || !strings.Contains(got[0], `"seq":2`) {
			t.Fatalf("the cursor from before says %v", got)
		}

		time.Sleep(2 * api.Heartbeat)
		lines = slices.DeleteFunc(p.taken(), func(l string) bool { return l == "PING" })
		if got := kinds(t, lines); !slices.Equal(got, []string{"event 2", "checkpoint"}) {
			t.Fatalf("after two heartbeats: %v", got)
		}
		alice.Frame(fmt.Appendf(nil, `{"id":9,"method":"sync","params":{"cursor":%q}}`, read(t, lines[1]).Params.Cursor))
		if got := p.taken(); len(got) != 1 || !strings.Contains(got[0], `"conversations":[]`) {
			t.Errorf("the checkpoint says %v", got)
		}
	})
}
