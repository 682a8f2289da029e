package bench

import (
	"context"
	"fmt"
	"time"
)

// maxConnections bounds the connections of a run: what one process may open on most
// machines, and what one loopback address has ports for.
const maxConnections = 19_000

// spareFiles are the files a process has open besides its connections.
const spareFiles = 500

// idleBusy is how many times Options.Duration idle CPU is measured for: with 10 s it sees
// a whole heartbeat.
const idleBusy = 3

// runIdle measures what connections cost that are signed in and say nothing: memory over
// that of the fresh process, Duration after the last of them has signed in and with
// nothing forced, then CPU.
func runIdle(ctx context.Context, t *target, run string, o *Options) (m measures, err error) {
	if err := pause(ctx, time.Second); err != nil { // what a start leaves behind
		return nil, err
	}
	base, _ := memory(t.pid)
	first := o.Connections
	f, err := t.dialAll(ctx, names(run+"-c", first))
	if err != nil {
		return nil, err
	}
	defer f.close()
	idle := f.listen()
	if err := pause(ctx, o.Duration); err != nil {
		return nil, err
	}
	used, known := memory(t.pid)
	m.add("memory a connection", "KB", float64(used-base)/1000/float64(first), known)
	if err := idleCPU(ctx, &m, t, o, first); err != nil {
		return nil, err
	}
	if more := o.most() - first; more > 0 && !t.bare {
		f, err := t.dialAll(ctx, names(run+"-d", more))
		if err != nil {
			return nil, err
		}
		defer f.close()
		others := f.listen()
		if err := pause(ctx, o.Duration); err != nil {
			return nil, err
		}
		if err := idleCPU(ctx, &m, t, o, first+more); err != nil {
			return nil, err
		}
		if err := others.end(); err != nil {
			return nil, err
		}
	}
	return m, idle.end()
}

// most is how many connections idle CPU is measured with at the end.
func (o *Options) most() int {
	files := openFiles()
	if files == 0 {
		return o.Connections
	}
	return max(o.Connections, min(o.Most, int(files)-spareFiles))
}

func idleCPU(ctx context.Context, m *measures, t *target, o *Options, connections int) error {
	meter := startMeter(t.pid)
	if err := pause(ctx, idleBusy*o.Duration); err != nil {
		return err
	}
	used := meter.stop()
	m.add(fmt.Sprintf("CPU with %d connections", connections), "% of a core",
		100*used.server.Seconds()/used.elapsed.Seconds(), used.known)
	return nil
}

// pause waits for d.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// listeners are connections that only answer pings.
type listeners struct {
	fleet *fleet
	group *group
	ended chan struct{} // closed before they are hung up
}

// listen reads from all connections, until end. A connection that ends before that is an error.
func (f *fleet) listen() *listeners {
	l := &listeners{fleet: f, ended: make(chan struct{})}
	l.group = &group{abort: f.hangUp}
	for _, c := range f.conns {
		l.group.run(func() error {
			for {
				if _, err := c.next(); err != nil {
					select {
					case <-l.ended:
						return nil
					default:
						return fmt.Errorf("an idle connection: %w", err)
					}
				}
			}
		})
	}
	return l
}

// end hangs up and answers whether all connections were there until now.
func (l *listeners) end() error {
	close(l.ended)
	l.fleet.close()
	return l.group.wait()
}
