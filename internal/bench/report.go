package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what a run has measured, and under which limits. It is written as JSON and
// as a table.
type Report struct {
	Time    time.Time `json:"time"`
	Limits  Limits    `json:"limits"`
	Results []Result  `json:"results"` // every repetition
	Rows    []Row     `json:"rows"`    // medians over the repetitions, beside the bare program's

	Measures    []Measure    `json:"measures"`     // figures that are no rates, every repetition
	MeasureRows []MeasureRow `json:"measure_rows"` // their medians

	Notes []string `json:"notes"` // what a reader must know to judge the figures
}

// Limits are the conditions of a run.
type Limits struct {
	OS            string   `json:"os"`
	Arch          string   `json:"arch"`
	Go            string   `json:"go"`
	CPUs          int      `json:"cpus"`
	GOMAXPROCS    int      `json:"gomaxprocs"`
	OpenFiles     uint64   `json:"open_files,omitempty"`
	FileSystem    string   `json:"file_system,omitempty"`
	Links         []string `json:"links"`
	PayloadBytes  int      `json:"payload_bytes"`
	Pairs         int      `json:"pairs"`
	Members       int      `json:"members"`
	Clients       int      `json:"clients"`
	Conversations int      `json:"conversations"`
	Connections   int      `json:"connections"`
	Most          int      `json:"most"`
	Churn         int      `json:"churn"`
	Crowd         int      `json:"crowd"`
	Large         int      `json:"large"`
	Online        int      `json:"online"`
	Listeners     int      `json:"listeners"`
	Listed        int      `json:"listed"`
	Messages      int      `json:"messages"`
	Windows       []int    `json:"windows"`
	Seconds       float64  `json:"seconds"`
	Repeat        int      `json:"repeat"`
}

// Result is one workload on one program, once.
type Result struct {
	Workload  Workload `json:"workload"`
	Link      string   `json:"link"`
	Window    int      `json:"window"`
	Program   string   `json:"program"` // linnet, or the bare program
	Bare      bool     `json:"bare"`
	Repeat    int      `json:"repeat"`
	Unit      string   `json:"unit"` // sends, deliveries or pages
	Units     int64    `json:"units"`
	Delivered int64    `json:"delivered"` // events the receivers got and checked
	Seconds   float64  `json:"seconds"`
	Figures
}

// Figures are what is compared. The CPU figures are negative where CPU cannot be read.
type Figures struct {
	Rate      float64 `json:"rate"`       // units a second
	ServerSM  float64 `json:"server_s_m"` // server CPU seconds per million units
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	P999      float64 `json:"p999_ms"`
	ServerCPU float64 `json:"server_cores"`    // cores in use on average
	SelfCPU   float64 `json:"generator_cores"` //
}

// Row is one workload: Linnet's medians, the bare program's, and the first in terms of
// the second.
type Row struct {
	Workload Workload `json:"workload"`
	Link     string   `json:"link"`
	Window   int      `json:"window"`
	Unit     string   `json:"unit"`
	Linnet   Figures  `json:"linnet"`
	BareName string   `json:"bare_name"`
	Bare     Figures  `json:"bare"`
	// RateShare is Linnet's rate as a share of the bare one; CPURatio and P99Ratio are
	// how many times the bare figure Linnet's is. Zero: not known.
	RateShare float64 `json:"rate_share"`
	CPURatio  float64 `json:"cpu_ratio"`
	P99Ratio  float64 `json:"p99_ratio"`
}

// newResult makes a result of n units.
func newResult(w Workload, window int, t *target, unit string, n int64, u usage) Result {
	seconds := u.elapsed.Seconds()
	r := Result{
		Workload: w, Window: window, Program: t.name, Bare: t.bare, Unit: unit, Units: n, Seconds: seconds,
		Figures: Figures{Rate: float64(n) / seconds, ServerSM: -1, ServerCPU: -1, SelfCPU: -1},
	}
	if u.known {
		r.ServerSM = u.server.Seconds() / float64(n) * 1e6
		r.ServerCPU, r.SelfCPU = u.server.Seconds()/seconds, u.self.Seconds()/seconds
	}
	return r
}

func (r *Result) setLatency(h *Histogram) {
	ms := func(q float64) float64 { return h.Quantile(q).Seconds() * 1e3 }
	r.P50, r.P99, r.P999 = ms(0.5), ms(0.99), ms(0.999)
}

// summarize makes the rows of all results, in the order in which they were first run.
func summarize(results []Result) []Row {
	type key struct {
		workload Workload
		link     string
		window   int
	}
	var order []key
	rows := make(map[key]*Row)
	runs := make(map[key]map[bool][]Figures)
	for _, r := range results {
		k := key{r.Workload, r.Link, r.Window}
		if rows[k] == nil {
			order = append(order, k)
			rows[k] = &Row{Workload: r.Workload, Link: r.Link, Window: r.Window, Unit: r.Unit}
			runs[k] = make(map[bool][]Figures)
		}
		if r.Bare {
			rows[k].BareName = r.Program
		}
		runs[k][r.Bare] = append(runs[k][r.Bare], r.Figures)
	}
	out := make([]Row, 0, len(order))
	for _, k := range order {
		row := rows[k]
		row.Linnet, row.Bare = medians(runs[k][false]), medians(runs[k][true])
		row.RateShare = ratio(row.Linnet.Rate, row.Bare.Rate)
		row.CPURatio = ratio(row.Linnet.ServerSM, row.Bare.ServerSM)
		row.P99Ratio = ratio(row.Linnet.P99, row.Bare.P99)
		out = append(out, *row)
	}
	return out
}

func ratio(a, b float64) float64 {
	if a <= 0 || b <= 0 {
		return 0
	}
	return a / b
}

// medians takes the median of each figure by itself.
func medians(runs []Figures) Figures {
	of := func(figure func(Figures) float64) float64 {
		values := make([]float64, len(runs))
		for i, f := range runs {
			values[i] = figure(f)
		}
		return median(values)
	}
	return Figures{
		Rate:      of(func(f Figures) float64 { return f.Rate }),
		ServerSM:  of(func(f Figures) float64 { return f.ServerSM }),
		P50:       of(func(f Figures) float64 { return f.P50 }),
		P99:       of(func(f Figures) float64 { return f.P99 }),
		P999:      of(func(f Figures) float64 { return f.P999 }),
		ServerCPU: of(func(f Figures) float64 { return f.ServerCPU }),
		SelfCPU:   of(func(f Figures) float64 { return f.SelfCPU }),
	}
}

// notes says what limits the worth of the figures.
func (r *Report) notes() []string {
	var notes []string
	for _, row := range r.Rows {
		for _, side := range []struct {
			name string
			Figures
		}{{"linnet", row.Linnet}, {row.BareName, row.Bare}} {
			if side.name == "" {
				continue
			}
			if why := r.Limits.bound(side.Figures); why != "" {
				notes = append(notes, fmt.Sprintf("%s by %s, window %d, %s: %s", row.Workload, row.Link, row.Window, side.name, why))
			}
		}
	}
	if r.Limits.FileSystem == "tmpfs" {
		notes = append(notes, "the data is on tmpfs, where a sync costs nothing: name a folder on a disk with --dir")
	}
	if slices.ContainsFunc(r.Limits.Links, func(link string) bool { return link != LinkTCP }) {
		notes = append(notes, "the bare programs speak lines over TCP, not WebSocket or TLS")
	}
	return notes
}

// bound says whether the generator held the rate down.
func (l Limits) bound(f Figures) string {
	const full = 0.9
	threads, cores := float64(l.GOMAXPROCS), float64(l.CPUs)
	switch {
	case f.SelfCPU < 0:
		return ""
	case f.SelfCPU >= full*threads:
		return fmt.Sprintf("the generator was the bottleneck (%.2f of %d threads); the rate is a lower bound, CPU per unit stands", f.SelfCPU, l.GOMAXPROCS)
	case f.SelfCPU+f.ServerCPU >= full*cores && f.SelfCPU > f.ServerCPU:
		return fmt.Sprintf("the machine was full and the generator took the larger part (%.2f of %d cores); more cores would give a higher rate, CPU per unit stands", f.SelfCPU, l.CPUs)
	}
	return ""
}

// WriteTable writes the report for people.
func (r *Report) WriteTable(out io.Writer) error {
	l := r.Limits
	fmt.Fprintf(out, "%s/%s, %s, %d CPUs, GOMAXPROCS %d, open files %s, file system %s\n",
		l.OS, l.Arch, l.Go, l.CPUs, l.GOMAXPROCS, orNA(l.OpenFiles), orNA(l.FileSystem))
	fmt.Fprintf(out, "link %s, payload %d bytes, %d pairs, %d members, %d history clients, %d conversations, %gs, median of %d\n",
		strings.Join(l.Links, ","), l.PayloadBytes, l.Pairs, l.Members, l.Clients, l.Conversations, l.Seconds, l.Repeat)
	fmt.Fprintf(out, "%d connections, idle CPU with up to %d, %d sign-ins a second beside sends, a crowd of %d\n", l.Connections, l.Most, l.Churn, l.Crowd)
	fmt.Fprintf(out, "a group of %d with %d online, a room of %d listeners, lists of %d conversations, searches among %d messages\n", l.Large, l.Online, l.Listeners, l.Listed, l.Messages)
	for _, write := range []func(io.Writer) error{r.writeRates, r.writeMeasures} {
		if err := write(out); err != nil {
			return err
		}
	}
	if len(r.Notes) > 0 {
		_, err := fmt.Fprintf(out, "\n%s\n", strings.Join(r.Notes, "\n"))
		return err
	}
	return nil
}

// writeRates writes the table of the workloads that are rates.
func (r *Report) writeRates(out io.Writer) error {
	if len(r.Rows) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "workload\tlink\twindow\tprogram\tper second\tCPU\tp50 ms\tp99 ms\tp99.9 ms\tserver cores\tgenerator cores\t")
	for _, row := range r.Rows {
		line := func(name string, f Figures) {
			fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%.0f %s\t%s\t%.2f\t%.2f\t%.2f\t%s\t%s\t\n", row.Workload, row.Link, row.Window, name,
				f.Rate, row.Unit, row.cpu(f), f.P50, f.P99, f.P999, orCores(f.ServerCPU), orCores(f.SelfCPU))
		}
		line("linnet", row.Linnet)
		if row.BareName == "" {
			continue
		}
		line(row.BareName, row.Bare)
		fmt.Fprintf(t, "\t\t\tlinnet in terms of it\t%s\t%s\t\t%s\t\t\t\t\n",
			share(row.RateShare), times(row.CPURatio), times(row.P99Ratio))
	}
	return t.Flush()
}

// writeMeasures writes the table of the other figures.
func (r *Report) writeMeasures(out io.Writer) error {
	if len(r.MeasureRows) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "workload\tlink\tfigure\tlinnet\tunit\tbeside\tits figure\tin terms of it")
	for _, row := range r.MeasureRows {
		beside, times := "", ""
		if row.BesideName != "" {
			beside, times = digits(row.Beside), orNA(row.Ratio)
			if row.Ratio > 0 {
				times = fmt.Sprintf("%.1f ×", row.Ratio)
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row.Workload, row.Link, row.Name, digits(row.Linnet), row.Unit, row.BesideName, beside, times)
	}
	return t.Flush()
}

// digits writes a value with as many digits as it is worth.
func digits(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// cpu gives the server's CPU in the unit in which it is usually told.
func (r Row) cpu(f Figures) string {
	switch {
	case f.ServerSM < 0:
		return "n/a"
	case r.Unit == "pages":
		return fmt.Sprintf("%.4f ms/page", f.ServerSM/1000)
	}
	return fmt.Sprintf("%.2f s/M", f.ServerSM)
}

func orNA[T comparable](v T) string {
	var zero T
	if v == zero {
		return "n/a"
	}
	return fmt.Sprint(v)
}

func orCores(v float64) string {
	if v < 0 {
		return "n/a"
	}
	return fmt.Sprintf("%.2f", v)
}

func share(v float64) string {
	if v == 0 {
		return "n/a"
	}
	return fmt.Sprintf("%.0f %%", 100*v)
}

func times(v float64) string {
	if v == 0 {
		return "n/a"
	}
	return fmt.Sprintf("%.2f ×", v)
}
