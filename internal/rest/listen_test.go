package rest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

// serve serves a node over a real socket.
func serve(t *testing.T, n *node) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(n)
	t.Cleanup(s.Close)
	return s
}

func listen(t *testing.T, s *httptest.Server, path, token string, query url.Values) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path+"?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// stream is an event stream as a client reads it.
type stream struct {
	t  *testing.T
	in *bufio.Reader
	id string // the last one
}

func openStream(t *testing.T, s *httptest.Server, token string, query url.Values) *stream {
	t.Helper()
	resp := listen(t, s, "/v1/events", token, query)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s %s", resp.Status, resp.Header.Get("Content-Type"))
	}
	return &stream{t: t, in: bufio.NewReader(resp.Body)}
}

// next reads a frame; "" is the end of the stream.
func (s *stream) next() (event, data string) {
	s.t.Helper()
	for {
		line, err := s.in.ReadString('\n')
		if err != nil {
			return "", ""
		}
		switch name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); {
		case line == "\n" && event != "":
			return event, data
		case name == "event":
			event = value
		case name == "data":
			data = value
		case name == "id":
			s.id = value
		}
	}
}

// event reads the next event and answers its seq; notices are passed over.
func (s *stream) event() int64 {
	s.t.Helper()
	for {
		switch name, data := s.next(); name {
		case "":
			s.t.Fatal("the stream ended")
		case "event":
			var e wire.Event
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				s.t.Fatalf("%v: %s", err, data)
			}
			return e.Seq
		}
	}
}

// say sends a message to a user and answers its seq.
func (n *node) say(token, to string, k int) int64 {
	n.t.Helper()
	return result[wire.Place](n, "messages.send", token, fmt.Sprintf(
		`{"to":{"user":%q},"client_id":"00000000-0000-7000-8000-%012d","content":{"type":"text","text":"m%d"}}`, to, k, k)).Seq
}

func TestEvents(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	s := serve(t, n)
	alice, bob := n.token("alice", time.Now()), n.token("bob", time.Now())
	st := openStream(t, s, alice, nil)
	if name, data := st.next(); name != "checkpoint" || st.id == "" || !strings.Contains(data, st.id) {
		t.Fatalf("it begins with %s %s", name, data)
	}
	cursor := st.id
	for k := range 5 {
		n.say(bob, "alice", k)
	}
	for want := int64(1); want <= 5; want++ {
		if got := st.event(); got != want {
			t.Fatalf("seq %d, want %d", got, want)
		}
	}
	// Again from the cursor, and from one that the header gives.
	for _, query := range []url.Values{{"cursor": {cursor}}, {"cursor": {cursor}, "session": {"mine"}, "device": {"d"}, "platform": {"cli"}}} {
		again := openStream(t, s, alice, query)
		for want := int64(1); want <= 5; want++ {
			if got := again.event(); got != want {
				t.Fatalf("missed: seq %d, want %d", got, want)
			}
		}
		if name, _ := again.next(); name != "checkpoint" || again.id == cursor {
			t.Errorf("then comes %s with %s", name, again.id)
		}
		// What is acknowledged by that cursor does not come again.
		later := openStream(t, s, alice, url.Values{"cursor": {again.id}})
		if name, _ := later.next(); name != "checkpoint" {
			t.Errorf("from the new cursor comes %s", name)
		}
	}
}

// What comes while what was missed is being read is told once, and nothing is left out.
// Mutants: OpenStream after missed (a gap); known always false (twice).
func TestEventsWhileCatchingUp(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	s := serve(t, n)
	alice, bob := n.token("alice", time.Now()), n.token("bob", time.Now())
	first := openStream(t, s, alice, nil)
	first.next()
	var sending sync.WaitGroup
	const all = 400
	begun := make(chan struct{})
	sending.Go(func() {
		for k := range all {
			n.say(bob, "alice", k)
			if k == 20 {
				close(begun)
			}
		}
	})
	<-begun
	for range 5 {
		st := openStream(t, s, alice, url.Values{"cursor": {first.id}})
		for want := int64(1); want <= all; want++ {
			if got := st.event(); got != want {
				t.Fatalf("seq %d, want %d", got, want)
			}
		}
	}
	sending.Wait()
}

// Of more than 1,000 missed events those of the conversation written to last are told, the
// others are a gap.
func TestEventsGap(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	s := serve(t, n)
	alice, bob, carl := n.token("alice", time.Now()), n.token("bob", time.Now()), n.token("carl", time.Now())
	first := openStream(t, s, alice, nil)
	first.next()
	for k := range chat.MissedEvents {
		n.say(bob, "alice", k)
	}
	n.say(carl, "alice", 1)
	st := openStream(t, s, alice, url.Values{"cursor": {first.id}})
	if seq := st.event(); seq != 1 {
		t.Errorf("first comes %d", seq)
	}
	name, data := st.next()
	var g wire.Gap
	if err := json.Unmarshal([]byte(data), &g); err != nil || name != "gap" || g.FromSeq != 1 || g.ToSeq != chat.MissedEvents {
		t.Errorf("then %s %s", name, data)
	}
	// A cursor of nobody's is a reset, and then all of it as above.
	st = openStream(t, s, alice, url.Values{"cursor": {"nonsense"}})
	name, data = st.next()
	var r wire.Reset
	if err := json.Unmarshal([]byte(data), &r); err != nil || name != "reset" || len(r.Conversations) != 2 || r.Conversations[0].ForkSeq != 0 {
		t.Errorf("%s %s", name, data)
	}
}

func TestEventsInRooms(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	s := serve(t, n)
	ann := result[wire.OpenResult](n, "session.open", "", `{"guest":"ann"}`).Token
	alice := n.token("alice", time.Now())
	guest := openStream(t, s, ann, nil)
	guest.next()
	user := openStream(t, s, alice, url.Values{"rooms": {"lobby"}})
	user.next()
	result[wire.Place](n, "messages.send", alice, hello("to the lobby"))
	if guest.event() != 1 || user.event() != 1 {
		t.Error("the lobby is not heard")
	}
	// Missed in a room comes too.
	again := openStream(t, s, alice, url.Values{"rooms": {"lobby"}, "cursor": {user.id}})
	if again.event() != 1 {
		t.Error("what was missed in the lobby is not told")
	}
	if resp := listen(t, s, "/v1/events", alice, url.Values{"rooms": {"nowhere"}}); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a room that is not there: %s", resp.Status)
	}
}

func TestListenRefusals(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	s := serve(t, n)
	alice := n.token("alice", time.Now())
	for _, tt := range []struct {
		path, token string
		query       url.Values
		status      int
		code        wire.Code
	}{
		{"/v1/events", "", nil, 401, wire.CodeSession},
		{"/v1/poll", "", nil, 401, wire.CodeSession},
		{"/v1/events", "x", nil, 401, wire.CodeToken},
		{"/v1/poll", "x", nil, 401, wire.CodeToken},
		{"/v1/events", n.token("alice", time.Now().Add(-2*time.Hour)), nil, 401, wire.CodeExpired},
		{"/v1/events", alice, url.Values{"cursors": {"x"}}, 400, wire.CodeUnknownParam},
		{"/v1/events", alice, url.Values{"wait": {"5"}}, 400, wire.CodeParam},
		{"/v1/poll", alice, url.Values{"wait": {"61"}}, 400, wire.CodeParam},
		{"/v1/poll", alice, url.Values{"wait": {"-1"}}, 400, wire.CodeParam},
		{"/v1/poll", alice, url.Values{"wait": {"soon"}}, 400, wire.CodeParam},
		{"/v1/poll", alice, url.Values{"cursor": {"a", "b"}}, 400, wire.CodeParam},
		{"/v1/poll", alice, url.Values{"platform": {"ios"}}, 400, wire.CodeParam},
	} {
		resp := listen(t, s, tt.path, tt.token, tt.query)
		var p struct{ Code wire.Code }
		if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || resp.StatusCode != tt.status || p.Code != tt.code {
			t.Errorf("%s %v: %s %s %v", tt.path, tt.query, resp.Status, p.Code, err)
		}
	}
}

// poll polls once.
func poll(t *testing.T, s *httptest.Server, token string, query url.Values) wire.PollResult {
	t.Helper()
	resp := listen(t, s, "/v1/poll", token, query)
	var p struct {
		Cursor        string
		Notifications []struct {
			Method string
			Params json.RawMessage
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %v", resp.Status, err)
	}
	out := wire.PollResult{Cursor: p.Cursor}
	for _, one := range p.Notifications {
		out.Notifications = append(out.Notifications, wire.Notification{Method: one.Method, Params: []byte(one.Params)})
	}
	return out
}

// Mutants: the poll answers its own cursor; a lost answer's events are not told again.
func TestPoll(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	s := serve(t, n)
	alice, bob := n.token("alice", time.Now()), n.token("bob", time.Now())
	first := poll(t, s, alice, nil)
	if first.Cursor == "" || len(first.Notifications) != 0 {
		t.Fatalf("%+v", first)
	}
	if p := poll(t, s, alice, url.Values{"cursor": {first.Cursor}, "wait": {"0"}}); len(p.Notifications) != 0 || p.Cursor == "" {
		t.Errorf("%+v", p)
	}
	n.say(bob, "alice", 1)
	for range 2 { // the first answer may have been lost
		p := poll(t, s, alice, url.Values{"cursor": {first.Cursor}})
		if len(p.Notifications) != 1 || p.Notifications[0].Method != "event" {
			t.Fatalf("%+v", p)
		}
	}
	cursor := poll(t, s, alice, url.Values{"cursor": {first.Cursor}}).Cursor
	answered := make(chan wire.PollResult)
	go func() { answered <- poll(t, s, alice, url.Values{"cursor": {cursor}, "wait": {"60"}}) }()
	n.say(bob, "alice", 2)
	p := <-answered
	if len(p.Notifications) != 1 || !strings.Contains(string(p.Notifications[0].Params), `"m2"`) {
		t.Errorf("%+v", p)
	}
	if p := poll(t, s, alice, url.Values{"cursor": {"nonsense"}}); p.Notifications[0].Method != "reset" || len(p.Notifications) != 3 {
		t.Errorf("%+v", p)
	}
}

// online says whether one user sees another as present.
func (n *node) online(token, user string) bool {
	n.t.Helper()
	return result[wire.PresenceResult](n, "presence.get", token, fmt.Sprintf(`{"users":[%q]}`, user)).Presence[0].Online
}

// A poller is there between its polls, and what is not logged waits for it; a second
// poll at a time takes over. Mutants: Done that leaves at once; turn not closed.
func TestPollerStays(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	s := serve(t, n)
	alice, bob := n.token("alice", time.Now()), n.token("bob", time.Now())
	n.say(bob, "alice", 1)
	conv := result[wire.Place](n, "messages.send", alice, `{"to":{"user":"bob"},"client_id":"00000000-0000-7000-8000-000000000009","content":{"type":"text","text":"x"}}`).Conversation
	p := poll(t, s, alice, url.Values{"session": {"p"}})
	if !n.online(bob, "alice") {
		t.Error("she is gone between two polls")
	}
	result[wire.Empty](n, "typing.set", bob, fmt.Sprintf(`{"conversation":%q,"typing":true}`, conv))
	p = poll(t, s, alice, url.Values{"session": {"p"}, "cursor": {p.Cursor}})
	if len(p.Notifications) != 1 || p.Notifications[0].Method != "typing" {
		t.Errorf("%+v", p)
	}
	earlier := make(chan wire.PollResult)
	go func() {
		earlier <- poll(t, s, alice, url.Values{"session": {"p"}, "cursor": {p.Cursor}, "wait": {"60"}})
	}()
	time.Sleep(50 * time.Millisecond) // whichever is first, one of the two ends at once and the other hears
	later := make(chan wire.PollResult)
	go func() { later <- poll(t, s, alice, url.Values{"session": {"p"}, "cursor": {p.Cursor}, "wait": {"60"}}) }()
	if got := <-earlier; len(got.Notifications) != 0 || got.Cursor != p.Cursor {
		t.Errorf("the one that was taken over: %+v", got)
	}
	n.say(bob, "alice", 2)
	if got := <-later; len(got.Notifications) != 1 {
		t.Errorf("the one that took over: %+v", got)
	}
}

// Signing out ends streams and polls, and what they were opened with.
func TestListenersAreSignedOut(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	s := serve(t, n)
	mine := n.token("alice", time.Now())
	stolen := n.token("alice", time.Now().Add(time.Minute))
	st := openStream(t, s, stolen, url.Values{"session": {"thief"}})
	st.next()
	another := n.token("alice", time.Now().Add(2*time.Minute))
	cursor := poll(t, s, another, url.Values{"session": {"thief 2"}}).Cursor
	answered := make(chan string)
	go func() {
		resp := listen(t, s, "/v1/poll", another, url.Values{"session": {"thief 2"}, "cursor": {cursor}, "wait": {"60"}})
		body, err := io.ReadAll(resp.Body)
		answered <- fmt.Sprint(string(body), err)
	}()
	list := result[wire.SessionsResult](n, "sessions.list", mine, `{}`)
	if len(list.Sessions) != 2 || list.Sessions[0].Link+list.Sessions[1].Link != "pollsse" && list.Sessions[0].Link+list.Sessions[1].Link != "ssepoll" {
		t.Fatalf("%+v", list.Sessions)
	}
	if got := result[wire.RevokeResult](n, "sessions.revoke", mine, `{"session":"thief"}`); got.Closed != 1 {
		t.Errorf("%+v", got)
	}
	if name, data := st.next(); name != "close" || !strings.Contains(data, `"revoked"`) {
		t.Errorf("the stream hears %s %s", name, data)
	}
	if name, _ := st.next(); name != "" {
		t.Errorf("then %s", name)
	}
	if resp := listen(t, s, "/v1/poll", stolen, nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("its token is answered %s", resp.Status)
	}
	result[wire.RevokeResult](n, "sessions.revoke", mine, `{"session":"thief 2"}`)
	// Whether it had begun to wait or comes too late, it hears the same.
	if got := <-answered; !strings.Contains(got, `"code":"revoked"`) {
		t.Errorf("the poll is answered %s", got)
	}
}
