package bench

import (
	"context"
	"fmt"
	"time"
)

const (
	// roomPace is how often something is said in a room.
	roomPace = 50 * time.Millisecond
	// fewListeners are in the room that a large one is compared with.
	fewListeners = 100
)

// runRoom measures what it takes to tell all who are in a room what is said there, in a
// room of very many and in one of a few.
func runRoom(ctx context.Context, t *target, run string, o *Options) (m measures, err error) {
	few := min(fewListeners, o.Listeners)
	small, err := inRoom(ctx, t, run+"-few", o, few)
	if err != nil {
		return nil, fmt.Errorf("%d listeners: %w", few, err)
	}
	large, err := inRoom(ctx, t, run+"-many", o, o.Listeners)
	if err != nil {
		return nil, fmt.Errorf("%d listeners: %w", o.Listeners, err)
	}
	with := fmt.Sprintf("%d listeners", few)
	m.add("deliveries", "a second", large.rate, true)
	m.beside(with, "deliveries", "a second", small.rate, true)
	m.add("server CPU for a million deliveries", "s", large.cpu, large.known)
	m.beside(with, "server CPU for a million deliveries", "s", small.cpu, small.known)
	m.ms("from the send to any listener", &large.any)
	m.msBeside(with, "from the send to any listener", &small.any)
	m.ms("from the send to the last listener", &large.last)
	m.msBeside(with, "from the send to the last listener", &small.last)
	m.add("told as gaps", "events", float64(large.missed), true)
	m.beside(with, "told as gaps", "events", float64(small.missed), true)
	return m, nil
}

// roomRun is what was found in one room.
type roomRun struct {
	heard
	rate, cpu float64 // deliveries a second; seconds for a million
	known     bool    // cpu is
}

// inRoom measures one room.
func inRoom(ctx context.Context, t *target, run string, o *Options, listeners int) (*roomRun, error) {
	c, err := openRoom(ctx, t, run, listeners)
	if err != nil {
		return nil, err
	}
	defer c.fleet.close()
	c.every = o.every(roomPace)
	during := func(d time.Duration) func() bool { return func() bool { return c.clock.now() >= d } }
	if _, err := c.speak(ctx, c.members, during(o.warmup())); err != nil {
		return nil, err
	}
	before := c.acks.seq
	meter := startMeter(t.pid)
	h, err := c.speak(ctx, c.members, during(o.Duration))
	if err != nil {
		return nil, err
	}
	used := meter.stop()
	n := int64(h.any.Count())
	if want := (c.acks.seq - before) * int64(listeners); n+h.missed != want {
		return nil, fmt.Errorf("%d deliveries and %d told as gaps; there must be %d", n, h.missed, want)
	}
	if err := c.speaker.checkHead(c.room, c.acks.seq); err != nil {
		return nil, err
	}
	return &roomRun{
		heard: h, rate: float64(n) / used.elapsed.Seconds(),
		cpu: used.server.Seconds() / float64(n) * 1e6, known: used.known,
	}, nil
}

// openRoom makes a room, has listeners join it, and one more, who is not in it, speak there.
func openRoom(ctx context.Context, t *target, run string, listeners int) (*crowd, error) {
	f, err := t.dialAll(ctx, names(run+"-l", listeners+1))
	if err != nil {
		return nil, err
	}
	speaker := f.conns[listeners]
	var room struct{ Room string }
	err = speaker.call("rooms.create", map[string]any{"client_id": string(speaker.ids.append(nil, speaker.id+1)), "name": "bench"}, &room, nil)
	if err == nil {
		err = forEach(listeners, func(i int) error {
			return f.conns[i].call("rooms.join", map[string]any{"room": room.Room}, nil, nil)
		})
	}
	if err != nil {
		f.close()
		return nil, err
	}
	return newCrowd(t, f, room.Room)
}
