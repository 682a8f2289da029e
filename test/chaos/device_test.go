package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/client/disk"
	"github.com/linnet-im/linnet/internal/testkit"
	"github.com/linnet-im/linnet/wire"
)

// device is where a user is signed in, with a network of its own.
type device struct {
	*client.Client
	w            *world
	user, name   string
	scheme       string
	folder       string // of its store; "": in memory
	proxy        *testkit.Proxy
	heard        *hearing
	cancel       context.CancelFunc
	run, hearing sync.WaitGroup
	ended        error // why Run ended; to be read after run.Wait
}

// newDevice makes a device and runs its client until the test ends.
func (w *world) newDevice(user, name, scheme, folder string) *device {
	w.t.Helper()
	d := &device{w: w, user: user, name: name, scheme: scheme, folder: folder, proxy: testkit.NewProxy(w.t, w.server.Addr)}
	d.start()
	w.t.Cleanup(func() { d.stop() })
	return d
}

// start starts the program on the device: what its disk has, it knows.
func (d *device) start() {
	d.w.t.Helper()
	var store client.Store
	if d.folder != "" {
		var err error
		if store, err = disk.Open(d.w.t.Context(), d.folder); err != nil {
			d.w.t.Fatal(err)
		}
	}
	c, err := client.New(d.w.t.Context(), client.Config{
		URL: d.scheme + "://" + d.proxy.Addr, Store: store, Device: wire.Device{ID: d.name},
		Token: func(context.Context) (string, error) { return d.w.token(d.user), nil },
	})
	if err != nil {
		d.w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	d.Client, d.cancel, d.heard = c, cancel, &hearing{last: make(map[string]int64)}
	d.run.Go(func() { d.ended = c.Run(ctx) })
	d.hearing.Go(func() {
		for e, err := range c.Incoming(ctx) {
			if err != nil {
				return
			}
			if err := d.heard.hear(e); err != nil {
				d.w.t.Errorf("%s: %v", d.name, err)
			}
		}
	})
}

// stop ends the program and answers why it had ended before, if it had.
func (d *device) stop() error {
	d.cancel()
	d.hearing.Wait()
	d.run.Wait()
	if errors.Is(d.ended, context.Canceled) {
		return nil
	}
	return d.ended
}

func (d *device) connected() bool { return d.State().Phase == client.Connected }

func (d *device) settled() bool { return d.connected() && len(d.Outbox()) == 0 }

// away takes the device's network away; back brings it again.
func (d *device) away() {
	gone := testkit.Way{Freeze: true}
	d.proxy.Set(gone, gone)
	d.proxy.Cut(true)
}

func (d *device) back() { d.proxy.Set(testkit.Way{}, testkit.Way{}) }

// settle waits until the device is connected and has sent all that it had to send.
func (d *device) settle() {
	d.w.t.Helper()
	d.w.until(d.name+" is settled", func() bool {
		if d.State().Phase == client.Waiting {
			d.Wake()
		}
		return d.settled()
	})
}

// hearing is what the program on a device was given, event by event.
type hearing struct {
	mu   sync.Mutex
	last map[string]int64
	back string // the conversation that may go back
}

// hear checks that an event follows the one before it in its conversation.
func (h *hearing) hear(e wire.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	last, met := h.last[e.Conversation]
	if met && e.Seq != last+1 && !(h.back == e.Conversation && e.Seq <= last) {
		return fmt.Errorf("it is given %s %d after %d", e.Conversation, e.Seq, last)
	}
	h.last[e.Conversation] = e.Seq
	return nil
}

// mayGoBack says that a conversation goes back with the server's store: its seqs may
// begin again.
func (h *hearing) mayGoBack(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.back = id
}

// all says whether the events of a conversation were given to the end, if any were since
// the program was opened.
func (h *hearing) all(id string, end int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	last, met := h.last[id]
	return !met || last == end
}

// agrees waits until the device holds a conversation as the server lists it, and has
// given it to its program to the end.
func (d *device) agrees(id string, log []testkit.Event) {
	t := d.w.t
	t.Helper()
	var page client.Page
	d.w.until(d.name+" holds all of "+id, func() bool {
		conv, known := d.Conversation(id)
		if !known || conv.Held.To != int64(len(log)) || !d.heard.all(id, int64(len(log))) {
			return false
		}
		var err error
		page, err = d.Timeline(within(t), id, 0, len(log)) // what is older than the device may be asked for
		if err != nil && !errors.Is(err, client.ErrOffline) {
			t.Fatal(err)
		}
		return err == nil
	})
	if len(page.Events) != len(log) {
		t.Fatalf("%s holds %d events of %s, the server has %d", d.name, len(page.Events), id, len(log))
	}
	for i, e := range page.Events {
		if s := log[i]; e.Seq != s.Seq || e.ClientID != s.ClientID || e.From != s.From || string(e.Content) != string(s.Content) {
			t.Fatalf("%s holds %+v, the server has %+v", d.name, e, s)
		}
	}
}

// agreesWith is agrees for several conversations.
func (d *device) agreesWith(logs map[string][]testkit.Event) {
	d.w.t.Helper()
	for id, log := range logs {
		d.agrees(id, log)
	}
}
