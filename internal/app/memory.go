package app

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// lookEvery is how often it is looked whether the server is quiet.
	lookEvery = time.Second
	// quietBytes is how little a quiet server allocates between two looks.
	quietBytes = 2 << 20
	// quietLooks is how long it is quiet before memory is given back.
	quietLooks = 2
	// worthBytes is how much less than that is not worth the work.
	worthBytes = 8 << 20
)

// giveBack returns memory to the system after a burst, until ctx ends. The collector alone
// runs when the heap has grown by its percentage: in a server that nobody talks to any more
// the garbage of ten thousand sign-ins would stay for minutes, and its pages for longer.
func giveBack(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var w waste
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if w.look(readHeap()) {
			debug.FreeOSMemory()
		}
	}
}

// heap is what the runtime knows of its heap, in bytes.
type heap struct {
	allocated uint64 // ever
	objects   uint64 // in use, and not collected yet
	live      uint64 // in use at the last collection
	free      uint64 // kept from the system
}

func readHeap() heap {
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	return heap{
		allocated: samples[0].Value.Uint64(), objects: samples[1].Value.Uint64(),
		live: samples[2].Value.Uint64(), free: samples[3].Value.Uint64(),
	}
}

// waste finds the moments at which giving memory back disturbs nobody.
type waste struct {
	allocated uint64
	quiet     int
}

// look says whether the server is quiet and holds much that it does not use: a fixed
// amount at least, and a quarter of what it does use.
func (w *waste) look(h heap) bool {
	if h.allocated-w.allocated > quietBytes {
		w.quiet = 0
	} else {
		w.quiet++
	}
	w.allocated = h.allocated
	unused := h.free
	if h.objects > h.live {
		unused += h.objects - h.live
	}
	return w.quiet >= quietLooks && unused > max(worthBytes, h.live/4)
}
