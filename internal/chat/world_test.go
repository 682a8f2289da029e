package chat_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
)

// world is a Service with what it stands on.
type world struct {
	*chat.Service
	t     *testing.T
	store chat.Store
	bus   *bus
	clock *clock
}

type option func(*chat.Config)

func withLimits(l chat.Limits) option { return func(c *chat.Config) { c.Limits = l } }

func withGuests(g chat.Guests) option { return func(c *chat.Config) { c.Guests = g } }

func newWorld(t *testing.T, options ...option) *world {
	return newWorldOn(t, memory.New(), options...)
}

func newWorldOn(t *testing.T, store chat.Store, options ...option) *world {
	t.Helper()
	w := &world{t: t, store: store, bus: &bus{}, clock: newClock()}
	cfg := chat.Config{Guests: chat.GuestsLobby, Now: w.clock.now}
	for _, o := range options {
		o(&cfg)
	}
	var err error
	if w.Service, err = chat.New(t.Context(), cfg, store, w.bus); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.bus.settle = func() { _, _, _ = w.MarkRead(context.Background(), as("nobody"), chat.Lobby, 0) }
	return w
}

// clock is a clock that only moves when told.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock {
	return &clock{at: time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = t
}

// bus is a Bus that answers callers at once and keeps what it was given.
type bus struct {
	settle  func() // nil: nothing is under way
	mu      sync.Mutex
	commits []chat.Commit
	notices []chat.Notice
}

func (b *bus) Publish(batch []chat.Commit) {
	b.mu.Lock()
	b.commits = append(b.commits, batch...)
	b.mu.Unlock()
	for i := range batch {
		batch[i].Answer()
		batch[i].Flush()
	}
}

func (b *bus) Notify(n chat.Notice) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notices = append(b.notices, n)
}

// taken answers what was published and told since the last time. A caller has its answer
// before its notices are told: they are there once a later call, of a batch of its own, has
// its answer.
func (b *bus) taken() ([]chat.Commit, []chat.Notice) {
	if b.settle != nil {
		b.settle()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	commits, notices := b.commits, b.notices
	b.commits, b.notices = nil, nil
	return commits, notices
}

// answer is a Reply that is waited for.
type answer struct {
	done    chan struct{}
	place   chat.Place
	err     error
	answers int
}

func newAnswer() *answer { return &answer{done: make(chan struct{})} }

func (a *answer) Answer(p chat.Place, err error) {
	a.place, a.err = p, err
	a.answers++
}

func (a *answer) Flush() { close(a.done) }

func (a *answer) wait() (chat.Place, error) {
	<-a.done
	if a.answers != 1 {
		return chat.Place{}, fmt.Errorf("answered %d times", a.answers)
	}
	return a.place, a.err
}

// id gives the n-th client_id, in both its forms.
func id(n int) (text string, key [16]byte) {
	key[6], key[8] = 0x70, 0x80
	key[12], key[13], key[14], key[15] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
	return fmt.Sprintf("%x-%x-%x-%x-%x", key[:4], key[4:6], key[6:8], key[8:10], key[10:]), key
}

func text(s string) json.RawMessage {
	b, err := json.Marshal(map[string]string{"type": "text", "text": s})
	if err != nil {
		panic(err)
	}
	return b
}

// toUser and into make a message with the n-th client_id.
func toUser(u chat.UserID, n int) chat.Send {
	cid, key := id(n)
	return chat.Send{ToUser: u, ClientID: cid, Key: key, Once: true, Content: text(fmt.Sprint("message ", n))}
}

func into(c chat.ConversationID, n int) chat.Send {
	m := toUser("", n)
	m.Conversation = c
	return m
}

func as(u chat.UserID) chat.Actor { return chat.Actor{User: u} }

func (w *world) start(a chat.Actor, m chat.Send) *answer {
	r := newAnswer()
	w.Send(a, m, r)
	return r
}

func (w *world) send(u chat.UserID, m chat.Send) (chat.Place, error) { return w.start(as(u), m).wait() }

func (w *world) mustSend(u chat.UserID, m chat.Send) chat.Place {
	w.t.Helper()
	p, err := w.send(u, m)
	if err != nil {
		w.t.Fatalf("%s sends: %v", u, err)
	}
	return p
}

// group makes a group whose owner is the first user.
func (w *world) group(n int, sharedPast bool, users ...chat.UserID) chat.ConversationID {
	w.t.Helper()
	cid, key := id(n)
	p, err := w.CreateGroup(w.t.Context(), as(users[0]), chat.CreateGroup{
		Key: key, ClientID: cid, Name: "the group", Users: users[1:], SharedPast: sharedPast,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Conversation
}

func change(c chat.ConversationID, n int, users ...chat.UserID) chat.ChangeMembers {
	return chat.ChangeMembers{GroupCall: call(c, n), Users: users}
}

// call makes the n-th change of a group.
func call(c chat.ConversationID, n int) chat.GroupCall {
	cid, key := id(n)
	return chat.GroupCall{Key: key, ClientID: cid, Conversation: c}
}

func (w *world) leave(u chat.UserID, c chat.ConversationID, n int) (chat.Place, error) {
	return w.Service.Leave(context.Background(), as(u), call(c, n))
}

// event is an event as a client decodes it.
type event struct {
	Conversation chat.ConversationID `json:"conversation"`
	Seq          chat.Seq            `json:"seq"`
	ToSeq        chat.Seq            `json:"to_seq"`
	Kind         chat.EventKind      `json:"kind"`
	From         chat.UserID         `json:"from"`
	ClientID     string              `json:"client_id"`
	Time         time.Time           `json:"time"`
	Count        int64               `json:"count"`
	Changed      chat.Seq            `json:"changed"`
	ReplyTo      chat.Seq            `json:"reply_to"`
	Targets      [][2]chat.Seq       `json:"targets"`
	Content      struct {
		Text    string        `json:"text"`
		Name    string        `json:"name"`
		Added   []chat.UserID `json:"added"`
		Removed []chat.UserID `json:"removed"`
		Left    chat.UserID   `json:"left"`
		Owner   chat.UserID   `json:"owner"`
		Changed int           `json:"changed"`
		Members int           `json:"members"`
	} `json:"content"`
}

func decode(t *testing.T, r chat.Record) event {
	t.Helper()
	var e event
	if err := json.Unmarshal(r.JSON, &e); err != nil {
		t.Fatalf("%v: %s", err, r.JSON)
	}
	if e.Seq != r.Seq {
		t.Fatalf("record %d holds %s", r.Seq, r.JSON)
	}
	return e
}

// log lists everything of a conversation from seq 1 on.
func (w *world) log(u chat.UserID, c chat.ConversationID) []event {
	w.t.Helper()
	zero := chat.Seq(0)
	l, err := w.List(w.t.Context(), as(u), chat.List{Conversation: c, After: &zero, Limit: 1 << 20})
	if err != nil {
		w.t.Fatalf("%s lists: %v", u, err)
	}
	events := make([]event, 0, len(l.Events))
	for _, r := range l.Events {
		events = append(events, decode(w.t, r))
	}
	return events
}

func (w *world) summary(u chat.UserID, c chat.ConversationID) chat.Summary {
	w.t.Helper()
	s, err := w.Conversation(w.t.Context(), as(u), c)
	if err != nil {
		w.t.Fatalf("%s gets %s: %v", u, c, err)
	}
	return s
}

// code gives an error's code, "" for none.
func code(err error) chat.Code {
	var own *chat.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &own):
		return own.Code
	}
	return chat.Code("not an *Error: " + err.Error())
}

func wantCode(t *testing.T, err error, want chat.Code) {
	t.Helper()
	if got := code(err); got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
}
