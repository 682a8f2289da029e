package chat_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// crowd is who is in rooms.
type crowd struct {
	mu sync.Mutex
	in map[chat.ConversationID][]chat.UserID
}

func (c *crowd) set(room chat.ConversationID, users ...chat.UserID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in == nil {
		c.in = make(map[chat.ConversationID][]chat.UserID)
	}
	c.in[room] = users
}

func (c *crowd) Online(room chat.ConversationID) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.in[room])
}

func (c *crowd) Sample(room chat.ConversationID, n int) []chat.UserID {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.in[room][:min(n, len(c.in[room]))])
}

func (c *crowd) Present(room chat.ConversationID, u chat.UserID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.in[room], u)
}

func withPresence(p chat.Presence) func(*chat.Config) {
	return func(cfg *chat.Config) { cfg.Presence = p }
}

func (w *world) room(u chat.UserID, n int) chat.ConversationID {
	w.t.Helper()
	cid, key := id(n)
	p, err := w.CreateRoom(w.t.Context(), as(u), key, cid, "the room")
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Conversation
}

func (w *world) setAttribute(u chat.UserID, s chat.SetAttribute) (int64, error) {
	return w.SetAttribute(w.t.Context(), as(u), s)
}

func value(v string) *string { return &v }
func rev(n int64) *int64     { return &n }

func (w *world) attributes(room chat.ConversationID) string {
	w.t.Helper()
	s, err := w.RoomState(w.t.Context(), as("anybody"), room, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	var list []string
	for _, a := range s.Attributes {
		list = append(list, fmt.Sprintf("%s=%s by %s, %d", a.Key, a.Value, a.Owner, a.Rev))
	}
	return strings.Join(list, "; ")
}

func TestRoom(t *testing.T) {
	who := &crowd{}
	w := newWorld(t, withPresence(who))
	r := w.room("alice", 1)
	if again := w.room("alice", 1); again != r {
		t.Errorf("repeated: %s, was %s", again, r)
	}
	who.set(r, "alice", "bob")
	w.mustSend("zoe", into(r, 2)) // open to who knows it
	s, err := w.RoomState(t.Context(), as("bob"), r, 1)
	if err != nil || s.Online != 2 || len(s.Sample) != 1 || s.Summary.Head != 2 || s.Summary.Conversation.Name != "the room" {
		t.Errorf("%+v, %v", s, err)
	}
	if owner, err := w.RoomState(t.Context(), as("alice"), r, 0); err != nil || owner.Summary.Member.Role != chat.Owner {
		t.Errorf("%+v, %v", owner.Summary.Member, err)
	}
	// It is in nobody's list.
	list, _, err := w.Conversations(t.Context(), as("alice"), chat.Inbox{Limit: 10})
	synced, serr := w.Sync(t.Context(), as("alice"), "", "", 10)
	if err != nil || serr != nil || len(list)+len(synced.Conversations) != 0 {
		t.Errorf("%+v, %+v, %v, %v", list, synced.Conversations, err, serr)
	}
	g := w.group(3, false, "alice")
	_, err = w.RoomState(t.Context(), as("alice"), g, 0)
	wantCode(t, err, chat.CodeForbidden)
}

// Mutants: SetAttribute without asking for the rev; without asking for the owner.
func TestAttributes(t *testing.T) {
	w := newWorld(t, withPresence(&crowd{}))
	r := w.room("alice", 1)
	w.bus.taken()
	for i, tt := range []struct {
		user chat.UserID
		set  chat.SetAttribute
		rev  int64
		code chat.Code
		all  string
	}{
		{"bob", chat.SetAttribute{Key: "seat1", Value: value("bob"), IfRev: rev(0)}, 1, "", "seat1=bob by bob, 1"},
		{"carol", chat.SetAttribute{Key: "seat1", Value: value("carol"), IfRev: rev(0)}, 0, chat.CodeStale, "seat1=bob by bob, 1"},
		{"carol", chat.SetAttribute{Key: "seat1", Value: value("carol")}, 0, chat.CodeForbidden, "seat1=bob by bob, 1"},
		{"bob", chat.SetAttribute{Key: "seat1", Value: value("x"), IfRev: rev(0)}, 0, chat.CodeStale, "seat1=bob by bob, 1"},
		{"bob", chat.SetAttribute{Key: "seat1", Value: value("bobby"), IfRev: rev(1), Open: true}, 2, "", "seat1=bobby by bob, 2"},
		{"carol", chat.SetAttribute{Key: "seat1", Value: value("carol")}, 3, "", "seat1=carol by carol, 3"}, // it was open
		{"bob", chat.SetAttribute{Key: "seat1"}, 0, chat.CodeForbidden, "seat1=carol by carol, 3"},
		{"alice", chat.SetAttribute{Key: "seat1", Value: value("")}, 4, "", "seat1= by alice, 4"}, // the room's owner
		{"alice", chat.SetAttribute{Key: "seat1", IfRev: rev(4)}, 0, "", ""},
		{"alice", chat.SetAttribute{Key: "seat1"}, 0, "", ""},
		{"alice", chat.SetAttribute{Key: "", Value: value("x")}, 0, chat.CodeParam, ""},
		{"alice", chat.SetAttribute{Key: "a\nb", Value: value("x")}, 0, chat.CodeParam, ""},
		{"alice", chat.SetAttribute{Key: strings.Repeat("k", 129), Value: value("x")}, 0, chat.CodeParam, ""},
		{"alice", chat.SetAttribute{Key: "k", Value: value(strings.Repeat("v", 4097))}, 0, chat.CodeParam, ""},
		{"alice", chat.SetAttribute{Key: "k", Value: value("v"), IfRev: rev(-1)}, 0, chat.CodeParam, ""},
	} {
		tt.set.Room = r
		got, err := w.setAttribute(tt.user, tt.set)
		if got != tt.rev || code(err) != tt.code || w.attributes(r) != tt.all {
			t.Errorf("%d: %d, %v; there is %q", i, got, err, w.attributes(r))
		}
	}
	_, notices := w.bus.taken()
	var told []string
	for _, n := range notices {
		if n.Method != "room.attributes" || n.Conversation.ID != r {
			t.Errorf("told %+v", n)
		}
		told = append(told, string(n.Params))
	}
	want := fmt.Sprintf(`{"room":%q,"set":[{"key":"seat1","value":"bob","owner":"bob","rev":1}]}`, r)
	if len(told) != 5 || told[0] != want || !strings.Contains(told[4], `"removed":["seat1"]`) {
		t.Errorf("told %q", told)
	}
	for i := range 100 {
		if _, err := w.setAttribute("alice", chat.SetAttribute{Room: r, Key: fmt.Sprint("k", i), Value: value("v")}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.setAttribute("alice", chat.SetAttribute{Room: r, Key: "one more", Value: value("v")})
	wantCode(t, err, chat.CodeForbidden)
	if _, err := w.setAttribute("alice", chat.SetAttribute{Room: r, Key: "k7", Value: value("w")}); err != nil {
		t.Errorf("one that is there: %v", err)
	}
}

// An attribute that goes with its owner goes when that one has left, or did not come back
// after the server was gone. Mutants: dropAttribute without Present; no Due put.
func TestAttributeGoesWithItsOwner(t *testing.T) {
	who := &crowd{}
	w := newWorld(t, withPresence(who))
	r := w.room("alice", 1)
	who.set(r, "alice", "bob", "carol")
	for _, u := range []chat.UserID{"bob", "carol"} {
		if _, err := w.setAttribute(u, chat.SetAttribute{Room: r, Key: "seat of " + string(u), Value: value("x"), UntilLeft: true}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.setAttribute("bob", chat.SetAttribute{Room: r, Key: "stays", Value: value("x")}); err != nil {
		t.Fatal(err)
	}
	w.pass(5 * time.Minute)
	all := "seat of bob=x by bob, 1; seat of carol=x by carol, 1; stays=x by bob, 1"
	if got := w.attributes(r); got != all {
		t.Errorf("all are there: %q", got)
	}
	w.LeftRoom(r, "bob") // and is back at once
	w.pass(time.Second)
	if got := w.attributes(r); got != all {
		t.Errorf("bob came back: %q", got)
	}
	if _, err := w.setAttribute("bob", chat.SetAttribute{Room: r, Key: "seat of bob", Value: value("y"), UntilLeft: true}); err != nil {
		t.Fatal(err)
	}
	who.set(r, "alice", "carol")
	w.LeftRoom(r, "bob")
	w.pass(time.Second)
	rest := "seat of carol=x by carol, 1; stays=x by bob, 1"
	if got := w.attributes(r); got != rest {
		t.Errorf("bob left: %q", got)
	}
	// The server is gone, and carol does not come back to the next one.
	next := newWorldOn(t, w.store, withPresence(&crowd{}))
	next.clock.set(w.clock.now())
	next.pass(30 * time.Second)
	if got := next.attributes(r); got != rest {
		t.Errorf("there is time to come back: %q", got)
	}
	next.pass(time.Minute)
	if got := next.attributes(r); got != "stays=x by bob, 1" {
		t.Errorf("nobody came back: %q", got)
	}
}

// Mutants: likes that are told one by one; a flush that forgets the total.
func TestLikes(t *testing.T) {
	w := newWorld(t, withPresence(&crowd{}))
	r := w.room("alice", 1)
	w.bus.taken()
	for _, n := range []int{1, 100, 5} {
		if err := w.Like(t.Context(), as("zoe"), r, n); err != nil {
			t.Fatal(err)
		}
	}
	w.pass(time.Second)
	if err := w.Like(t.Context(), as("bob"), r, 4); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Second)
	w.pass(time.Second)
	_, notices := w.bus.taken()
	var told []string
	for _, n := range notices {
		told = append(told, string(n.Params))
	}
	want := []string{fmt.Sprintf(`{"room":%q,"added":106,"total":106}`, r), fmt.Sprintf(`{"room":%q,"added":4,"total":110}`, r)}
	if !slices.Equal(told, want) {
		t.Errorf("told %q", told)
	}
	if s, err := w.RoomState(t.Context(), as("bob"), r, 0); err != nil || s.Likes != 110 {
		t.Errorf("%d likes, %v", s.Likes, err)
	}
	for _, n := range []int{0, 101} {
		wantCode(t, w.Like(t.Context(), as("bob"), r, n), chat.CodeParam)
	}
	wantCode(t, w.Like(t.Context(), as("bob"), "r_none", 1), chat.CodeNotFound)
}

// Under load the least important are refused first, and have no seq then; whom the rules
// name goes through. Mutants: admit without what is kept; without the rules.
func TestPriorities(t *testing.T) {
	w := newWorld(t, withPresence(&crowd{}), withLimits(chat.Limits{RoomSendsPerSec: 1, RoomSendsBurst: 10}))
	r := w.room("alice", 1)
	if err := w.SetRoomRules(t.Context(), as("bob"), r, chat.RoomRules{}); code(err) != chat.CodeForbidden {
		t.Errorf("bob sets the rules: %v", err)
	}
	if err := w.SetRoomRules(t.Context(), as("alice"), r, chat.RoomRules{Users: []chat.UserID{"star"}, Types: []string{"custom"}}); err != nil {
		t.Fatal(err)
	}
	n := 10
	send := func(u chat.UserID, p chat.Priority) chat.Code {
		n++
		m := into(r, n)
		m.Priority = p
		_, err := w.start(chat.Actor{User: u, Limited: true}, m).wait()
		return code(err)
	}
	count := func(p chat.Priority) (n int) {
		for send("fan", p) == "" {
			n++
		}
		return n
	}
	// Of a burst of ten, half is kept from low ones, and a fifth from usual ones.
	if low, usual, high := count(chat.LowPriority), count(chat.NormalPriority), count(chat.HighPriority); low != 5 || usual != 3 || high != 2 {
		t.Errorf("%d low, %d usual and %d high ones went through", low, usual, high)
	}
	for _, p := range []chat.Priority{chat.LowPriority, chat.NormalPriority, chat.HighPriority} {
		if got := send("fan", p); got != chat.CodeRoomBusy {
			t.Errorf("%q: %q", p, got)
		}
		if got := send("star", p); got != "" {
			t.Errorf("whom the rules name, %q: %q", p, got)
		}
	}
	m := into(r, 9)
	m.Content = []byte(`{"type":"custom","text":"a gift"}`)
	if _, err := w.start(chat.Actor{User: "fan", Limited: true}, m).wait(); err != nil {
		t.Errorf("what the rules name: %v", err)
	}
	if got := len(w.log("fan", r)); got != 1+10+3+1 {
		t.Errorf("%d events", got)
	}
	g := w.group(2, false, "alice")
	m = into(g, 3)
	m.Priority = chat.HighPriority
	_, err := w.send("alice", m)
	wantCode(t, err, chat.CodeParam)
}
