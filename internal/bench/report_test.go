package bench

import (
	"bytes"
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	result := func(bare bool, rate, cpu, p99, server, self float64) Result {
		r := Result{
			Workload: Direct, Link: LinkTCP, Window: 1, Program: "linnet", Bare: bare, Unit: "sends",
			Figures: Figures{Rate: rate, ServerSM: cpu, P99: p99, ServerCPU: server, SelfCPU: self},
		}
		if bare {
			r.Program = "bare log"
		}
		return r
	}
	r := Report{
		Limits: Limits{CPUs: 2, GOMAXPROCS: 2, Links: []string{LinkTCP}},
		Results: []Result{
			result(false, 900, 60, 20, 1, 0.5), result(true, 2000, 30, 10, 0.8, 1.1),
			result(false, 1000, 50, 25, 1, 0.5), result(true, 2000, 25, 10, 0.8, 1.1),
			result(false, 5000, 55, 15, 1, 0.5), result(true, 9000, 20, 10, 0.8, 1.1),
		},
	}
	r.Rows = summarize(r.Results)
	if len(r.Rows) != 1 {
		t.Fatalf("%d rows, want 1", len(r.Rows))
	}
	row := r.Rows[0]
	if row.Linnet.Rate != 1000 || row.Linnet.ServerSM != 55 || row.Bare.ServerSM != 25 {
		t.Errorf("not the medians: %+v", row)
	}
	if row.RateShare != 0.5 || row.CPURatio != 2.2 || row.P99Ratio != 2 {
		t.Errorf("share %g, CPU %g, p99 %g; want 0.5, 2.2, 2", row.RateShare, row.CPURatio, row.P99Ratio)
	}
	r.Notes = r.notes()
	var out bytes.Buffer
	if err := r.WriteTable(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1000 sends", "55.00 s/M", "50 %", "2.20 ×", "2.00 ×", "direct by tcp, window 1, bare log: the machine was full"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}

func TestReportWithoutCPU(t *testing.T) {
	r := Report{Results: []Result{newResult(Fanout, 1, &target{name: "linnet"}, "deliveries", 10, usage{elapsed: 1e9})}}
	r.Rows = summarize(r.Results)
	var out bytes.Buffer
	if err := r.WriteTable(&out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "n/a") || r.notes() != nil {
		t.Errorf("unknown CPU is not told as such: %v\n%s", r.notes(), &out)
	}
}
