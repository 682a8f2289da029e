package chat_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

func yes() *bool { b := true; return &b }

func no() *bool { b := false; return &b }

func (w *world) prefs(u chat.UserID, c chat.ConversationID, ch chat.PrefsChange) chat.Prefs {
	w.t.Helper()
	p, err := w.SetPrefs(w.t.Context(), as(u), c, ch)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// inbox gives the list that is asked for, in pages of two.
func (w *world) inbox(u chat.UserID, q chat.Inbox) []chat.ConversationID {
	w.t.Helper()
	var ids []chat.ConversationID
	q.Limit = 2
	for {
		page, next, err := w.Conversations(w.t.Context(), as(u), q)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, s := range page {
			ids = append(ids, s.Conversation.ID)
		}
		if q.Page = next; next == "" {
			return ids
		}
	}
}

func (w *world) inboxIs(what string, u chat.UserID, q chat.Inbox, want ...chat.ConversationID) {
	w.t.Helper()
	if got := w.inbox(u, q); !slices.Equal(got, want) {
		w.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// A hidden conversation comes back with a message, and nobody's row is written for that.
// Mutants: putAway without the count; a send that clears the hiding; whispers not looked at.
func TestHiddenComesBackWithoutWritingARow(t *testing.T) {
	w := newWorld(t)
	group := w.group(1, false, "alice", "bob", "carl")
	w.mustSend("bob", into(group, 2))
	_, cursor := w.items("alice", "")
	w.prefs("alice", group, chat.PrefsChange{Hidden: yes()})
	w.inboxIs("hidden", "alice", chat.Inbox{})
	w.inboxIs("what is hidden", "alice", chat.Inbox{Hidden: true}, group)
	w.inboxIs("bob's", "bob", chat.Inbox{}, group)
	if s, err := w.Sync(t.Context(), as("alice"), cursor, "", 100); err != nil || len(s.Conversations) != 1 || s.Conversations[0].Prefs.HiddenAt != 2 {
		t.Errorf("synced %+v, %v", s, err)
	}
	member := func() chat.Position {
		m, err := w.store.Member(t.Context(), chat.MemberKey{Conversation: group, User: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		return m.Pos
	}
	before := member()
	if _, err := w.AddMembers(t.Context(), as("alice"), change(group, 3, "dora")); err != nil {
		t.Fatal(err)
	}
	w.inboxIs("what does not count", "alice", chat.Inbox{})
	w.mustSend("bob", into(group, 4))
	w.inboxIs("after a message", "alice", chat.Inbox{}, group)
	w.inboxIs("what is hidden then", "alice", chat.Inbox{Hidden: true})
	if member() != before {
		t.Error("the message wrote the row of who had it hidden")
	}
	w.prefs("alice", group, chat.PrefsChange{Hidden: yes()})
	whisper := into(group, 5)
	whisper.Only = []chat.UserID{"alice"}
	w.mustSend("bob", whisper)
	w.inboxIs("after a message for her", "alice", chat.Inbox{}, group)
}

// What is archived stays so when messages come. Pinned ones come first, in their order,
// then by the newest event, then what was left. Mutants: rank of the left ones; pins
// without their order; order by the last change of a row.
func TestTheListAndItsOrder(t *testing.T) {
	w := newWorld(t)
	var ids []chat.ConversationID
	tick := func() { w.clock.set(w.clock.now().Add(time.Second)) }
	for i := range 6 {
		tick()
		ids = append(ids, w.group(10+i, false, "alice", "bob"))
	}
	tick()
	direct := w.mustSend("bob", toUser("alice", 20)).Conversation
	w.inboxIs("by the newest event", "alice", chat.Inbox{}, direct, ids[5], ids[4], ids[3], ids[2], ids[1], ids[0])
	w.prefs("alice", ids[1], chat.PrefsChange{Pinned: yes()})
	w.prefs("alice", ids[3], chat.PrefsChange{Pinned: yes()})
	w.prefs("alice", ids[4], chat.PrefsChange{Archived: yes()})
	tick()
	if _, err := w.leave("alice", ids[5], 21); err != nil {
		t.Fatal(err)
	}
	tick()
	w.mustSend("bob", into(ids[4], 22))
	w.mustSend("bob", into(ids[5], 23))
	if _, _, err := w.MarkRead(t.Context(), as("alice"), ids[0], 1); err != nil {
		t.Fatal(err)
	}
	w.inboxIs("pinned first, left last", "alice", chat.Inbox{}, ids[3], ids[1], direct, ids[2], ids[0], ids[5])
	w.inboxIs("archived", "alice", chat.Inbox{Archived: true}, ids[4])
	w.inboxIs("of a kind", "alice", chat.Inbox{Kind: chat.Direct}, direct)
	w.inboxIs("unread", "alice", chat.Inbox{Unread: true}, direct)
	w.prefs("alice", ids[0], chat.PrefsChange{Unread: yes()})
	w.inboxIs("marked as unread", "alice", chat.Inbox{Unread: true}, direct, ids[0])

	order, err := w.OrderPins(t.Context(), as("alice"), []chat.ConversationID{ids[1], ids[0], ids[1]})
	if err != nil || !slices.Equal(order, []chat.ConversationID{ids[1], ids[3]}) {
		t.Errorf("ordered %v, %v", order, err)
	}
	w.inboxIs("in another order", "alice", chat.Inbox{}, ids[1], ids[3], direct, ids[2], ids[0], ids[5])
	_, cursor := w.items("alice", "")
	w.prefs("alice", ids[1], chat.PrefsChange{Pinned: no()})
	if got, _ := w.items("alice", cursor); !slices.Equal(got, []string{`pinned/pinned={"conversations":["` + string(ids[3]) + `"]}`}) {
		t.Errorf("told %q", got)
	}
	for _, page := range []string{"x", strings.Repeat("a", 600), "eyJ"} {
		_, _, err := w.Conversations(t.Context(), as("alice"), chat.Inbox{Page: page, Limit: 2})
		wantCode(t, err, chat.CodeParam)
	}
}

func TestPinsAreBounded(t *testing.T) {
	w := newWorld(t)
	var last chat.ConversationID
	for i := range 101 {
		last = w.group(1+i, false, "alice")
		if i < 100 {
			w.prefs("alice", last, chat.PrefsChange{Pinned: yes()})
		}
	}
	_, err := w.SetPrefs(t.Context(), as("alice"), last, chat.PrefsChange{Pinned: yes()})
	wantCode(t, err, chat.CodeForbidden)
	if s := w.summary("alice", last); s.Prefs.Pinned {
		t.Error("it is pinned all the same")
	}
}

// Prefs are the member's own, and reach its other devices. Mutants: the notice to all; the
// end of notify not looked at; unmark left out of reading, of sending.
func TestPrefs(t *testing.T) {
	w := newWorld(t)
	group := w.group(1, false, "alice", "bob")
	until := w.clock.now().Add(time.Hour)
	none, mentions := chat.NotifyNone, chat.NotifyMentions
	w.notices()
	got := w.prefs("alice", group, chat.PrefsChange{Archived: yes(), Notify: &none, NotifyUntil: until})
	want := chat.Prefs{Archived: true, Notify: "none", NotifyUntil: until}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	notices := w.notices()
	told := fmt.Sprintf(`{"conversation":%q,"prefs":{"archived":true,"notify":"none","notify_until":"2026-11-25T09:00:00.000Z"}}`, group)
	if len(notices) != 1 || notices[0].Only != "alice" || notices[0].Method != "prefs" || string(notices[0].Params) != told {
		t.Errorf("told %+v", notices)
	}
	w.prefs("alice", group, chat.PrefsChange{Archived: yes()})
	if notices := w.notices(); len(notices) != 0 {
		t.Errorf("told of no change: %+v", notices)
	}
	if s := w.summary("bob", group); s.Prefs != (chat.Prefs{}) {
		t.Errorf("bob is shown %+v", s.Prefs)
	}
	if s := w.summary("alice", group); s.Prefs != want {
		t.Errorf("before the end %+v", s.Prefs)
	}
	w.clock.set(until)
	if s := w.summary("alice", group); s.Prefs != (chat.Prefs{Archived: true}) {
		t.Errorf("after the end %+v", s.Prefs)
	}
	w.prefs("alice", group, chat.PrefsChange{Notify: &mentions, Unread: yes()})
	if _, _, err := w.MarkRead(t.Context(), as("alice"), group, 0); err != nil {
		t.Fatal(err)
	}
	if s := w.summary("alice", group); s.Prefs.Unread || s.Prefs.Notify != mentions {
		t.Errorf("after reading %+v", s.Prefs)
	}
	w.prefs("alice", group, chat.PrefsChange{Unread: yes()})
	w.mustSend("alice", into(group, 2))
	if s := w.summary("alice", group); s.Prefs.Unread {
		t.Errorf("after writing %+v", s.Prefs)
	}
	bad := "sometimes"
	_, err := w.SetPrefs(t.Context(), as("alice"), group, chat.PrefsChange{Notify: &bad})
	wantCode(t, err, chat.CodeParam)
	_, err = w.SetPrefs(t.Context(), as("alice"), group, chat.PrefsChange{NotifyUntil: until})
	wantCode(t, err, chat.CodeParam)
	_, err = w.SetPrefs(t.Context(), as("eve"), group, chat.PrefsChange{Pinned: yes()})
	wantCode(t, err, chat.CodeNotFound)
}

// Of two devices the later draft stays, whichever comes last; a message ends it, and an
// older one does not come back. Mutants: the time not compared; DraftAt not set by the
// send; a time ahead of the server's taken as it is.
func TestDrafts(t *testing.T) {
	w := newWorld(t)
	group := w.group(1, false, "alice", "bob")
	_, cursor := w.items("alice", "")
	at := w.clock.now()
	set := func(content string, at time.Time) bool {
		t.Helper()
		var raw json.RawMessage
		if content != "" {
			raw = json.RawMessage(content)
		}
		kept, err := w.SetDraft(t.Context(), as("alice"), group, raw, at)
		if err != nil {
			t.Fatal(err)
		}
		return kept
	}
	is := func(what, want string) {
		t.Helper()
		var got []string
		got, cursor = w.items("alice", cursor)
		if !slices.Equal(got, []string{"draft/" + string(group) + "=" + want}) {
			t.Errorf("%s: told %q, want %q", what, got, want)
		}
	}
	w.clock.set(at.Add(time.Minute))
	if !set(`{"text":"phone"}`, at.Add(2*time.Second)) || set(`{"text":"laptop"}`, at.Add(time.Second)) {
		t.Error("the older draft was kept")
	}
	is("the phone's", `{"content":{"text":"phone"},"time":"2026-11-25T08:00:02.000Z"}`)
	if !set(`{"text":"laptop"}`, at.Add(time.Hour)) { // its clock is ahead
		t.Error("a draft from the future was not kept")
	}
	is("the laptop's", `{"content":{"text":"laptop"},"time":"2026-11-25T08:01:00.000Z"}`)
	if _, err := w.start(chat.Actor{User: "alice", Server: true}, into(group, 2)).wait(); err != nil {
		t.Fatal(err)
	}
	w.clock.set(at.Add(2 * time.Minute))
	w.mustSend("alice", into(group, 3))
	is("after a message", "")
	if set(`{"text":"late"}`, at.Add(90*time.Second)) {
		t.Error("what was written before the message was kept")
	}
	if !set(`{"text":"new"}`, at.Add(2*time.Minute)) || !set("", time.Time{}) {
		t.Error("was not kept")
	}
	is("thrown away", "")
	if got, _ := w.items("bob", ""); len(got) != 0 {
		t.Errorf("bob is told %q", got)
	}
	_, err := w.SetDraft(t.Context(), as("alice"), group, json.RawMessage(`{"text":"`+strings.Repeat("a", 8<<10)+`"}`), time.Time{})
	wantCode(t, err, chat.CodeParam)
	_, err = w.SetDraft(t.Context(), as("eve"), group, nil, time.Time{})
	wantCode(t, err, chat.CodeNotFound)
}

// What is unread is counted apart where it is muted or archived, and not at all where it
// is hidden or was left. Mutants: each case left out.
func TestUnreadOfEverything(t *testing.T) {
	w := newWorld(t)
	send := func(c chat.ConversationID, n, times int) {
		for i := range times {
			w.mustSend("bob", into(c, n+i))
		}
	}
	direct := w.mustSend("bob", toUser("alice", 1)).Conversation
	plain, muted, archived, hidden, left, marked := w.group(2, false, "alice", "bob"), w.group(3, false, "bob", "alice"), w.group(4, false, "bob", "alice"),
		w.group(5, false, "bob", "alice"), w.group(6, false, "bob", "alice"), w.group(7, false, "bob", "alice")
	send(plain, 100, 2)
	send(muted, 200, 4)
	send(archived, 300, 8)
	send(hidden, 400, 16)
	send(left, 500, 32)
	mentions := chat.NotifyMentions
	w.prefs("alice", muted, chat.PrefsChange{Notify: &mentions})
	w.prefs("alice", archived, chat.PrefsChange{Archived: yes()})
	w.prefs("alice", hidden, chat.PrefsChange{Hidden: yes()})
	w.prefs("alice", marked, chat.PrefsChange{Unread: yes()})
	w.prefs("alice", direct, chat.PrefsChange{Unread: yes()})
	if _, err := w.leave("alice", left, 8); err != nil {
		t.Fatal(err)
	}
	named := into(muted, 600)
	named.Content = json.RawMessage(`{"type":"text","text":"@alice","mentions":[{"user":"alice","offset":0,"length":6}]}`)
	w.mustSend("bob", named)
	got, err := w.Unread(t.Context(), as("alice"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Total != 3 || len(got.Kinds) != 2 || got.Kinds[chat.Direct] != 1 || got.Kinds[chat.Group] != 2 ||
		got.Muted != 5 || got.Archived != 8 || got.Mentions != 1 || got.Marked != 1 || got.More {
		t.Errorf("%+v", got)
	}
	send(hidden, 700, 1) // it is back, with what was unread
	if got, err := w.Unread(t.Context(), as("alice")); err != nil || got.Total != 20 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Would this event notify the user now? Mutants: each case of Alert.Notifies left out.
func TestNotifies(t *testing.T) {
	w := newWorld(t)
	group := w.group(1, false, "alice", "bob", "carl")
	night := &chat.QuietHours{TimeZone: "UTC", Ranges: []chat.QuietRange{{From: "08:00", To: "09:00"}}}
	none, mentions, all := chat.NotifyNone, chat.NotifyMentions, chat.NotifyAll
	plain := into(group, 10)
	named := into(group, 11)
	named.Content = json.RawMessage(`{"type":"text","text":"@alice","mentions":[{"user":"alice","offset":0,"length":6}]}`)
	everybody := into(group, 12)
	everybody.Content = json.RawMessage(`{"type":"text","text":"@all","mentions":[{"all":true,"offset":0,"length":4}]}`)
	whisper := into(group, 13)
	whisper.Only = []chat.UserID{"bob", "alice"}
	others := into(group, 14)
	others.Only = []chat.UserID{"bob", "carl"}
	own := into(group, 15)
	event := make(map[string]*chat.Event)
	for name, m := range map[string]chat.Send{"plain": plain, "named": named, "everybody": everybody, "whisper": whisper, "others": others, "own": own} {
		from := chat.UserID("bob")
		if name == "own" {
			from = "alice"
		}
		w.bus.taken()
		if name == "everybody" {
			if _, err := w.start(chat.Actor{User: from, Server: true}, m).wait(); err != nil {
				t.Fatal(err)
			}
		} else {
			w.mustSend(from, m)
		}
		commits, _ := w.bus.taken()
		event[name] = commits[0].Event
	}
	created := &chat.Event{Conversation: group, Seq: 1, Kind: chat.Created, From: "bob"}
	event["created"] = created
	for _, tt := range []struct {
		what  string
		user  chat.UserID
		begin func()
		yes   string // the events that notify
	}{
		{"nothing chosen", "alice", func() {}, "everybody named plain whisper"},
		{"who is not in it", "eve", func() {}, ""},
		{"mentions", "alice", func() { w.prefs("alice", group, chat.PrefsChange{Notify: &mentions}) }, "everybody named whisper"},
		{"none", "alice", func() { w.prefs("alice", group, chat.PrefsChange{Notify: &none}) }, ""},
		{"none for an hour that is over", "alice", func() {
			w.prefs("alice", group, chat.PrefsChange{Notify: &none, NotifyUntil: w.clock.now().Add(time.Hour)})
			w.clock.set(w.clock.now().Add(time.Hour))
		}, "everybody named plain whisper"},
		{"quiet hours", "alice", func() {
			w.prefs("alice", group, chat.PrefsChange{Notify: &all})
			w.clock.set(time.Date(2026, 11, 26, 8, 30, 0, 0, time.UTC))
			w.set("alice", chat.UserSettings{QuietHours: night})
		}, ""},
		{"after them", "alice", func() { w.clock.set(time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)) }, "everybody named plain whisper"},
		{"blocked", "alice", func() { w.block("alice", "bob") }, ""},
		{"left", "carl", func() {
			if _, err := w.leave("carl", group, 30); err != nil {
				t.Fatal(err)
			}
		}, ""},
	} {
		tt.begin()
		var got []string
		for name, e := range event {
			is, err := w.Notifies(t.Context(), tt.user, e)
			if err != nil {
				t.Fatal(err)
			}
			if is {
				got = append(got, name)
			}
		}
		slices.Sort(got)
		if strings.Join(got, " ") != tt.yes {
			t.Errorf("%s: %q, want %q", tt.what, got, tt.yes)
		}
	}
}
