package chat_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

func named(name string) chat.ProfileChange { return chat.ProfileChange{Name: &name} }

func (w *world) ask(n int, u, other chat.UserID) (bool, error) {
	_, key := id(n)
	return w.RequestFriend(w.t.Context(), as(u), chat.AskFriend{Key: key, User: other, Message: "it is me"})
}

func (w *world) mustAsk(n int, u, other chat.UserID, friends bool) {
	w.t.Helper()
	if got, err := w.ask(n, u, other); err != nil || got != friends {
		w.t.Fatalf("%s asks %s: %v, %v", u, other, got, err)
	}
}

// ties gives what is between a user and others: who are friends, who asks and is asked.
func (w *world) ties(u chat.UserID) string {
	w.t.Helper()
	friends, _, err := w.Friends(w.t.Context(), as(u), "", 100)
	if err != nil {
		w.t.Fatal(err)
	}
	requests, _, err := w.FriendRequests(w.t.Context(), as(u), "", 100)
	if err != nil {
		w.t.Fatal(err)
	}
	var ties []string
	for _, f := range friends {
		ties = append(ties, "friend "+string(f.User))
	}
	for _, r := range requests {
		ties = append(ties, r.Direction+" "+string(r.User))
	}
	return strings.Join(ties, ", ")
}

func (w *world) tied(what string, want map[chat.UserID]string) {
	w.t.Helper()
	for u, is := range want {
		if got := w.ties(u); got != is {
			w.t.Errorf("%s: %s has %q, want %q", what, u, got, is)
		}
	}
}

// A request reaches both, an answer too, on all their devices. Mutants: befriend for one
// side; a rejection that ends the asker's request; a repetition that asks again.
func TestFriends(t *testing.T) {
	w := newWorld(t)
	_, alice := w.items("alice", "")
	w.mustAsk(1, "alice", "bob", false)
	w.tied("asked", map[chat.UserID]string{"alice": "out bob", "bob": "in alice"})
	const request = `","message":"it is me","time":"2026-11-25T08:00:00.000Z","expires":"2026-12-25T08:00:00.000Z"}`
	got, alice := w.items("alice", alice)
	if !slices.Equal(got, []string{`friend_request/bob={"direction":"out` + request}) {
		t.Errorf("alice is told %q", got)
	}
	if notices := w.notices(); len(notices) != 2 || notices[0].Only != "alice" || notices[1].Only != "bob" {
		t.Errorf("told %+v", notices)
	}
	if err := w.RejectFriend(t.Context(), as("bob"), "alice"); err != nil {
		t.Fatal(err)
	}
	w.mustAsk(1, "alice", "bob", false)
	w.mustAsk(2, "alice", "bob", false)
	w.tied("rejected, and asked again", map[chat.UserID]string{"alice": "out bob", "bob": ""})
	wantCode(t, w.AcceptFriend(t.Context(), as("bob"), "alice"), chat.CodeNotFound)
	w.mustAsk(3, "bob", "alice", true) // both want it
	w.tied("both asked", map[chat.UserID]string{"alice": "friend bob", "bob": "friend alice"})
	if got, _ := w.items("alice", alice); !slices.Equal(slices.Sorted(slices.Values(got)), []string{`friend/bob={"since":"2026-11-25T08:00:00.000Z"}`, "friend_request/bob="}) {
		t.Errorf("alice is told %q", got)
	}
	w.mustAsk(4, "alice", "bob", true)
	w.mustAsk(5, "carl", "alice", false)
	if err := w.AcceptFriend(t.Context(), as("alice"), "carl"); err != nil {
		t.Fatal(err)
	}
	if err := w.AcceptFriend(t.Context(), as("alice"), "carl"); err != nil {
		t.Fatal(err)
	}
	w.mustAsk(6, "dora", "alice", false)
	if err := w.RejectFriend(t.Context(), as("dora"), "alice"); err != nil { // taken back
		t.Fatal(err)
	}
	if err := w.RemoveFriend(t.Context(), as("bob"), "alice"); err != nil {
		t.Fatal(err)
	}
	w.tied("in the end", map[chat.UserID]string{"alice": "friend carl", "bob": "", "carl": "friend alice", "dora": ""})
	for _, other := range []chat.UserID{"alice", "a b", chat.GuestID("ann")} {
		_, err := w.ask(7, "alice", other)
		wantCode(t, err, chat.CodeParam)
	}
	_, err := w.ask(8, chat.GuestID("ann"), "alice")
	wantCode(t, err, chat.CodeForbidden)
}

// Mutants: pending that does not look at the time; expireRequest that ends nothing, or
// does not ask the time.
func TestFriendRequestsExpire(t *testing.T) {
	w := newWorld(t)
	w.mustAsk(1, "alice", "bob", false)
	if err := w.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.tied("before its time", map[chat.UserID]string{"alice": "out bob", "bob": "in alice"})
	w.clock.set(w.clock.now().Add(30 * 24 * time.Hour))
	wantCode(t, w.AcceptFriend(t.Context(), as("bob"), "alice"), chat.CodeNotFound)
	_, cursor := w.items("bob", "")
	if err := w.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.tied("after it", map[chat.UserID]string{"alice": "", "bob": ""})
	if got, _ := w.items("bob", cursor); !slices.Equal(got, []string{"friend_request/alice="}) {
		t.Errorf("bob is told %q", got)
	}
	w.mustAsk(2, "alice", "bob", false)
}

// Who blocks, who wants no requests and who has too many waiting answer alike. Friends
// only: a friend may write first. Mutants: each case left out; the count of what waits not
// taken back by an answer.
func TestFriendRequestsThatAreNotAccepted(t *testing.T) {
	w := newWorld(t)
	w.block("bob", "alice")
	w.set("carl", chat.UserSettings{FriendRequests: chat.ContactNobody, Contact: chat.ContactFriends})
	for i := range 1000 {
		w.mustAsk(100+i, chat.UserID(fmt.Sprint("fan-", i)), "dora", false)
	}
	var errs []string
	for i, other := range []chat.UserID{"bob", "carl", "dora"} {
		_, err := w.ask(1+i, "alice", other)
		wantCode(t, err, chat.CodeNotAccepted)
		errs = append(errs, err.Error())
	}
	if errs[0] != errs[1] || errs[1] != errs[2] {
		t.Errorf("%q", errs)
	}
	if err := w.RejectFriend(t.Context(), as("dora"), "fan-1"); err != nil {
		t.Fatal(err)
	}
	w.mustAsk(4, "alice", "dora", false)
	_, err := w.ask(5, "bob", "alice")
	wantCode(t, err, chat.CodeForbidden)
	w.mustAsk(6, "carl", "eve", false)
	if err := w.AcceptFriend(t.Context(), as("eve"), "carl"); err != nil {
		t.Fatal(err)
	}
	_, err = w.send("alice", toUser("carl", 7))
	wantCode(t, err, chat.CodeNotAccepted)
	w.mustSend("eve", toUser("carl", 8))
	w.set("eve", chat.UserSettings{Presence: chat.PresenceFriends})
	for u, want := range map[chat.UserID]bool{"carl": true, "alice": false} {
		if got, err := w.Acquainted(t.Context(), u, []chat.UserID{"eve"}); err != nil || got["eve"] != want {
			t.Errorf("%s sees eve: %v, %v", u, got, err)
		}
	}
	limited := chat.Actor{User: "zoe", Limited: true}
	for i := range 101 {
		_, key := id(2000 + i)
		_, err = w.RequestFriend(t.Context(), limited, chat.AskFriend{Key: key, User: chat.UserID(fmt.Sprint("x", i))})
		if i < 100 && err != nil {
			t.Fatal(i, err)
		}
	}
	wantCode(t, err, chat.CodeRate)
}

// What one calls a friend is one's own.
func TestUpdateFriend(t *testing.T) {
	w := newWorld(t)
	w.mustAsk(1, "alice", "bob", false)
	w.mustAsk(2, "bob", "alice", true)
	_, bob := w.items("bob", "")
	remark, tags := "the neighbour", []string{"home", "chess", "home"}
	f, err := w.UpdateFriend(t.Context(), as("alice"), "bob", &remark, nil)
	if err != nil || f.Remark != remark || f.Tags != nil {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err = w.UpdateFriend(t.Context(), as("alice"), "bob", nil, &tags); err != nil || f.Remark != remark || !slices.Equal(f.Tags, []string{"chess", "home"}) {
		t.Errorf("%+v, %v", f, err)
	}
	list, _, err := w.Friends(t.Context(), as("alice"), "", 10)
	if err != nil || len(list) != 1 || list[0].Remark != remark || !list[0].Since.Equal(w.clock.now()) {
		t.Errorf("%+v, %v", list, err)
	}
	if got, _ := w.items("bob", bob); len(got) != 0 {
		t.Errorf("bob is told %q", got)
	}
	long, blank := strings.Repeat("长", 65), []string{" "}
	_, err = w.UpdateFriend(t.Context(), as("alice"), "bob", &long, nil)
	wantCode(t, err, chat.CodeParam)
	_, err = w.UpdateFriend(t.Context(), as("alice"), "bob", nil, &blank)
	wantCode(t, err, chat.CodeParam)
	_, err = w.UpdateFriend(t.Context(), as("alice"), "carl", &remark, nil)
	wantCode(t, err, chat.CodeNotFound)
}

// Tags are the back end's: users do not see them. Mutants: tag without its way back; a
// person may.
func TestTags(t *testing.T) {
	w := newWorld(t)
	server := chat.Actor{Server: true}
	tag := func(users []chat.UserID, add, remove []string) {
		t.Helper()
		if err := w.TagUsers(t.Context(), server, users, add, remove); err != nil {
			t.Fatal(err)
		}
	}
	var many []chat.UserID
	for i := range 120 {
		many = append(many, chat.UserID(fmt.Sprintf("u%03d", i)))
	}
	tag(many, []string{"beijing", "vip"}, nil)
	tag(many[1:], nil, []string{"vip", "none"})
	tag(many[:1], []string{"vip"}, nil)
	if users, more, err := w.Tagged(t.Context(), "vip", "", 10); err != nil || more || !slices.Equal(users, many[:1]) {
		t.Errorf("%v %v %v", users, more, err)
	}
	if users, more, err := w.Tagged(t.Context(), "beijing", "u009", 50); err != nil || !more || !slices.Equal(users, many[10:60]) {
		t.Errorf("%v %v %v", users, more, err)
	}
	if tags, err := w.TagsOf(t.Context(), "u000"); err != nil || !slices.Equal(tags, []string{"beijing", "vip"}) {
		t.Errorf("%v %v", tags, err)
	}
	if got, _ := w.items("u000", ""); len(got) != 0 {
		t.Errorf("the user is told %q", got)
	}
	wantCode(t, w.TagUsers(t.Context(), as("alice"), many, []string{"vip"}, nil), chat.CodeForbidden)
	wantCode(t, w.TagUsers(t.Context(), server, many, nil, nil), chat.CodeParam)
	for i := range 5 {
		var more []string
		for j := range 20 {
			more = append(more, fmt.Sprint("tag ", i, " ", j))
		}
		err := w.TagUsers(t.Context(), server, many[:1], more, nil)
		if want := map[bool]chat.Code{true: chat.CodeForbidden}[i == 4]; code(err) != want {
			t.Errorf("%d: %v, want %q", i, err, want)
		}
	}
}

// A profile changes in parts, and its version tells which is newer. Mutant: the version
// grows when nothing changed.
func TestProfiles(t *testing.T) {
	w := newWorld(t)
	text := func(s string) *string { return &s }
	first, err := w.UpdateUser(t.Context(), as("alice"), chat.ProfileChange{
		Name: text("Alice"), Picture: text("https://example.com/a.png"), Bio: text("two\nlines"), Attributes: map[string]*string{"city": text("北京"), "job": text("cook")},
	})
	if err != nil || first.Version != 1 || first.Bio != "two\nlines" || first.Attributes["city"] != "北京" {
		t.Errorf("%+v, %v", first, err)
	}
	w.set("alice", chat.UserSettings{Contact: chat.ContactFriends})
	if same, err := w.UpdateUser(t.Context(), as("alice"), named("Alice")); err != nil || same.Version != 1 {
		t.Errorf("%+v, %v", same, err)
	}
	if _, err := w.UpdateUser(t.Context(), as("alice"), chat.ProfileChange{Bio: text(""), Gender: text("f"), Attributes: map[string]*string{"job": nil}}); err != nil {
		t.Fatal(err)
	}
	list, err := w.Users(t.Context(), []chat.UserID{"alice", "nobody"})
	if err != nil {
		t.Fatal(err)
	}
	if p := list[0]; p.Version != 2 || p.Bio != "" || p.Gender != "f" || p.Picture == "" || len(p.Attributes) != 1 {
		t.Errorf("%+v", p)
	}
	if p := list[1]; p.Version != 0 || p.Name != "nobody" {
		t.Errorf("%+v", p)
	}
	for _, bad := range []chat.ProfileChange{
		{},
		named(""),
		{Bio: text(strings.Repeat("长", 501))},
		{Gender: text("a\nb")},
		{Picture: text(strings.Repeat("a", 1025))},
		{Attributes: map[string]*string{"": text("x")}},
	} {
		_, err := w.UpdateUser(t.Context(), as("alice"), bad)
		wantCode(t, err, chat.CodeParam)
	}
}
