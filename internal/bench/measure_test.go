package bench

import (
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/testkit"
)

// onServer is a small run on the real server.
func onServer(t *testing.T, workloads ...Workload) Options {
	t.Helper()
	o := small(t)
	o.Program, o.Workloads = testkit.Command(t).Path, workloads
	o.Crowd, o.pace = 4, 2*time.Millisecond
	return o
}

// The workloads of connections on the real server, on each link. What they check themselves
// makes them fail: a connection that is lost, an event that is missing, a peer that was
// not told that it is slow.
func TestConnectionWorkloads(t *testing.T) {
	for _, link := range []string{LinkTCP, LinkWS, LinkTLS} {
		t.Run(link, func(t *testing.T) {
			o := onServer(t, Idle, SignIn, Storm, Churn)
			o.Links, o.Connections, o.Most = []string{link}, 10, 15
			report, err := Run(t.Context(), o, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			got := make(map[Workload][]string)
			for _, row := range report.MeasureRows {
				got[row.Workload] = append(got[row.Workload], row.Name)
				switch row.Unit {
				case "KB", "% of a core": // ten of them do not show beside what a start leaves behind
				case "µs": // nor does their CPU, in ticks of 10 ms
				default:
					if row.Linnet <= 0 {
						t.Errorf("%s: %s: %g", row.Workload, row.Name, row.Linnet)
					}
				}
				if bare := row.Workload == Idle || row.Workload == SignIn; bare != (row.BareName != "") && !strings.Contains(row.Name, "15 connections") {
					t.Errorf("%s: %s: beside %q", row.Workload, row.Name, row.BareName)
				}
			}
			want := map[Workload]int{Idle: 0, SignIn: 3, Storm: 3, Churn: 5}
			if runtime.GOOS == "linux" { // memory and CPU
				want = map[Workload]int{Idle: 3, SignIn: 4, Storm: 4, Churn: 5}
			}
			for w, n := range want {
				if len(got[w]) != n {
					t.Errorf("%s measured %q", w, got[w])
				}
			}
			var table strings.Builder
			if err := report.WriteTable(&table); err != nil || !strings.Contains(table.String(), "from the kill until all have caught up") {
				t.Errorf("the table, %v:\n%s", err, &table)
			}
			if left, err := os.ReadDir(o.Dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestStalled(t *testing.T) {
	o := onServer(t, Stalled)
	report, err := Run(t.Context(), o, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range report.MeasureRows {
		if row.Unit != "KB" && row.Linnet <= 0 {
			t.Errorf("%s: %g", row.Name, row.Linnet)
		}
	}
	if len(report.MeasureRows) < 5 {
		t.Errorf("only %v", report.MeasureRows)
	}
}

// Storms need a server that may be killed.
func TestStormOfAnothersServer(t *testing.T) {
	o := onServer(t, Storm)
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/secret", []byte("a secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Server, o.SecretFile = "127.0.0.1:1", dir+"/secret"
	if _, err := Run(t.Context(), o, io.Discard); err == nil || !strings.Contains(err.Error(), "storm kills the server") {
		t.Errorf("error %v", err)
	}
}

func TestMeasures(t *testing.T) {
	var m measures
	m.add("known", "KB", 1, true)
	m.add("not known here", "KB", 2, false)
	m.ms("nothing counted", new(Histogram))
	if len(m) != 1 || m[0].Name != "known" {
		t.Fatalf("%+v", m)
	}
	row := func(name string, bare bool, value float64) Measure {
		return Measure{Workload: Idle, Link: LinkTCP, Name: name, Unit: "KB", Program: "p", Bare: bare, Value: value}
	}
	rows := summarizeMeasures([]Measure{row("a", false, 9), row("a", true, 3), row("b", false, 1), row("a", false, 6), row("a", false, 100)})
	if len(rows) != 2 || rows[0].Linnet != 9 || rows[0].Bare != 3 || rows[0].Ratio != 3 || rows[1].Ratio != 0 {
		t.Errorf("%+v", rows)
	}
}

// A process knows of itself what it holds. Mutant: kB taken for bytes.
func TestMemory(t *testing.T) {
	if _, known := memory(0); known {
		t.Error("the memory of no process is known")
	}
	before, known := memory(os.Getpid())
	if known != (runtime.GOOS == "linux") {
		t.Fatalf("known on %s: %t", runtime.GOOS, known)
	}
	if !known {
		return
	}
	held := make([]byte, 64<<20)
	for i := range held {
		held[i] = 1
	}
	after, _ := memory(os.Getpid())
	if grown := after - before; grown < 60<<20 || grown > 200<<20 {
		t.Errorf("64 MB more are %d bytes more", grown)
	}
	runtime.KeepAlive(held)
}
