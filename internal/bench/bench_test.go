package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/testkit"
)

// TestMain makes the test binary the program that the benchmark starts: the fake server
// and the real bare programs run as processes of their own, as they do in use.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != "serve" && os.Args[1] != "bench-peer" {
		os.Exit(testkit.Main(m))
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	if os.Args[1] == "serve" {
		err = serveFake(ctx, os.Args[slices.Index(os.Args, "--data")+1])
	} else {
		err = Peer(ctx, os.Args[2], os.Args[3], os.Stdin, os.Stdout)
	}
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serveFake(ctx context.Context, dir string) error {
	f, err := newFake(dir, "")
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { l.Close() })()
	fmt.Println("listening on", l.Addr())
	f.serve(l)
	return nil
}

func small(t *testing.T) Options {
	t.Helper()
	t.Setenv("GORACE", "atexit_sleep_ms=0") // else each child takes a second to end
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Program: program, Workloads: []Workload{Direct, Fanout, HistoryOne, HistoryMany}, Windows: []int{1, 8},
		Pairs: 3, Members: 5, Clients: 4, Conversations: 6, Duration: 200 * time.Millisecond,
		Repeat: 1, Links: []string{LinkTCP}, Connections: 10, Churn: 50, Crowd: 4, Large: 5, Online: 3, Listeners: 4, Listed: 12, Messages: 200, Dir: t.TempDir(),
	}
}

func TestRun(t *testing.T) {
	o := small(t)
	report, err := Run(t.Context(), o, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Rows) != 6 || len(report.Results) != 12 {
		t.Fatalf("%d rows of %d results; want 6 of 12", len(report.Rows), len(report.Results))
	}
	for _, r := range report.Results {
		if r.Units == 0 || r.P50 <= 0 || r.P99 < r.P50 {
			t.Errorf("%s, window %d, %s: %+v", r.Workload, r.Window, r.Program, r)
		}
		if r.Workload == Direct && r.Delivered != r.Units {
			t.Errorf("%d sends, %d delivered", r.Units, r.Delivered)
		}
		if cpu := r.ServerSM >= 0; cpu != (runtime.GOOS == "linux") {
			t.Errorf("CPU known on %s: %t", runtime.GOOS, cpu)
		}
	}
	for _, row := range report.Rows {
		if row.RateShare <= 0 {
			t.Errorf("%s, window %d: no share", row.Workload, row.Window)
		}
	}
	if left, err := os.ReadDir(o.Dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestFaults has a server that breaks its promises: no figure may be given for it.
func TestFaults(t *testing.T) {
	for _, c := range []struct{ fault, direct, fanout string }{
		{"answer twice", "a second one", "a second one"},
		{"wrong seq", "was answered seq", "was answered seq"},
		{"event twice", "came again", "came again"},
		{"event lost", "are missing", "are missing"},
	} {
		for _, w := range []struct {
			workload Workload
			says     string
		}{{Direct, c.direct}, {Fanout, c.fanout}} {
			t.Run(fmt.Sprintf("%s/%s", w.workload, c.fault), func(t *testing.T) {
				dir := t.TempDir()
				f, err := newFake(dir, c.fault)
				if err != nil {
					t.Fatal(err)
				}
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				served := make(chan struct{})
				go func() { defer close(served); f.serve(l) }()
				defer func() { l.Close(); <-served }()
				o := small(t)
				// With one message in flight the next event shows what is missing only
				// where it is sent at once.
				o.Server, o.SecretFile, o.Windows = l.Addr().String(), filepath.Join(dir, "secret"), []int{8}
				o.Workloads = []Workload{w.workload}
				_, err = Run(t.Context(), o, io.Discard)
				if err == nil || !strings.Contains(err.Error(), w.says) {
					t.Fatalf("error %v; want one with %q", err, w.says)
				}
			})
		}
	}
}

func TestRunIsCancelled(t *testing.T) {
	o := small(t)
	o.Duration, o.Workloads = time.Hour, []Workload{Direct}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := Run(ctx, o, io.Discard); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v; want %v", err, context.DeadlineExceeded)
	}
	if left, err := os.ReadDir(o.Dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestOptions(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"window":      func(o *Options) { o.Windows = []int{65} },
		"members":     func(o *Options) { o.Members = 1002 },
		"link":        func(o *Options) { o.Links = []string{"pigeon"} },
		"duration":    func(o *Options) { o.Duration = 0 },
		"secret-file": func(o *Options) { o.Server = "127.0.0.1:7788" },
	} {
		o := small(t)
		change(&o)
		if _, err := Run(t.Context(), o, io.Discard); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: error %v does not name it", name, err)
		}
	}
}
