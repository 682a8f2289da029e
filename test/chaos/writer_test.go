package chaos

import (
	"fmt"
	"time"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/internal/testkit"
	"github.com/linnet-im/linnet/wire"
)

// pace is the time between two messages of a writer.
const pace = 5 * time.Millisecond

// writer writes to one place after the other, and remembers what its outbox took.
type writer struct {
	*device
	to   []wire.To
	sent map[wire.To][]client.Sending // in order
	n    int
}

func newWriter(d *device, to ...wire.To) *writer {
	return &writer{device: d, to: to, sent: make(map[wire.To][]client.Sending)}
}

// write writes until stop is closed.
func (x *writer) write(stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		case <-time.After(pace):
		}
		if err := x.say(); err != nil {
			return err
		}
	}
}

// say gives the next message to the outbox.
func (x *writer) say() error {
	to := x.to[x.n%len(x.to)]
	s, err := x.Send(x.w.t.Context(), to, client.Text(fmt.Sprintf("%s %d", x.user, x.n)))
	if err != nil {
		return fmt.Errorf("%s: %w", x.user, err)
	}
	x.n++
	x.sent[to] = append(x.sent[to], s)
	return nil
}

// check compares what the writer was told of its messages with the logs, as its user
// sees them, and answers those: each message is there once, in order, where it was told.
func (x *writer) check() (logs map[string][]testkit.Event) {
	t := x.w.t
	t.Helper()
	logs = make(map[string][]testkit.Event)
	for _, sent := range x.sent {
		var id string
		var last int64
		for _, s := range sent {
			place, err := s.Wait(within(t))
			if err != nil {
				t.Fatalf("%s: %v", x.user, err)
			}
			if id = place.Conversation; logs[id] == nil {
				logs[id] = x.w.history(x.user, id)
			}
			if e := logs[id][place.Seq-1]; e.ClientID != s.ClientID() || e.From != x.user {
				t.Fatalf("%s %d is %s by %s, not %s by %s", id, place.Seq, e.ClientID, e.From, s.ClientID(), x.user)
			}
			if place.Seq <= last {
				t.Fatalf("%s: %d was sent after %d", id, place.Seq, last)
			}
			last = place.Seq
		}
		own := 0
		for _, e := range logs[id] {
			if e.From == x.user && e.Kind == "message" {
				own++
			}
		}
		if own != len(sent) {
			t.Fatalf("%s sent %d messages to %s, there are %d", x.user, len(sent), id, own)
		}
	}
	return logs
}
