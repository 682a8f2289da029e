package chat_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linnet-im/linnet/internal/chat"
)

func (w *world) receipts(u chat.UserID, on bool) {
	w.t.Helper()
	value := chat.ReceiptsOn
	if !on {
		value = chat.ReceiptsOff
	}
	if _, err := w.SetSettings(w.t.Context(), as(u), chat.UserSettings{Receipts: value}); err != nil {
		w.t.Fatal(err)
	}
	w.bus.taken()
}

func (w *world) read(u chat.UserID, c chat.ConversationID, seq chat.Seq) {
	w.t.Helper()
	if _, _, err := w.MarkRead(w.t.Context(), as(u), c, seq); err != nil {
		w.t.Fatal(err)
	}
}

// who lists who has read an event, or has not, in pages of one limit.
func (w *world) who(u chat.UserID, c chat.ConversationID, seq chat.Seq, read bool, limit int) (users []chat.UserID) {
	w.t.Helper()
	for after, pages := chat.UserID(""), 0; ; pages++ {
		list, next, err := w.Receipts(w.t.Context(), as(u), chat.ReceiptsPage{Conversation: c, Seq: seq, Read: read, After: after, Limit: limit})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, m := range list {
			users = append(users, m.User)
		}
		if next == "" {
			return users
		}
		if next <= after || pages > 10_000 {
			w.t.Fatalf("the page after %q goes on after %q", after, next)
		}
		after = next
	}
}

// Read by k of n: not the sender, not who came later, not who left, not who keeps it private.
// Mutants: members without Since, without From, without off; Receipts that takes the read for the unread.
func TestReceipts(t *testing.T) {
	a := crew(t)
	place := a.mustSend("owner", into(a.group, 100))
	if err := a.add("owner", "late"); err != nil { // came later: its position is behind the message
		t.Fatal(err)
	}
	if _, err := a.leave("ada", a.group, 101); err != nil {
		t.Fatal(err)
	}
	a.read("adam", a.group, place.Seq)
	a.read("mia", a.group, place.Seq-1)
	for limit := 1; limit <= 3; limit++ {
		if diff := cmp.Diff([]chat.UserID{"adam"}, a.who("owner", a.group, place.Seq, true, limit)); diff != "" {
			t.Errorf("read (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]chat.UserID{"max", "mia"}, a.who("mia", a.group, place.Seq, false, limit)); diff != "" {
			t.Errorf("not read (-want +got):\n%s", diff)
		}
	}
	count := func(u chat.UserID) (n chat.ReceiptsCount, err error) {
		return a.CountReceipts(t.Context(), as(u), a.group, place.Seq)
	}
	if n, err := count("owner"); err != nil || n != (chat.ReceiptsCount{Read: 1, Of: 3}) {
		t.Errorf("read by %+v, %v", n, err)
	}
	a.receipts("adam", false)
	if n, err := count("owner"); err != nil || n != (chat.ReceiptsCount{Read: 0, Of: 2}) {
		t.Errorf("with adam's off: read by %+v, %v", n, err)
	}
	_, err := count("adam")
	wantCode(t, err, chat.CodeForbidden)
	_, err = count("ada")
	wantCode(t, err, chat.CodeForbidden)
	_, err = count("sam")
	wantCode(t, err, chat.CodeNotFound)
	_, err = a.CountReceipts(t.Context(), as("late"), a.group, place.Seq) // from before it came
	wantCode(t, err, chat.CodeNotFound)
	a.receipts("adam", true)
	if n, _ := count("owner"); n.Read != 1 {
		t.Error("adam's are on again, and not counted")
	}
}

// Receipts of a large group: pages end, each member comes once, and what counts answer is at most ten
// seconds old. Mutants: a page that goes on after the last one shown, not the last one looked at; counts kept for ever.
func TestReceiptsOfManyMembers(t *testing.T) {
	w := newWorld(t)
	users := []chat.UserID{"owner"}
	for i := range 7000 {
		users = append(users, chat.UserID(fmt.Sprintf("u%05d", i)))
	}
	g := w.group(1, false, users...)
	place := w.mustSend("owner", into(g, 2))
	readers := []chat.UserID{"u00003", "u05999", "u06999"}
	for _, u := range readers {
		w.read(u, g, place.Seq)
	}
	if diff := cmp.Diff(readers, w.who("owner", g, place.Seq, true, 2)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := w.who("owner", g, place.Seq, false, 200); len(got) != 6997 || !slices.IsSorted(got) {
		t.Errorf("%d have not read it", len(got))
	}
	count := func() chat.ReceiptsCount {
		n, err := w.CountReceipts(t.Context(), as("u00001"), g, place.Seq)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if got := count(); got != (chat.ReceiptsCount{Read: 3, Of: 7000}) {
		t.Errorf("read by %+v", got)
	}
	w.read("u00001", g, place.Seq)
	if got := count(); got.Read != 3 {
		t.Errorf("the members were looked at again: %+v", got)
	}
	w.clock.set(w.clock.now().Add(10_000_000_000))
	if got := count(); got.Read != 4 {
		t.Errorf("ten seconds later: %+v", got)
	}
}

// Off is mutual, in what is told and in what is listed, and one's own devices are told all
// the same. Mutants: tellPosition without off[u]; without Unseen; hidePositions without either side.
func TestReceiptsOffIsMutual(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "ann", "bob", "cat")
	w.mustSend("ann", into(g, 2))
	direct := w.mustSend("ann", toUser("bob", 3)).Conversation
	w.receipts("bob", false)
	notice := func() chat.Notice {
		t.Helper()
		_, n := w.bus.taken()
		if len(n) != 1 || n[0].Method != "read" {
			t.Fatalf("notices %+v", n)
		}
		return n[0]
	}
	rev := func(c chat.ConversationID) int64 { return w.summary("ann", c).Conversation.Rev }
	before := rev(g)
	w.read("bob", g, 2)
	if n := notice(); n.Only != "bob" {
		t.Errorf("bob's position is told to %q, all but %v", n.Only, n.Unseen)
	}
	if got := rev(g); got != before {
		t.Error("that bob's position moved is to be seen by rev")
	}
	w.read("cat", g, 2)
	if n := notice(); n.Only != "" || !slices.Equal(n.Unseen, []chat.UserID{"bob"}) {
		t.Errorf("cat's position is told to %q, all but %v", n.Only, n.Unseen)
	}
	w.read("bob", direct, 1)
	if n := notice(); n.Only != "bob" {
		t.Errorf("bob's position is told to %q", n.Only)
	}
	positions := func(u chat.UserID) string {
		list, _, err := w.Members(t.Context(), as(u), g, chat.MembersPage{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, m := range list {
			fmt.Fprintf(&b, "%s %d ", m.User, m.ReadSeq)
		}
		return b.String()
	}
	for u, want := range map[chat.UserID]string{"ann": "ann 2 bob 0 cat 2 ", "bob": "ann 0 bob 2 cat 0 "} {
		if got := positions(u); got != want {
			t.Errorf("%s sees %q, want %q", u, got, want)
		}
	}
	if p := w.summary("ann", direct).Peer; p.ReadSeq != 0 {
		t.Errorf("ann sees bob at %d", p.ReadSeq)
	}
	if p := w.summary("bob", direct).Peer; p.ReadSeq != 0 {
		t.Errorf("bob sees ann at %d", p.ReadSeq)
	}
	w.receipts("bob", true)
	if p := w.summary("ann", direct).Peer; p.ReadSeq != 1 {
		t.Errorf("on again: ann sees bob at %d", p.ReadSeq)
	}
}

// A device says that it has everything up to a cursor: the others of small conversations are
// told, once, how far that is in each, and find it there when they were away. Mutants: the
// head for what was there at the cursor; Delivered that takes any cursor; rev left out;
// written again when nothing moved; groups of any size.
func TestDelivered(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "ann", "bob", "cat") // 1
	w.mustSend("ann", into(g, 2))               // 2
	direct := w.mustSend("ann", toUser("bob", 3)).Conversation
	cursor := w.Cursor("bob", w.Position())
	w.mustSend("ann", into(g, 4)) // 3: after the cursor
	w.bus.taken()
	flush := func() map[string]string {
		t.Helper()
		if err := w.FlushDelivered(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, notices := w.bus.taken()
		told := make(map[string]string)
		for _, n := range notices {
			if n.Method != "delivered" || n.Except != "bob" || n.Only != "" {
				t.Errorf("told %+v", n)
			}
			told[string(n.Conversation.ID)] += string(n.Params)
		}
		return told
	}
	w.Delivered("cat", cursor) // not hers
	w.Delivered("bob", "nonsense")
	if told := flush(); len(told) != 0 {
		t.Errorf("nothing was delivered, and told is %v", told)
	}
	before := w.summary("ann", g).Conversation.Rev
	w.Delivered("bob", cursor)
	w.Delivered("bob", cursor)
	want := map[string]string{
		string(g):      `{"conversation":"` + string(g) + `","user":"bob","delivered_seq":2}`,
		string(direct): `{"conversation":"` + string(direct) + `","user":"bob","delivered_seq":1}`,
	}
	if diff := cmp.Diff(want, flush()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if got := w.summary("ann", g).Conversation.Rev; got != before+1 {
		t.Errorf("rev went from %d to %d", before, got)
	}
	if p := w.summary("ann", direct).Peer; p.Delivered() != 1 || p.ReadSeq != 0 {
		t.Errorf("ann sees bob at %d, read %d", p.Delivered(), p.ReadSeq)
	}
	w.Delivered("bob", cursor)
	if told := flush(); len(told) != 0 {
		t.Errorf("told again: %v", told)
	}
	w.read("bob", g, 3)
	w.bus.taken()
	w.Delivered("bob", w.Cursor("bob", w.Position()))
	if told := flush(); len(told) != 0 {
		t.Errorf("what is read was delivered, and is told as well: %v", told)
	}
	w.mustSend("ann", toUser("bob", 5))
	w.receipts("bob", false)
	w.Delivered("bob", w.Cursor("bob", w.Position()))
	if told := flush(); len(told) != 0 {
		t.Errorf("with receipts off: %v", told)
	}
}

func TestNothingIsDeliveredInLargeGroups(t *testing.T) {
	w := newWorld(t)
	users := []chat.UserID{"ann", "bob"}
	for i := range 99 {
		users = append(users, chat.UserID(fmt.Sprintf("u%02d", i)))
	}
	g := w.group(1, false, users...)
	w.mustSend("ann", into(g, 2))
	w.bus.taken()
	w.Delivered("bob", w.Cursor("bob", w.Position()))
	if err := w.FlushDelivered(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, n := w.bus.taken(); len(n) != 0 {
		t.Errorf("told %+v", n)
	}
}
