package chat_test

import (
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
)

// Long events make short pages, and what is covered says so: paging up and down still
// meets every seq once.
func TestService_ListBoundsAPage(t *testing.T) {
	w := newWorld(t)
	const events = 40
	long := text(strings.Repeat("x", 16<<10-100))
	for n := range events {
		m := toUser("bob", n+1)
		m.Content = long
		w.mustSend("alice", m)
	}
	c := chat.DirectID("alice", "bob")
	list := func(l chat.List) chat.Listed {
		t.Helper()
		l.Conversation, l.Limit = c, 200
		got, err := w.List(t.Context(), as("alice"), l)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for i, r := range got.Events {
			if r.Seq != got.From+chat.Seq(i) {
				t.Fatalf("event %d of %d to %d is %d", i, got.From, got.To, r.Seq)
			}
			sum += len(r.JSON)
		}
		if len(got.Events) == 0 || sum > 128<<10 || got.To-got.From+1 != chat.Seq(len(got.Events)) {
			t.Fatalf("%d bytes, %d to %d with %d events", sum, got.From, got.To, len(got.Events))
		}
		return got
	}
	for at := chat.Seq(0); at < events; {
		got := list(chat.List{After: &at})
		if got.From != at+1 {
			t.Fatalf("after %d came %d", at, got.From)
		}
		at = got.To
	}
	for at := chat.Seq(events + 1); at > 1; {
		got := list(chat.List{Before: &at})
		if got.To != at-1 {
			t.Fatalf("before %d came %d", at, got.To)
		}
		at = got.From
	}
}
