package chat_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

func (w *world) block(u, other chat.UserID) {
	w.t.Helper()
	if err := w.Block(w.t.Context(), as(u), other); err != nil {
		w.t.Fatal(err)
	}
}

// notices gives what was told up to now. A commit's notices go out after its answers, and
// before the next commit.
func (w *world) notices() []chat.Notice {
	w.t.Helper()
	if _, err := w.OrderPins(w.t.Context(), as("nobody"), nil); err != nil {
		w.t.Fatal(err)
	}
	_, notices := w.bus.taken()
	return notices
}

func (w *world) set(u chat.UserID, s chat.UserSettings) {
	w.t.Helper()
	if _, err := w.SetSettings(w.t.Context(), as(u), s); err != nil {
		w.t.Fatal(err)
	}
}

// items gives the user's own items that are told since a cursor, as KIND/KEY=BODY, and the next cursor.
func (w *world) items(u chat.UserID, cursor string) (list []string, next string) {
	w.t.Helper()
	page := ""
	for {
		s, err := w.Sync(w.t.Context(), as(u), cursor, page, 100)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, it := range s.Items {
			list = append(list, fmt.Sprintf("%s/%s=%s", it.Kind, it.Key, it.Body))
		}
		if s.Cursor != "" {
			return list, s.Cursor
		}
		cursor, page = "", s.Page
	}
}

// Who is blocked, and who is no friend where only friends may write first, gets the same
// answer, there and to whom it never wrote. Mutants: refuses left out of the send;
// mayBegin without the block, and without the setting; beginDirect that forgets the block.
func TestWhatIsNotAcceptedIsAnsweredAlike(t *testing.T) {
	w := newWorld(t)
	there := w.mustSend("alice", toUser("bob", 1)).Conversation
	w.block("bob", "alice")
	w.block("carl", "alice")
	w.set("dora", chat.UserSettings{Contact: chat.ContactFriends})
	var first error
	for i, m := range []chat.Send{toUser("bob", 2), into(there, 3), toUser("carl", 4), toUser("dora", 5)} {
		_, err := w.send("alice", m)
		wantCode(t, err, chat.CodeNotAccepted)
		if i == 0 {
			first = err
		} else if err.Error() != first.Error() {
			t.Errorf("%d: %v, and before %v", i, err, first)
		}
	}
	w.mustSend("bob", into(there, 6)) // who blocks may write
	w.mustSend("carl", toUser("alice", 7))
	_, err := w.send("alice", toUser("carl", 8))
	wantCode(t, err, chat.CodeNotAccepted) // also where the blocker began
	w.mustSend("dora", toUser("alice", 9))
	w.mustSend("alice", toUser("dora", 10)) // she was written to
	if got := len(w.log("bob", there)); got != 2 {
		t.Errorf("%d events were logged", got)
	}
	for _, u := range []chat.UserID{"bob", "carl"} {
		if err := w.Unblock(t.Context(), as(u), "alice"); err != nil {
			t.Fatal(err)
		}
	}
	w.mustSend("alice", into(there, 11))
	w.mustSend("alice", toUser("carl", 12))
	// The back end is no stranger.
	w.set("eve", chat.UserSettings{Contact: chat.ContactFriends})
	if _, err := w.start(chat.Actor{User: "alice", Server: true}, toUser("eve", 13)).wait(); err != nil {
		t.Error(err)
	}
}

// What was accepted once is answered as it was, whatever was chosen since. Mutant: the
// block is asked before the repetition.
func TestABlockDoesNotMakeARetryFail(t *testing.T) {
	w := newWorld(t)
	first := w.mustSend("alice", toUser("bob", 1))
	w.block("bob", "alice")
	w.set("bob", chat.UserSettings{Contact: chat.ContactFriends})
	again, err := w.send("alice", toUser("bob", 1))
	if err != nil || again != first {
		t.Errorf("%+v, %v; first %+v", again, err, first)
	}
	_, err = w.send("alice", toUser("bob", 2))
	wantCode(t, err, chat.CodeNotAccepted)
}

// Typing and read positions stop both ways in the direct conversation, in a group only
// what the blocker would be told of typing. Mutants: Apart always false, in typing and in
// read; blockers answers nobody.
func TestABlockStopsTypingAndReceipts(t *testing.T) {
	w := newWorld(t)
	direct := w.mustSend("alice", toUser("bob", 1)).Conversation
	w.mustSend("bob", into(direct, 2))
	group := w.group(3, false, "alice", "bob", "carl")
	w.block("bob", "alice")
	for _, u := range []chat.UserID{"alice", "bob"} {
		before := w.summary(u, direct)
		w.notices()
		if err := w.Typing(t.Context(), as(u), direct, true, chat.TypingText); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.MarkRead(t.Context(), as(u), direct, 2); err != nil {
			t.Fatal(err)
		}
		notices := w.notices()
		for _, n := range notices {
			if n.Only != u {
				t.Errorf("%s: told to others: %+v", u, n)
			}
		}
		if after := w.summary(u, direct); after.Conversation.Rev != before.Conversation.Rev {
			t.Errorf("%s: rev %d, was %d", u, after.Conversation.Rev, before.Conversation.Rev)
		}
	}
	for u, unseen := range map[chat.UserID][]chat.UserID{"alice": {"bob"}, "bob": nil} {
		if err := w.Typing(t.Context(), as(u), group, true, chat.TypingText); err != nil {
			t.Fatal(err)
		}
		notices := w.notices()
		if len(notices) != 1 || !slices.Equal(notices[0].Unseen, unseen) {
			t.Errorf("%s types in the group: %+v", u, notices)
		}
	}
	w.mustSend("alice", into(group, 4)) // the log goes on
	if err := w.Typing(t.Context(), as("eve"), direct, true, chat.TypingText); code(err) != chat.CodeNotFound {
		t.Errorf("a stranger types where one is blocked: %v", err)
	}
}

// The blocker's devices are told; the blocked one's are not.
func TestBlocksAreTheBlockersOwn(t *testing.T) {
	w := newWorld(t)
	_, alice := w.items("alice", "")
	_, bob := w.items("bob", "")
	w.block("bob", "alice")
	w.block("bob", "alice")
	w.block("bob", "carl")
	notices := w.notices()
	if len(notices) != 2 || notices[0].Only != "bob" || notices[0].Method != "item" {
		t.Errorf("told %+v", notices)
	}
	const since = `={"since":"2026-11-25T08:00:00.000Z"}`
	got, bob := w.items("bob", bob)
	if want := []string{"block/alice" + since, "block/carl" + since}; !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("bob is told %q, want %q", got, want)
	}
	if got, _ := w.items("alice", alice); len(got) != 0 {
		t.Errorf("alice is told %q", got)
	}
	list, more, err := w.Blocks(t.Context(), as("bob"), "", 1)
	if err != nil || !more || len(list) != 1 || list[0].User != "alice" || !list[0].Since.Equal(w.clock.now()) {
		t.Errorf("%+v %v %v", list, more, err)
	}
	if err := w.Unblock(t.Context(), as("bob"), "alice"); err != nil {
		t.Fatal(err)
	}
	if got, _ := w.items("bob", bob); !slices.Equal(got, []string{"block/alice="}) {
		t.Errorf("bob is told %q", got)
	}
	for i := range 1999 {
		w.block("bob", chat.UserID(fmt.Sprint("pest-", i)))
	}
	wantCode(t, w.Block(t.Context(), as("bob"), "dora"), chat.CodeForbidden)
	if err := w.Unblock(t.Context(), as("bob"), "carl"); err != nil {
		t.Fatal(err)
	}
	w.block("bob", "dora") // there is room again
	for _, other := range []chat.UserID{"bob", "a b", ""} {
		wantCode(t, w.Block(t.Context(), as("bob"), other), chat.CodeParam)
	}
	wantCode(t, w.Block(t.Context(), as(chat.GuestID("ann")), "bob"), chat.CodeForbidden)
}

// Presence follows blocks, both ways, and what a user chose. Mutants: apart asked one way
// only; each case of UserUserSettings.Presence left out.
func TestWhoShowsPresence(t *testing.T) {
	w := newWorld(t)
	w.group(1, false, "alice", "bob", "carl", "dora", "eve")
	w.block("bob", "alice")
	w.set("carl", chat.UserSettings{Presence: chat.PresenceNobody})
	w.set("dora", chat.UserSettings{Presence: chat.PresenceFriends})
	all := []chat.UserID{"alice", "bob", "carl", "dora", "eve"}
	for u, want := range map[chat.UserID][]chat.UserID{
		"alice": {"alice", "eve"},
		"bob":   {"bob", "eve"},
		"carl":  {"alice", "bob", "carl", "eve"},
		"dora":  {"alice", "bob", "dora", "eve"},
	} {
		yes, err := w.Acquainted(t.Context(), u, all)
		if err != nil {
			t.Fatal(err)
		}
		var got []chat.UserID
		for _, o := range all {
			if yes[o] {
				got = append(got, o)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s sees %v, want %v", u, got, want)
		}
	}
}

// Settings stay as they are where nothing is said of them, and reach the other devices.
func TestSettings(t *testing.T) {
	w := newWorld(t)
	usual := chat.UserSettings{Contact: "everybody", FriendRequests: "everybody", Presence: "acquainted", LastSeen: "shown", Receipts: "on"}
	if got, err := w.Settings(t.Context(), as("alice")); err != nil || got != usual {
		t.Errorf("at first %+v, %v", got, err)
	}
	_, cursor := w.items("alice", "")
	night := &chat.QuietHours{TimeZone: "Asia/Shanghai", Ranges: []chat.QuietRange{{From: "22:00", To: "07:00"}}}
	w.set("alice", chat.UserSettings{Receipts: "off", LastSeen: "hidden"})
	w.set("alice", chat.UserSettings{QuietHours: night})
	notices := w.notices()
	want := usual
	want.Receipts, want.LastSeen, want.QuietHours = "off", "hidden", night
	body, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if len(notices) != 2 || notices[1].Only != "alice" || !bytes.Contains(notices[1].Params, body) {
		t.Errorf("told %+v", notices)
	}
	if got, _ := w.items("alice", cursor); !slices.Equal(got, []string{"settings/settings=" + string(body)}) {
		t.Errorf("synced %q", got)
	}
	if acc, err := w.Account(t.Context(), "alice"); err != nil || !acc.HideSeen {
		t.Errorf("%+v %v", acc, err)
	}
	w.set("alice", chat.UserSettings{QuietHours: &chat.QuietHours{}, LastSeen: "shown"})
	want.LastSeen, want.QuietHours = "shown", nil
	if got, err := w.Settings(t.Context(), as("alice")); err != nil || got != want {
		t.Errorf("in the end %+v, %v", got, err)
	}
	many := &chat.QuietHours{TimeZone: "UTC", Ranges: make([]chat.QuietRange, 29)}
	for _, bad := range []chat.UserSettings{
		{Contact: "nobody"},
		{FriendRequests: "friends"},
		{Presence: "all"},
		{LastSeen: "no"},
		{Receipts: "yes"},
		{QuietHours: many},
		{QuietHours: &chat.QuietHours{TimeZone: "Mars/Base", Ranges: night.Ranges}},
		{QuietHours: &chat.QuietHours{TimeZone: "Local", Ranges: night.Ranges}},
		{QuietHours: &chat.QuietHours{TimeZone: "UTC", Ranges: []chat.QuietRange{{From: "7:00", To: "08:00"}}}},
		{QuietHours: &chat.QuietHours{TimeZone: "UTC", Ranges: []chat.QuietRange{{From: "07:00", To: "24:00"}}}},
		{QuietHours: &chat.QuietHours{TimeZone: "UTC", Ranges: []chat.QuietRange{{Days: []string{"Monday"}, From: "07:00", To: "08:00"}}}},
	} {
		_, err := w.SetSettings(t.Context(), as("alice"), bad)
		wantCode(t, err, chat.CodeParam)
	}
}

// Mutants: a range that ends in the next day is that of its day alone; on always true.
func TestQuietHours(t *testing.T) {
	q := &chat.QuietHours{TimeZone: "America/New_York", Ranges: []chat.QuietRange{
		{From: "22:00", To: "07:00", Days: []string{"fri", "sat"}},
		{From: "12:30", To: "13:00"},
		{From: "09:00", To: "09:00", Days: []string{"tue"}}, // a whole day
	}}
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]bool{
		"2026-11-27 21:59": false, // a Friday
		"2026-11-27 22:00": true,
		"2026-11-28 06:59": true,
		"2026-11-28 07:00": false,
		"2026-11-29 06:59": true, // of Saturday
		"2026-11-29 22:30": false,
		"2026-11-30 06:59": false,
		"2026-11-30 12:30": true,
		"2026-11-30 13:00": false,
		"2026-12-01 08:59": false,
		"2026-12-01 09:00": true,
		"2026-12-02 08:59": true,
		"2026-12-02 09:00": false,
		"2026-03-07 23:30": true, // the night in which the clock is put forward
		"2026-03-08 03:30": true,
	} {
		local, err := time.ParseInLocation("2006-01-02 15:04", at, zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := q.Hold(local.UTC()); got != want {
			t.Errorf("%s: %v", at, got)
		}
	}
	var none *chat.QuietHours
	if none.Hold(time.Now()) || (&chat.QuietHours{TimeZone: "UTC"}).Hold(time.Now()) {
		t.Error("it is quiet without quiet hours")
	}
}
