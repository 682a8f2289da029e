package chat_test

import (
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

func reportOf(n int, target chat.EventKey) chat.NewReport {
	_, key := id(n)
	return chat.NewReport{Key: key, Target: target, Reason: "spam", Text: "look at this"}
}

// A reported message is kept as it was, and a report is made once. Mutants: the message read
// when it is listed; readMessage without isFor, or without its spans; dedupe after existence.
func TestReport(t *testing.T) {
	w := newWorld(t)
	g := w.group(1, false, "olga", "mia")
	bad := chat.EventKey{Conversation: g, Seq: w.mustSend("olga", into(g, 2)).Seq}
	secret := into(g, 3)
	secret.Only = []chat.UserID{"olga"}
	whisper := w.mustSend("olga", secret)

	for what, try := range map[string]struct {
		by     chat.UserID
		target chat.EventKey
		want   chat.Code
	}{
		"a stranger":        {"sam", bad, chat.CodeNotFound},
		"what is not there": {"mia", chat.EventKey{Conversation: g, Seq: 99}, chat.CodeNotFound},
		"no message":        {"mia", chat.EventKey{Conversation: g, Seq: 1}, chat.CodeNotFound},
		"not for her":       {"mia", chat.EventKey{Conversation: g, Seq: whisper.Seq}, chat.CodeNotFound},
		"no conversation":   {"mia", chat.EventKey{Conversation: "g_none", Seq: 1}, chat.CodeNotFound},
		"nothing":           {"mia", chat.EventKey{}, chat.CodeParam},
	} {
		_, err := w.Report(t.Context(), as(try.by), reportOf(10, try.target))
		if code(err) != try.want {
			t.Errorf("%s: %v", what, err)
		}
	}
	first, err := w.Report(t.Context(), as("mia"), reportOf(11, bad))
	if err != nil {
		t.Fatal(err)
	}
	cid, key := id(12)
	if _, err := w.Recall(t.Context(), as("olga"), chat.MessageCall{GroupCall: chat.GroupCall{Key: key, ClientID: cid, Conversation: g}, Seq: bad.Seq}); err != nil {
		t.Fatal(err)
	}
	again, err := w.Report(t.Context(), as("mia"), reportOf(11, bad))
	if err != nil || again != first {
		t.Errorf("repeated: %q, %v; first %q", again, err, first)
	}
	_, err = w.Report(t.Context(), as("mia"), reportOf(13, bad))
	wantCode(t, err, chat.CodeNotFound)
	w.clock.set(w.clock.now().Add(time.Second))
	_, person := id(14)
	second, err := w.Report(t.Context(), as("mia"), chat.NewReport{Key: person, User: "olga", Reason: "other"})
	if err != nil {
		t.Fatal(err)
	}
	list, more, err := w.Reports(t.Context(), true, "", 10)
	if err != nil || more || len(list) != 2 || list[0].ID != first || list[1].ID != second {
		t.Fatalf("%+v, %v, %v", list, more, err)
	}
	if r := list[0]; r.User != "olga" || r.From != "mia" || !strings.Contains(string(r.Event), "message 2") {
		t.Errorf("%+v, %s", r, r.Event)
	}

	wantCode(t, w.ResolveReport(t.Context(), server(""), "none", "acted", ""), chat.CodeNotFound)
	wantCode(t, w.ResolveReport(t.Context(), server(""), first, "what", ""), chat.CodeParam)
	for _, outcome := range []string{"dismissed", "acted"} {
		if err := w.ResolveReport(t.Context(), server("ops"), first, outcome, "seen"); err != nil {
			t.Fatal(err)
		}
	}
	if list, _, err := w.Reports(t.Context(), true, "", 10); err != nil || len(list) != 1 || list[0].ID != second {
		t.Errorf("open: %+v, %v", list, err)
	}
	list, _, err = w.Reports(t.Context(), false, "", 10)
	if err != nil || len(list) != 1 || list[0].Outcome != "acted" || list[0].By != "ops" || len(list[0].Event) == 0 {
		t.Errorf("resolved: %+v, %v", list, err)
	}
	w.clock.set(w.clock.now().Add(181 * 24 * time.Hour))
	if err := w.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list, _, err := w.Reports(t.Context(), false, "", 10); err != nil || len(list) != 0 {
		t.Errorf("kept for ever: %+v, %v", list, err)
	}
}

// Mutants: the rate taken for repetitions; taken from a server key.
func TestReportsAreLimited(t *testing.T) {
	w := newWorld(t, withLimits(chat.Limits{ReportsHourly: 3}))
	mia := chat.Actor{User: "mia", Limited: true}
	person := func(n int) chat.NewReport {
		r := reportOf(n, chat.EventKey{})
		r.User = "olga"
		return r
	}
	for n := range 3 {
		for range 2 {
			if _, err := w.Report(t.Context(), mia, person(n+1)); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, err := w.Report(t.Context(), mia, person(9))
	wantCode(t, err, chat.CodeRate)
	if _, err := w.Report(t.Context(), server("mia"), person(10)); err != nil {
		t.Error(err)
	}
	w.clock.set(w.clock.now().Add(20 * time.Minute))
	if _, err := w.Report(t.Context(), mia, person(9)); err != nil {
		t.Error(err)
	}
}
