package session

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/linnet-im/linnet/internal/chat"
)

func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}

func unmarshal(b json.RawMessage, into any) error { return json.Unmarshal(b, into) }

func wantLines(t *testing.T, who string, p *peer, want ...string) {
	t.Helper()
	if got := p.taken(); !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", who, got, want)
	}
}

func (n *node) nc() (*Text, *peer) {
	p := &peer{}
	return n.NewText(p, n.text, Remote{Loopback: true}), p
}

// say says a text and waits until it is stored.
func (n *node) say(s *Text, text string) error {
	done := make(chan error, 1)
	s.Say(text, func(err error) { done <- err })
	return <-done
}

func TestTextInTheLobby(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		ann, annPeer := n.nc()
		zoe, zoePeer := n.nc()
		if err := n.say(ann, "hi"); err == nil || !strings.Contains(err.Error(), "iam:NAME") {
			t.Errorf("before iam: %v", err)
		}
		if err := ann.SignIn("ann"); err != nil {
			t.Fatal(err)
		}
		if err := zoe.SignIn("张三"); err != nil {
			t.Fatal(err)
		}
		wantLines(t, "ann", annPeer, "ann has joined", "张三 has joined")
		wantLines(t, "zoe", zoePeer, "张三 has joined")
		if err := ann.SignIn("ann"); err != nil {
			t.Fatal(err) // again the same: nothing
		}
		if err := n.say(ann, "did you have dinner: yes?"); err != nil {
			t.Fatal(err)
		}
		// done is called with the echo on the way.
		wantLines(t, "ann", annPeer, "ann: did you have dinner: yes?")
		wantLines(t, "zoe", zoePeer, "ann: did you have dinner: yes?")

		// A second device of the name makes no line; it hears and is heard as ann.
		second, secondPeer := n.nc()
		if err := second.SignIn("ann"); err != nil {
			t.Fatal(err)
		}
		if err := n.say(second, "it's me"); err != nil {
			t.Fatal(err)
		}
		wantLines(t, "zoe", zoePeer, "ann: it's me")
		wantLines(t, "ann", annPeer, "ann: it's me")
		wantLines(t, "ann's second", secondPeer, "ann: it's me")

		if err := zoe.SignIn("lisi"); err != nil {
			t.Fatal(err) // another guest from now on
		}
		if err := n.say(zoe, "hello"); err != nil {
			t.Fatal(err)
		}
		wantLines(t, "ann", annPeer, "lisi has joined", "lisi: hello")
		if got := n.cfg.Router.Online(chat.Lobby); got != 2 {
			t.Errorf("%d users online, want ann and lisi", got)
		}
		for _, bad := range []string{"", "a:b", "@boss", "error", "a\nb", strings.Repeat("x", 33), "\u202eboss"} {
			if err := zoe.SignIn(bad); err == nil {
				t.Errorf("%q is a name", bad)
			}
		}
		zoe.Leave()
		ann.Leave()
		second.Leave()
		if err := zoe.SignIn("late"); err != nil || n.cfg.Router.Sessions() != 0 || n.Count() != 0 {
			t.Errorf("%v; %d sessions and %d connections are left", err, n.cfg.Router.Sessions(), n.Count())
		}
	})
}

// What is said by text is in the lobby of the other links, and the other way round.
func TestTextAndJSONShareTheLobby(t *testing.T) {
	inBubble(t, chat.GuestsLobby, func(t *testing.T, n *node) {
		ann, annPeer := n.nc()
		if err := ann.SignIn("ann"); err != nil {
			t.Fatal(err)
		}
		s, p := n.online("boss")
		s.Frame([]byte(`{"id":2,"method":"rooms.join","params":{"room":"lobby"}}`))
		wantKinds(t, "boss", p, "result 2")
		// A user with a token has a name that no guest can have.
		wantLines(t, "ann", annPeer, "ann has joined", "@boss has joined")
		if err := n.say(ann, "hi"); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, "boss", p, "event 1")
		s.Frame([]byte(`{"id":3,"method":"messages.send","params":{"to":{"conversation":"lobby"},"client_id":"00000000-0000-7000-8000-000000000001","content":{"type":"text","text":"pay X: ok"}}}`))
		synctest.Wait()
		wantLines(t, "ann", annPeer, "ann: hi", "@boss: pay X: ok")
	})
}

// No text makes a line that somebody else seems to have said, moves a terminal's cursor
// or turns what is read around. Mutant: Event prints the text as it is.
func TestForgedLines(t *testing.T) {
	format := TextFormat()
	content := func(s string) []byte {
		b, err := json.Marshal(map[string]string{"type": "text", "text": s})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, text := range []string{
		"hi\nboss: you are fired", "hi\r\nboss: no", "hi\rboss: no", "hi\u2028boss: no", "hi\u2029boss: no", "hi\vboss: no",
		"hi\fboss: no", "hi\u0085boss: no", "\x1b[2Jboss: no", "\u202eboss\u202c: no", "\nzoe has joined", "a\x00b", "\u009b31mred", "x\n\n\ny", "",
	} {
		out := string(format.Event(nil, &chat.Event{Kind: chat.Message, From: "guest:ann", Content: content(text)}))
		if !strings.HasSuffix(out, "\n") {
			t.Errorf("%q gives no whole line: %q", text, out)
		}
		for _, l := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
			if !strings.HasPrefix(l, "ann: ") {
				t.Errorf("%q gives the line %q", text, l)
			}
		}
		if i := strings.IndexFunc(out, func(r rune) bool {
			return r < 0x20 && r != '\n' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e'
		}); i >= 0 {
			t.Errorf("%q lets through %q", text, out[i:])
		}
	}
}

func TestTextFormat(t *testing.T) {
	format := TextFormat()
	for _, tt := range []struct {
		kind    chat.EventKind
		from    chat.UserID
		content string
		want    string
	}{
		{chat.Message, "guest:ann", `{"type":"text","text":"hi"}`, "ann: hi\n"},
		{chat.Message, "boss", `{"type":"text","text":"a\nb"}`, "@boss: a\n@boss: b\n"},
		{chat.Message, "guest:ann", `{"type":"image","text":"a cat","url":"https://e.x/c.jpg"}`, "ann: [image] https://e.x/c.jpg\n"},
		{chat.Message, "guest:ann", `{"type":"image","text":"","url":"u\nboss: no"}`, "ann: [image] u\nann: boss: no\n"},
		{chat.Message, "guest:ann", `{"type":"custom","text":"a poll","custom":{}}`, "ann: a poll\n"},
		{chat.Message, "guest:ann", `damaged`, "ann: [unreadable]\n"},
		{chat.Members, "boss", `{"text":"boss added ann"}`, ""},
		{chat.Void, "", ``, ""},
	} {
		got := string(format.Event(nil, &chat.Event{Kind: tt.kind, From: tt.from, Content: json.RawMessage(tt.content)}))
		if got != tt.want {
			t.Errorf("%s of %s: got %q, want %q", tt.content, tt.from, got, tt.want)
		}
	}
	if got := string(format.Joined(nil, "boss")) + string(format.Joined(nil, "guest:ann")); got != "@boss has joined\nann has joined\n" {
		t.Errorf("got %q", got)
	}
	if format.Notice != nil {
		t.Error("text is told notices")
	}
}
