package chaos

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/linnet-im/linnet/internal/testkit"
)

// bare is a reader that does what docs/concepts.md says under "Catching up", and no more:
// nothing in it is from the client that is tested beside it. What it holds and its cursor
// outlive its connections.
type bare struct {
	session string
	author  *author // whom it reads
	rng     *rand.Rand
	cursor  string
	held    map[string][]testkit.Event // by conversation, from seq 1 on

	mu   sync.Mutex
	seqs map[string]int64 // of held, for others
	met  map[string]int   // how often it was told something in each way
}

func newBare(author *author, rng *rand.Rand) *bare {
	return &bare{
		session: uuid.NewString(), author: author, rng: rng,
		held: make(map[string][]testkit.Event), seqs: make(map[string]int64), met: make(map[string]int),
	}
}

func (b *bare) meets(way string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.met[way]++
}

func (b *bare) count(way string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.met[way]
}

func (b *bare) upTo(id string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seqs[id]
}

// errMissed says that the server broke its promise. Other errors are lost connections.
var errMissed = errors.New("something is missed")

// apply takes an event in, by its seq.
func (b *bare) apply(e testkit.Event, way string) {
	if e.Seq != int64(len(b.held[e.Conversation]))+1 {
		return // it has it, or list brings it
	}
	b.held[e.Conversation] = append(b.held[e.Conversation], e)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seqs[e.Conversation] = e.Seq
	b.met[way]++
}

// list fetches what is missing of a conversation up to a seq.
func (b *bare) list(c *testkit.Client, id string, to int64) error {
	for after := int64(len(b.held[id])); after < to; after = int64(len(b.held[id])) {
		var page struct{ Events []testkit.Event }
		err := c.Call("messages.list", map[string]any{"conversation": id, "after_seq": after}, &page)
		if err != nil {
			return err
		}
		for _, e := range page.Events {
			e.Conversation = id
			b.apply(e, "listed")
		}
		if int64(len(b.held[id])) == after {
			return fmt.Errorf("%w: %s ends at %d, and was said to go to %d", errMissed, id, after, to)
		}
	}
	return nil
}

// sync catches up. The new cursor is kept last.
func (b *bare) sync(c *testkit.Client) error {
	params := map[string]any{"cursor": b.cursor, "limit": 1} // pages, although there is little
	for {
		var s struct {
			Reset         bool
			Conversations []struct {
				ID  string
				Seq int64
			}
			Page, Cursor string
		}
		if err := c.Call("sync", params, &s); err != nil {
			return err
		}
		if s.Reset && b.cursor != "" {
			return fmt.Errorf("%w: a reset, and nothing was copied back", errMissed)
		}
		for _, conv := range s.Conversations {
			if err := b.list(c, conv.ID, conv.Seq); err != nil {
				return err
			}
		}
		if s.Page == "" {
			b.cursor = s.Cursor
			return nil
		}
		params = map[string]any{"page": s.Page, "limit": 1}
	}
}

// live lives with one connection to its end.
func (b *bare) live(conn testkit.Conn, token string) error {
	c := testkit.NewClient(conn)
	defer c.Close()
	begun, before := b.author.state()
	if err := c.Call("session.open", map[string]any{"token": token, "session": b.session}, nil); err != nil {
		return err
	}
	if err := b.sync(c); err != nil {
		return err
	}
	// What moved during the walk may come by push instead; what did not move was told.
	if now, _ := b.author.state(); now == begun && begun%2 == 0 {
		b.meets("sync in silence")
		for id, seq := range before {
			if got := b.upTo(id); got < seq {
				return fmt.Errorf("%w: after a sync it holds %s to %d; %d was acknowledged before", errMissed, id, got, seq)
			}
		}
	}
	if b.rng.IntN(3) == 0 {
		return io.EOF // the cut that is the hardest to time: the cursor is new, and what was pushed meanwhile is lost
	}
	for {
		n, err := c.NextIn(testkit.Any, patience)
		if err == nil {
			err = b.take(c, n)
		}
		if err != nil {
			return err
		}
	}
}

func (b *bare) take(c *testkit.Client, n testkit.Notice) error {
	var p struct {
		Conversation string
		Seq          int64
		ToSeq        int64 `json:"to_seq"`
		Cursor       string
	}
	if err := json.Unmarshal(n.Params, &p); err != nil {
		return err
	}
	switch n.Method {
	case "event":
		var e testkit.Event
		if err := json.Unmarshal(n.Params, &e); err != nil {
			return err
		}
		b.apply(e, "pushed")
		return b.list(c, p.Conversation, p.Seq) // if some were missing before it
	case "gap":
		return b.list(c, p.Conversation, p.ToSeq)
	case "checkpoint":
		b.cursor = p.Cursor // without another look: that is what it is for
		b.meets("checkpoint")
		return c.Call("session.ack", map[string]string{"cursor": p.Cursor}, nil)
	}
	return nil
}

// read comes back until stop is closed. Errors that the server answers are failures; lost
// connections are what the test is about.
func (b *bare) read(w *world, addr string, stop <-chan struct{}) error {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return nil
		default:
		}
		dial := testkit.DialLines
		if n%2 == 1 {
			dial = testkit.DialWebSocket
		}
		conn, err := dial(addr)
		if err != nil {
			time.Sleep(time.Millisecond) // the server is away
			continue
		}
		err = b.live(conn, w.token("ann"))
		if code := testkit.Code(err); code != "" && code != "busy" || errors.Is(err, errMissed) {
			return err
		}
	}
}
