package router

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
)

// throng gives so many users that nobody is online as.
func throng(n int) []chat.UserID {
	users := make([]chat.UserID, n)
	for i := range users {
		users[i] = chat.UserID(fmt.Sprintf("m%06d", i))
	}
	return users
}

// In a large group everybody who is online is told exactly what the store says is for it,
// whoever comes, goes, is added or removed meanwhile, and whatever the bus loses. Mutants:
// Add without noteMoved; Remove without it (memory only); large without Moved, without MovedAfter; of a channel: noteMembers left
// out, without MovedAfter; repair with an index that misses a change; large that
// takes a change without names for one with none; an index dropped by size and used again.
func TestLargeGroupTellsWhomItShould(t *testing.T) {
	for range 4 {
		seed := rand.Uint64()
		for _, kind := range []chat.ConversationKind{chat.Group, chat.Channel} {
			t.Run(fmt.Sprint(kind, " seed ", seed), func(t *testing.T) {
				inBubble(t, func(t *testing.T, n *node) { walkLargeGroup(t, n, kind, rand.New(rand.NewPCG(seed, 1))) })
			})
		}
	}
}

func walkLargeGroup(t *testing.T, n *node, kind chat.ConversationKind, r *rand.Rand) {
	many := throng(largeGroup)
	var g chat.ConversationID
	if kind == chat.Channel {
		p, err := n.chat.CreateGroup(t.Context(), chat.Actor{User: "owner"}, chat.CreateGroup{Key: n.key(), Kind: kind, Name: "n"})
		if err != nil {
			t.Fatal(err)
		}
		g = p.Conversation
		n.add("owner", g, many...)
	} else {
		g = n.group(append([]chat.UserID{"owner"}, many...)...)
	}
	type session struct {
		user chat.UserID
		from chat.Seq // it was opened after this one
		sink *sink
		live *Live
	}
	head := func() chat.Seq {
		c, err := n.store.Conversation(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		return c.Seq
	}
	var open []*session
	check := func(s *session) {
		t.Helper()
		var want []string
		m, err := n.store.Member(t.Context(), chat.MemberKey{Conversation: g, User: s.user})
		for seq := s.from + 1; err == nil && seq <= head(); seq++ {
			if m.Sees(seq) {
				want = append(want, strconv.Itoa(int(seq)))
			}
		}
		// What the bus lost may come late; here it is asked who was told what.
		got := slices.DeleteFunc(s.sink.told(t), func(l string) bool { return l == "checkpoint" || l == "membership" })
		slices.SortFunc(got, func(x, y string) int { return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)) })
		wantTold(t, string(s.user), got, want...)
	}
	users := []chat.UserID{"a", "b", "c", "d", "e", "m000001", "m000002", "m000003"}
	any := func() chat.UserID { return users[r.IntN(len(users))] }
	for range 120 {
		switch r.IntN(8) {
		case 0, 1:
			sweeps(1) // so that nothing is still to be told of what was before
			s := &session{user: any(), from: head()}
			s.sink, s.live = n.online(s.user)
			open = append(open, s)
		case 2:
			if len(open) > 0 {
				i := r.IntN(len(open))
				sweeps(1)
				check(open[i])
				n.Remove(open[i].live)
				open = append(open[:i], open[i+1:]...)
			}
		case 3:
			n.add("owner", g, any(), any())
		case 4:
			n.remove("owner", g, any(), any(), many[r.IntN(len(many))])
		case 5:
			n.bus.set(true, false) // what follows is lost, until a sweep finds it
			n.add("owner", g, any())
			n.remove("owner", g, any())
			n.send("owner", into(g), 1+r.IntN(3))
			n.bus.set(false, false)
		default:
			n.send("owner", into(g), 1+r.IntN(3))
		}
		synctest.Wait()
	}
	sweeps(2)
	for _, s := range open {
		check(s)
	}
}

// A group at the border: it becomes small and large again, and who was removed meanwhile is
// told nothing more. Mutant: audience asks for the size alone.
func TestGroupAtTheBorder(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		g := n.group(append([]chat.UserID{"owner", "bob"}, throng(largeGroup-1)...)...) // 1
		synctest.Wait()
		bob, _ := n.online("bob")
		n.send("owner", into(g), 1)         // 2, by an index
		n.remove("owner", g, "bob")         // 3
		n.remove("owner", g, "m000001")     // 4: no longer large
		n.add("owner", g, "x1", "x2", "x3") // 5: large again
		n.send("owner", into(g), 2)         // 6, 7
		synctest.Wait()
		wantTold(t, "bob", bob.told(t), "2", "3")
	})
}

// BenchmarkDeliver delivers a message to a group of which 100 are online: what it costs is not to grow with
// those who are not. The row churn changes a member with each event.
func BenchmarkDeliver(b *testing.B) {
	for _, members := range []int{100, 2000, 100_000} {
		for _, churn := range []bool{false, true} {
			b.Run(fmt.Sprintf("members=%d/churn=%v", members, churn), func(b *testing.B) { benchmarkDeliver(b, members, churn) })
		}
	}
}

func benchmarkDeliver(b *testing.B, members int, churn bool) {
	store := memory.New()
	r := New(Config{MaySee: func(chat.UserID, chat.ConversationKind) bool { return true }, Log: slog.New(slog.DiscardHandler)}, store)
	service, err := chat.New(context.Background(), chat.Config{}, store, discard{})
	if err != nil {
		b.Fatal(err)
	}
	defer service.Close()
	users := throng(members)
	p, err := service.CreateGroup(b.Context(), chat.Actor{User: users[0]}, chat.CreateGroup{Users: users[1:]})
	if err != nil {
		b.Fatal(err)
	}
	for _, u := range users[:100] {
		r.Add(u, jsonFormat(), sinkFunc(func([]byte) {}), 0)
	}
	for i := range 1000 { // who has nothing to do with it
		r.Add(chat.UserID(fmt.Sprint("other", i)), jsonFormat(), sinkFunc(func([]byte) {}), 0)
	}
	c, err := store.Conversation(b.Context(), p.Conversation)
	if err != nil {
		b.Fatal(err)
	}
	w := newWorker(r)
	for b.Loop() {
		c.Seq++
		e := &chat.Event{Conversation: c.ID, Seq: c.Seq, Kind: chat.Message, From: users[1], Content: []byte(`{"type":"text","text":"hi"}`)}
		if churn {
			c.MembersRev, e.Kind, e.Moved, e.MovedAfter = c.Seq, chat.Members, users[1:2], c.MembersRev
		}
		e.Encode()
		w.deliver([]chat.Commit{{Event: e, Conversation: c}})
	}
}

// discard is a bus that only answers.
type discard struct{}

func (discard) Publish(batch []chat.Commit) {
	for i := range batch {
		batch[i].Answer()
		batch[i].Flush()
	}
}
func (discard) Notify(chat.Notice) {}
