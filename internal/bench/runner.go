package bench

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// runner runs workloads and collects what they find.
type runner struct {
	o        *Options
	dir      string
	progress io.Writer
	report   *Report
}

// starter starts a program to measure; stop ends it.
type starter func(ctx context.Context) (t *target, stop func() error, err error)

// on starts what a workload is run on, one after the other, so that each has the machine
// for itself: Linnet, and the bare program that it is compared with, if there is one.
func (r *runner) on(w Workload, link string) []starter {
	starters := []starter{func(ctx context.Context) (*target, func() error, error) { return r.server(ctx, link) }}
	bare := map[Workload]string{
		Direct: bareLog, Fanout: bareWriter, HistoryOne: barePages, HistoryMany: barePages,
		Idle: bareAccept, SignIn: bareAccept,
	}[w]
	if bare != "" {
		starters = append(starters, func(ctx context.Context) (*target, func() error, error) { return r.bare(ctx, bare) })
	}
	return starters
}

// run runs one workload on one link, once.
func (r *runner) run(ctx context.Context, link string, w Workload, repeat int) error {
	windows := []int{1}
	if w == Direct || w == Fanout {
		windows = r.o.Windows
	}
	for _, window := range windows {
		for _, start := range r.on(w, link) {
			t, stop, err := start(ctx)
			if err != nil {
				return err
			}
			results, measures, err := r.one(ctx, t, w, window)
			if err := errors.Join(err, stop()); err != nil {
				return fmt.Errorf("%s, window %d, %s by %s: %w", w, window, t.name, link, err)
			}
			r.add(w, link, t, repeat, results, measures)
		}
	}
	return nil
}

// add takes what one run has found into the report.
func (r *runner) add(w Workload, link string, t *target, repeat int, results []Result, found measures) {
	for _, result := range results {
		result.Link, result.Repeat = link, repeat
		r.report.Results = append(r.report.Results, result)
		fmt.Fprintf(r.progress, "%s, window %d, %s by %s: %.0f %s a second\n", w, result.Window, t.name, link, result.Rate, result.Unit)
	}
	for _, m := range found {
		m.Workload, m.Link, m.Repeat = w, link, repeat
		if m.Program == "" {
			m.Program, m.Beside = t.name, t.bare
		}
		r.report.Measures = append(r.report.Measures, m)
		fmt.Fprintf(r.progress, "%s, %s by %s: %s: %s %s\n", w, m.Program, link, m.Name, digits(m.Value), m.Unit)
	}
}

func (r *runner) one(ctx context.Context, t *target, w Workload, window int) (results []Result, found measures, err error) {
	var tag [4]byte
	rand.Read(tag[:]) // does not fail
	run := "bench-" + hex.EncodeToString(tag[:])
	var result Result
	switch w {
	case Direct:
		result, err = runDirect(ctx, t, run, r.o, window)
	case Fanout:
		result, err = runFanout(ctx, t, run, r.o, window)
	case HistoryOne, HistoryMany:
		result, err = runHistory(ctx, t, run, r.o, w)
	case Idle:
		found, err = runIdle(ctx, t, run, r.o)
	case SignIn:
		found, err = runSignIn(ctx, t, run, r.o)
	case Storm:
		found, err = runStorm(ctx, t, run, r.o)
	case Churn:
		found, err = runChurn(ctx, t, run, r.o)
	case Stalled:
		found, err = runStalled(ctx, t, run, r.o)
	case Large:
		found, err = runLarge(ctx, t, run, r.o)
	case Room:
		found, err = runRoom(ctx, t, run, r.o)
	case List:
		found, err = runList(ctx, t, run, r.o)
	case Search:
		found, err = runSearch(ctx, t, run, r.o)
	default:
		err = fmt.Errorf("no such workload: %q", w)
	}
	if found != nil || err != nil {
		return nil, found, err
	}
	return []Result{result}, nil, nil
}

func (r *runner) bare(ctx context.Context, kind string) (*target, func() error, error) {
	c, err := startChild(ctx, r.o.Program, "bench-peer", kind, r.dir)
	if err != nil {
		return nil, nil, err
	}
	return &target{name: "bare " + kind, addr: c.addr, pid: c.cmd.Process.Pid, open: openBare, bare: true, grace: grace}, c.stop, nil
}
