package chaos

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/linnet-im/linnet/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }

// patience is how long the tests wait for what must come.
const patience = 60 * time.Second

// world is a server and who uses it.
type world struct {
	t      *testing.T
	seed   uint64
	rng    *rand.Rand // of the test's goroutine
	server *testkit.Server
	addr   string // of the server, through its restarts
	secret []byte
}

func newWorld(t *testing.T) *world {
	t.Helper()
	seed := uint64(number(t, "LINNET_CHAOS_SEED", int(time.Now().UnixNano())))
	fmt.Printf("%s: LINNET_CHAOS_SEED=%d\n", t.Name(), seed)
	w := &world{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 0)), server: testkit.Start(t)}
	w.addr = w.server.Addr
	secret, err := os.ReadFile(filepath.Join(w.server.Data, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	w.secret = bytes.TrimSpace(secret)
	return w
}

// number is the value of a variable of the environment.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 {
		t.Fatalf("%s=%q: a number above 0", name, s)
	}
	return n
}

// token makes a token as the app's back end does.
func (w *world) token(user string) string {
	now := time.Now()
	return testkit.Token("HS256", w.secret, testkit.Claims{
		"sub": user, "iat": float64(now.UnixMilli()) / 1000, "exp": now.Add(time.Hour).Unix(),
	})
}

// direct opens a session that no trouble reaches.
func (w *world) direct(user string) *testkit.Client { return w.session(user, "") }

// session is direct with the session's id, unless that is empty.
func (w *world) session(user, id string) *testkit.Client {
	w.t.Helper()
	c := w.server.Dial(w.t)
	params := map[string]string{"token": w.token(user)}
	if id != "" {
		params["session"] = id
	}
	if err := c.Call("session.open", params, nil); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// newGroup makes a group of its first member and answers its id.
func (w *world) newGroup(members ...string) string {
	w.t.Helper()
	owner := w.direct(members[0])
	defer owner.Close()
	var group struct{ ID string }
	err := owner.Call("conversations.create", map[string]any{
		"kind": "group", "client_id": uuid.NewString(), "members": members[1:],
	}, &group)
	if err != nil {
		w.t.Fatal(err)
	}
	return group.ID
}

// history lists a conversation as a user sees it: it has no gap, or the test fails.
func (w *world) history(user, id string) []testkit.Event {
	w.t.Helper()
	c := w.direct(user)
	defer c.Close()
	log, err := c.History(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return log
}

// until waits for what must become true.
func (w *world) until(what string, is func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !is(); {
		if time.Now().After(deadline) {
			w.t.Fatalf("%s: not within %v", what, patience)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// within gives a context for a call that must succeed.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// conversations lists the ids of a user's conversations.
func (w *world) conversations(user string) (ids []string) {
	w.t.Helper()
	c := w.direct(user)
	defer c.Close()
	var s struct{ Conversations []struct{ ID string } }
	if err := c.Call("sync", struct{}{}, &s); err != nil {
		w.t.Fatal(err)
	}
	for _, conv := range s.Conversations {
		ids = append(ids, conv.ID)
	}
	return ids
}
