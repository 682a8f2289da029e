package router

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
)

func into(c chat.ConversationID) chat.Send { return chat.Send{Conversation: c} }

func to(u chat.UserID) chat.Send { return chat.Send{ToUser: u} }

// seqsUpTo gives "1" to "n".
func seqsUpTo(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint(i + 1)
	}
	return list
}

// Mutant: Publish deals to any worker.
func TestEveryConversationComesInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		const conversations, messages = 8, 300
		var sinks []*sink
		var senders sync.WaitGroup
		for c := range conversations {
			u := chat.UserID(fmt.Sprint("u", c))
			s, _ := n.online(u)
			sinks = append(sinks, s)
			senders.Go(func() { n.send(u, to(u), messages) })
		}
		senders.Wait()
		synctest.Wait()
		for c, s := range sinks {
			wantTold(t, fmt.Sprint("u", c), s.told(t), seqsUpTo(messages)...)
		}
	})
}

func TestWhoIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		phone, _ := n.online("alice")
		laptop, gone := n.online("alice")
		bob, _ := n.online("bob")
		carol, _ := n.online("carol")
		n.send("alice", to("bob"), 1)
		n.Remove(gone)
		n.Remove(gone) // a second time does nothing
		n.send("bob", to("alice"), 1)
		n.send("alice", to("alice"), 1)
		synctest.Wait()
		wantTold(t, "the phone", phone.told(t), "1", "2", "1")
		wantTold(t, "the laptop", laptop.told(t), "1")
		wantTold(t, "bob", bob.told(t), "1", "2")
		wantTold(t, "carol", carol.told(t))
		if got := n.Sessions(); got != 3 {
			t.Errorf("%d sessions", got)
		}
	})
}

// What was committed before a removal and comes after it goes to the removed one too;
// what was committed before an addition does not go to the added one. Mutant: audience
// without changesMembers, which keeps the audience of before.
func TestAudienceIsAsOfTheEvent(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		g := n.group("owner", "bob")
		synctest.Wait()
		owner, _ := n.online("owner")
		bob, _ := n.online("bob")
		carol, _ := n.online("carol")
		n.bus.set(false, true)
		n.send("owner", into(g), 1) // 2
		n.remove("owner", g, "bob") // 3
		n.send("owner", into(g), 1) // 4
		n.add("owner", g, "carol")  // 5
		n.send("owner", into(g), 1) // 6
		n.bus.release()
		synctest.Wait()
		wantTold(t, "owner", owner.told(t), "2", "3", "4", "5", "6")
		wantTold(t, "bob", bob.told(t), "2", "3")
		wantTold(t, "carol", carol.told(t), "5", "6")
		n.send("owner", into(g), 2) // with the audience that is kept
		synctest.Wait()
		wantTold(t, "owner", owner.told(t), "7", "8")
		wantTold(t, "bob", bob.told(t))
		wantTold(t, "carol", carol.told(t), "7", "8")
	})
}

// A guest who was in a group while guests were users hears nothing of it in lobby mode.
// Mutant: sessionsOf without MaySee.
func TestGuestsHearNothingOfGroups(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		ann, _ := n.online("guest:ann")
		n.send("alice", to("guest:ann"), 1) // taken, as for any id
		alice, _ := n.online("alice")
		n.send("alice", to("guest:ann"), 1)
		synctest.Wait()
		wantTold(t, "ann", ann.told(t))
		wantTold(t, "alice", alice.told(t), "2")
	})
}

// A read notice after a removal is not told to the removed one, though the removal was
// the last event and he saw that. Mutants: tell asks for n.Conversation.Seq; audience
// keeps what a notice asked for.
func TestNoticesAreForMembers(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		g := n.group("owner", "bob", "carol")
		n.send("owner", into(g), 1)
		n.remove("owner", g, "bob")
		synctest.Wait()
		owner, _ := n.online("owner")
		bob, _ := n.online("bob")
		if _, _, err := n.chat.MarkRead(t.Context(), chat.Actor{User: "carol"}, g, 3); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		wantTold(t, "owner", owner.told(t), "read")
		wantTold(t, "bob", bob.told(t))
		// A notice overtakes the events that came before it, and dave's coming in is stored
		// by then: those events are not for him, whoever the notice was for.
		n.bus.set(false, true)
		n.send("owner", into(g), 1) // 4
		before, err := n.store.Conversation(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		n.add("owner", g, "dave") // 5
		dave, _ := n.online("dave")
		n.Notify(chat.Notice{Conversation: before, Method: "read", Params: []byte("{}")})
		n.bus.release()
		synctest.Wait()
		wantTold(t, "dave", slices.DeleteFunc(dave.told(t), func(s string) bool { return s == "read" }), "5")
	})
}

// The bytes are made once a format and are the same for everybody.
func TestEncodedOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		format, calls := jsonFormat(), 0
		event := format.Event
		format.Event = func(dst []byte, e *chat.Event) []byte { calls++; return event(dst, e) }
		var first []*byte
		for range 50 {
			n.Join(n.Add("alice", format, sinkFunc(func(frames []byte) { first = append(first, &frames[0]) }), 0), chat.Lobby)
		}
		synctest.Wait()
		first = nil
		n.send("bob", into(chat.Lobby), 1)
		synctest.Wait()
		if calls != 1 || len(first) != 50 || slices.ContainsFunc(first, func(b *byte) bool { return b != first[0] }) {
			t.Errorf("encoded %d times for %d sessions", calls, len(first))
		}
	})
}

// sinkFunc is a sink that is told frames only.
type sinkFunc func(frames []byte)

func (f sinkFunc) Push(frames []byte)         { f(frames) }
func (f sinkFunc) Checkpoint(_ chat.Position) {}

// What was published before Run's context ended is answered and delivered. Mutant: run
// returns when it is closed, whatever waits.
func TestRunEndsWithEverythingDelivered(t *testing.T) {
	const messages = 500
	r := New(Config{MaySee: func(chat.UserID, chat.ConversationKind) bool { return true }, Log: slog.New(slog.DiscardHandler)}, memory.New())
	service, err := chat.New(t.Context(), chat.Config{}, r.store.(chat.Store), r)
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{}
	r.Add("alice", jsonFormat(), s, 0)
	answers := make(done, messages)
	for range messages {
		service.Send(chat.Actor{User: "alice"}, to("alice"), answers)
	}
	service.Close() // all is committed and published
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.Run(ctx)
	wantTold(t, "alice", s.told(t), seqsUpTo(messages)...)
	if len(answers) != messages {
		t.Errorf("%d answers to %d sends", len(answers), messages)
	}
}

// What is for a few is a void for the others, also when it was lost on the way and is read
// from the store. Mutants: push without Only; ParseEvent without Only; sameAudience without alone.
func TestForAFew(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		g := n.group("owner", "bob", "carol")
		synctest.Wait()
		bob, _ := n.online("bob")
		carol, _ := n.online("carol")
		whisper := into(g)
		whisper.Only = []chat.UserID{"bob"}
		for _, lost := range []bool{false, true} {
			n.bus.set(lost, false)
			n.send("owner", into(g), 1)
			n.send("owner", whisper, 1)
			n.bus.set(false, false)
			n.send("owner", into(g), 1)
			synctest.Wait()
			for who, s := range map[string]*sink{"bob": bob, "carol": carol} {
				lines := slices.DeleteFunc(s.taken(), func(l string) bool { return !strings.Contains(l, `"seq"`) })
				if len(lines) != 3 {
					t.Fatalf("lost %v: %s was told %q", lost, who, lines)
				}
				if void := strings.Contains(lines[1], `"kind":"void"`); void != (who == "carol") {
					t.Errorf("lost %v: %s was told %s", lost, who, lines[1])
				}
				if strings.Contains(lines[0]+lines[2], "void") {
					t.Errorf("lost %v: %s was told %q", lost, who, lines)
				}
			}
		}
	})
}

// A thread's events go to those who follow it and are in its parent. Mutant: audience
// without inParent; inParent without Sees.
func TestThreadsGoToFollowers(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		g := n.group("owner", "bob", "carol", "dave", "erin")
		n.send("bob", into(g), 1)
		root := chat.EventKey{Conversation: g, Seq: 2}
		key := n.key()
		th, err := n.chat.CreateThread(t.Context(), chat.Actor{User: "bob"}, root, key, "c")
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range []chat.UserID{"carol", "dave", "erin"} {
			if err := n.chat.Follow(t.Context(), chat.Actor{User: u}, th, true); err != nil {
				t.Fatal(err)
			}
		}
		n.send("bob", into(th), 1)
		n.remove("owner", g, "dave")
		if _, err := n.chat.UpdateGroup(t.Context(), chat.Actor{User: "owner"}, chat.UpdateGroup{
			GroupCall: chat.GroupCall{Key: n.key(), Conversation: g}, Settings: &chat.SettingsChange{AfterLeave: chat.HistoryGone},
		}); err != nil {
			t.Fatal(err)
		}
		n.remove("owner", g, "erin") // with the past
		n.add("owner", g, "erin")
		synctest.Wait()
		sinks := make(map[chat.UserID]*sink)
		for _, u := range []chat.UserID{"owner", "bob", "carol", "dave", "erin"} {
			sinks[u], _ = n.online(u)
		}
		n.send("bob", into(th), 2) // 2 and 3
		synctest.Wait()
		wantTold(t, "bob", sinks["bob"].told(t), "2", "3")
		wantTold(t, "carol", sinks["carol"].told(t), "2", "3")
		wantTold(t, "dave, removed from the parent", sinks["dave"].told(t))
		wantTold(t, "erin, who may not read its message any more", sinks["erin"].told(t))
		wantTold(t, "the owner, who does not follow", sinks["owner"].told(t))
	})
}
