package rest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
	"github.com/linnet-im/linnet/wire"
)

// Listening is no method, so it is no line of the table of who may call what
// (internal/api): here is its own. Whatever way one listens, one hears what one may see,
// all of it, and nothing else.

// listenerRule is one who listens: what it is told of each conversation of the scene, as the
// seqs that are not voids, and what it is answered when it asks to be in a conversation as
// if it were a room.
type listenerRule struct {
	name, user    string
	guests        chat.Guests // of the node that it listens to
	group, direct string
	notices       bool // hears who types and reads in the group
	inGroup       wire.Code
	inDirect      wire.Code
}

func listenerRules() []listenerRule {
	const (
		no = wire.CodeNotFound
		fb = wire.CodeForbidden
	)
	return []listenerRule{
		//                                     group            direct
		{"guest in the lobby", "guest:ann", chat.GuestsLobby, "", "", false, no, no},
		{"full guest", "guest:ann", chat.GuestsFull, "1 2 3 4 5 6", "1 2", true, fb, fb},
		{"stranger", "sam", chat.GuestsFull, "", "", false, no, no},
		{"member", "mia", chat.GuestsFull, "1 2 3 4 5 6 7", "", true, fb, no},
		{"owner", "olga", chat.GuestsFull, "1 2 3 4 5 6 7", "", true, fb, no},
		{"former member", "fred", chat.GuestsFull, "1 2 3", "", false, fb, no},
		{"member that was away", "rita", chat.GuestsFull, "1 2 3 5 6", "", true, fb, no},
		{"member of the direct", "bob", chat.GuestsFull, "", "1 2", false, no, fb},
	}
}

// stage is two nodes on one store, one for each thing that guests may be, and what happens
// on them.
type stage struct {
	t             *testing.T
	nodes         map[chat.Guests]*node
	servers       map[chat.Guests]*httptest.Server
	group, direct string
	sent          int
}

func newStage(t *testing.T) *stage {
	t.Helper()
	store := memory.New()
	s := &stage{t: t, nodes: make(map[chat.Guests]*node), servers: make(map[chat.Guests]*httptest.Server)}
	for _, guests := range []chat.Guests{chat.GuestsFull, chat.GuestsLobby} {
		n, end := newNodeOn(t, store, guests)
		t.Cleanup(end)
		s.nodes[guests], s.servers[guests] = n, serve(t, n)
	}
	return s
}

func (s *stage) token(user string) string {
	if name, guest := strings.CutPrefix(user, "guest:"); guest {
		return result[wire.OpenResult](s.nodes[chat.GuestsFull], "session.open", "", fmt.Sprintf(`{"guest":%q}`, name)).Token
	}
	return s.nodes[chat.GuestsFull].token(chat.UserID(user), time.Now())
}

// do calls a method with a client_id of its own; GROUP in params stands for the group.
func do[T any](s *stage, user, method, params string) T {
	s.t.Helper()
	s.sent++
	params = strings.NewReplacer("GROUP", s.group, "CID", fmt.Sprintf("00000000-0000-7000-8000-%012d", s.sent)).Replace(params)
	return result[T](s.nodes[chat.GuestsFull], method, s.token(user), params)
}

// say sends secret, which is what to look for where it must not be.
func (s *stage) say(user, to, text, more string) wire.Place {
	s.t.Helper()
	return do[wire.Place](s, user, "messages.send", `{"to":`+to+`,"client_id":"CID","content":{"type":"text","text":"`+text+`"}`+more+`}`)
}

// play has everything happen that is told or not. The message to the lobby is the last.
func (s *stage) play() {
	s.t.Helper()
	s.group = do[wire.Conversation](s, "olga", "conversations.create",
		`{"kind":"group","client_id":"CID","members":["mia","fred","rita","guest:ann"]}`).ID // 1
	s.say("olga", `{"conversation":"GROUP"}`, "group before", "")                                                     // 2
	do[wire.Place](s, "olga", "members.remove", `{"conversation":"GROUP","client_id":"CID","users":["fred","rita"]}`) // 3
	s.say("mia", `{"conversation":"GROUP"}`, "group between", "")                                                     // 4
	do[wire.Place](s, "olga", "members.add", `{"conversation":"GROUP","client_id":"CID","users":["rita"]}`)           // 5
	s.say("mia", `{"conversation":"GROUP"}`, "group after", "")                                                       // 6
	s.say("olga", `{"conversation":"GROUP"}`, "group for mia", `,"only":["mia"]`)                                     // 7
	s.direct = s.say("guest:ann", `{"user":"bob"}`, "direct one", "").Conversation
	s.say("bob", `{"user":"guest:ann"}`, "direct two", "")
	do[wire.Empty](s, "olga", "typing.set", `{"conversation":"GROUP","typing":true}`)
	do[wire.ReadResult](s, "mia", "messages.read", `{"conversation":"GROUP","seq":7}`)
	s.say("olga", `{"conversation":"lobby"}`, "the end", "")
}

// heard is what a listener was told.
type heard struct {
	seqs    map[string]map[int64]bool // by conversation
	notices bool
	ended   bool // the last message was among it
	raw     strings.Builder
}

func newHeard() *heard { return &heard{seqs: make(map[string]map[int64]bool)} }

func (h *heard) take(t *testing.T, method, params string) {
	t.Helper()
	h.raw.WriteString(method + " " + params + "\n")
	switch method {
	case "event":
		var e wire.Event
		if err := json.Unmarshal([]byte(params), &e); err != nil {
			t.Errorf("%v: %s", err, params)
		}
		h.ended = h.ended || strings.Contains(params, `"the end"`)
		if e.Kind == "void" {
			return
		}
		if h.seqs[e.Conversation] == nil {
			h.seqs[e.Conversation] = make(map[int64]bool)
		}
		h.seqs[e.Conversation][e.Seq] = true
	case "typing", "read":
		h.notices = true
	case "checkpoint", "reset", "room.members":
	default: // a gap would leave out what is to be looked at
		t.Errorf("it is told %s %s", method, params)
	}
}

// wants checks what was told against what the listener may see. live says that notices
// are to be there too.
func (r *listenerRule) wants(t *testing.T, s *stage, h *heard, live bool) {
	t.Helper()
	want := map[string]string{"lobby": "1"}
	if r.group != "" {
		want[s.group] = r.group
	}
	if r.direct != "" {
		want[s.direct] = r.direct
	}
	got := make(map[string]string)
	for id, seqs := range h.seqs {
		got[id] = strings.Trim(fmt.Sprint(slices.Sorted(maps.Keys(seqs))), "[]")
	}
	if !maps.Equal(got, want) {
		t.Errorf("it hears %v, want %v", got, want)
	}
	for id, may := range map[string]bool{s.group: r.group != "", s.direct: r.direct != ""} {
		if !may && strings.Contains(h.raw.String(), id) {
			t.Errorf("it hears of a conversation that is not for it:\n%s", &h.raw)
		}
	}
	for text, seq := range map[string]string{"group before": "2", "group between": "4", "group after": "6", "group for mia": "7"} {
		if !slices.Contains(strings.Fields(r.group), seq) && strings.Contains(h.raw.String(), text) {
			t.Errorf("it hears %q:\n%s", text, &h.raw)
		}
	}
	if h.notices && !r.notices || live && r.notices && !h.notices {
		t.Errorf("it hears who types and reads: %t, want %t", h.notices, r.notices)
	}
}

// query is what this listener listens with, besides more: a guest is in the lobby anyway.
func (r *listenerRule) query(more url.Values) url.Values {
	q := url.Values{"rooms": {"lobby"}}
	maps.Copy(q, more)
	return q
}

// read reads a stream until it has heard the end and a checkpoint vouches for all of it.
func (r *listenerRule) read(t *testing.T, s *stage, st *stream, token string) *heard {
	t.Helper()
	h := newHeard()
	for {
		name, data := st.next()
		if name == "" {
			t.Fatalf("the stream ended; it told\n%s", &h.raw)
		}
		h.take(t, name, data)
		if name != "checkpoint" || !h.ended {
			continue
		}
		// It is the last when nothing has come since; a checkpoint may lag behind what is told.
		rest := poll(t, s.servers[r.guests], token, r.query(url.Values{"cursor": {st.id}, "wait": {"0"}, "session": {"rest"}}))
		if !slices.ContainsFunc(rest.Notifications, func(n wire.Notification) bool { return n.Method == "event" }) {
			return h
		}
	}
}

func (r *listenerRule) poll(t *testing.T, s *stage, token, cursor, session string) *heard {
	t.Helper()
	h := newHeard()
	for _, n := range poll(t, s.servers[r.guests], token, r.query(url.Values{"cursor": {cursor}, "wait": {"0"}, "session": {session}})).Notifications {
		h.take(t, n.Method, string(n.Params))
	}
	return h
}

// Each hears what it may see and no more: live, from a cursor of its own from before, from
// one that does not hold, and from another's; by stream and by poll. Mutants: spans without
// MaySee; the router's audience without it, or without Sees; roomsOf without CheckRoom; a
// cursor of anybody's; an event for a few given to all; a notice to those who were there at its first event.
func TestWhoHearsWhat(t *testing.T) {
	s := newStage(t)
	rules := listenerRules()
	type seat struct {
		token, cursor string
		live          *stream
	}
	seats := make([]seat, len(rules))
	for i, r := range rules {
		token := s.token(r.user)
		// A poller is there from before: its notices wait for it.
		cursor := poll(t, s.servers[r.guests], token, r.query(url.Values{"session": {"poller"}})).Cursor
		live := openStream(t, s.servers[r.guests], token, r.query(url.Values{"session": {"live"}}))
		if name, _ := live.next(); name != "checkpoint" {
			t.Fatalf("%s: the stream begins with %s", r.name, name)
		}
		seats[i] = seat{token, cursor, live}
	}
	s.play()
	// Another's cursor that knows all of it: it vouches for nobody else.
	late := poll(t, s.servers[chat.GuestsFull], s.token("zoe"), nil).Cursor
	for i, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			seat := seats[i]
			r.wants(t, s, r.read(t, s, seat.live, seat.token), r.guests == chat.GuestsFull)
			r.wants(t, s, r.poll(t, s, seat.token, seat.cursor, "poller"), r.guests == chat.GuestsFull)
			for _, cursor := range []string{seat.cursor, "nonsense", late} {
				r.wants(t, s, r.poll(t, s, seat.token, cursor, "again"), false)
				st := openStream(t, s.servers[r.guests], seat.token, r.query(url.Values{"cursor": {cursor}, "session": {"again"}}))
				r.wants(t, s, r.read(t, s, st, seat.token), false)
			}
		})
	}
}

// Who may not listen at all, and where one may not be. Each way of listening that the
// OpenAPI document names is tried. Mutants: a path more in the document; roomsOf without
// CheckRoom; Authenticate without the revoked, or without what guests may be.
func TestWhoMayListen(t *testing.T) {
	s := newStage(t)
	s.play()
	n := s.nodes[chat.GuestsFull]
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(n.do(httptest.NewRequest(http.MethodGet, "http://localhost/v1/openapi.json", nil)).Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for path, verbs := range doc.Paths {
		if verbs["get"] != nil {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	if !slices.Equal(paths, []string{"/v1/events", "/v1/poll"}) {
		t.Fatalf("one can listen at %q: TestWhoHearsWhat knows two of them", paths)
	}
	off := start(t, chat.GuestsOff)
	offServer := serve(t, off)
	revoked := s.token("max")
	result[wire.RevokeResult](n, "sessions.revoke_others", n.token("max", time.Now().Add(time.Second)), `{}`)
	type row struct {
		what   string
		server *httptest.Server
		token  string
		rooms  string
		want   wire.Code // "" is let in
	}
	full := s.servers[chat.GuestsFull]
	rows := []row{
		{"nobody", full, "", "lobby", wire.CodeSession},
		{"no token", full, "x.y.z", "lobby", wire.CodeToken},
		{"another's signature", full, s.token("sam")[:40] + "x" + s.token("sam")[41:], "lobby", wire.CodeToken},
		{"an expired token", full, n.token("sam", time.Now().Add(-2*time.Hour)), "lobby", wire.CodeExpired},
		{"a revoked token", full, revoked, "lobby", wire.CodeRevoked},
		{"a guest where there are none", offServer, s.token("guest:ann"), "lobby", wire.CodeGuests},
		{"a user where there are no guests", offServer, s.token("sam"), "lobby", ""},
	}
	for _, r := range listenerRules() {
		server, token := s.servers[r.guests], s.token(r.user)
		rows = append(
			rows,
			row{r.name + " in the lobby", server, token, "lobby", ""},
			row{r.name + " in the group", server, token, s.group, r.inGroup},
			row{r.name + " in the direct", server, token, s.direct, r.inDirect},
			row{r.name + " in nothing", server, token, "g_none", wire.CodeNotFound},
			row{r.name + " in the lobby and the group", server, token, "lobby," + s.group, r.inGroup},
		)
	}
	for _, path := range paths {
		for _, r := range rows {
			resp := listen(t, r.server, path, r.token, url.Values{"rooms": {r.rooms}, "session": {"s"}})
			if r.want == "" || resp.StatusCode == http.StatusOK {
				if r.want != "" || resp.StatusCode != http.StatusOK {
					t.Errorf("%s, %s: %s, want %s", path, r.what, resp.Status, r.want)
				}
				resp.Body.Close()
				continue
			}
			body, err := io.ReadAll(resp.Body)
			var p struct{ Code wire.Code }
			if json.Unmarshal(body, &p) != nil || err != nil || p.Code != r.want {
				t.Errorf("%s, %s: %s %s %v, want %s", path, r.what, resp.Status, body, err, r.want)
			}
		}
	}
}
