// Package bench measures a Linnet server: acknowledged sends between pairs, fan-out in
// a group, the reading of history, and what connections cost that are idle, come back all
// at once, come and go, or stop reading, and what large groups, rooms, lists and searches cost beside
// small ones. It checks everything it receives, so a figure
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
	"errors"
	"fmt"
	"io"
	"os"
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

	Idle    Workload = "idle"    // connections that say nothing: memory and CPU
	SignIn  Workload = "sign-in" // connect, sign in, leave
	Storm   Workload = "storm"   // all clients come back after a crash, each of them behind
	Churn   Workload = "churn"   // sends beside users who come and go
	Stalled Workload = "stalled" // a room where some stop reading

	Large Workload = "large" // sends into a group of very many, beside a group of two
	Room  Workload = "room"  // a room of very many, beside one of a few
	List  Workload = "list"  // the list of a user with many conversations, beside one with a few

	Search Workload = "search" // searches among very many messages, beside a few
)

// All gives every workload.
func All() []Workload {
	return []Workload{Direct, Fanout, HistoryOne, HistoryMany, Idle, SignIn, Storm, Churn, Stalled, Large, Room, List, Search}
}

// The links a run can use.
const (
	LinkTCP = "tcp"
	LinkWS  = "ws"
	LinkTLS = "tls" // lines in TLS
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
	Connections   int   // of Idle, SignIn and Storm
	Most          int   // of Idle: its CPU is measured with so many too, if so many files may be open
	Churn         int   // sign-ins a second beside the sends
	Crowd         int   // of Stalled: members of the room
	Large         int   // of Large: members of the group
	Online        int   // of Large: how many of them are online
	Listeners     int   // of Room
	Listed        int   // of List: conversations of each user
	Messages      int   // of Search
	Duration      time.Duration
	Repeat        int
	Links         []string
	Dir           string // where temporary folders are made; "" means the system's place

	// Server is the address of a server that runs already; then SecretFile is needed.
	// PID is its process, for the CPU figures; 0 if it cannot be known.
	Server     string
	SecretFile string
	PID        int

	pace time.Duration // of Stalled and Room: how often a message is sent, if not as usual; tests have less time
}

// every is how often a message is sent where usually it is so often.
func (o *Options) every(usual time.Duration) time.Duration {
	if o.pace > 0 {
		return o.pace
	}
	return usual
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
		{"connections", o.Connections, 5, maxConnections},
		{"most", o.Most, 0, maxConnections},
		{"churn", o.Churn, 1, 1000},
		{"crowd", o.Crowd, 2, 5000},
		{"large", o.Large, 3, 100_000},
		{"online", o.Online, 2, min(o.Large, 1000)},
		{"listeners", o.Listeners, 2, maxConnections},
		{"listed", o.Listed, 2, 10_000},
		{"messages", o.Messages, 20, 100_000_000},
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
	for _, link := range o.Links {
		if link != LinkTCP && link != LinkWS && link != LinkTLS {
			return fmt.Errorf("link: %q; it must be tcp, ws or tls", link)
		}
	}
	if files := openFiles(); files > 0 && files < uint64(o.open()+spareFiles) {
		return fmt.Errorf("connections: %d need an open-file limit of %d, and it is %d", o.open(), o.open()+spareFiles, files)
	}
	switch {
	case len(o.Windows) == 0:
		return errors.New("window: none given")
	case len(o.Workloads) == 0:
		return errors.New("no workload given")
	case o.Duration <= 0:
		return fmt.Errorf("duration: %s; it must be more than zero", o.Duration)
	case len(o.Links) == 0:
		return errors.New("link: none given")
	case o.Server != "" && o.SecretFile == "":
		return errors.New("secret-file: needed with server")
	}
	return nil
}

// open is how many connections are open at a time, at most.
func (o *Options) open() int { return max(o.Connections, o.Crowd, o.Listeners, o.searched()) }

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
		for _, link := range o.Links {
			for _, w := range o.Workloads {
				if err := r.run(ctx, link, w, repeat+1); err != nil {
					return nil, errors.Join(ctx.Err(), err)
				}
			}
		}
	}
	r.report.Rows = summarize(r.report.Results)
	r.report.MeasureRows = summarizeMeasures(r.report.Measures)
	r.report.Notes = r.report.notes()
	return r.report, nil
}

func (o *Options) limits(dir string) Limits {
	return Limits{
		OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version(),
		CPUs: runtime.NumCPU(), GOMAXPROCS: runtime.GOMAXPROCS(0),
		OpenFiles: openFiles(), FileSystem: fileSystem(dir),
		Links: o.Links, PayloadBytes: len(payloadText),
		Pairs: o.Pairs, Members: o.Members, Clients: o.Clients, Conversations: o.Conversations,
		Connections: o.Connections, Most: o.most(), Churn: o.Churn, Crowd: o.Crowd,
		Large: o.Large, Online: o.Online, Listeners: o.Listeners, Listed: o.Listed, Messages: o.Messages,
		Windows: o.Windows, Seconds: o.Duration.Seconds(), Repeat: o.Repeat,
	}
}
