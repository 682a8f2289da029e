package session

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/auth"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

// What comes between a session's being live and its answer waits for the answer.
// Mutant: Push without a look at opening.
func TestPushesWaitBehindTheAnswer(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		bob, bobPeer := n.online("bob")
		p := &peer{}
		alice := n.New(p, lineFraming(), Remote{SignedIn: func() {
			bob.Frame(send("alice", 7))
			time.Sleep(time.Millisecond) // of the bubble: until it was pushed
		}})
		alice.Frame([]byte(open(n.token("alice", time.Hour), "")))
		time.Sleep(2 * time.Millisecond)
		wantKinds(t, "alice", p, "result 1", "event 1")
		wantKinds(t, "bob", bobPeer, "result 7", "event 1")
		bob.Frame(send("alice", 8))
		wantKinds(t, "alice, later", p, "event 2")
	})
}

// The cursor of session.open vouches for nothing that is not stored or pushed.
func TestCursorOfOpen(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		bob, _ := n.online("bob")
		bob.Frame(send("alice", 1))
		synctest.Wait()
		alice, p := n.connect()
		alice.Frame([]byte(open(n.token("alice", time.Hour), "")))
		line := p.taken()[0]
		var result struct {
			Cursor, Session, Epoch, Time string
			Proto                        int
			User                         wire.User
		}
		if err := unmarshal(read(t, line).Result, &result); err != nil {
			t.Fatal(err)
		}
		if result.Session == "" || result.Epoch == "" || result.Proto != 1 || result.User.ID != "alice" || result.Time == "" {
			t.Errorf("got %s", line)
		}
		bob.Frame(send("alice", 2))
		wantKinds(t, "alice", p, "event 2")
		alice.Frame(fmt.Appendf(nil, `{"id":2,"method":"sync","params":{"cursor":%q}}`, result.Cursor))
		if got := p.taken()[0]; strings.Count(got, `"unread":2`) != 1 || strings.Contains(got, `"reset"`) {
			t.Errorf("sync from the cursor: %s", got)
		}
	})
}

// A checkpoint follows the events, and what it gives is taken back by session.ack.
func TestCheckpoint(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		alice, p := n.online("alice")
		alice.Frame(send("alice", 1))
		time.Sleep(5 * time.Second)
		lines := p.taken()
		if got := kinds(t, lines); len(got) != 3 || got[2] != "checkpoint" {
			t.Fatalf("got %v", got)
		}
		cursor := read(t, lines[2]).Params.Cursor
		alice.Frame(fmt.Appendf(nil, `{"id":2,"method":"session.ack","params":{"cursor":%q}}`, cursor))
		alice.Frame(fmt.Appendf(nil, `{"method":"session.ack","params":{"cursor":%q}}`, cursor))
		alice.Frame([]byte(`{"id":3,"method":"session.ack","params":{"cursor":"no"}}`))
		wantKinds(t, "the acks", p, "result 2", "invalid_param 3")
	})
}

func TestCalls(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		s, p := n.connect()
		for _, tt := range []struct {
			frame string
			want  []string
		}{
			{`{"id":1,"method":"messages.list","params":{"conversation":"lobby"}}`, []string{"session_required 1"}},
			{`{"id":"a","method":"ping"}`, []string{`result "a"`}},
			{`{"method":"ping"}`, nil},
			{`{"id":2,"method":"no.such"}`, []string{"unknown_method 2"}},
			{`{"method":"sync"}`, []string{"invalid_request null"}},
			{`{"id":3,`, []string{"parse_error 3"}},
			{`[{"id":1,"method":"ping"}]`, []string{"no_batches null"}},
			{`{"id":4,"method":"session.open","params":{"token":"x","guest":"y"}}`, []string{"invalid_param 4"}},
			{`{"id":5,"method":"session.open","params":{"token":"x"}}`, []string{"invalid_token 5"}},
			{`{"id":6,"method":"session.open","params":{"guest":"a:b"}}`, []string{"invalid_param 6"}},
			{`{"id":7,"method":"session.open","params":{"guest":"ann","proto":2}}`, []string{"invalid_param 7"}},
			{`{"id":8,"method":"session.open","params":{"guest":"ann","rooms":["none"]}}`, []string{"not_found 8"}},
			{`{"id":9,"method":"session.open","params":{"guest":"ann","device":{"id":""}}}`, []string{"invalid_param 9"}},
			{`{"id":10,"method":"session.open","params":{"guest":"ann","rooms":["lobby"]}}`, []string{"result 10"}},
			{`{"id":11,"method":"session.open","params":{"guest":"ann"}}`, []string{"already_open 11"}},
			{`{"id":12,"method":"rooms.join","params":{"room":"lobby"}}`, []string{"result 12"}},
			{`{"id":13,"method":"rooms.leave","params":{"room":"lobby"}}`, []string{"result 13"}},
		} {
			s.Frame([]byte(tt.frame))
			wantKinds(t, tt.frame, p, tt.want...)
		}
		s.Refuse(wire.Errorf(wire.CodeTooLarge, "too large"))
		wantKinds(t, "a frame that is too large", p, "too_large null")
		s.Closed()
		if n.Count() != 0 || n.cfg.Router.Sessions() != 0 {
			t.Errorf("%d connections and %d sessions are left", n.Count(), n.cfg.Router.Sessions())
		}
	})
}

func TestGuestsOff(t *testing.T) {
	inBubble(t, chat.GuestsOff, func(t *testing.T, n *node) {
		s, p := n.connect()
		s.Frame([]byte(`{"id":1,"method":"session.open","params":{"guest":"ann"}}`))
		wantKinds(t, "a guest", p, "guests_off 1")
		if err := n.NewText(p, n.text, Remote{}).SignIn("ann"); err == nil {
			t.Error("a guest signs in by text")
		}
	})
}

// Calls behind session.close are not run, and its answer is the last frame. Mutant: run
// without a look at closed.
func TestNothingRunsBehindClose(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		s, p := n.online("alice")
		s.mu.Lock()
		s.running = true // so that the calls queue up
		s.mu.Unlock()
		s.Frame([]byte(`{"id":2,"method":"session.close"}`))
		s.Frame(send("bob", 3))
		s.Frame([]byte(`{"id":4,"method":"ping"}`))
		s.run()
		if last, _ := p.ended(); kinds(t, []string{last})[0] != "result 2" {
			t.Errorf("last words: %q", last)
		}
		wantKinds(t, "what went out besides", p)
		s.Frame(send("bob", 5))
		synctest.Wait()
		if _, err := n.cfg.Chat.Conversation(t.Context(), chat.Actor{User: "bob"}, chat.DirectID("alice", "bob")); err == nil {
			t.Error("a message behind session.close was sent")
		}
		s.Closed()
	})
}

// 64 calls in flight, and the link that brings more waits. Mutant: Frame without the wait.
func TestFramesWaitForRoom(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		s, p := n.online("alice")
		release := n.store.shut()
		for k := range 64 {
			s.Frame(send("bob", k))
		}
		taken := make(chan struct{})
		go func() { s.Frame(send("bob", 64)); close(taken) }()
		synctest.Wait()
		select {
		case <-taken:
			t.Error("the 65th call was taken")
		default:
		}
		release()
		within(t, taken)
		if got := len(p.taken()); got != 130 {
			t.Errorf("%d answers and events, want 65 each", got)
		}
		// A connection that ends lets its reader go.
		release = n.store.shut()
		for k := range 64 {
			s.Frame(send("bob", 100+k))
		}
		gone := make(chan struct{})
		go func() { s.Frame(send("bob", 200)); close(gone) }()
		synctest.Wait()
		s.Closed()
		within(t, gone)
		release()
	})
}

// Who does not read has no more than two large frames wait for it to, and the link that
// brings the next one waits. Mutant: Frame without a look at the bytes.
func TestLargeFramesWait(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		p := stalled{&peer{}, make(chan struct{}), make(chan struct{})}
		s := n.New(p, lineFraming(), Remote{Loopback: true})
		s.Frame([]byte(open(n.token("alice", time.Hour), "")))
		wantKinds(t, "alice", p.peer, "result 1")
		close(p.full)
		s.Frame([]byte(`{"id":2,"method":"ping"}`)) // it waits for room
		large := fmt.Appendf(nil, `{"id":3,"method":"ping","params":{"x":%q}}`, strings.Repeat("x", 60<<10))
		synctest.Wait()
		taken := make(chan struct{}, 10)
		go func() {
			for range cap(taken) {
				s.Frame(large)
				taken <- struct{}{}
			}
		}()
		synctest.Wait()
		if len(taken) != 2 {
			t.Errorf("%d large frames are taken", len(taken))
		}
		_ = p.Close() // then there is room, for who asks
		synctest.Wait()
		if len(taken) != cap(taken) {
			t.Errorf("%d large frames are taken in the end", len(taken))
		}
	})
}

// within waits, a minute of the bubble at most: its clocks go on while a test hangs.
func within(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
}

// A new connection of the same session ends the old one without a word. Mutant: release
// whoever asks.
func TestSameSessionReplaces(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		connect := func(u chat.UserID, session string) (*Session, *peer) {
			s, p := n.connect()
			s.Frame([]byte(open(n.token(u, time.Hour), session)))
			wantKinds(t, session, p, "result 1")
			return s, p
		}
		closed := func(what string, p *peer, want bool) {
			t.Helper()
			if last, ended := p.ended(); ended != want || last != "" {
				t.Errorf("%s: ended %v with %q", what, ended, last)
			}
		}
		first, firstPeer := connect("alice", "tab-1")
		_, other := connect("alice", "tab-2")
		_, bobs := connect("bob", "tab-1")
		closed("the first, before", firstPeer, false)
		_, secondPeer := connect("alice", "tab-1")
		closed("the first", firstPeer, true)
		closed("another session", other, false)
		closed("another user's session of that name", bobs, false)
		first.Closed() // its link notices only now
		_, thirdPeer := connect("alice", "tab-1")
		closed("the second", secondPeer, true)
		closed("the third", thirdPeer, false)
	})
}

// A connection that ends while its session opens leaves nothing behind. Mutant: enter
// without a look at closed.
func TestNoGhostSession(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		token := n.token("alice", time.Hour)
		for range 300 {
			s, _ := n.connect()
			var both sync.WaitGroup
			both.Go(func() { _, _ = s.Open(t.Context(), &wire.OpenParams{Token: token}) })
			both.Go(s.Closed)
			both.Wait()
		}
		if n.Count() != 0 || n.cfg.Router.Sessions() != 0 || len(n.byID) != 0 {
			t.Errorf("%d connections, %d live, %d by id", n.Count(), n.cfg.Router.Sessions(), len(n.byID))
		}
	})
}

// A stopping server takes no more, answers what it has taken, and then says goodbye.
func TestStopAndDrain(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		s, p := n.online("alice")
		text := &peer{}
		lines := n.NewText(text, n.text, Remote{})
		if err := lines.SignIn("ann"); err != nil {
			t.Fatal(err)
		}
		text.taken()
		release := n.store.shut()
		s.Frame(send("bob", 2))
		synctest.Wait()
		n.Stop()
		s.Frame(send("bob", 3))
		synctest.Wait()
		release()
		wantKinds(t, "what was taken before, and the refusal of what came after", p, "busy 3", "result 2", "event 1")
		var refused error
		lines.Say("hi", func(err error) { refused = err })
		if refused == nil {
			t.Error("a stopped server takes what is said")
		}
		n.Drain()
		if last, ended := p.ended(); !ended || last != "close restarting 2000" {
			t.Errorf("ended %v with %q", ended, last)
		}
		if last, ended := text.ended(); !ended || !strings.HasPrefix(last, "error: ") {
			t.Errorf("text: ended %v with %q", ended, last)
		}
		_, late := n.connect()
		if last, ended := late.ended(); !ended || last != "close restarting 2000" {
			t.Errorf("who comes later: ended %v with %q", ended, last)
		}
	})
}

func TestHeartbeats(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		s, p := n.online("alice")
		start := time.Now()
		for _, tt := range []struct {
			after time.Duration
			want  []string
		}{
			{20 * time.Second, nil},
			{api.Heartbeat + time.Second, []string{"PING"}},
			{api.Heartbeat + 6*time.Second, nil},
			{2*api.Heartbeat + 2*time.Second, []string{"PING"}},
			{3 * api.Heartbeat, nil},
		} {
			s.check(start.Add(tt.after))
			wantKinds(t, tt.after.String(), p, tt.want...)
		}
		time.Sleep(30 * time.Second)
		s.Heard() // any traffic is a sign of life
		s.check(start.Add(silence + time.Second))
		if last, ended := p.ended(); ended {
			t.Errorf("closed with %q, though it was heard", last)
		}
		s.check(start.Add(30*time.Second + silence + time.Second))
		if last, ended := p.ended(); !ended || last != "close idle 0" {
			t.Errorf("ended %v with %q", ended, last)
		}
	})
}

func TestTimesThatEndASession(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		start := time.Now()
		nobody, p := n.connect()
		time.Sleep(time.Minute)
		nobody.Heard()
		nobody.check(start.Add(signInTime))
		if _, ended := p.ended(); ended {
			t.Error("closed before two minutes")
		}
		nobody.check(start.Add(signInTime + time.Second))
		if last, ended := p.ended(); !ended || last != "close session_required 0" {
			t.Errorf("ended %v with %q", ended, last)
		}

		text := &peer{}
		typing := n.NewText(text, n.text, Remote{})
		typing.check(typing.began.Add(signInTime))
		if _, ended := text.ended(); ended {
			t.Error("text: closed before two minutes")
		}
		typing.check(typing.began.Add(signInTime + time.Second))
		if last, ended := text.ended(); !ended || !strings.HasPrefix(last, "error: ") {
			t.Errorf("text: ended %v with %q", ended, last)
		}

		s, p := n.connect()
		s.Frame([]byte(open(n.token("alice", 10*time.Second), "")))
		wantKinds(t, "a token for ten seconds", p, "result 1")
		s.check(time.Now().Add(9*time.Second + auth.Leeway))
		if _, ended := p.ended(); ended {
			t.Error("closed while the token was good")
		}
		s.check(time.Now().Add(11*time.Second + auth.Leeway))
		if last, ended := p.ended(); !ended || last != "close token_expired 0" {
			t.Errorf("ended %v with %q", ended, last)
		}
	})
}

// The hub looks after its sessions by itself.
func TestRunChecks(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		var run sync.WaitGroup
		ctx, cancel := contextOf(t)
		run.Go(func() { n.Run(ctx) })
		_, p := n.online("alice")
		time.Sleep(silence + 10*time.Second)
		if last, ended := p.ended(); !ended || !strings.HasPrefix(last, "close idle") {
			t.Errorf("ended %v with %q", ended, last)
		}
		cancel()
		run.Wait()
	})
}

// Finish waits for what was taken, and no longer than it is told.
func TestFinish(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		s, p := n.online("alice")
		release := n.store.shut()
		s.Frame(send("bob", 2))
		finished := make(chan struct{})
		began := time.Now()
		go func() { s.Finish(time.Hour); close(finished) }()
		synctest.Wait()
		select {
		case <-finished:
			t.Error("Finish returned with a call in flight")
		default:
		}
		release()
		within(t, finished)
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v", took)
		}
		wantKinds(t, "the call", p, "result 2", "event 1")

		release = n.store.shut()
		s.Frame(send("bob", 3))
		began = time.Now()
		finished = make(chan struct{})
		go func() { s.Finish(time.Minute); close(finished) }()
		time.Sleep(time.Minute)
		within(t, finished)
		if took := time.Since(began); took != time.Minute {
			t.Errorf("it took %v", took)
		}
		release()
	})
}

// What came before session.close is answered before it, what came behind it is not run,
// and its own answer is the last frame.
func TestCloseAnswersWhatIsInFlight(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		s, p := n.online("alice")
		release := n.store.shut()
		s.Frame(send("bob", 2))
		s.Frame(send("bob", 3))
		s.Frame([]byte(`{"id":4,"method":"session.close"}`))
		s.Frame(send("bob", 5))
		synctest.Wait()
		if _, ended := p.ended(); ended {
			t.Error("closed while sends were in flight")
		}
		release()
		synctest.Wait()
		if last, ended := p.ended(); !ended || !strings.Contains(last, `"id":4,"result"`) {
			t.Errorf("ended %v with %q", ended, last)
		}
		got := strings.Join(p.taken(), "\n")
		two, three := strings.Index(got, `"id":2,"result"`), strings.Index(got, `"id":3,"result"`)
		if two < 0 || three < two || strings.Contains(got, `"id":5`) {
			t.Errorf("got %s", got)
		}
	})
}
