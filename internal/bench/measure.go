package bench

import "slices"

// Measure is a figure that is no rate, of one program, once.
type Measure struct {
	Workload Workload `json:"workload"`
	Link     string   `json:"link"`
	Name     string   `json:"name"`
	Unit     string   `json:"unit"`
	Program  string   `json:"program"` // linnet, or what it is compared with
	Beside   bool     `json:"beside"`  // it is what linnet is compared with: a bare program, or linnet with little to do
	Repeat   int      `json:"repeat"`
	Value    float64  `json:"value"`
}

// MeasureRow is the median of a Measure over the repetitions, beside what it is compared with.
type MeasureRow struct {
	Workload   Workload `json:"workload"`
	Link       string   `json:"link"`
	Name       string   `json:"name"`
	Unit       string   `json:"unit"`
	Linnet     float64  `json:"linnet"`
	BesideName string   `json:"beside_name,omitempty"`
	Beside     float64  `json:"beside,omitempty"`
	Ratio      float64  `json:"ratio,omitempty"` // how many times the figure beside it; 0: there is none
}

// measures collects what one workload finds out about one program.
type measures []Measure

// add notes a figure. What cannot be read here is not noted.
func (m *measures) add(name, unit string, value float64, known bool) {
	if known {
		*m = append(*m, Measure{Name: name, Unit: unit, Value: value})
	}
}

// beside notes the figure of that name for linnet with little to do.
func (m *measures) beside(with, name, unit string, value float64, known bool) {
	if known {
		*m = append(*m, Measure{Name: name, Unit: unit, Value: value, Program: with, Beside: true})
	}
}

// ms notes the median and the 99th percentile of what h has counted, in milliseconds.
func (m *measures) ms(name string, h *Histogram) {
	m.add(name+", p50", "ms", h.Quantile(0.5).Seconds()*1e3, h.Count() > 0)
	m.add(name+", p99", "ms", h.Quantile(0.99).Seconds()*1e3, h.Count() > 0)
}

// msBeside is ms for linnet with little to do.
func (m *measures) msBeside(with, name string, h *Histogram) {
	m.beside(with, name+", p50", "ms", h.Quantile(0.5).Seconds()*1e3, h.Count() > 0)
	m.beside(with, name+", p99", "ms", h.Quantile(0.99).Seconds()*1e3, h.Count() > 0)
}

// summarizeMeasures makes the rows of all measures, in the order in which they were first taken.
func summarizeMeasures(all []Measure) []MeasureRow {
	type key struct {
		workload   Workload
		link, name string
	}
	var order []key
	rows := make(map[key]*MeasureRow)
	values := make(map[key]map[bool][]float64)
	for _, m := range all {
		k := key{m.Workload, m.Link, m.Name}
		if rows[k] == nil {
			order = append(order, k)
			rows[k] = &MeasureRow{Workload: m.Workload, Link: m.Link, Name: m.Name, Unit: m.Unit}
			values[k] = make(map[bool][]float64)
		}
		if m.Beside {
			rows[k].BesideName = m.Program
		}
		values[k][m.Beside] = append(values[k][m.Beside], m.Value)
	}
	out := make([]MeasureRow, 0, len(order))
	for _, k := range order {
		row := rows[k]
		row.Linnet, row.Beside = median(values[k][false]), median(values[k][true])
		row.Ratio = ratio(row.Linnet, row.Beside)
		out = append(out, *row)
	}
	return out
}

// median answers the middle of values, 0 when there are none. It sorts them.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}
