package router

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// The bus loses a conversation's last event and nobody writes again: a sweep tells it,
// and only then comes the checkpoint that vouches for it. Mutant: sweep without compare.
func TestLastCommitLost(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		alice, _ := n.online("alice")
		carol, _ := n.online("carol")
		n.send("bob", to("alice"), 1)
		n.send("bob", to("carol"), 1)
		synctest.Wait()
		n.bus.set(true, false)
		n.send("bob", to("alice"), 2)
		n.bus.set(false, false)
		synctest.Wait()
		wantTold(t, "alice, at first", alice.told(t), "1")
		sweeps(1)
		wantTold(t, "alice, after a sweep", alice.told(t), "2", "3")
		pos := n.store.Position()
		sweeps(3)
		wantTold(t, "alice, when it is quiet", alice.told(t), "checkpoint")
		wantTold(t, "carol", carol.told(t), "1", "checkpoint")
		if got := alice.vouch[0]; got < pos {
			t.Errorf("vouched for %d of %d", got, pos)
		}
		sweeps(60)
		wantTold(t, "alice, who was told nothing since", alice.told(t))
	})
}

// A conversation whose events are all lost is found too: nothing was delivered here
// with which it could be compared.
func TestWholeConversationLost(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		sweeps(5)
		alice, _ := n.online("alice")
		n.bus.set(true, false)
		n.send("bob", to("alice"), 3)
		sweeps(4)
		wantTold(t, "alice", alice.told(t), "1", "2", "3", "checkpoint")
	})
}

// The next event shows that some were lost: they come before it. Mutant: pushNext
// without repair.
func TestLostInTheMiddle(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		alice, _ := n.online("alice")
		n.send("bob", to("alice"), 1)
		synctest.Wait()
		n.bus.set(true, false)
		n.send("bob", to("alice"), 3)
		n.bus.set(false, false)
		n.send("bob", to("alice"), 2)
		synctest.Wait()
		wantTold(t, "alice", alice.told(t), "1", "2", "3", "4", "5", "6")
		sweeps(3)
		wantTold(t, "alice, later", alice.told(t), "checkpoint")
	})
}

// The first event that comes after a quiet time follows lost ones, of which the worker
// knows nothing: the sweep tells them, late but once. Mutant: compareOne without p.first.
func TestLostBeforeTheFirstKnown(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		alice, _ := n.online("alice")
		n.send("bob", to("alice"), 1)
		sweeps(5)
		alice.taken()
		n.bus.set(true, false)
		n.send("bob", to("alice"), 2)
		n.bus.set(false, false)
		n.send("bob", to("alice"), 1)
		sweeps(4)
		wantTold(t, "alice", alice.told(t), "4", "2", "3", "checkpoint")
	})
}

// While a sweep reads the heads, the conversation whose event was lost moves on: its
// head is now above what the sweep vouches for, and what was lost is below it. Mutant:
// sweep leaves out heads above pos.
func TestLostAndMovedOn(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		alice, _ := n.online("alice")
		n.send("bob", to("alice"), 1)
		sweeps(5)
		alice.taken()
		n.bus.set(true, false)
		n.send("bob", to("alice"), 1) // 2, lost
		n.store.mu.Lock()
		n.store.heads = func() {
			n.bus.set(false, true)
			n.send("bob", to("alice"), 1) // 3, late
		}
		n.store.mu.Unlock()
		sweeps(1)
		wantTold(t, "alice, after a sweep", alice.told(t), "2")
		n.bus.release()
		sweeps(4)
		wantTold(t, "alice", alice.told(t), "3", "checkpoint")
	})
}

// A sweep sees what is committed and on its way: whoever is first, it is told once.
// Mutant: deliverFirst without the look at p.last.
func TestSweepBeforePublish(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		alice, _ := n.online("alice")
		for round := range 3 {
			n.bus.set(false, true)
			n.send("bob", to("alice"), 2)
			sweeps(1)
			n.bus.release()
			synctest.Wait()
			wantTold(t, fmt.Sprint("alice, round ", round), slices.DeleteFunc(alice.told(t), isCheckpoint),
				fmt.Sprint(2*round+1), fmt.Sprint(2*round+2))
		}
		n.bus.set(false, true)
		n.send("bob", to("alice"), 2)
		sweeps(1)
		n.send("bob", to("alice"), 1) // a batch of which a part was told
		n.bus.release()
		sweeps(3)
		wantTold(t, "alice", slices.DeleteFunc(alice.told(t), isCheckpoint), "7", "8", "9")
	})
}

func isCheckpoint(s string) bool { return s == "checkpoint" }

// The store fails for a moment: nothing is lost, nothing comes twice, and nothing is
// vouched for that was not told. Mutants: errors of audience or repair taken for
// delivery; trim in compare.
func TestStoreFailsForAMoment(t *testing.T) {
	for _, method := range []string{"Audience", "Events", "Heads", "Fork"} {
		for times := 1; times <= 4; times++ {
			t.Run(fmt.Sprint(method, " ", times), func(t *testing.T) {
				inBubble(t, func(t *testing.T, n *node) {
					g := n.group("bob", "alice")
					sweeps(4)
					alice, _ := n.online("alice")
					n.send("bob", into(g), 1) // 2
					synctest.Wait()
					n.store.fail(method, times)
					n.add("bob", g, "carol") // 3: the audience is read again
					n.bus.set(true, false)
					n.send("bob", into(g), 2) // 4, 5
					n.bus.set(false, false)
					sweeps(8)
					wantTold(t, "alice", alice.told(t), "2", "3", "4", "5", "checkpoint")
				})
			})
		}
	}
}

// More than repairLimit were lost: a gap, and then the newest.
func TestTooMuchLost(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		alice, _ := n.online("alice")
		n.send("bob", to("alice"), 1)
		synctest.Wait()
		n.bus.set(true, false)
		n.send("bob", to("alice"), 1500)
		n.bus.set(false, false)
		alice.taken()
		sweeps(1)
		lines := alice.taken()
		want := fmt.Sprintf(`gap {"conversation":%q,"from_seq":2,"to_seq":501}`, chat.DirectID("alice", "bob"))
		if len(lines) != 1001 || lines[0] != want {
			t.Fatalf("%d lines, the first is %s", len(lines), lines[0])
		}
		alice.lines = lines[1:]
		wantTold(t, "alice", alice.told(t), seqsUpTo(1501)[501:]...)
	})
}

// A session that is told something all the time gets its checkpoints too.
func TestBusySessionsAreVouchedFor(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		alice, _ := n.online("alice")
		quiet, _ := n.online("quiet")
		for range 120 {
			n.send("bob", to("alice"), 1)
			time.Sleep(sweepEvery / 2)
		}
		synctest.Wait()
		got := len(slices.DeleteFunc(alice.told(t), func(s string) bool { return !isCheckpoint(s) }))
		if most := int(time.Minute/vouchEvery) + 1; got < 2 || got > most {
			t.Errorf("%d checkpoints in a minute, want 2 to %d", got, most)
		}
		wantTold(t, "a session that was told nothing", quiet.told(t))
	})
}

// A session is not vouched a position from before it was there. Mutant: vouch without
// openedAt.
func TestNoCheckpointFromBefore(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		s := &sink{}
		l := n.Add("alice", jsonFormat(), s, 1<<50)
		l.push([]byte("x\n"), time.Now())
		sweeps(40)
		if len(s.vouch) != 0 {
			t.Errorf("vouched for %v", s.vouch)
		}
	})
}
