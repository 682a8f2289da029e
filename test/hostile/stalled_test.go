package hostile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/linnet-im/linnet/internal/testkit"
)

const (
	crowd   = 2000 // who read
	stalled = 20   // who do not
	// heavy is what is said in the group of the stalled ones, over 6 MB: the kernel takes
	// some megabytes before a server sees that nobody reads.
	heavy, heavyTimes = 12 << 10, 512
	// lightEvery is after how many of those something is said in the lobby, to all.
	lightEvery = 16
	// perStalled is what a stalled connection may cost the server: its outbox of 256 KB,
	// what the last words need, and twice that for the garbage collector.
	perStalled = 2 * (256<<10 + 64<<10)
	// perReader is what one that reads may cost, generously.
	perReader = 64 << 10
)

// reader is one of the crowd: it reads and does not answer.
type reader struct {
	conn net.Conn
	in   *bufio.Reader
}

// join opens a session that is in the lobby.
func join(t *testing.T, server *testkit.Server, user string) *reader {
	t.Helper()
	c := dial(t, server)
	r := &reader{c, bufio.NewReaderSize(c, 4<<10)}
	fmt.Fprintf(c, `{"id":1,"method":"session.open","params":{"token":%q,"rooms":["lobby"]}}`+"\n", tokenOf(t, server, user))
	if _, err := r.until(`"id":1,"result"`); err != nil {
		t.Fatalf("%s: %v", user, err)
	}
	return r
}

func tokenOf(t *testing.T, server *testkit.Server, user string) string {
	t.Helper()
	return server.Sign(t, testkit.Claims{"sub": user, "exp": time.Now().Add(time.Hour).Unix()})
}

// until reads to the first line with this in it.
func (r *reader) until(part string) (string, error) {
	if err := r.conn.SetReadDeadline(time.Now().Add(crowdPatience)); err != nil {
		return "", err
	}
	for {
		line, err := r.in.ReadBytes('\n')
		if bytes.Contains(line, []byte(part)) {
			return string(line), nil
		}
		if err != nil {
			return "", fmt.Errorf("no %s: %w", part, err)
		}
	}
}

// crowdPatience is how long one of the crowd may wait: two busy cores do it all.
const crowdPatience = 60 * time.Second

// hearsAll reads the events of the lobby, 1 to n, each once and in order.
func (r *reader) hearsAll(n int) error {
	for want := 1; want <= n; want++ {
		line, err := r.until(`"method":"event","params":{"conversation":"lobby",`)
		if err != nil {
			return err
		}
		_, rest, _ := strings.Cut(line, `"seq":`)
		digits, _, _ := strings.Cut(rest, ",")
		if seq, err := strconv.Atoi(digits); err != nil || seq != want {
			return fmt.Errorf("event %s came, not %d", digits, want)
		}
	}
	return nil
}

// Twenty of two thousand stop reading while much is said to them. The others get all of
// theirs, the callers their answers, and the server stays small. The stalled are put out;
// who reads on finds the reason behind what had gone out before.
//
// Mutants that were tried: an outbox of 256 MB; a fan-out that waits for the peer.
func TestCrowdWithStalledReaders(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	readers := make([]*reader, crowd)
	for i := range readers {
		readers[i] = join(t, server, fmt.Sprint("reader", i))
	}
	silent, names := make([]*reader, stalled), make([]string, stalled)
	for i := range silent {
		names[i] = fmt.Sprint("stalled", i)
		silent[i] = join(t, server, names[i])
	}
	teller := server.Dial(t)
	teller.SignIn(t, tokenOf(t, server, "teller"))
	var group struct{ ID string }
	err := teller.Call("conversations.create", map[string]any{"kind": "group", "client_id": uuid.NewString(), "members": names}, &group)
	if err != nil {
		t.Fatal(err)
	}
	before := server.RSS()
	const said = heavyTimes / lightEvery
	var reading sync.WaitGroup
	for i, r := range readers {
		reading.Go(func() {
			if err := r.hearsAll(said); err != nil {
				t.Errorf("reader %d: %v", i, err)
			}
		})
	}
	text, began := strings.Repeat("much", heavy/4), time.Now()
	most := int64(0)
	for i := range heavyTimes {
		say(t, teller, group.ID, text)
		if i%lightEvery == 0 {
			say(t, teller, "lobby", fmt.Sprint(i))
			most = max(most, server.RSS())
		}
	}
	reading.Wait()
	b.unhurt()
	if grown := most - before; grown > stalled*perStalled+crowd*perReader {
		t.Errorf("the server grew by %d MB", grown>>20)
	}
	told := 0
	for i, r := range silent {
		switch _, err := r.until(`"method":"close","params":{"code":"slow"`); {
		case err == nil:
			told++
		case errors.Is(err, os.ErrDeadlineExceeded):
			t.Fatalf("stalled %d is still connected", i)
		}
	}
	// They are given ten seconds, and here it may have taken longer than that.
	if took := time.Since(began); took < 8*time.Second && told < stalled {
		t.Errorf("%d of %d were told why they are put out, %v after the beginning", told, stalled, took)
	}
	t.Logf("%d of %d heard why; the server grew by %d MB", told, stalled, (most-before)>>20)
}

func say(t *testing.T, c *testkit.Client, conversation, text string) {
	t.Helper()
	if err := c.Call("messages.send", testkit.Message(conversation, uuid.NewString(), text), nil); err != nil {
		t.Fatal(err)
	}
}
