package chat_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

func (w *world) schedule(u chat.UserID, m chat.Send, in time.Duration) (time.Time, error) {
	return w.Schedule(w.t.Context(), as(u), m, w.clock.now().Add(in))
}

func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.clock.set(w.clock.now().Add(d))
	if err := w.RunDue(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// A message that waits is sent once when it is due, with its client_id, also by a server
// that was started again meanwhile, and goes from what waits in the same commit. Mutants:
// sendScheduled without asking whether the item is still there; DueItems of all times.
func TestSchedule(t *testing.T) {
	w := newWorld(t)
	m := toUser("bob", 1)
	at, err := w.schedule("alice", m, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // repeated, it is the same one
		if again, err := w.Schedule(t.Context(), as("alice"), m, at); err != nil || !again.Equal(at) {
			t.Errorf("repeated: %v, %v", again, err)
		}
	}
	other := m
	other.Content = text("another")
	_, err = w.Schedule(t.Context(), as("alice"), other, at)
	wantCode(t, err, chat.CodeConflict)
	list, err := w.Schedules(t.Context(), as("alice"))
	if err != nil || len(list) != 1 || list[0].ClientID != m.ClientID || !strings.Contains(string(list[0].Body), `"at":"2026-11-25T09:00:00.000Z"`) {
		t.Fatalf("%s, %v", list, err)
	}
	synced, err := w.Sync(t.Context(), as("alice"), "", "", 10)
	if err != nil || len(synced.Items) != 1 || synced.Items[0].Kind != "schedule" || len(synced.Conversations) != 0 {
		t.Errorf("another device is told %+v, %v", synced, err)
	}
	w.pass(time.Hour - time.Second)
	_, err = w.Conversation(t.Context(), as("bob"), chat.DirectID("alice", "bob"))
	wantCode(t, err, chat.CodeNotFound)

	// Two servers find it due.
	w = newWorldOn(t, w.store)
	w.clock.set(at)
	next := newWorldOn(t, w.store)
	next.clock.set(at)
	w.pass(0)
	next.pass(0)
	log := w.log("bob", chat.DirectID("alice", "bob"))
	if len(log) != 1 || log[0].ClientID != m.ClientID || log[0].From != "alice" || !log[0].Time.Equal(at) {
		t.Fatalf("sent: %+v", log)
	}
	if s := w.summary("alice", log[0].Conversation); s.Unread != 0 {
		t.Errorf("alice has %d unread", s.Unread)
	}
	if list, err := w.Schedules(t.Context(), as("alice")); err != nil || len(list) != 0 {
		t.Errorf("waiting: %s, %v", list, err)
	}
	// Its repetition after that is still the first one.
	if again, err := w.Schedule(t.Context(), as("alice"), m, at); err != nil || !again.Equal(at) {
		t.Errorf("repeated after it was sent: %v, %v", again, err)
	}
	w.pass(time.Hour)
	if log := w.log("bob", chat.DirectID("alice", "bob")); len(log) != 1 {
		t.Errorf("%d messages", len(log))
	}
}

// Rights are looked at again when it is due, and its sender hears what has become of it.
// Mutant: sendScheduled with an actor of the server's.
func TestScheduledIsRefused(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "bob")
	if _, err := w.schedule("bob", into(g, 2), time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := w.RemoveMembers(t.Context(), as("alice"), change(g, 3, "bob")); err != nil {
		t.Fatal(err)
	}
	w.bus.taken()
	w.pass(time.Hour)
	if log := w.log("alice", g); len(log) != 2 {
		t.Errorf("%d events", len(log))
	}
	_, notices := w.bus.taken()
	if len(notices) != 1 || notices[0].Only != "bob" || notices[0].Method != "item" || !strings.Contains(string(notices[0].Params), `"failed":"not_found"`) {
		t.Errorf("told: %+v", notices)
	}
	w.pass(time.Hour) // it is not tried again
	if _, notices := w.bus.taken(); len(notices) != 0 {
		t.Errorf("told again: %+v", notices)
	}
	list, err := w.Schedules(t.Context(), as("bob"))
	if err != nil || len(list) != 1 {
		t.Fatalf("%s, %v", list, err)
	}
	if removed, err := w.Unschedule(t.Context(), as("bob"), list[0].ClientID); err != nil || !removed {
		t.Errorf("removed %v, %v", removed, err)
	}
	if removed, err := w.Unschedule(t.Context(), as("bob"), list[0].ClientID); err != nil || removed {
		t.Errorf("removed again: %v, %v", removed, err)
	}
}

func TestScheduleRefused(t *testing.T) {
	w := newWorld(t)
	_, err := w.schedule("alice", toUser("bob", 1), 0)
	wantCode(t, err, chat.CodeParam)
	_, err = w.schedule("alice", toUser("bob", 1), 367*24*time.Hour)
	wantCode(t, err, chat.CodeParam)
	_, err = w.schedule("alice", into("g_none", 1), time.Hour)
	wantCode(t, err, chat.CodeNotFound)
	for n := range 200 {
		if _, err := w.schedule("alice", toUser("bob", 10+n), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	_, err = w.schedule("alice", toUser("bob", 1), time.Hour)
	wantCode(t, err, chat.CodeForbidden)
	if _, err := w.schedule("alice", toUser("bob", 10), time.Hour); err != nil { // a repetition is none more
		t.Error(err)
	}
	// More than one step of due items go out at once.
	for n := range 150 {
		if _, err := w.schedule("carol", toUser("bob", 500+n), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	w.pass(time.Hour)
	if got := len(w.log("bob", chat.DirectID("alice", "bob"))) + len(w.log("bob", chat.DirectID("carol", "bob"))); got != 350 {
		t.Errorf("%d of 350 were sent", got)
	}
}

// Mutants: Signal without joined; without its limiter.
func TestSignal(t *testing.T) {
	w := newWorld(t, withLimits(chat.Limits{SendsPerSecond: 1, SendsBurst: 3, RoomSendsPerSec: 1, RoomSendsBurst: 2}))
	g := w.group(1, false, "alice", "bob", "carol")
	if _, err := w.RemoveMembers(t.Context(), as("alice"), change(g, 2, "carol")); err != nil {
		t.Fatal(err)
	}
	w.bus.taken()
	wave := chat.Signal{Conversation: g, Type: "wave", Data: json.RawMessage(`{"n":1}`)}
	if err := w.Signal(t.Context(), as("bob"), wave); err != nil {
		t.Fatal(err)
	}
	commits, notices := w.bus.taken()
	if len(commits) != 0 || len(notices) != 1 || notices[0].Method != "signal" || notices[0].Conversation.ID != g || notices[0].Only != "" || notices[0].Except != "" {
		t.Fatalf("%d events, %+v", len(commits), notices)
	}
	want := `{"conversation":"` + string(g) + `","from":"bob","time":"2026-11-25T08:00:00.000Z","type":"wave","data":{"n":1}}`
	if got := string(notices[0].Params); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, u := range []chat.UserID{"carol", "zoe"} {
		wantCode(t, w.Signal(t.Context(), as(u), wave), chat.CodeNotFound)
	}
	// To a user once there is a conversation.
	call := chat.Signal{ToUser: "bob", Type: "call"}
	wantCode(t, w.Signal(t.Context(), as("alice"), call), chat.CodeNotFound)
	w.mustSend("alice", toUser("bob", 3))
	if err := w.Signal(t.Context(), as("alice"), call); err != nil {
		t.Error(err)
	}
	if err := w.Block(t.Context(), as("bob"), "alice"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, w.Signal(t.Context(), as("alice"), call), chat.CodeNotAccepted)
	limited := chat.Actor{User: "bob", Limited: true}
	for _, want := range []chat.Code{"", "", chat.CodeRate} { // the conversation's burst is two
		wantCode(t, w.Signal(t.Context(), limited, wave), want)
	}
}

// Scheduling costs what sending costs: it is no way around the limits, the one on new
// conversations among them. Mutant: Schedule without rateNow.
func TestScheduleIsRated(t *testing.T) {
	w := newWorld(t, withLimits(chat.Limits{NewDirectsHourly: 2, SendsPerSecond: 1, SendsBurst: 3}))
	a := chat.Actor{User: "alice", Limited: true}
	at := w.clock.now().Add(time.Minute)
	w.mustSend("alice", toUser("dave", 1))
	for n, tt := range []struct {
		to   chat.UserID
		want chat.Code
	}{{"bob", ""}, {"carol", ""}, {"eve", chat.CodeRate}, {"dave", chat.CodeRate}} {
		_, err := w.Schedule(t.Context(), a, toUser(tt.to, 10+n), at)
		wantCode(t, err, tt.want)
	}
}
