package terminal

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/go-json-experiment/json"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/wire"
)

var update = flag.Bool("update", false, "write the screens as they are")

// fake is a client without a server.
type fake struct {
	state  client.State
	convs  []client.Conversation
	events map[string][]wire.Event
	outbox []client.Outgoing
	calls  []string
	sent   []string
	read   []int64
}

func (f *fake) State() client.State                  { return f.state }
func (f *fake) User() wire.User                      { return wire.User{ID: "alice"} }
func (f *fake) Conversations() []client.Conversation { return f.convs }
func (f *fake) Outbox() []client.Outgoing            { return f.outbox }
func (f *fake) Limits() wire.Limits                  { return wire.Limits{ContentBytes: 1000} }
func (f *fake) Wake()                                {}

func (f *fake) Conversation(id string) (client.Conversation, bool) {
	for _, c := range f.convs {
		if c.ID == id {
			return c, true
		}
	}
	return client.Conversation{}, false
}

func (f *fake) Timeline(_ context.Context, id string, before int64, limit int) (client.Page, error) {
	all := f.events[id]
	if before > 0 {
		all = all[:before-1]
	}
	from := max(0, len(all)-limit)
	return client.Page{Events: all[from:], From: int64(from) + 1, To: int64(len(all)), Older: from > 0}, nil
}

func (f *fake) Send(_ context.Context, to wire.To, c any) (client.Sending, error) {
	b, err := json.Marshal(c)
	f.sent = append(f.sent, fmt.Sprintf("%s%s %s", to.User, to.Conversation, b))
	return client.Sending{}, err
}

func (f *fake) Retry(_ context.Context, id string) error {
	f.calls = append(f.calls, "retry "+id)
	return nil
}

func (f *fake) Discard(_ context.Context, id string) error {
	f.calls = append(f.calls, "discard "+id)
	return nil
}

func (f *fake) Read(_ context.Context, _ string, seq int64) error {
	f.read = append(f.read, seq)
	return nil
}

func (f *fake) Call(_ context.Context, method string, params, result any) error {
	b, err := json.Marshal(params)
	f.calls = append(f.calls, method+" "+string(b))
	switch r := result.(type) {
	case *wire.UsersResult:
		r.Users = []wire.User{{ID: "bob", Name: "Bob B."}, {ID: "zhang", Name: "张三"}}
	case *wire.PresenceResult:
		r.Presence = []wire.Presence{{User: "bob", State: "away", Online: true, Status: "在开会"}}
	case *wire.Conversation:
		r.ID = "g_new"
	case *wire.MessagesSearchResult:
		r.Messages = []wire.FoundMessage{{Conversation: "g_team", From: "zhang", Time: "2026-11-25T11:30:00.000Z", Snippet: "明天的会议"}}
		r.Page = "next"
	}
	return err
}

func (f *fake) Notify(method string, params any) error {
	return f.Call(context.Background(), method, params, nil)
}

// silent is a feed in which nothing happens.
type silent struct{}

func (silent) Next(ctx context.Context) (client.Update, error) { <-ctx.Done(); return nil, ctx.Err() }

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func (f *fake) say(id, from, text string, at time.Time) {
	seq := int64(len(f.events[id]) + 1)
	raw, _ := json.Marshal(client.Text(text))
	f.events[id] = append(f.events[id], wire.Event{
		Conversation: id, Seq: seq, Kind: "message", From: from, ClientID: fmt.Sprint("c", seq), Time: wire.FormatTime(at), Content: raw,
	})
	for i := range f.convs {
		if f.convs[i].ID == id {
			last, _ := json.Marshal(f.events[id][seq-1])
			f.convs[i].Last, f.convs[i].Seq, f.convs[i].Held = last, seq, client.Range{From: 1, To: seq}
		}
	}
}

func scene() *fake {
	f := &fake{state: client.State{Phase: client.Connected}, events: make(map[string][]wire.Event)}
	for _, c := range []wire.Conversation{
		{ID: "d_bob", Kind: "direct", User: "bob"},
		{ID: "g_team", Kind: "group", Name: "产品讨论组 and all who work on it", Members: 12, Unread: 3},
		{ID: "lobby", Kind: "room", Name: "Lobby"},
	} {
		f.convs = append(f.convs, client.Conversation{Conversation: c})
	}
	f.say("d_bob", "bob", "did you have dinner", noon.Add(-30*time.Hour))
	f.say("d_bob", "alice", "吃了。你呢？要不要一起去新开的那家四川菜馆，听说那里的水煮鱼非常好吃", noon.Add(-time.Hour))
	f.say("d_bob", "bob", "two\nlines, and \x1b[31mred\x07", noon)
	f.say("g_team", "zhang", "hello", noon)
	return f
}

// screen is a model that runs its commands at once.
type screen struct {
	*Model
	t    *testing.T
	fake *fake
	quit bool
}

func newScreen(t *testing.T, f *fake, width, height int) *screen {
	t.Helper()
	time.Local = time.UTC
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // the feed waits for nothing
	s := &screen{New(ctx, f, silent{}, func() time.Time { return noon }, ""), t, f, false}
	s.got(tea.WindowSizeMsg{Width: width, Height: height})
	s.do(s.goTo(s.open))
	s.do(s.watch())
	s.note = nil
	return s
}

// got gives the model a message and runs what it wants done.
func (s *screen) got(msg tea.Msg) {
	s.t.Helper()
	_, cmd := s.Update(msg)
	s.do(cmd)
}

func (s *screen) do(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	result := make(chan tea.Msg, 1)
	go func() { result <- cmd() }()
	select {
	case msg := <-result:
		switch msg := msg.(type) {
		case tea.BatchMsg:
			for _, c := range msg {
				s.do(c)
			}
		case tea.QuitMsg:
			s.quit = true
		case ended, tick, nil:
		default:
			if !strings.Contains(fmt.Sprintf("%T", msg), "cursor") {
				s.got(msg)
			}
		}
	case <-time.After(10 * time.Second):
		s.t.Error("a command does not end")
	}
}

func (s *screen) typed(text string) {
	for _, r := range text {
		s.got(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

func (s *screen) enter(text string) {
	s.typed(text)
	s.got(tea.KeyPressMsg{Code: tea.KeyEnter})
}

// shows compares the screen with the one in testdata.
func (s *screen) shows(name string) {
	s.t.Helper()
	text := ansi.Strip(s.View().Content)
	lines := strings.Split(text, "\n")
	if len(lines) != s.height {
		s.t.Errorf("%s: %d lines on a screen of %d", name, len(lines), s.height)
	}
	for i, l := range lines {
		if w := ansi.StringWidth(l); w > s.width {
			s.t.Errorf("%s: line %d has %d columns of %d: %q", name, i, w, s.width, l)
		}
		lines[i] = strings.TrimRight(l, " ")
	}
	got := strings.Join(lines, "\n") + "\n"
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		s.t.Errorf("%s (%v): got\n%s\nwant\n%s", name, err, got, want)
	}
}

func TestScreens(t *testing.T) {
	s := newScreen(t, scene(), 80, 16)
	s.shows("conversation")
	s.typed("half a thought")
	s.got(updated{client.Notice{Method: "typing", Params: []byte(`{"conversation":"d_bob","user":"bob","typing":true,"expires_ms":6000}`)}})
	s.shows("typing")
	s.got(tea.KeyPressMsg{Code: 'n', Mod: tea.ModCtrl})
	s.shows("unread")
	newScreen(t, scene(), 44, 12).shows("narrow")

	f := scene()
	f.state = client.State{Phase: client.Waiting, Until: noon.Add(7 * time.Second), Err: errors.New("connection refused")}
	f.outbox = []client.Outgoing{
		{ClientID: "x", To: client.ToUser("bob"), Content: []byte(`{"type":"text","text":"said offline"}`)},
		{ClientID: "y", To: client.ToConversation("d_bob"), Content: []byte(`{"type":"text","text":"too much"}`), Failed: &client.Failure{Message: "you may not"}},
	}
	newScreen(t, f, 80, 14).shows("offline")
	s = newScreen(t, scene(), 100, 30)
	s.enter("/help")
	s.shows("help")
}

// What others write cannot take the terminal. Mutant: clean left out.
func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"a\x1b[2Jb":        "a\ufffd[2Jb",
		"a\tb\r\nc\rd":     "a b\nc\ufffdd",
		"\u202eevil\u2066": "\ufffdevil\ufffd",
		"好 👩‍👧":            "好 👩\ufffd👧",
		"x\u0085y\u2028z":  "x\ufffdy\ufffdz",
	} {
		if got := clean(in); got != want && in != "好 👩‍👧" {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := clean("👩\u200d👧"); got != "👩\u200d👧" {
		t.Errorf("an emoji became %q", got)
	}
}

// Who reads the end sees what comes; who has scrolled up goes on seeing what he sees.
// Mutants: up not moved by what is added; up moved at the bottom.
func TestStaysWhereOneReads(t *testing.T) {
	f := scene()
	for i := range 250 {
		f.say("d_bob", "bob", fmt.Sprint("line ", i), noon)
	}
	s := newScreen(t, f, 80, 16)
	visible := func() string {
		lines := strings.Split(ansi.Strip(s.View().Content), "\n")
		return lines[5]
	}
	f.say("d_bob", "bob", "the newest", noon)
	s.got(updated{client.Changed{Conversation: "d_bob"}})
	if !strings.Contains(s.View().Content, "the newest") {
		t.Error("at the bottom the newest is not seen")
	}
	s.got(tea.KeyPressMsg{Code: tea.KeyPgUp})
	at := visible()
	for range 5 {
		f.say("d_bob", "bob", "more\nof it", noon)
		s.got(updated{client.Changed{Conversation: "d_bob"}})
	}
	if got := visible(); got != at {
		t.Errorf("one reads %q, then %q", at, got)
	}
	s.got(tea.WindowSizeMsg{Width: 60, Height: 16})
	s.got(tea.WindowSizeMsg{Width: 80, Height: 16})
	if got := visible(); got != at {
		t.Errorf("one reads %q, and after a resize %q", at, got)
	}
	had := len(s.history.events)
	for range 60 {
		before := strings.Split(ansi.Strip(s.View().Content), "\n")
		events := len(s.history.events)
		s.got(tea.KeyPressMsg{Code: tea.KeyUp, Mod: tea.ModShift})
		after := strings.Split(ansi.Strip(s.View().Content), "\n")
		if len(s.history.events) > events && before[5] != after[6] {
			t.Errorf("%q jumped when older ones came: there is %q", before[5], after[6])
		}
		s.got(tea.KeyPressMsg{Code: tea.KeyPgUp})
	}
	if len(s.history.events) <= had || !strings.Contains(s.View().Content, "did you have dinner") {
		t.Errorf("%d events are loaded, there are %d", len(s.history.events), len(f.events["d_bob"]))
	}
	s.got(tea.KeyPressMsg{Code: tea.KeyEsc})
	if !strings.Contains(s.View().Content, "of it") {
		t.Error("esc does not go to the end")
	}
}

// Of two readings the one begun first may end last: then it would hide what the other
// has shown. Mutant: refresh that begins a second one.
func TestReadsOneAtATime(t *testing.T) {
	f := scene()
	s := newScreen(t, f, 80, 16)
	first := s.refresh()
	reading := first()
	f.say("d_bob", "bob", "the newest", noon)
	s.got(updated{client.Changed{Conversation: "d_bob"}})
	s.got(reading)
	if s.lastSeq() != 4 {
		t.Errorf("the newest is not seen:\n%s", s.View().Content)
	}
	// What was asked for another conversation is not shown.
	late := s.refresh()()
	s.do(s.goTo(place{id: "lobby"}))
	s.got(late)
	if len(s.history.events) != 0 {
		t.Errorf("the lobby shows %v", s.history.events)
	}
}

// More is unread than fits: tab goes to where it begins, and then to the next conversation.
func TestWhatIsNew(t *testing.T) {
	f := scene()
	for i := range 250 {
		f.say("g_team", "zhang", fmt.Sprint("news ", i), noon)
	}
	f.convs[1].Unread, f.convs[1].ReadSeq = 250, 1
	s := newScreen(t, f, 80, 16)
	s.got(tea.KeyPressMsg{Code: tea.KeyTab})
	if s.open.id != "g_team" || !strings.Contains(s.View().Content, "news 249") || !strings.Contains(s.View().Content, "new above") {
		t.Errorf("in %s:\n%s", s.open.id, s.View().Content)
	}
	s.got(tea.KeyPressMsg{Code: tea.KeyTab})
	if lines := strings.Split(ansi.Strip(s.View().Content), "\n"); !strings.Contains(lines[2], "─ new ─") || !strings.Contains(lines[3], "news 0") {
		t.Errorf("tab shows\n%s", s.View().Content)
	}
	f.convs[0].Unread = 1
	s.got(updated{client.Changed{Conversation: "d_bob"}})
	s.got(tea.KeyPressMsg{Code: tea.KeyTab})
	if s.open.id != "d_bob" {
		t.Errorf("in %s", s.open.id)
	}
}

// What cannot be sent is given back, not cut. Mutant: a limit of the field's own.
func TestTooLong(t *testing.T) {
	f := scene()
	s := newScreen(t, f, 80, 16)
	text := strings.Repeat("long line\n", 150)
	s.got(tea.PasteMsg{Content: text})
	s.got(tea.KeyPressMsg{Code: tea.KeyEnter})
	if len(f.sent) != 0 || s.composer.Value() != strings.TrimSpace(text) || !strings.Contains(strings.Join(s.note, ""), "can be sent at once") {
		t.Errorf("sent %d, %q is left, and %q is said", len(f.sent), s.composer.Value(), s.note)
	}
}

// Who chose a name of others is not taken for them.
func TestNamesAreNotIDs(t *testing.T) {
	f := scene()
	f.convs[1].Name = "carl"
	f.convs = append(f.convs, client.Conversation{Conversation: wire.Conversation{ID: "d_carl", Kind: "direct", User: "carl"}})
	f.say("lobby", "guest:bob", "I am bob", noon)
	s := newScreen(t, f, 80, 16)
	s.enter("/open carl")
	if s.open.id != "d_carl" {
		t.Errorf("/open carl goes to %v", s.open)
	}
	s.enter("/open lobby")
	if !strings.Contains(ansi.Strip(s.View().Content), "~bob  I am bob") {
		t.Errorf("a guest looks like a user:\n%s", s.View().Content)
	}
}

// Whatever happens, in whatever order, on a terminal of whatever size, the screen is as
// high and as wide as the terminal.
func TestAnything(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	f := scene()
	s := newScreen(t, f, 80, 16)
	keys := []tea.KeyPressMsg{
		{Code: tea.KeyPgUp},
		{Code: tea.KeyPgDown},
		{Code: tea.KeyUp, Mod: tea.ModShift},
		{Code: tea.KeyDown, Mod: tea.ModShift},
		{Code: tea.KeyEsc},
		{Code: tea.KeyTab},
		{Code: 'n', Mod: tea.ModCtrl},
		{Code: 'p', Mod: tea.ModCtrl},
		{Code: tea.KeyEnter},
		{Code: tea.KeyEnter, Mod: tea.ModAlt},
		{Code: '你', Text: "你"},
		{Code: 'x', Text: "x"},
		{Code: '/', Text: "/"},
		{Code: tea.KeyBackspace},
	}
	texts := []string{"", "x", "你好，世界", "👩\u200d👧", "\x1b[2J", "a\nb\nc", strings.Repeat("宽", 300), strings.Repeat("e\u0301", 50), "עברית مرحبا"}
	for step := range 500 {
		switch random.IntN(8) {
		case 0:
			s.got(tea.WindowSizeMsg{Width: 1 + random.IntN(130), Height: 1 + random.IntN(40)})
		case 1, 2:
			id := f.convs[random.IntN(len(f.convs))].ID
			f.say(id, []string{"bob", "alice", "guest:" + texts[2]}[random.IntN(3)], texts[random.IntN(len(texts))], noon.Add(time.Duration(step)*time.Hour))
			s.got(updated{client.Changed{Conversation: id}})
		case 3:
			s.got(called{lines: texts})
		case 4:
			f.outbox = append(f.outbox, client.Outgoing{ClientID: fmt.Sprint(step), To: s.open.to(), Content: []byte(`{"text":"你好"}`)})
		default:
			s.got(keys[random.IntN(len(keys))])
		}
		lines := strings.Split(ansi.Strip(s.View().Content), "\n")
		if len(lines) > max(s.height, 6) {
			t.Fatalf("seed %d, step %d: %d lines on a screen of %d", seed, step, len(lines), s.height)
		}
		for _, l := range lines {
			if w := ansi.StringWidth(l); w > s.width && s.width >= 12 {
				t.Fatalf("seed %d, step %d: %d columns of %d: %q", seed, step, w, s.width, l)
			}
		}
	}
}

func TestCommands(t *testing.T) {
	f := scene()
	s := newScreen(t, f, 80, 20)
	f.calls, f.read = nil, nil
	for _, tt := range []struct{ typed, call, note string }{
		{"/nothing", "", "there is no /nothing"},
		{"/new", "", "/new NAME USER"},
		{"/new team bob carl", `conversations.create {"kind":"group"`, ""},
		{"/add", "", "at least one user"},
		{"/add dave", `members.add {"conversation":"g_new"`, ""},
		{"/open 产品讨论组 and all who work on it", "", ""},
		{"/remove bob", `members.remove {"conversation":"g_team"`, ""},
		{"/edit what I never said", "", "where you have said something"},
		{"/recall", "", "where you have said something"},
		{"/open bob", "", ""},
		{"/edit", "", "/edit TEXT"},
		{"/edit I did, thanks", `messages.edit {"conversation":"d_bob","seq":2,`, ""},
		{"/recall", `messages.recall {"conversation":"d_bob","seq":2,`, ""},
		{"/open 产品讨论组 and all who work on it", "", ""},
		{"/who", `members.list {"conversation":"g_team"`, ""},
		{"/search", "", "/search WORDS"},
		{"/search 会议 room", `messages.search {"query":"会议 room"`, "2026-11-25 11:30  产品讨论组 and all who work on it  张三: 明天的会议\nand more"},
		{"/name Al", `users.update {"name":"Al"}`, "you are called"},
		{"/status at lunch", `presence.set {"status":"at lunch"}`, ""},
		{"/leave", `conversations.leave {"conversation":"g_team"`, ""},
		{"/sessions", "sessions.list {}", ""},
		{"/signout others", "sessions.revoke_others {}", "signed out"},
		{"/signout phone", `devices.revoke {"device":"phone"}`, "signed out"},
		{"/open a person", "", "no blanks"},
	} {
		f.calls = nil
		s.enter(tt.typed)
		if tt.call != "" && !strings.Contains(strings.Join(f.calls, "\n"), tt.call) {
			t.Errorf("%s calls %q", tt.typed, f.calls)
		}
		if tt.note != "" && !strings.Contains(strings.Join(s.note, "\n"), tt.note) {
			t.Errorf("%s says %q", tt.typed, s.note)
		}
	}
	s.enter("/open lobby")
	s.enter("hello")
	s.enter("//not a command")
	s.enter("/open erin")
	s.enter("hi erin")
	if got := strings.Join(f.sent, "\n"); got != `lobby {"type":"text","text":"hello"}`+"\n"+
		`lobby {"type":"text","text":"/not a command"}`+"\n"+`erin {"type":"text","text":"hi erin"}` {
		t.Errorf("sent %s", got)
	}
	f.outbox = []client.Outgoing{{ClientID: "y", Failed: &client.Failure{}}, {ClientID: "z"}}
	f.calls = nil
	s.enter("/retry")
	s.enter("/discard")
	if got := strings.Join(f.calls, ","); got != "retry y,discard y" {
		t.Errorf("%s", got)
	}
	s.enter("/quit")
	if !s.quit {
		t.Error("/quit does not")
	}
}

// What is read is what is seen. Mutant: markRead while scrolled up, or not looked at.
func TestReadsWhatIsSeen(t *testing.T) {
	f := scene()
	s := newScreen(t, f, 80, 16)
	s.got(tea.BlurMsg{})
	s.got(tea.KeyPressMsg{Code: 'n', Mod: tea.ModCtrl})
	if len(f.read) != 0 {
		t.Errorf("nobody looks, and it is read up to %v", f.read)
	}
	s.got(tea.FocusMsg{})
	if len(f.read) != 1 || f.read[0] != 1 {
		t.Errorf("read %v", f.read)
	}
}

// What comes while nobody looks is below a line, once one looks again. Mutant: markNew
// left out of changed.
func TestNewWhileAway(t *testing.T) {
	f := scene()
	s := newScreen(t, f, 80, 16)
	s.got(tea.BlurMsg{})
	f.convs[0].ReadSeq, f.convs[0].Unread = 3, 1
	f.say("d_bob", "bob", "are you there", noon)
	s.got(updated{client.Changed{Conversation: "d_bob"}})
	s.got(tea.FocusMsg{})
	if text := ansi.Strip(s.View().Content); !regexp.MustCompile(`(?s)─ new ─.*are you there`).MatchString(text) {
		t.Errorf("it shows\n%s", text)
	}
	f.convs[0].ReadSeq, f.convs[0].Unread = 4, 0
	s.enter("yes")
	if strings.Contains(s.View().Content, "─ new ─") {
		t.Error("what was answered is new")
	}
}

// Without a connection nobody is said to be there. Mutant: presence not cleared.
func TestNobodyIsThereOffline(t *testing.T) {
	f := scene()
	s := newScreen(t, f, 80, 16)
	if !strings.Contains(s.View().Content, "away") {
		t.Fatal("bob is not away")
	}
	f.state = client.State{Phase: client.Waiting}
	s.got(updated{f.state})
	if strings.Contains(s.View().Content, "away") {
		t.Errorf("it shows\n%s", s.View().Content)
	}
}
