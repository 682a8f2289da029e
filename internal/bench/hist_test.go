package bench

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestHistogramQuantiles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var all []time.Duration
	var a, b Histogram
	for i := range 20000 {
		// Spread over eight powers of ten, as latencies of all workloads are.
		d := time.Duration(1) << r.IntN(27)
		d += time.Duration(r.Int64N(int64(d)))
		all = append(all, d)
		if i%2 == 0 {
			a.Add(d)
		} else {
			b.Add(d)
		}
	}
	a.Merge(&b)
	slices.Sort(all)
	if a.Count() != uint64(len(all)) {
		t.Fatalf("count: %d, want %d", a.Count(), len(all))
	}
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999, 1} {
		exact := all[int(q*float64(len(all)))-1]
		got := a.Quantile(q)
		if got < exact || float64(got) > float64(exact)*(1+1.0/subBuckets)+1 {
			t.Errorf("quantile %g: %d, exact %d", q, got, exact)
		}
	}
}

func TestHistogramEdges(t *testing.T) {
	var h Histogram
	if got := h.Quantile(0.5); got != 0 {
		t.Errorf("empty: %s", got)
	}
	h.Add(-time.Second)
	if got := h.Quantile(1); got != 0 {
		t.Errorf("negative: %s, want 0", got)
	}
	h.Add(1000 * time.Hour)
	if got := h.Quantile(1); got > 1000*time.Hour {
		t.Errorf("longest: %s, above what was added", got)
	}
	for i := 1; i < len(h.counts); i++ {
		if bucket(bucketEnd(i)) != i || bucket(bucketEnd(i-1)+1) != i {
			t.Fatalf("bucket %d does not end where the next begins", i)
		}
	}
}
