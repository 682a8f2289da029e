package client

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/client/disk"
	"github.com/linnet-im/linnet/internal/testkit"
	"github.com/linnet-im/linnet/wire"
)

func TestMain(m *testing.M) {
	if os.Getenv("LINNET_TEST_SENDER") != "" {
		sender()
		return
	}
	code := testkit.Main(m)
	_ = os.RemoveAll(examplesDir) // a temporary one, if it was made
	os.Exit(code)
}

// patience is how long the tests wait for what must come.
const patience = 60 * time.Second

// person is a user with a client that runs.
type person struct {
	*client.Client
	stop func() error
}

// run starts a client of a user with a store in a folder; url is of the server.
func run(t *testing.T, server *testkit.Server, user, scheme, folder string) *person {
	t.Helper()
	store, err := disk.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(t.Context(), client.Config{
		URL: scheme + "://" + server.Addr, Store: store, Device: wire.Device{ID: "d-" + user},
		Token: func(context.Context) (string, error) { return server.TokenFor(t, user), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	p := &person{Client: c}
	var once sync.Once
	p.stop = func() (err error) {
		once.Do(func() {
			cancel()
			err = <-done
		})
		return err
	}
	t.Cleanup(func() { p.stop() })
	return p
}

// until waits for what must become true.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (p *person) connected() bool { return p.State().Phase == client.Connected }

// holds says whether a client holds all of a conversation as the server lists it.
func holds(t *testing.T, p *person, id string, log []testkit.Event) bool {
	t.Helper()
	conv, known := p.Conversation(id)
	if !known || conv.Held.To != int64(len(log)) {
		return false
	}
	page, err := p.Timeline(t.Context(), id, 0, len(log))
	if err != nil || len(page.Events) != len(log) {
		return false
	}
	for i, e := range page.Events {
		if e.Seq != log[i].Seq || e.ClientID != log[i].ClientID || e.From != log[i].From || string(e.Content) != string(log[i].Content) {
			t.Errorf("%s holds %+v, the server has %+v", p.User().ID, e, log[i])
			return true
		}
	}
	return true
}

// history lists a conversation as a user sees it.
func history(t *testing.T, server *testkit.Server, user, id string) []testkit.Event {
	t.Helper()
	c := server.Dial(t)
	defer c.Close()
	c.SignIn(t, server.TokenFor(t, user))
	log, err := c.History(id)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// texts gives the texts of a user's messages, in order.
func texts(t *testing.T, log []testkit.Event, from string) []string {
	t.Helper()
	var list []string
	for _, e := range log {
		var c struct {
			Text string `json:"text"`
		}
		if e.From == from && e.Kind == "message" {
			if err := json.Unmarshal(e.Content, &c); err != nil {
				t.Fatal(err)
			}
			list = append(list, c.Text)
		}
	}
	return list
}

func kills(t *testing.T) int {
	text := os.Getenv("LINNET_CLIENT_KILLS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("LINNET_CLIENT_KILLS=%q: a number above 0", text)
	}
	return n
}

// The server is killed again and again while four people write to one group. Mutants: an
// outbox that makes a new client id for a retry; catchUp that stores the cursor first.
func TestServerKilled(t *testing.T) {
	server := testkit.Start(t)
	names := []string{"ann", "ben", "cho", "dee"}
	owner := server.Dial(t)
	owner.SignIn(t, server.TokenFor(t, "ann"))
	var group struct{ ID string }
	err := owner.Call("conversations.create", map[string]any{
		"kind": "group", "client_id": "00000000-0000-7000-8000-000000000001", "members": names[1:],
	}, &group)
	if err != nil {
		t.Fatal(err)
	}
	owner.Close()
	people := make([]*person, len(names))
	for i, n := range names {
		people[i] = run(t, server, n, []string{"tcp", "ws"}[i%2], filepath.Join(t.TempDir(), n))
	}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	sent := make([]int, len(people))
	for i, p := range people {
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(2 * time.Millisecond):
				}
				if _, err := p.Send(context.Background(), client.ToConversation(group.ID), client.Text(strconv.Itoa(sent[i]))); err != nil {
					t.Errorf("%s: %v", names[i], err)
					return
				}
				sent[i]++
			}
		})
	}
	for range kills(t) {
		for _, p := range people {
			until(t, "connected", p.connected)
		}
		time.Sleep(100 * time.Millisecond) // something is to be on its way
		server.Kill()
		server.Restart()
	}
	close(stop)
	writers.Wait()
	for _, p := range people {
		until(t, "the outbox is empty", func() bool { return len(p.Outbox()) == 0 })
	}
	log := history(t, server, "ann", group.ID)
	for i, n := range names {
		want := make([]string, sent[i])
		for k := range want {
			want[k] = strconv.Itoa(k)
		}
		if got := texts(t, log, n); !slices.Equal(got, want) {
			t.Errorf("%s sent 0 to %d, the log has %d of them: %.200v", n, sent[i]-1, len(got), got)
		}
		until(t, n+" holds the log", func() bool { return holds(t, people[i], group.ID, log) })
	}
}

// sender is a program that puts messages into its outbox, and prints each that it has.
func sender() {
	env := strings.Split(os.Getenv("LINNET_TEST_SENDER"), "|")
	addr, token, folder, first := env[0], env[1], env[2], env[3]
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	ctx := context.Background()
	store, err := disk.Open(ctx, folder)
	fail(err)
	c, err := client.New(ctx, client.Config{
		URL: "tcp://" + addr, Store: store, Token: func(context.Context) (string, error) { return token, nil },
	})
	fail(err)
	go func() { fail(c.Run(ctx)) }()
	n, err := strconv.Atoi(first)
	fail(err)
	for ; ; n++ {
		_, err := c.Send(ctx, client.ToUser("bob"), client.Text(strconv.Itoa(n)))
		fail(err)
		fmt.Println(n)
	}
}

// The program that sends is killed again and again. What Send has returned for is in the
// log once and in order; the one it was killed in may be. Mutants: the outbox in memory;
// synchronous(OFF) passes this test, the power test of the same SQLite does not.
func TestClientKilled(t *testing.T) {
	server := testkit.Start(t)
	folder := filepath.Join(t.TempDir(), "alice")
	accepted := 0
	for range kills(t) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), fmt.Sprintf("LINNET_TEST_SENDER=%s|%s|%s|%d", server.Addr, server.TokenFor(t, "alice"), folder, accepted))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		stop := accepted + 50
		var last int
		for last < stop {
			if _, err := fmt.Fscanln(out, &last); err != nil {
				t.Fatalf("the sender ended: %v", err)
			}
		}
		_ = cmd.Process.Kill() // it runs
		for {
			if _, err := fmt.Fscanln(out, &last); err != nil {
				break // what it had printed before it died
			}
		}
		_ = cmd.Wait() // it was killed
		accepted = last + 1
		// The one it may have been in: whether the store has it tells what comes next.
		store, err := disk.Open(t.Context(), folder)
		if err != nil {
			t.Fatal(err)
		}
		known, err := store.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range known.Outbox {
			var c struct {
				Text string `json:"text"`
			}
			if err := json.Unmarshal(o.Content, &c); err != nil {
				t.Fatal(err)
			}
			if n, err := strconv.Atoi(c.Text); err == nil && n >= accepted {
				accepted = n + 1
			}
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	alice := run(t, server, "alice", "tcp", folder)
	until(t, "the outbox is empty", func() bool { return alice.connected() && len(alice.Outbox()) == 0 })
	convs := alice.Conversations()
	if len(convs) != 1 {
		t.Fatalf("%d conversations", len(convs))
	}
	log := history(t, server, "alice", convs[0].ID)
	got := texts(t, log, "alice")
	want := make([]string, accepted)
	for k := range want {
		want[k] = strconv.Itoa(k)
	}
	// One that was sent, and whose program died before it could print so, may stand once more.
	if len(got) < accepted || !slices.Equal(slices.Compact(got), want) {
		t.Errorf("accepted 0 to %d, the log has %d: %.300v", accepted-1, len(got), got)
	}
}

// The store is copied back to what it was, without a word to anybody, while people are
// connected. All end with what the server has, and what one of them had sent and the
// copy did not have is there again. Mutants: epoch only by a restore; fork without
// sending again.
func TestStoreWentBack(t *testing.T) {
	server := testkit.Start(t)
	alice := run(t, server, "alice", "tcp", filepath.Join(t.TempDir(), "alice"))
	bob := run(t, server, "bob", "ws", filepath.Join(t.TempDir(), "bob"))
	say := func(p *person, to, text string) {
		t.Helper()
		s, err := p.Send(t.Context(), client.ToUser(to), client.Text(text))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if _, err := s.Wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		say(alice, "bob", fmt.Sprint("kept ", i))
	}
	server.Stop()
	backup := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(backup, os.DirFS(server.Data)); err != nil {
		t.Fatal(err)
	}
	server.Restart()
	for i := range 10 {
		say(alice, "bob", fmt.Sprint("lost ", i))
		say(bob, "alice", fmt.Sprint("answer ", i))
		say(bob, "carl", fmt.Sprint("to carl ", i)) // a conversation that the copy does not have at all
	}
	server.Kill()
	if err := os.RemoveAll(server.Data); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(server.Data, os.DirFS(backup)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(server.Data, "secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	server.Restart()
	id := alice.Conversations()[0].ID
	settled := func(p *person) bool { return p.connected() && len(p.Outbox()) == 0 }
	until(t, "alice and bob are back", func() bool { return settled(alice) && settled(bob) })
	log := history(t, server, "alice", id)
	if len(log) != 30 {
		until(t, "all is sent again", func() bool { log = history(t, server, "alice", id); return len(log) == 30 })
	}
	if got := texts(t, log, "alice"); len(got) != 20 || got[19] != "lost 9" {
		t.Errorf("alice's messages are %v", got)
	}
	if got := texts(t, log, "bob"); len(got) != 10 {
		t.Errorf("bob's messages are %v", got)
	}
	for _, p := range []*person{alice, bob} {
		until(t, "the lists are equal", func() bool { return holds(t, p, id, log) })
	}
	for _, conv := range bob.Conversations() {
		if conv.User == "carl" {
			if got := texts(t, history(t, server, "bob", conv.ID), "bob"); len(got) != 10 {
				t.Errorf("to carl: %v", got)
			}
			return
		}
	}
	t.Error("bob's conversation with carl is gone")
}

// The user's own state, and what it has chosen about a conversation, follow its devices,
// and are there after a restart. Mutants: items not taken from sync, from the notice; not
// kept on disk; the draft that stays after an own message.
func TestOwnStateFollows(t *testing.T) {
	server := testkit.Start(t)
	phone, laptopFolder := run(t, server, "alice", "ws", t.TempDir()), t.TempDir()
	laptop := run(t, server, "alice", "tcp", laptopFolder)
	bob := run(t, server, "bob", "tcp", t.TempDir())
	for _, p := range []*person{phone, laptop, bob} {
		until(t, "connected", func() bool { return p.State().Phase == client.Connected })
	}
	call := func(p *person, method string, params any) {
		t.Helper()
		if err := p.Call(t.Context(), method, params, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := bob.Send(t.Context(), client.ToUser("alice"), client.Text("hi")); err != nil {
		t.Fatal(err)
	}
	var id string
	until(t, "the message", func() bool {
		for _, c := range laptop.Conversations() {
			id = c.ID
		}
		return id != ""
	})
	keys := func(p *person, kind string) string {
		var keys []string
		for _, it := range p.Items(kind) {
			keys = append(keys, it.Key)
		}
		return strings.Join(keys, " ")
	}
	pinned := func(p *person) bool {
		c, _ := p.Conversation(id)
		return c.Prefs != nil && c.Prefs.Pinned
	}
	yes := true
	call(phone, "blocks.add", &wire.UserParams{User: "eve"})
	call(phone, "prefs.set", &wire.PrefsSetParams{Conversation: id, Pinned: &yes})
	call(phone, "drafts.set", &wire.DraftParams{Conversation: id, Content: []byte(`{"text":"h"}`)})
	until(t, "live on the laptop", func() bool {
		return keys(laptop, "block") == "eve" && keys(laptop, "draft") == id && pinned(laptop)
	})
	if err := laptop.stop(); err != nil && !strings.Contains(err.Error(), "canceled") {
		t.Fatal(err)
	}
	if _, err := phone.Send(t.Context(), client.ToConversation(id), client.Text("hello")); err != nil {
		t.Fatal(err)
	}
	call(phone, "blocks.add", &wire.UserParams{User: "mallory"})
	until(t, "the draft's end on the phone", func() bool { return keys(phone, "draft") == "" })
	offline, err := disk.Open(t.Context(), laptopFolder)
	if err != nil {
		t.Fatal(err)
	}
	known, err := offline.Load(t.Context())
	if err != nil || len(known.Items) != 3 { // the block, the draft, and what is pinned
		t.Errorf("kept %+v, %v", known.Items, err)
	}
	if err := offline.Close(); err != nil {
		t.Fatal(err)
	}
	laptop = run(t, server, "alice", "tcp", laptopFolder)
	until(t, "after a restart", func() bool {
		return keys(laptop, "block") == "eve mallory" && keys(laptop, "draft") == "" && pinned(laptop)
	})
}
