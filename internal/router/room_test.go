package router

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
)

type members struct {
	Room         string
	Joined, Left []string
	Online       int
}

// comings gives the room.members notices a session was told.
func comings(t *testing.T, s *sink) []members {
	t.Helper()
	var list []members
	for _, l := range s.taken() {
		params, ok := strings.CutPrefix(l, "room.members ")
		if !ok {
			continue
		}
		var m members
		if err := json.Unmarshal([]byte(params), &m); err != nil {
			t.Fatal(err)
		}
		slices.Sort(m.Joined)
		slices.Sort(m.Left)
		list = append(list, m)
	}
	return list
}

// Who is banned from a room hears what came before, that it is out, and nothing after it.
// Mutants: evict without the sessions' users; the notice told to the whole room.
func TestEvicted(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		alice, aliceLive := n.online("alice")
		bob, bobLive := n.online("bob")
		n.Join(aliceLive, chat.Lobby)
		n.Join(bobLive, chat.Lobby)
		n.send("alice", into(chat.Lobby), 1)
		n.Notify(chat.Notice{
			Conversation: chat.Conversation{ID: chat.Lobby, Kind: chat.Room}, Evict: &chat.Eviction{Users: []chat.UserID{"bob"}},
			Method: "room.removed", Params: []byte(`{}`),
		})
		n.send("alice", into(chat.Lobby), 1)
		synctest.Wait()
		last := func(s *sink) string {
			list := s.taken()
			return list[len(list)-1]
		}
		if got := last(bob); got != "room.removed {}" {
			t.Errorf("bob was told last: %s", got)
		}
		if got := last(alice); strings.HasPrefix(got, "room.removed") || n.Online(chat.Lobby) != 1 || n.Present(chat.Lobby, "bob") {
			t.Errorf("alice was told last: %s; %d are there", got, n.Online(chat.Lobby))
		}
		n.Notify(chat.Notice{
			Conversation: chat.Conversation{ID: chat.Lobby, Kind: chat.Room}, Evict: &chat.Eviction{}, Method: "room.removed", Params: []byte(`{}`),
		})
		synctest.Wait()
		if n.Online(chat.Lobby) != 0 {
			t.Errorf("%d are there", n.Online(chat.Lobby))
		}
	})
}

func TestRoomNoticesAreCoalesced(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		alice, aliceLive := n.online("alice")
		if got := n.Join(aliceLive, chat.Lobby); got != 1 {
			t.Errorf("%d online", got)
		}
		sweeps(1)
		alice.taken()
		_, bob := n.online("bob")
		_, bobToo := n.online("bob")
		_, carol := n.online("carol")
		n.Join(bob, chat.Lobby)
		n.Join(bob, chat.Lobby) // a second time is nothing
		n.Join(carol, chat.Lobby)
		if got := n.Join(bobToo, chat.Lobby); got != 3 {
			t.Errorf("%d online; a user's second session makes no more", got)
		}
		n.Leave(carol, chat.Lobby) // came and went: not worth a word
		sweeps(1)
		want := []members{{Room: "lobby", Joined: []string{"bob"}, Online: 2}}
		if diff := cmp.Diff(want, comings(t, alice)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		n.Remove(bob)
		sweeps(1)
		if got := comings(t, alice); got != nil {
			t.Errorf("bob is here with his other session, and alice is told %+v", got)
		}
		n.Remove(bobToo)
		sweeps(1)
		want = []members{{Room: "lobby", Left: []string{"bob"}, Online: 1}}
		if diff := cmp.Diff(want, comings(t, alice)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for i := range 50 {
			_, l := n.online(chat.UserID(fmt.Sprint("u", i)))
			n.Join(l, chat.Lobby)
		}
		sweeps(3)
		got := comings(t, alice)
		if len(got) != 1 || len(got[0].Joined) != noticeNames || got[0].Online != 51 {
			t.Errorf("told %+v", got)
		}
	})
}

// Links that print joins are told at once, the one that joins too; its own leaving and
// a second session of the same user are not printed.
func TestJoinsArePrinted(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		ann, zoe := &sink{}, &sink{}
		format := textFormat()
		n.Join(n.Add("ann", format, ann, 0), chat.Lobby)
		first := n.Add("zoe", format, zoe, 0)
		n.Join(first, chat.Lobby)
		n.Join(n.Add("zoe", format, &sink{}, 0), chat.Lobby)
		n.Leave(first, chat.Lobby)
		sweeps(2)
		if diff := cmp.Diff([]string{"ann has joined", "zoe has joined"}, ann.taken()); diff != "" {
			t.Errorf("ann (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"zoe has joined"}, zoe.taken()); diff != "" {
			t.Errorf("zoe (-want +got):\n%s", diff)
		}
	})
}

// A server restarts and 10,000 guests come back at once, some of them by text. The log
// does not grow, and what they are told of each other is bounded: a notice a second and
// session, and 20 joins a second printed. Mutants: Join without the limit of printed;
// a notice for each join.
func TestTenThousandGuestsReconnect(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		const guests, printing = 10_000, 500
		before := n.store.Position()
		json, text := jsonFormat(), textFormat()
		var sinks []*sink
		var live []*Live
		come := func() {
			for i := range guests {
				s, format := &sink{}, json
				if i%(guests/printing) == 0 {
					format = text
				}
				l := n.Add(chat.GuestID(fmt.Sprint(i)), format, s, before)
				n.Join(l, chat.Lobby)
				sinks, live = append(sinks, s), append(live, l)
			}
		}
		come()
		sweeps(1)
		for _, l := range live {
			n.Remove(l)
		}
		if got := n.Online(chat.Lobby) + n.Sessions(); got != 0 {
			t.Fatalf("%d are still there", got)
		}
		come()
		sweeps(3)
		if got := n.Online(chat.Lobby); got != guests {
			t.Errorf("%d online", got)
		}
		total := 0
		for _, s := range sinks {
			total += s.pushes
		}
		// Twice: a notice each, and 20 joins printed to 500 at most.
		if most := 2*guests + 2*noticeNames*printing; total > most {
			t.Errorf("%d deliveries, want %d at most", total, most)
		}
		if n.store.Position() != before {
			t.Error("coming and going is written to the store")
		}
		lobby, err := n.store.Conversation(t.Context(), chat.Lobby)
		if err != nil || lobby.Seq != 0 {
			t.Errorf("the lobby's log has %d events, %v", lobby.Seq, err)
		}
	})
}

// A session that ends while it joins leaves nothing behind. Mutant: Join without gone.
func TestNoGhostInARoom(t *testing.T) {
	r := New(Config{
		MaySee: func(chat.UserID, chat.ConversationKind) bool { return true }, Log: slog.New(slog.DiscardHandler),
	}, memory.New())
	for range 2000 {
		l := r.Add("alice", textFormat(), &sink{}, 0)
		var both sync.WaitGroup
		both.Go(func() { r.Join(l, chat.Lobby) })
		both.Go(func() { r.Remove(l) })
		both.Wait()
		if r.Online(chat.Lobby) != 0 || r.Sessions() != 0 || len(r.rooms) != 0 {
			t.Fatalf("%d online, %d sessions, %d rooms", r.Online(chat.Lobby), r.Sessions(), len(r.rooms))
		}
	}
	l := r.Add("alice", textFormat(), &sink{}, 0)
	r.Remove(l)
	if got := r.Join(l, chat.Lobby); got != 0 || len(r.rooms) != 0 {
		t.Errorf("%d online after the end, %d rooms", got, len(r.rooms))
	}
}

func TestOnlyThoseInARoomAreTold(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		in, inLive := n.online("alice")
		out, _ := n.online("bob")
		n.Join(inLive, chat.Lobby)
		n.send("bob", into(chat.Lobby), 1)
		synctest.Wait()
		n.Leave(inLive, chat.Lobby)
		n.send("bob", into(chat.Lobby), 1)
		synctest.Wait()
		wantTold(t, "alice", in.told(t), "1")
		wantTold(t, "bob, who is not in it", out.told(t))
	})
}
