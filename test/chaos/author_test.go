package chaos

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/linnet-im/linnet/internal/testkit"
)

// author writes to one place after the other, over a connection that no trouble
// reaches but the server's own end, and remembers what was acknowledged.
type author struct {
	w    *world
	user string
	to   []map[string]string // as messages.send has it

	writing sync.Mutex // held while a message is on its way
	client  *testkit.Client
	written int

	mu    sync.Mutex
	steps int              // odd while a message is on its way
	acked map[string]int64 // by conversation, the highest seq that was answered
}

// write writes until stop is closed, through kills of the server.
func (a *author) write(stop <-chan struct{}) error {
	defer func() {
		if a.client != nil {
			a.client.Close()
		}
	}()
	for {
		select {
		case <-stop:
			return nil
		case <-time.After(pace):
		}
		a.writing.Lock()
		_, err := a.say()
		a.writing.Unlock()
		if err != nil {
			return err
		}
	}
}

// pause runs f while nothing is written but by f.
func (a *author) pause(f func()) {
	a.writing.Lock()
	defer a.writing.Unlock()
	f()
}

// say writes the next message, however often the connection is lost meanwhile.
func (a *author) say() (place testkit.Place, err error) {
	m := testkit.Message("", uuid.NewString(), fmt.Sprint(a.written))
	m["to"] = a.to[a.written%len(a.to)]
	a.written++
	a.mu.Lock()
	a.steps++
	a.mu.Unlock()
	for deadline := time.Now().Add(patience); ; {
		err := a.connect()
		if err == nil {
			err = a.client.Call("messages.send", m, &place)
		}
		switch code := testkit.Code(err); {
		case err == nil:
			a.mu.Lock()
			defer a.mu.Unlock()
			a.steps++
			a.acked[place.Conversation] = max(a.acked[place.Conversation], place.Seq)
			return place, nil
		case code != "" && code != "busy" || time.Now().After(deadline):
			return place, fmt.Errorf("%s: %w", a.user, err)
		}
		if a.client != nil {
			a.client.Close()
			a.client = nil
		}
		time.Sleep(pace) // the server is away
	}
}

// connect opens a session unless there is one.
func (a *author) connect() error {
	if a.client != nil {
		return nil
	}
	conn, err := testkit.DialLines(a.w.addr)
	if err != nil {
		return err
	}
	a.client = testkit.NewClient(conn)
	return a.client.Call("session.open", map[string]string{"token": a.w.token(a.user)}, nil)
}

// state answers a number that grows when a message is begun and when it is answered, odd
// while one is on its way, and the highest seq that was answered, by conversation.
func (a *author) state() (steps int, acked map[string]int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.steps, maps.Clone(a.acked)
}
