package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linnet-im/linnet/wire"
)

// sends makes the fake take messages, and gives what it took, as "TEXT".
func (f *fake) sends(answer func(text string) (code string)) func() []string {
	var mu sync.Mutex
	var taken []string
	f.on("messages.send", func(p json.RawMessage) (any, string) {
		var m struct {
			To struct {
				Conversation string `json:"conversation"`
			} `json:"to"`
			ClientID string `json:"client_id"`
			Content  struct{ Text string }
		}
		if err := json.Unmarshal(p, &m); err != nil {
			f.t.Error(err)
		}
		mu.Lock()
		taken = append(taken, m.Content.Text)
		mu.Unlock()
		if code := answer(m.Content.Text); code != "" {
			return nil, code
		}
		return map[string]any{"conversation": m.To.Conversation, "seq": 1, "time": "2026-11-25T08:00:00.000Z"}, ""
	})
	return func() []string {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		out := taken
		taken = nil
		return out
	}
}

func fine(string) string { return "" }

func (c *Client) mustSend(t *testing.T, to, text string) Sending {
	t.Helper()
	s, err := c.Send(t.Context(), ToConversation(to), Text(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What is sent while there is no connection is sent later, in order.
func TestOutboxOffline(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		taken := s.sends(fine)
		var last Sending
		for i := range 5 {
			last = c.mustSend(t, "a", fmt.Sprint("a", i))
		}
		if len(c.Outbox()) != 5 {
			t.Errorf("%d wait", len(c.Outbox()))
		}
		stop := running(t, c)
		defer stop()
		if got := strings.Join(taken(), " "); got != "a0 a1 a2 a3 a4" {
			t.Errorf("sent %s", got)
		}
		if p, err := last.Wait(t.Context()); err != nil || p.Conversation != "a" {
			t.Errorf("%+v %v", p, err)
		}
		if len(c.Outbox()) != 0 {
			t.Errorf("%d are left", len(c.Outbox()))
		}
	})
}

// A message that the server cannot take now holds up its conversation, and only that.
// Mutants: busy not noted; the hint not taken.
func TestOutboxRetry(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		refused := 0
		taken := s.sends(func(text string) string {
			if text == "a0" && refused < 2 {
				refused++
				return `{"code":"rate_limited","outcome":"retry","retry_after_ms":5000}`
			}
			return ""
		})
		stop := running(t, c)
		defer stop()
		c.mustSend(t, "a", "a0")
		c.mustSend(t, "a", "a1")
		c.mustSend(t, "b", "b0")
		c.mustSend(t, "b", "b1")
		pass(time.Second)
		if got := strings.Join(taken(), " "); strings.Contains(got, "a1") || !strings.Contains(got, "b1") || strings.Count(got, "a0") != 1 {
			t.Errorf("sent %s", got)
		}
		pass(20 * time.Second)
		if got := strings.Join(taken(), " "); got != "a0 a0 a1" {
			t.Errorf("sent %s", got)
		}
	})
}

// A message whose fate is open is sent again with the same id and bytes.
func TestOutboxUnknown(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		stop := running(t, c)
		defer stop()
		var bodies []string
		s.on("messages.send", func(p json.RawMessage) (any, string) {
			bodies = append(bodies, string(p))
			switch len(bodies) {
			case 1:
				s.cut() // before the answer
				return nil, `{"code":"internal"}`
			case 2:
				return nil, `{"code":"unknown_outcome","outcome":"unknown"}`
			}
			return json.RawMessage(`{"conversation":"a","seq":9,"time":"2026-11-25T08:00:00.000Z"}`), ""
		})
		sending := c.mustSend(t, "a", "once")
		p, err := sending.Wait(t.Context())
		if err != nil || p.Seq != 9 || len(bodies) != 3 {
			t.Fatalf("%+v %v after %d", p, err, len(bodies))
		}
		if bodies[0] != bodies[1] || bodies[1] != bodies[2] || !strings.Contains(bodies[0], sending.ClientID()) {
			t.Errorf("sent %q", bodies)
		}
	})
}

// What the server will never take fails; what is behind it goes on. It can be sent again
// or discarded.
func TestOutboxFailure(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		no := true
		taken := s.sends(func(text string) string {
			if text == "bad" && no {
				return `{"code":"not_found","outcome":"no"}`
			}
			return ""
		})
		stop := running(t, c)
		defer stop()
		f := c.Feed()
		defer f.Close()
		bad := c.mustSend(t, "a", "bad")
		c.mustSend(t, "a", "good")
		_, err := bad.Wait(t.Context())
		var answered *Error
		if !errors.As(err, &answered) || answered.Code != wire.CodeNotFound {
			t.Fatal(err)
		}
		if got := strings.Join(taken(), " "); got != "bad good" {
			t.Errorf("sent %s", got)
		}
		out := c.Outbox()
		if len(out) != 1 || out[0].Failed == nil || out[0].Failed.Code != wire.CodeNotFound {
			t.Fatalf("%+v", out)
		}
		told := map[string]bool{}
		for range 3 {
			u, err := f.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if sent, ok := u.(Sent); ok {
				told[sent.ClientID] = sent.Err == nil
			}
		}
		if ok, was := told[bad.ClientID()]; !was || ok || len(told) != 2 {
			t.Errorf("told %v", told)
		}
		no = false
		if err := c.Retry(t.Context(), bad.ClientID()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(taken(), " "); got != "bad" || len(c.Outbox()) != 0 {
			t.Errorf("sent %s, %d left", got, len(c.Outbox()))
		}
		no = true
		bad = c.mustSend(t, "a", "bad")
		synctest.Wait()
		if err := c.Discard(t.Context(), bad.ClientID()); err != nil || len(c.Outbox()) != 0 {
			t.Errorf("%v, %d left", err, len(c.Outbox()))
		}
		if c.Retry(t.Context(), bad.ClientID()) == nil {
			t.Error("what was discarded is sent again")
		}
	})
}

// A message older than the server remembers ids is not sent blindly. Mutant: the age not
// looked at.
func TestOutboxTooOld(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		taken := s.sends(fine)
		old := c.mustSend(t, "a", "old")
		time.Sleep(31 * 24 * time.Hour)
		young := c.mustSend(t, "a", "young")
		stop := running(t, c)
		defer stop()
		if _, err := old.Wait(t.Context()); !errors.Is(err, ErrTooOld) {
			t.Errorf("%v", err)
		}
		if _, err := young.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if got := strings.Join(taken(), " "); got != "young" {
			t.Errorf("sent %s", got)
		}
		if err := c.Retry(t.Context(), old.ClientID()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(taken(), " "); got != "old" {
			t.Errorf("sent %s", got)
		}
	})
}

// A message that is more than the server takes is not sent, and holds nothing up: as a
// frame over the limit it would end the connection, each time. Mutant: the limit not
// looked at.
func TestOutboxTooLarge(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		s.answer("session.open", `{"user":{"id":"alice"},"epoch":"e","heartbeat_ms":25000,"proto":1,"limits":{"content_bytes":100,"dedupe_ms":2592000000}}`)
		taken := s.sends(fine)
		large := c.mustSend(t, "a", strings.Repeat("x", 100))
		small := c.mustSend(t, "a", "small")
		stop := running(t, c)
		defer stop()
		if _, err := large.Wait(t.Context()); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%v", err)
		}
		if _, err := small.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if got := strings.Join(taken(), " "); got != "small" {
			t.Errorf("sent %s", got)
		}
	})
}

func TestSendRefusals(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		if _, err := c.Send(t.Context(), wire.To{}, Text("x")); err == nil {
			t.Error("to nobody")
		}
		if _, err := c.Send(t.Context(), wire.To{User: "a", Conversation: "b"}, Text("x")); err == nil {
			t.Error("to two")
		}
		if _, err := c.Send(t.Context(), ToUser("a"), make(chan int)); err == nil {
			t.Error("a channel as content")
		}
		stop := running(t, c)
		waiting := func() Sending { s.freeze(); return c.mustSend(t, "a", "x") }()
		stop()
		if _, err := waiting.Wait(t.Context()); !errors.Is(err, ErrStopped) {
			t.Errorf("%v", err)
		}
		if _, err := c.Send(t.Context(), ToUser("a"), Text("x")); !errors.Is(err, ErrStopped) {
			t.Errorf("%v", err)
		}
	})
}

// Incoming gives what comes after it began, once each, through losses.
func TestIncoming(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		n.Store(5)
		s.history("g", &n)
		s.answer("sync", `{"epoch":"e","conversations":[{"id":"g","kind":"group","seq":5}],"cursor":"c1"}`)
		got := make(chan int64, 100)
		go func() {
			for e, err := range c.Incoming(t.Context()) {
				if err != nil || e.Conversation != "g" {
					return
				}
				got <- e.Seq
			}
		}()
		stop := running(t, c)
		defer stop()
		for i := 6; i <= 8; i++ {
			n.Store(int64(i))
			s.notify("event", event("g", i, "bob"))
			synctest.Wait()
		}
		n.Store(12)
		s.answer("sync", `{"epoch":"e","conversations":[{"id":"g","kind":"group","seq":12}],"cursor":"c2"}`)
		s.cut()
		pass(2 * time.Second)
		for want := int64(6); want <= 12; want++ {
			if seq := <-got; seq != want {
				t.Fatalf("%d came, want %d", seq, want)
			}
		}
		synctest.Wait()
		if len(got) != 0 {
			t.Errorf("%d more came", len(got))
		}
	})
}

// IncomingSince begins with what was there, without a hole to what comes. Mutant: the
// last events read before the client says what it has seen.
func TestIncomingSince(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		n.Store(9)
		s.history("g", &n)
		s.answer("sync", `{"epoch":"e","conversations":[{"id":"g","kind":"group","seq":9},{"id":"h","kind":"group","seq":9}],"cursor":"c1"}`)
		got := make(chan string, 100)
		stop := running(t, c)
		defer stop()
		synctest.Wait()
		go func() {
			for e, err := range c.IncomingSince(t.Context(), func(conv Conversation) int {
				if conv.ID != "g" {
					return 0
				}
				n.Store(10) // one comes just now
				s.notify("event", event("g", 10, "bob"))
				time.Sleep(time.Second) // until it is held
				return 3
			}) {
				if err != nil {
					return
				}
				got <- fmt.Sprint(e.Conversation, e.Seq)
			}
		}()
		pass(2 * time.Second)
		close(got)
		var all []string
		for e := range got {
			all = append(all, e)
		}
		if text := strings.Join(all, " "); text != "g7 g8 g9 g10" {
			t.Errorf("%s", text)
		}
	})
}

// A reader that is late finds each conversation once, and no more notices than are kept.
func TestFeedCoalesces(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		var n atomic.Int64
		s.history("g", &n)
		f := c.Feed()
		stop := running(t, c)
		defer stop()
		n.Store(1)
		s.notify("event", event("g", 1, "bob"))
		for i := 2; i <= 50; i++ {
			n.Store(int64(i))
			s.notify("event", event("g", i, "bob"))
		}
		for i := range 2 * maxNotices {
			s.notify("typing", fmt.Sprintf(`{"conversation":"g","user":"bob","typing":true,"n":%d}`, i))
		}
		synctest.Wait()
		var states, changes, notices int
		for {
			u := f.pop()
			if u == nil {
				break
			}
			switch u := u.(type) {
			case State:
				states++
			case Changed:
				changes++
			case Notice:
				if notices == 0 && !strings.Contains(string(u.Params), fmt.Sprint(maxNotices)) {
					t.Errorf("the first notice left is %s", u.Params)
				}
				notices++
			}
		}
		if states != 1 || changes != 1 || notices != maxNotices {
			t.Errorf("%d states, %d changes, %d notices", states, changes, notices)
		}
		f.Close()
		if _, err := f.Next(t.Context()); !errors.Is(err, ErrStopped) {
			t.Error(err)
		}
	})
}

// One client id is one message, whatever it is called with. Mutants: add without the look
// for the id; a failed one that stays; IDFor by seq, which a restored store gives again.
func TestSendAs(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		refused := true
		taken := s.sends(func(string) string {
			if refused {
				return `{"code":"forbidden","outcome":"no"}`
			}
			return ""
		})
		question := wire.Event{Conversation: "a", Seq: 5, From: "bob", ClientID: "q", Time: "2026-11-25T08:00:00.000Z"}
		id := IDFor("answer", &question)
		send := func(text string) Sending {
			t.Helper()
			sending, err := c.SendAs(t.Context(), strings.ToUpper(id), ToConversation("a"), Text(text))
			if err != nil {
				t.Fatal(err)
			}
			return sending
		}
		first, again := send("one"), send("two")
		if again.ClientID() != id || first != again || len(c.Outbox()) != 1 {
			t.Errorf("%d messages wait", len(c.Outbox()))
		}
		stop := running(t, c)
		defer stop()
		if got := strings.Join(taken(), " "); got != "one" {
			t.Errorf("sent %s", got)
		}
		var answered *Error
		if _, err := again.Wait(t.Context()); !errors.As(err, &answered) || answered.Code != wire.CodeForbidden {
			t.Errorf("%v", err)
		}
		refused = false
		if _, err := send("three").Wait(t.Context()); err != nil || strings.Join(taken(), " ") != "three" || len(c.Outbox()) != 0 {
			t.Errorf("%v, %d wait", err, len(c.Outbox()))
		}
		if _, err := c.SendAs(t.Context(), "mine", ToConversation("a"), Text("x")); err == nil {
			t.Error("an id that is none is taken")
		}
		anew := question
		anew.Seq, anew.Time = 6, "2026-11-26T08:00:00.000Z"
		if IDFor("answer", &anew) != id {
			t.Error("the event that was sent anew is another one")
		}
		other, byText := question, wire.Event{Conversation: "a", Seq: 5, From: "bob", Time: question.Time}
		other.ClientID = "r"
		later := byText
		later.Seq = 6
		if IDFor("answer", &other) == id || IDFor("thanks", &question) == id || IDFor("x", &byText) == IDFor("x", &later) {
			t.Error("two things have one id")
		}
	})
}

// A call whose connection ends is told so, with the server's reason if there is one.
// Mutant: Closed without Is.
func TestCallLost(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *fake, c *Client) {
		if err := c.Call(t.Context(), "users.get", nil, nil); !errors.Is(err, ErrOffline) || errors.Is(err, ErrLost) {
			t.Errorf("before Run: %v", err)
		}
		stop := running(t, c)
		defer stop()
		for _, bye := range []bool{false, true} {
			wantPhase(t, c, Connected)
			s.freeze()
			lost := make(chan error, 1)
			go func() { lost <- c.Call(t.Context(), "users.get", nil, nil) }()
			synctest.Wait()
			if bye {
				s.notify("close", `{"code":"restarting","message":"m"}`)
			}
			s.cut()
			err := <-lost
			var closed *Closed
			if !errors.Is(err, ErrLost) || errors.As(err, &closed) != bye {
				t.Errorf("%v", err)
			}
			pass(time.Minute)
		}
	})
}
