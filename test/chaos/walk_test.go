package chaos

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/internal/testkit"
)

const (
	quietEvery  = 30 // steps
	mostDevices = 3  // of a user
)

// walk is people who do what people do, in random order, on a bad day.
type walk struct {
	*world
	group   string
	users   []string
	devices []*device
	sent    []string       // the client ids of what the outboxes took
	did     map[string]int // how often each step was done
}

// TestWalk takes random steps: send, read, be cut off, be away and come back, close the
// program and open it, sign in on a second device, sign out elsewhere, restart and kill
// the server. Whenever it is quiet, each device holds what the server lists for its user,
// without a gap, with the same read position and unread; and everything that an outbox
// took is there once.
//
// Mutants that were tried, in the client: messages that are not written to the disk's
// outbox; read positions of other devices not listened to; a read that takes over the
// server's count while an event is on its way.
func TestWalk(t *testing.T) {
	k := &walk{world: newWorld(t), users: []string{"ann", "ben", "cho"}, did: make(map[string]int)}
	k.group = k.newGroup(k.users...)
	for _, user := range k.users {
		k.signIn(user)
	}
	steps := []struct {
		name   string
		weight int
		take   func()
	}{
		{"send", 40, k.send},
		{"read", 10, k.read},
		{"cut off", 15, func() { trouble(k.rng, k.some().proxy) }},
		{"away", 5, func() { k.some().away() }},
		{"back", 5, func() { k.some().back() }},
		{"reopen", 6, k.reopen},
		{"second device", 2, func() { k.signIn(k.users[k.rng.IntN(len(k.users))]) }},
		{"sign out elsewhere", 1, k.signOutElsewhere},
		{"restart", 1, func() { k.server.Stop(); k.server.Restart() }},
		{"kill", 2, func() { k.server.Kill(); k.server.Restart() }},
	}
	var bag []int
	for i, s := range steps {
		bag = append(bag, slices.Repeat([]int{i}, s.weight)...)
	}
	for n := range number(t, "LINNET_CHAOS_STEPS", 300) {
		s := steps[bag[k.rng.IntN(len(bag))]]
		s.take()
		k.did[s.name]++
		if n%quietEvery == quietEvery-1 {
			k.quiet()
		}
	}
	k.quiet()
	t.Logf("%d devices, %d messages, steps %v", len(k.devices), len(k.sent), k.did)
}

func (k *walk) some() *device { return k.devices[k.rng.IntN(len(k.devices))] }

func (k *walk) of(user string) (list []*device) {
	for _, d := range k.devices {
		if d.user == user {
			list = append(list, d)
		}
	}
	return list
}

func (k *walk) signIn(user string) {
	n := len(k.of(user))
	if n == mostDevices {
		return
	}
	name := fmt.Sprintf("%s's %d", user, n)
	scheme := []string{"tcp", "ws"}[k.rng.IntN(2)]
	k.devices = append(k.devices, k.newDevice(user, name, scheme, filepath.Join(k.t.TempDir(), "store")))
}

// send gives an outbox a message, whether its device is connected or not.
func (k *walk) send() {
	d := k.some()
	to := client.ToConversation(k.group)
	if other := k.users[k.rng.IntN(len(k.users))]; other != d.user && k.rng.IntN(2) == 0 {
		to = client.ToUser(other)
	}
	s, err := d.Send(within(k.t), to, client.Text(fmt.Sprint(d.name, " ", len(k.sent))))
	if err != nil {
		k.t.Fatalf("%s: %v", d.name, err)
	}
	k.sent = append(k.sent, s.ClientID())
}

func (k *walk) read() { k.readOn(k.some()) }

// readOn reads back in a conversation on a device, and moves the read position there.
func (k *walk) readOn(d *device) {
	convs := d.Conversations()
	if len(convs) == 0 {
		return
	}
	conv := convs[k.rng.IntN(len(convs))]
	page, err := d.Timeline(within(k.t), conv.ID, 0, 1+k.rng.IntN(20))
	if err == nil && len(page.Events) > 0 {
		err = d.Read(within(k.t), conv.ID, page.Events[k.rng.IntN(len(page.Events))].Seq)
	}
	var answered *client.Error
	if errors.As(err, &answered) {
		k.t.Fatalf("%s reads %s: %v", d.name, conv.ID, err)
	} // without a connection it may be refused
}

func (k *walk) reopen() {
	d := k.some()
	if err := d.stop(); err != nil {
		k.t.Fatalf("%s had ended: %v", d.name, err)
	}
	d.start()
}

// signOutElsewhere signs a user's other devices out, which then are given new tokens.
func (k *walk) signOutElsewhere() {
	d := k.some()
	d.back()
	err := client.ErrOffline
	for err != nil {
		d.settle()
		err = d.Call(within(k.t), "sessions.revoke_others", struct{}{}, nil)
		if answered := new(client.Error); errors.As(err, &answered) {
			k.t.Fatalf("%s: %v", d.name, err)
		} // else its connection was lost, and it had not noticed
	}
	for _, other := range k.of(d.user) {
		if other != d {
			_ = other.stop() // it may have ended with "revoked", or not have heard of it yet
		}
	}
	time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) // tokens' times are in seconds
	for _, other := range k.of(d.user) {
		if other != d {
			other.start()
		}
	}
}

// quiet waits until nothing is under way and compares.
func (k *walk) quiet() {
	k.t.Helper()
	for _, d := range k.devices {
		d.back()
	}
	for _, d := range k.devices {
		d.settle()
	}
	times := make(map[string]int)
	for _, user := range k.users {
		logs := make(map[string][]testkit.Event)
		for _, id := range k.conversations(user) {
			logs[id] = k.history(user, id)
			for _, e := range logs[id] {
				if e.From == user && e.Kind == "message" {
					times[e.ClientID]++
				}
			}
		}
		own := k.of(user)
		for _, d := range own {
			d.agreesWith(logs)
		}
		k.readOn(own[0]) // the others hear of it
		for _, d := range own {
			k.sameUnread(d)
		}
	}
	for _, id := range k.sent {
		if times[id] != 1 {
			k.t.Fatalf("message %s is there %d times", id, times[id])
		}
	}
	if len(times) != len(k.sent) {
		k.t.Fatalf("%d messages were sent, %d are there", len(k.sent), len(times))
	}
}

// sameUnread waits until a device has the read positions and unread counts of the server.
func (k *walk) sameUnread(d *device) {
	k.t.Helper()
	c := k.direct(d.user)
	defer c.Close()
	for _, own := range d.Conversations() {
		var theirs struct {
			ReadSeq int64 `json:"read_seq"`
			Unread  int64
		}
		if err := c.Call("conversations.get", map[string]string{"conversation": own.ID}, &theirs); err != nil {
			k.t.Fatal(err)
		}
		deadline := time.Now().Add(patience)
		for own.ReadSeq != theirs.ReadSeq || own.Unread != theirs.Unread {
			if time.Now().After(deadline) {
				k.t.Fatalf("%s has read %s to %d, %d unread; the server says %d, %d", d.name, own.ID, own.ReadSeq, own.Unread, theirs.ReadSeq, theirs.Unread)
			}
			time.Sleep(5 * time.Millisecond)
			own, _ = d.Conversation(own.ID)
		}
	}
}
