// Package bench measures a Linnet server: acknowledged sends between pairs, fan-out in
// a group, and the reading of history. It checks everything it receives, so a figure
// is only given when nothing was lost, doubled or out of order. Beside each figure it
// measures, in the same run and with the same generator, a bare program that does the
// unavoidable part of the same work: what is reported is Linnet's share of what the
// machine can do.
//
// The server and the bare programs are processes of their own, so that their CPU is
// counted apart from the generator's.
package bench

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// Workload names something that is measured.
type Workload string

// The workloads.
const (
	Direct      Workload = "direct"       // sends between pairs, until the acknowledgement
	Fanout      Workload = "fanout"       // one group, until the last member has the message
	HistoryOne  Workload = "history-one"  // the last page of one conversation that all clients read
	HistoryMany Workload = "history-many" // the last pages of many conversations, in turn
)

// The links a run can use.
const (
	LinkTCP = "tcp"
	LinkWS  = "ws"
)

// maxWindow is how many calls a server takes from a connection before it stops reading.
const maxWindow = 64

// Options say what to measure, and on what.
type Options struct {
	Program       string // the linnet binary: started as server and as the bare programs
	Workloads     []Workload
	Windows       []int // of Direct and Fanout: messages under way at a time
	Pairs         int   // of Direct
	Members       int   // of Fanout, with the sender
	Clients       int   // of the history workloads
	Conversations int   // of HistoryMany, at least
	Duration      time.Duration
	Repeat        int
	Link          string // LinkTCP or LinkWS
	Dir           string // where temporary folders are made; "" means the system's place

	// Server is the address of a server that runs already; then SecretFile is needed.
	// PID is its process, for the CPU figures; 0 if it cannot be known.
	Server     string
	SecretFile string
	PID        int
}

// warmup is how long a workload runs before it is measured.
func (o *Options) warmup() time.Duration { return min(o.Duration/5, 2*time.Second) }

func (o *Options) check() error {
	for _, n := range []struct {
		name  string
		value int
		from  int
		to    int
	}{
		{"pairs", o.Pairs, 1, 1 << 20},
		{"members", o.Members, 2, 1001},
		{"clients", o.Clients, 2, 1001},
		{"conversations", o.Conversations, 1, 1 << 20},
		{"repeat", o.Repeat, 1, 1000},
	} {
		if n.value < n.from || n.value > n.to {
			return fmt.Errorf("%s: %d; it must be %d to %d", n.name, n.value, n.from, n.to)
		}
	}
	for _, w := range o.Windows {
		if w < 1 || w > maxWindow {
			return fmt.Errorf("window: %d; it must be 1 to %d", w, maxWindow)
		}
	}
	switch {
	case len(o.Windows) == 0:
		return errors.New("window: none given")
	case len(o.Workloads) == 0:
		return errors.New("no workload given")
	case o.Duration <= 0:
		return fmt.Errorf("duration: %s; it must be more than zero", o.Duration)
	case o.Link != LinkTCP && o.Link != LinkWS:
		return fmt.Errorf("link: %q; it must be tcp or ws", o.Link)
	case o.Server != "" && o.SecretFile == "":
		return errors.New("secret-file: needed with server")
	}
	return nil
}

// Run measures. It says on progress what it does. It returns an error, and no report,
// as soon as the server breaks a promise: something missing, doubled or out of order.
func Run(ctx context.Context, o Options, progress io.Writer) (report *Report, err error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(o.Dir, "linnet-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r := runner{o: &o, dir: dir, progress: progress, report: &Report{Time: time.Now().UTC(), Limits: o.limits(dir)}}
	for repeat := range o.Repeat {
		for _, w := range o.Workloads {
			windows := o.Windows
			if w == HistoryOne || w == HistoryMany {
				windows = []int{1}
			}
			for _, window := range windows {
				if err := r.both(ctx, w, window, repeat+1); err != nil {
					return nil, errors.Join(ctx.Err(), err)
				}
			}
		}
	}
	r.report.Rows = summarize(r.report.Results)
	r.report.Notes = r.report.notes()
	return r.report, nil
}

func (o *Options) limits(dir string) Limits {
	return Limits{
		OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version(),
		CPUs: runtime.NumCPU(), GOMAXPROCS: runtime.GOMAXPROCS(0),
		OpenFiles: openFiles(), FileSystem: fileSystem(dir),
		Link: o.Link, PayloadBytes: len(payloadText),
		Pairs: o.Pairs, Members: o.Members, Clients: o.Clients, Conversations: o.Conversations,
		Windows: o.Windows, Seconds: o.Duration.Seconds(), Repeat: o.Repeat,
	}
}

type runner struct {
	o        *Options
	dir      string
	progress io.Writer
	report   *Report
}

// both runs one workload on Linnet and on the bare program that it is compared with,
// one after the other: each has the machine for itself.
func (r *runner) both(ctx context.Context, w Workload, window, repeat int) error {
	bare := map[Workload]string{Direct: bareLog, Fanout: bareWriter, HistoryOne: barePages, HistoryMany: barePages}[w]
	for _, start := range []func(context.Context) (*target, func() error, error){
		r.server,
		func(ctx context.Context) (*target, func() error, error) { return r.bare(ctx, bare) },
	} {
		t, stop, err := start(ctx)
		if err != nil {
			return err
		}
		result, err := r.one(ctx, t, w, window)
		if err := errors.Join(err, stop()); err != nil {
			return fmt.Errorf("%s, window %d, %s: %w", w, window, t.name, err)
		}
		result.Repeat = repeat
		r.report.Results = append(r.report.Results, result)
		fmt.Fprintf(r.progress, "%s, window %d, %s: %.0f %s a second\n", w, window, t.name, result.Rate, result.Unit)
	}
	return nil
}

func (r *runner) one(ctx context.Context, t *target, w Workload, window int) (Result, error) {
	var tag [4]byte
	rand.Read(tag[:]) // does not fail
	run := "bench-" + hex.EncodeToString(tag[:])
	switch w {
	case Direct:
		return runDirect(ctx, t, run, r.o, window)
	case Fanout:
		return runFanout(ctx, t, run, r.o, window)
	case HistoryOne, HistoryMany:
		return runHistory(ctx, t, run, r.o, w)
	}
	return Result{}, fmt.Errorf("no such workload: %q", w)
}

// server gives the server to measure: the one that was named, or a new one on an empty folder.
func (r *runner) server(ctx context.Context) (*target, func() error, error) {
	t := &target{name: "linnet", addr: r.o.Server, pid: r.o.PID, ws: r.o.Link == LinkWS}
	secretFile, stop := r.o.SecretFile, func() error { return nil }
	if t.addr == "" {
		data, err := os.MkdirTemp(r.dir, "server-")
		if err != nil {
			return nil, nil, err
		}
		c, err := startChild(ctx, r.o.Program, "serve", "--listen", "127.0.0.1:0", "--data", data)
		if err != nil {
			return nil, nil, err
		}
		t.addr, t.pid = c.addr, c.cmd.Process.Pid
		secretFile, stop = filepath.Join(data, "secret"), func() error { return errors.Join(c.stop(), os.RemoveAll(data)) }
	}
	secret, err := readSecret(secretFile)
	if err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	t.open = openSession(secret)
	return t, stop, nil
}

func (r *runner) bare(ctx context.Context, kind string) (*target, func() error, error) {
	c, err := startChild(ctx, r.o.Program, "bench-peer", kind, r.dir)
	if err != nil {
		return nil, nil, err
	}
	return &target{name: "bare " + kind, addr: c.addr, pid: c.cmd.Process.Pid, open: openBare, bare: true}, c.stop, nil
}
