package chat_test

import (
	"slices"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
)

// A message for a few is a void to the others, in listing, preview and unread, and is
// counted for those it is for. Mutants: reveal not called by listUp; last without isFor;
// Countable true for it; unread without the whispers.
func TestWhisper(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "bob", "carol")
	w.mustSend("alice", into(g, 2))
	m := into(g, 3)
	m.Only = []chat.UserID{"bob"}
	whisper := w.mustSend("alice", m)
	if again := w.mustSend("alice", m); again != whisper {
		t.Errorf("repeated, it is %+v, was %+v", again, whisper)
	}
	everybody := into(g, 3)
	_, err := w.send("alice", everybody)
	wantCode(t, err, chat.CodeConflict)

	for _, tt := range []struct {
		user   chat.UserID
		kind   chat.EventKind
		unread int64
		last   chat.Seq
	}{
		{"alice", chat.Message, 0, whisper.Seq},
		{"bob", chat.Message, 2, whisper.Seq},
		{"carol", chat.Void, 1, whisper.Seq - 1},
	} {
		log := w.log(tt.user, g)
		e := log[len(log)-1]
		if e.Seq != whisper.Seq || e.Kind != tt.kind {
			t.Errorf("%s lists %+v", tt.user, e)
		}
		if tt.kind == chat.Void && (e.From != "" || e.ClientID != "" || e.Count != 0 || !e.Time.IsZero() || e.Content.Text != "") {
			t.Errorf("%s is told more than that something is there: %+v", tt.user, e)
		}
		before := whisper.Seq + 1
		down, err := w.List(t.Context(), as(tt.user), chat.List{Conversation: g, Before: &before, Limit: 1, Messages: true})
		if err != nil || decode(t, down.Events[0]).Kind != tt.kind {
			t.Errorf("%s lists, downwards, %+v (%v)", tt.user, down.Events, err)
		}
		s := w.summary(tt.user, g)
		if s.Unread != tt.unread || s.Last.Seq != tt.last || s.Head != whisper.Seq {
			t.Errorf("%s: unread %d, last %d, head %d", tt.user, s.Unread, s.Last.Seq, s.Head)
		}
	}
	commits, _ := w.bus.taken()
	if e := commits[len(commits)-1].Event; !slices.Equal(e.Only, []chat.UserID{"alice", "bob"}) {
		t.Errorf("delivered to %v", e.Only)
	}

	// Read past, it counts no more; a later one does.
	if _, left, err := w.MarkRead(t.Context(), as("bob"), g, whisper.Seq); err != nil || left != 0 {
		t.Errorf("%d unread, %v", left, err)
	}
	again := into(g, 4)
	again.Only = []chat.UserID{"bob", "carol"}
	w.mustSend("alice", again)
	if got := w.summary("bob", g).Unread; got != 1 {
		t.Errorf("bob has %d unread", got)
	}
	if got := w.summary("carol", g).Unread; got != 2 {
		t.Errorf("carol has %d unread", got)
	}
}

func TestWhisperRefused(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "alice", "bob")
	direct := w.mustSend("alice", toUser("bob", 2)).Conversation
	many := make([]chat.UserID, 101)
	for i := range many {
		many[i] = chat.UserID("u" + string(rune('a'+i%26)) + string(rune('a'+i/26)))
	}
	for n, tt := range []struct {
		to   chat.ConversationID
		only []chat.UserID
	}{
		{g, []chat.UserID{}},
		{g, []chat.UserID{"zoe"}},
		{g, many},
		{g, []chat.UserID{"a:b"}},
		{direct, []chat.UserID{"bob"}},
		{chat.Lobby, []chat.UserID{"bob"}},
	} {
		m := into(tt.to, 10+n)
		m.Only = tt.only
		_, err := w.send("alice", m)
		wantCode(t, err, chat.CodeParam)
	}
	if got := len(w.log("alice", g)); got != 1 {
		t.Errorf("%d events", got)
	}
	// In a direct conversation that is not there yet.
	m := toUser("carol", 30)
	m.Only = []chat.UserID{"carol"}
	_, err := w.send("alice", m)
	wantCode(t, err, chat.CodeParam)
}
