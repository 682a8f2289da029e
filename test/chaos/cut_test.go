package chaos

import (
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/internal/testkit"
)

const (
	killEvery = 10 // in so many rounds the server is killed instead
	lastCuts  = 20
)

// A reader is cut off at a random moment a hundred times, by its network and by kill -9
// of the server, while it reads on a second device that fares no better and the writers
// are cut off too. In the end it holds what the server has, on both, was given each event
// once, and what the writers were told of their messages is so.
//
// Mutants that were tried, in the client: the cursor stored before what it vouches for; a
// live event applied although some are missing before it, or although it is held.
func TestReaderCutOff(t *testing.T) {
	w := newWorld(t)
	group := w.newGroup("ann", "ben", "cho")
	phone := w.newDevice("ann", "phone", "tcp", filepath.Join(t.TempDir(), "phone"))
	tablet := w.newDevice("ann", "tablet", "ws", "")
	writers := []*writer{
		newWriter(w.newDevice("ben", "ben's", "ws", ""), client.ToConversation(group), client.ToUser("ann")),
		newWriter(w.newDevice("cho", "cho's", "tcp", ""), client.ToConversation(group), client.ToUser("ann")),
	}
	all := []*device{phone, tablet, writers[0].device, writers[1].device}
	for _, d := range all {
		w.until(d.name+" is connected", d.settled)
	}
	stop := make(chan struct{})
	var writing sync.WaitGroup
	for _, x := range writers {
		writing.Go(func() {
			if err := x.write(stop); err != nil {
				t.Error(err)
			}
		})
	}
	met := make(map[client.Phase]int)
	for round := range number(t, "LINNET_CHAOS_CUTS", 100) {
		if w.rng.IntN(2) == 0 { // else it is met while it comes back
			w.until("the phone is connected", phone.connected)
		}
		met[phone.State().Phase]++
		if round%killEvery == killEvery-1 {
			w.server.Kill()
			w.server.Restart()
		} else {
			w.troubles(round, phone, all[1+w.rng.IntN(len(all)-1)])
		}
		for _, d := range all {
			d.Wake()
		}
	}
	close(stop)
	writing.Wait()
	t.Logf("the phone was cut off while %v", met)
	if met[client.Connected] == 0 || len(met) == 1 {
		t.Error("it was never cut off both as it was connected and as it was not")
	}
	w.lastMile(phone, writers)
	for _, d := range all {
		d.settle()
	}
	for _, x := range writers {
		logs := x.check()
		x.agreesWith(logs)
		phone.agreesWith(logs)
		tablet.agreesWith(logs)
		if len(logs) != len(x.to) {
			t.Errorf("%d conversations", len(logs))
		}
	}
}

// lastMile lets the last be written while the phone is away, and brings it back over a
// slow network that is cut off again and again as it catches up: no later event shows it
// what it missed.
func (w *world) lastMile(phone *device, writers []*writer) {
	w.t.Helper()
	phone.away()
	for _, x := range writers {
		for range 20 {
			if err := x.say(); err != nil {
				w.t.Fatal(err)
			}
		}
		x.settle()
	}
	slow := testkit.Way{Delay: longest / 20}
	phone.proxy.Set(slow, slow)
	for range lastCuts {
		phone.Wake()
		time.Sleep(upTo(w.rng, longest)) // where it is cut is the input
		phone.proxy.Cut(true)
	}
	phone.back()
}

// troubles lets each of these devices have one trouble, at the same time.
func (w *world) troubles(round int, devices ...*device) {
	var both sync.WaitGroup
	for i, d := range devices {
		rng := rand.New(rand.NewPCG(w.seed, uint64(round*len(devices)+i+1)))
		both.Go(func() { trouble(rng, d.proxy) })
	}
	both.Wait()
}
