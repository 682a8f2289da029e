package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linnet-im/linnet/wire"
)

// Connected is said when everything is caught up with, not before. Mutant: the state set
// before catchUp.
func TestConnectedMeansCaughtUp(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		release := make(chan struct{})
		s.on("sync", func(json.RawMessage) (any, string) {
			<-release
			return json.RawMessage(`{"epoch":"e","conversations":[],"cursor":"c1"}`), ""
		})
		stop := running(t, c)
		wantPhase(t, c, CatchingUp)
		close(release)
		wantPhase(t, c, Connected)
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		if s := c.State(); s.Phase != Offline {
			t.Errorf("after Run it is %s", s.Phase)
		}
		if err := c.Run(t.Context()); err == nil {
			t.Error("Run ran twice")
		}
	})
}

// Attempts are spread out, further and further, and the server's hint is the least.
func TestReconnect(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		s.refuse = errRefused
		stop := running(t, c)
		defer stop()
		wantPhase(t, c, Waiting)
		began := time.Now()
		for range 12 {
			state := c.State()
			if state.Phase != Waiting || !errors.Is(state.Err, errRefused) || time.Until(state.Until) > maxWait {
				t.Fatalf("%+v", state)
			}
			pass(time.Until(state.Until) + time.Millisecond)
		}
		if d := time.Since(began); d < 5*time.Second {
			t.Errorf("twelve attempts in %v", d)
		}
		s.mu.Lock()
		s.refuse = nil
		s.mu.Unlock()
		c.Wake()
		wantPhase(t, c, Connected)

		s.notify("close", `{"code":"restarting","message":"m","retry_after_ms":7000}`)
		s.cut()
		wantPhase(t, c, Waiting)
		state := c.State()
		var closed *Closed
		if !errors.As(state.Err, &closed) || closed.Code != "restarting" {
			t.Errorf("%v", state.Err)
		}
		if wait := time.Until(state.Until); wait < 7*time.Second || wait > 8*time.Second {
			t.Errorf("it comes back in %v", wait)
		}
		pass(8 * time.Second)
		wantPhase(t, c, Connected)
	})
}

// A connection that is dead without a word is noticed. Mutant: no ping.
func TestDeadConnection(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		stop := running(t, c)
		defer stop()
		pass(time.Minute)
		if n := s.count("ping"); n != 2 || s.dials() != 1 {
			t.Errorf("in a quiet minute %d pings and %d connections", n, s.dials())
		}
		s.freeze()
		pass(40 * time.Second)
		wantPhase(t, c, Connected)
		if s.dials() != 2 {
			t.Errorf("%d connections", s.dials())
		}
		s.freeze()
		c.Wake()
		pass(wakeTime + time.Second)
		wantPhase(t, c, Connected)
		if s.dials() != 3 {
			t.Errorf("%d connections", s.dials())
		}
	})
}

// A token is asked for once, and again after each refusal; after three the client stops.
func TestTokens(t *testing.T) {
	asked := 0
	token := func(context.Context) (string, error) {
		asked++
		if asked == 1 {
			return "", errors.New("the back end is down")
		}
		return fmt.Sprint("token ", asked), nil
	}
	bubble(t, func(cfg *Config) { cfg.Token = token }, func(t *testing.T, s *fake, c *Client) {
		good := "token 2"
		open := s.methods["session.open"]
		s.on("session.open", func(params json.RawMessage) (any, string) {
			if !strings.Contains(string(params), good) {
				return nil, `{"code":"token_expired"}`
			}
			return open(params)
		})
		stop := running(t, c)
		pass(time.Second)
		wantPhase(t, c, Connected)
		s.cut()
		pass(2 * time.Second)
		wantPhase(t, c, Connected)
		if asked != 2 {
			t.Errorf("the token was asked for %d times", asked)
		}
		good = "token 4"
		s.notify("close", `{"code":"token_expired","message":"m"}`)
		s.cut()
		pass(5 * time.Second)
		wantPhase(t, c, Connected)
		good = "none"
		s.notify("close", `{"code":"revoked","message":"m"}`)
		s.cut()
		pass(time.Minute)
		wantPhase(t, c, Offline)
		var answered *Error
		if err := stop(); !errors.As(err, &answered) || answered.Code != wire.CodeExpired || asked != 6 {
			t.Errorf("Run: %v after %d tokens", err, asked)
		}
	})
}

// What no attempt can help ends Run.
func TestHopeless(t *testing.T) {
	for _, code := range []string{"guests_off", "invalid_param"} {
		bubble(t, func(cfg *Config) { cfg.Token, cfg.Guest = nil, "ann" }, func(t *testing.T, s *fake, c *Client) {
			s.on("session.open", func(json.RawMessage) (any, string) { return nil, `{"code":"` + code + `"}` })
			running(t, c)
			wantPhase(t, c, Offline)
			if s.dials() != 1 {
				t.Errorf("%d attempts", s.dials())
			}
		})
	}
}

// history makes the fake's lists from a log of so many events.
func (f *fake) history(conversation string, head *atomic.Int64) {
	f.on("messages.list", func(params json.RawMessage) (any, string) {
		var p struct {
			After  *int64 `json:"after_seq"`
			Before *int64 `json:"before_seq"`
			Limit  int    `json:"limit"`
		}
		if err := json.Unmarshal(params, &p); err != nil {
			f.t.Error(err)
		}
		n := int(head.Load())
		from := 1
		to := n
		if p.After != nil {
			from = int(*p.After) + 1
			to = min(n, from+p.Limit-1)
		} else if p.Before != nil {
			to = int(*p.Before) - 1
			from = max(1, to-p.Limit+1)
		}
		var events []json.RawMessage
		for seq := from; seq <= to; seq++ {
			events = append(events, json.RawMessage(event(conversation, seq, "bob")))
		}
		return map[string]any{"conversation": conversation, "from_seq": from, "to_seq": max(to, from-1), "head_seq": n, "events": events}, ""
	})
	f.on("conversations.get", func(json.RawMessage) (any, string) {
		n := head.Load()
		return map[string]any{"id": conversation, "kind": "group", "seq": n, "as_of_seq": n, "membership": "joined"}, ""
	})
}

func seqs(events []wire.Event) []int64 {
	list := make([]int64, len(events))
	for i, e := range events {
		list[i] = e.Seq
	}
	return list
}

func upTo(from, to int64) (list []int64) {
	for ; from <= to; from++ {
		list = append(list, from)
	}
	return list
}

func wantTimeline(t *testing.T, c *Client, id string, from, to int64) {
	t.Helper()
	synctest.Wait()
	p, err := c.Timeline(t.Context(), id, 0, int(to-from+1))
	if err != nil || !slices.Equal(seqs(p.Events), upTo(from, to)) {
		t.Fatalf("the timeline is %v (%v), want %d to %d", seqs(p.Events), err, from, to)
	}
}

// Live events are applied by seq: what is there is passed over, what is missing fetched,
// and a gap is filled. Mutants: no fill before an event; duplicates appended.
func TestLiveEvents(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		s.history("g", &n)
		stop := running(t, c)
		defer stop()
		n.Store(1)
		s.notify("event", event("g", 1, "bob")) // of a conversation that nobody knew
		n.Store(3)
		s.notify("event", event("g", 2, "bob"))
		s.notify("event", event("g", 2, "bob"))
		s.notify("event", event("g", 3, "bob"))
		s.notify("event", event("g", 1, "bob"))
		wantTimeline(t, c, "g", 1, 3)
		lists := s.count("messages.list")
		n.Store(300)
		s.notify("event", event("g", 300, "bob")) // 4 to 299 were lost
		wantTimeline(t, c, "g", 1, 300)
		if s.count("messages.list") == lists {
			t.Error("nothing was fetched")
		}
		n.Store(310)
		s.notify("gap", `{"conversation":"g","from_seq":301,"to_seq":310}`)
		wantTimeline(t, c, "g", 301, 310)
		if conv, _ := c.Conversation("g"); conv.Unread == 0 || conv.Seq < 300 {
			t.Errorf("%+v", conv)
		}
	})
}

// A cursor is kept with the events before it, and acknowledged when it is kept.
func TestCheckpoint(t *testing.T) {
	store := NewMemory()
	bubble(t, func(cfg *Config) { cfg.Store = store }, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		s.history("g", &n)
		stop := running(t, c)
		n.Store(1)
		s.notify("event", event("g", 1, "bob"))
		s.notify("checkpoint", `{"cursor":"c2"}`)
		synctest.Wait()
		known, err := store.Load(t.Context())
		if err != nil || known.Cursor != "c2" || s.count("session.ack") != 1 {
			t.Errorf("cursor %q, %d acks, %v", known.Cursor, s.count("session.ack"), err)
		}
		stop()

		// The next program with the same store goes on from there.
		again, err := New(t.Context(), Config{Dial: s.dial, Token: c.cfg.Token, Store: store})
		if err != nil {
			t.Fatal(err)
		}
		if again.User().ID != "alice" || len(again.Conversations()) != 1 {
			t.Errorf("it knows %+v and %d conversations", again.User(), len(again.Conversations()))
		}
		wantOffline, err := again.Timeline(t.Context(), "g", 0, 10)
		if err != nil || len(wantOffline.Events) != 1 {
			t.Errorf("offline: %+v %v", wantOffline, err)
		}
		n.Store(4)
		s.on("sync", func(params json.RawMessage) (any, string) {
			if !strings.Contains(string(params), `"c2"`) {
				t.Errorf("sync %s", params)
			}
			return json.RawMessage(`{"epoch":"e","conversations":[{"id":"g","kind":"group","seq":4}],"cursor":"c3"}`), ""
		})
		stop = running(t, again)
		defer stop()
		wantTimeline(t, again, "g", 1, 4)
	})
}

// Too many notifications while nobody can look at them: they are thrown away, and what
// was in them is asked for. Mutant: overflow not looked at.
func TestOverflow(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		s.history("g", &n)
		stop := running(t, c)
		defer stop()
		n.Store(1)
		s.notify("event", event("g", 1, "bob"))
		synctest.Wait()
		hold := make(chan struct{})
		get := s.methods["conversations.get"]
		s.on("conversations.get", func(p json.RawMessage) (any, string) { <-hold; return get(p) })
		s.notify("event", strings.Replace(event("g", 2, "bob"), `"message"`, `"members"`, 1)) // it asks, and waits
		synctest.Wait()
		n.Store(5000)
		s.on("sync", func(json.RawMessage) (any, string) {
			return json.RawMessage(`{"epoch":"e","conversations":[{"id":"g","kind":"group","seq":5000}],"cursor":"c9"}`), ""
		})
		for seq := 3; seq <= 5000; seq++ {
			s.notify("event", event("g", seq, "bob"))
		}
		close(hold)
		wantTimeline(t, c, "g", 1, 5000)
		wantPhase(t, c, Connected)
	})
}

// After the store went back: what is held above the fork goes, what was our own comes
// again under the same client id, and conversations that were never told are dropped.
// Mutants: fork without Outgoing; dropUntold left out.
func TestReset(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		s.history("g", &n)
		stop := running(t, c)
		defer stop()
		for i := 1; i <= 5; i++ {
			n.Store(int64(i))
			from := "bob"
			if i == 5 {
				from = "alice"
			}
			s.notify("event", strings.Replace(event("g", i, from), "2026-11-25", time.Now().Format("2006-01-02"), 1))
			synctest.Wait()
		}
		n.Store(5)
		sent := make(chan string, 10)
		s.on("messages.send", func(p json.RawMessage) (any, string) {
			sent <- string(p)
			return json.RawMessage(`{"conversation":"g","seq":5,"time":"2026-11-25T08:00:00.000Z"}`), ""
		})
		n.Store(4)
		s.on("sync", func(json.RawMessage) (any, string) {
			return json.RawMessage(`{"epoch":"e2","reset":true,"conversations":[{"id":"g","kind":"group","seq":4,"fork_seq":3}],"cursor":"d1"}`), ""
		})
		s.cut()
		pass(2 * time.Second)
		wantTimeline(t, c, "g", 1, 4)
		if p := <-sent; !strings.Contains(p, `"id-5"`) || !strings.Contains(p, `"m5"`) {
			t.Errorf("sent again: %s", p)
		}
		s.answer("sync", `{"epoch":"e3","reset":true,"conversations":[],"cursor":"d2"}`)
		s.cut()
		pass(2 * time.Second)
		if list := c.Conversations(); len(list) != 0 {
			t.Errorf("%d conversations are left", len(list))
		}
	})
}

// An event that changes others has them fetched again. Mutant: targets not looked at.
func TestTargets(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		s.history("g", &n)
		stop := running(t, c)
		defer stop()
		n.Store(3)
		s.notify("event", event("g", 3, "bob"))
		wantTimeline(t, c, "g", 1, 3)
		n.Store(4)
		s.on("messages.list", func(json.RawMessage) (any, string) {
			return json.RawMessage(`{"conversation":"g","from_seq":2,"to_seq":2,"head_seq":4,"events":[{"seq":2,"kind":"void","changed":4}]}`), ""
		})
		s.notify("event", `{"conversation":"g","seq":4,"kind":"of-2028","from":"bob","time":"2026-11-25T08:00:00.000Z","count":3,"targets":[[2,2]],"content":{"text":"t"}}`)
		synctest.Wait()
		p, err := c.Timeline(t.Context(), "g", 0, 4)
		if err != nil || len(p.Events) != 4 || p.Events[1].Kind != "void" || p.Events[1].Changed != 4 {
			t.Errorf("%+v %v", p.Events, err)
		}
	})
}

// What was changed while the client was away is held as it is now, in one step with what
// tells of it. Mutants: fill without targets; the targets put after the rest (the store fails
// in between).
func TestTargetsOfWhatWasMissed(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		s.history("g", &n)
		stop := running(t, c)
		defer stop()
		n.Store(3)
		s.notify("event", event("g", 3, "bob"))
		wantTimeline(t, c, "g", 1, 3)
		s.cut()
		n.Store(4)
		s.on("messages.list", func(params json.RawMessage) (any, string) {
			if strings.Contains(string(params), `"after_seq":3`) {
				return json.RawMessage(`{"conversation":"g","from_seq":4,"to_seq":4,"head_seq":4,"events":[{"seq":4,"kind":"recalled","from":"bob","count":3,"targets":[[1,2]],"content":{"text":"t"}}]}`), ""
			}
			return json.RawMessage(`{"conversation":"g","from_seq":1,"to_seq":2,"head_seq":4,"events":[{"seq":1,"to_seq":2,"kind":"void"}]}`), ""
		})
		s.answer("sync", `{"epoch":"e","conversations":[{"id":"g","kind":"group","seq":4}],"cursor":"c2"}`)
		pass(5 * time.Second)
		wantPhase(t, c, Connected)
		p, err := c.Timeline(t.Context(), "g", 0, 4)
		if err != nil || len(p.Events) != 4 || p.Events[0].Kind != "void" || p.Events[1].Kind != "void" || p.Events[2].Kind != "message" {
			t.Errorf("%+v %v", p.Events, err)
		}
	})
}

// What the user deleted on another device goes here too. Mutants: the notice not looked at;
// settle without Forget.
func TestHidden(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		s.history("g", &n)
		stop := running(t, c)
		defer stop()
		n.Store(4)
		s.notify("event", event("g", 4, "bob"))
		wantTimeline(t, c, "g", 1, 4)
		s.answer("conversations.get", `{"id":"g","kind":"group","seq":4,"as_of_seq":4,"membership":"joined","unread":2,"hidden":[[2,3]]}`)
		s.notify("hidden", `{"conversation":"g","ranges":[[2,3]]}`)
		synctest.Wait()
		p, err := c.Timeline(t.Context(), "g", 0, 4)
		if err != nil || !slices.Equal(seqs(p.Events), []int64{1, 4}) {
			t.Errorf("%v %v", seqs(p.Events), err)
		}
		if conv, _ := c.Conversation("g"); conv.Unread != 2 {
			t.Errorf("%d unread", conv.Unread)
		}
	})
}

// Who is named is known at once, and until it is read. Mutants: heard without mentions; read
// that leaves them.
func TestMentioned(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		s.history("g", &n)
		stop := running(t, c)
		defer stop()
		n.Store(1)
		s.notify("event", event("g", 1, "bob"))
		wantTimeline(t, c, "g", 1, 1)
		for seq, names := range []string{`{"user":"alice"}`, `{"user":"carol"}`, `{"all":true}`} {
			s.notify("event", fmt.Sprintf(`{"conversation":"g","seq":%d,"kind":"message","from":"bob","count":%d,"content":{"type":"text","text":"t","mentions":[%s]}}`, seq+2, seq+2, names))
		}
		synctest.Wait()
		if conv, _ := c.Conversation("g"); !slices.Equal(conv.Mentions, []int64{2, 4}) {
			t.Errorf("mentioned in %v", conv.Mentions)
		}
		s.notify("read", `{"conversation":"g","user":"alice","read_seq":4}`)
		synctest.Wait()
		if conv, _ := c.Conversation("g"); conv.Mentions != nil || conv.Unread != 0 {
			t.Errorf("mentioned in %v", conv.Mentions)
		}
	})
}

// A page of old events that was read before one of them was changed, and comes after, is asked
// for again. Mutant: older without the look at what came.
func TestTargetsOfAPageOnItsWay(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		n.Store(60)
		s.history("g", &n)
		s.answer("sync", `{"epoch":"e","conversations":[{"id":"g","kind":"group","seq":60}],"cursor":"c1"}`)
		stop := running(t, c)
		defer stop()
		wantPhase(t, c, Connected)
		wantTimeline(t, c, "g", 51, 60)
		old := 0
		s.on("messages.list", func(params json.RawMessage) (any, string) {
			if old++; old > 1 {
				return json.RawMessage(`{"conversation":"g","from_seq":50,"to_seq":50,"head_seq":61,"events":[{"seq":50,"kind":"void","changed":61}]}`), ""
			}
			s.notify("event", `{"conversation":"g","seq":61,"kind":"of-2028","from":"bob","count":60,"targets":[[50,50]],"content":{"text":"t"}}`)
			time.Sleep(time.Second) // of the bubble: the event is applied
			return json.RawMessage(`{"conversation":"g","from_seq":50,"to_seq":50,"head_seq":60,"events":[` + event("g", 50, "bob") + `]}`), ""
		})
		p, err := c.Timeline(t.Context(), "g", 51, 1)
		if err != nil || len(p.Events) != 1 || p.Events[0].Kind != "void" {
			t.Errorf("%+v %v", p.Events, err)
		}
	})
}

// A page of sync that no longer holds begins the walk again.
func TestSyncWalkBeginsAgain(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		calls := 0
		s.on("sync", func(p json.RawMessage) (any, string) {
			calls++
			switch calls {
			case 1:
				return json.RawMessage(`{"epoch":"e","conversations":[{"id":"a","kind":"group","seq":0}],"page":"p1"}`), ""
			case 2:
				return nil, `{"code":"invalid_param","param":"page"}`
			}
			return json.RawMessage(`{"epoch":"e","conversations":[{"id":"a","kind":"group","seq":0}],"cursor":"c5"}`), ""
		})
		stop := running(t, c)
		defer stop()
		wantPhase(t, c, Connected)
		if calls != 3 {
			t.Errorf("%d calls of sync", calls)
		}
	})
}

// Older events are fetched when they are asked for, and then held.
func TestTimelineOlder(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		n.Store(120)
		s.history("g", &n)
		s.answer("sync", `{"epoch":"e","conversations":[{"id":"g","kind":"group","seq":120}],"cursor":"c1"}`)
		stop := running(t, c)
		wantPhase(t, c, Connected)
		if s.count("messages.list") != 0 {
			t.Error("history was fetched before anybody asked")
		}
		wantTimeline(t, c, "g", 71, 120)
		p, err := c.Timeline(t.Context(), "g", 71, 50)
		if err != nil || !slices.Equal(seqs(p.Events), upTo(21, 70)) || !p.Older {
			t.Errorf("%v %v", seqs(p.Events), err)
		}
		lists := s.count("messages.list")
		p, err = c.Timeline(t.Context(), "g", 21, 50)
		if err != nil || !slices.Equal(seqs(p.Events), upTo(1, 20)) || p.Older || s.count("messages.list") != lists+1 {
			t.Errorf("%v %v", seqs(p.Events), err)
		}
		wantTimeline(t, c, "g", 1, 120)
		if s.count("messages.list") != lists+1 {
			t.Error("what is held was asked for")
		}
		if _, err := c.Timeline(t.Context(), "none", 0, 5); !isCode(err, wire.CodeNotFound) {
			t.Error(err)
		}
		stop()
		if _, err := c.Timeline(t.Context(), "g", 0, 5); err != nil {
			t.Error(err)
		}
		if err := c.Call(t.Context(), "ping", nil, nil); !errors.Is(err, ErrOffline) {
			t.Error(err)
		}
	})
}

// The store went back to a backup that is younger than the cursor: the cursor holds, but
// not what was told live after it. Mutants: doubt left out; Sure moved up to what is held
// when a checkpoint comes, which may be more than it vouches for.
func TestDoubt(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		s.history("g", &n)
		sent := s.sends(fine)
		stop := running(t, c)
		defer stop()
		tell := func(seq int, from string) {
			n.Store(int64(seq))
			s.notify("event", strings.Replace(event("g", seq, from), "2026-11-25", time.Now().Format("2006-01-02"), 1))
			synctest.Wait()
		}
		tell(1, "bob")
		s.notify("checkpoint", `{"cursor":"k1"}`)
		tell(2, "bob")
		s.notify("checkpoint", `{"cursor":"k2"}`) // it vouches for 1, and maybe for 2
		tell(3, "alice")
		if conv, _ := c.Conversation("g"); conv.Sure != 1 || conv.Held.To != 3 {
			t.Fatalf("%+v sure %d", conv.Held, conv.Sure)
		}
		// The same start of the store: nothing is asked for again.
		s.answer("sync", `{"epoch":"e","conversations":[],"cursor":"c2"}`)
		lists := s.count("messages.list")
		s.cut()
		pass(2 * time.Second)
		wantPhase(t, c, Connected)
		if got := sent(); s.count("messages.list") != lists || len(got) != 0 {
			t.Errorf("%d lists, sent %v", s.count("messages.list")-lists, got)
		}
		if conv, _ := c.Conversation("g"); conv.Sure != 3 {
			t.Errorf("sure %d after a sync", conv.Sure)
		}
		tell(4, "alice")
		tell(5, "bob")
		// Another start, and another history from 4 on.
		s.answer("session.open", `{"user":{"id":"alice"},"session":"s","epoch":"e2","cursor":"c","heartbeat_ms":25000,"proto":1,"limits":{"dedupe_ms":2592000000}}`)
		s.answer("sync", `{"epoch":"e2","conversations":[{"id":"g","kind":"group","seq":4}],"cursor":"c3"}`)
		n.Store(4)
		s.cut()
		pass(2 * time.Second)
		wantTimeline(t, c, "g", 1, 4)
		p, err := c.Timeline(t.Context(), "g", 0, 1)
		if err != nil || p.Events[0].From != "bob" {
			t.Errorf("the fourth is %+v, %v", p.Events, err)
		}
		if got := sent(); len(got) != 1 || got[0] != "m4" {
			t.Errorf("sent again: %v", got)
		}
	})
}
