package router

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// crowded puts a crowd into the lobby, and answers the last one of it.
func (n *node) crowded() *sink {
	for range crowdSessions {
		n.Join(n.Add("fan", jsonFormat(), sinkFunc(func([]byte) {}), 0), chat.Lobby)
	}
	s, l := n.online("alice")
	n.Join(l, chat.Lobby)
	time.Sleep(2 * time.Second) // in the bubble: who came in was told
	synctest.Wait()
	s.taken()
	return s
}

// To a crowd events go out together, all of them and in order, and the first one at once.
// Mutants: hold without the timer; a sweep that does not release what is held, and tells it twice.
func TestCrowdIsToldTogether(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		s := n.crowded()
		n.send("bob", into(chat.Lobby), 1)
		synctest.Wait()
		wantTold(t, "the first is told at once", s.told(t), "1")
		pushes := s.pushes
		for range 40 { // four seconds, with sweeps between
			n.send("bob", into(chat.Lobby), 1)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		var seqs []string
		for _, told := range s.told(t) {
			if told != "checkpoint" && told != "room.members" {
				seqs = append(seqs, told)
			}
		}
		wantTold(t, "the crowd", seqs, seqsUpTo(41)[1:]...)
		if got := s.pushes - pushes; got > 26 {
			t.Errorf("40 events came in %d pushes", got)
		}
	})
}

// Who is taken out of a crowded room is told before what was held back. Mutant: tell without release.
func TestEvictedFromACrowd(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		s := n.crowded()
		n.send("bob", into(chat.Lobby), 1)
		synctest.Wait()
		n.send("bob", into(chat.Lobby), 2) // held
		n.Notify(chat.Notice{
			Conversation: chat.Conversation{ID: chat.Lobby, Kind: chat.Room}, Evict: &chat.Eviction{Users: []chat.UserID{"alice"}},
			Method: "room.removed", Params: []byte(`{}`),
		})
		synctest.Wait()
		n.send("bob", into(chat.Lobby), 1)
		time.Sleep(time.Second)
		synctest.Wait()
		told := slices.DeleteFunc(s.told(t), func(l string) bool { return l == "checkpoint" || l == "room.members" })
		wantTold(t, "alice", told, "1", "2", "3", "room.removed")
	})
}

// What is too much for a crowd's frame is told as gaps, the least important first. Mutant:
// thin in the order of the seqs.
func TestCrowdIsTooMuch(t *testing.T) {
	inBubble(t, func(t *testing.T, n *node) {
		s := n.crowded()
		n.send("bob", into(chat.Lobby), 1)
		big := json.RawMessage(`{"type":"text","text":"` + strings.Repeat("x", 10<<10) + `"}`)
		for i := range 12 { // 120 KB in one go
			m := into(chat.Lobby)
			m.Content = big
			switch {
			case i%4 == 1:
				m.Priority = chat.LowPriority
			case i%4 == 2:
				m.Priority = chat.HighPriority
			}
			n.send("bob", m, 1)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		var seqs, gaps []string
		for _, line := range s.taken() {
			var told struct {
				Seq     int `json:"seq"`
				FromSeq int `json:"from_seq"`
				ToSeq   int `json:"to_seq"`
			}
			_, params, _ := strings.Cut(line, " ")
			if json.Unmarshal([]byte(line), &told) != nil && json.Unmarshal([]byte(params), &told) != nil {
				continue
			}
			switch {
			case told.FromSeq > 0:
				gaps = append(gaps, fmt.Sprintf("%d-%d", told.FromSeq, told.ToSeq))
			case told.Seq > 0:
				seqs = append(seqs, fmt.Sprint(told.Seq))
			}
		}
		// 3, 7 and 11 are low, 4, 8 and 12 high; of the usual ones the oldest go.
		if want := []string{"1", "4", "8", "9", "10", "12", "13"}; !slices.Equal(seqs, want) {
			t.Errorf("told %v, want %v", seqs, want)
		}
		if want := []string{"2-3", "5-7", "11-11"}; !slices.Equal(gaps, want) {
			t.Errorf("gaps %v, want %v", gaps, want)
		}
	})
}

// What is held when the server stops goes out before it does. Mutant: run without releaseAll.
func TestCrowdIsToldBeforeTheEnd(t *testing.T) {
	var s *sink
	inBubble(t, func(t *testing.T, n *node) {
		s = n.crowded()
		n.send("bob", into(chat.Lobby), 5)
	})
	if got := s.told(t); !slices.Equal(got, seqsUpTo(5)) {
		t.Errorf("told %v", got)
	}
}

// BenchmarkCrowd is what it costs to tell a room with 10,000 listeners of 20 messages that
// come within 200 ms, together and one by one.
func BenchmarkCrowd(b *testing.B) {
	burst := make([]chat.Commit, 20)
	for i := range burst {
		e := &chat.Event{Conversation: chat.Lobby, Seq: chat.Seq(i + 1), Kind: chat.Message, From: "bob", Content: json.RawMessage(`{"type":"text","text":"hi"}`)}
		e.Encode()
		burst[i] = chat.Commit{Event: e, Conversation: chat.Conversation{ID: chat.Lobby, Kind: chat.Room, Seq: e.Seq}}
	}
	for _, together := range []int{20, 1} {
		b.Run(fmt.Sprintf("%d together", together), func(b *testing.B) {
			r := New(Config{MaySee: func(chat.UserID, chat.ConversationKind) bool { return true }}, nil)
			for range 10_000 {
				r.Join(r.Add("fan", jsonFormat(), sinkFunc(func([]byte) {}), 0), chat.Lobby)
			}
			w := r.workers[0]
			for b.Loop() {
				for part := range slices.Chunk(burst, together) {
					w.push(r.inRoom(chat.Lobby, w.live[:0]), part, time.Time{})
				}
			}
		})
	}
}
