package bench

import (
	"math/bits"
	"time"
)

// subBuckets is how finely a Histogram divides each power of two: a quantile is at
// most 1/64, 1.6 %, above the true one.
const subBuckets = 64

// Histogram counts durations from a nanosecond to about half an hour; longer ones
// count as the longest. The zero value is empty. It is not safe for concurrent use:
// each goroutine fills its own, and they are merged.
type Histogram struct {
	counts [36 * subBuckets]uint64
	total  uint64
	max    time.Duration
}

// Add counts one duration. Negative ones count as zero.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	h.counts[min(bucket(uint64(d)), len(h.counts)-1)]++
	h.total++
	h.max = max(h.max, d)
}

// Merge adds what other has counted.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
	h.max = max(h.max, other.max)
}

// Count is how many durations were counted.
func (h *Histogram) Count() uint64 { return h.total }

// Quantile answers the duration that a share q (0 to 1) of all durations do not
// exceed, rounded up to the end of its bucket. It is 0 when nothing was counted.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := uint64(q*float64(h.total) + 0.999999)
	rank = min(max(rank, 1), h.total)
	var seen uint64
	for i, n := range h.counts {
		seen += n
		if seen >= rank {
			return min(time.Duration(bucketEnd(i)), h.max)
		}
	}
	return h.max
}

// bucket is the index of v: below subBuckets one bucket a value, then subBuckets
// buckets for each power of two.
func bucket(v uint64) int {
	if v < subBuckets {
		return int(v)
	}
	shift := bits.Len64(v) - bits.Len64(subBuckets)
	return shift*subBuckets + int(v>>shift)
}

// bucketEnd is the highest value of bucket i.
func bucketEnd(i int) uint64 {
	if i < subBuckets {
		return uint64(i)
	}
	shift := i/subBuckets - 1
	return uint64(i-shift*subBuckets+1)<<shift - 1
}
