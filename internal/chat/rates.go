package chat

import "time"

// rates holds token buckets by key. It is used by one goroutine at a time. A clock
// that goes back gives no tokens and takes none.
type rates struct {
	buckets map[string]*bucket
	swept   time.Time
}

type bucket struct {
	tokens float64
	full   float64
	perSec float64
	last   time.Time
}

// maxBuckets is when full buckets are looked for and dropped: a full one is like none.
const maxBuckets = 100_000

func newRates() rates { return rates{buckets: make(map[string]*bucket)} }

// take takes a token from key's bucket, or answers how long until there is one.
func (r *rates) take(key string, perSec float64, burst int, now time.Time) (wait time.Duration, ok bool) {
	return r.takeMany(key, 1, perSec, burst, now)
}

// takeAbove is take, but leaves so many tokens to others.
func (r *rates) takeAbove(key string, kept float64, perSec float64, burst int, now time.Time) (wait time.Duration, ok bool) {
	return r.spend(key, 1, kept, perSec, burst, now)
}

// takeMany is take for n tokens; more than the bucket holds are a full one.
func (r *rates) takeMany(key string, n int, perSec float64, burst int, now time.Time) (wait time.Duration, ok bool) {
	return r.spend(key, float64(min(n, burst)), 0, perSec, burst, now)
}

func (r *rates) spend(key string, cost, kept, perSec float64, burst int, now time.Time) (wait time.Duration, ok bool) {
	if perSec <= 0 {
		return 0, true
	}
	b := r.buckets[key]
	if b == nil {
		r.sweep(now)
		b = &bucket{tokens: float64(burst), full: float64(burst), perSec: perSec, last: now}
		r.buckets[key] = b
	}
	if d := now.Sub(b.last); d > 0 {
		b.tokens = min(b.full, b.tokens+d.Seconds()*perSec)
	}
	b.last = now
	if b.tokens < cost+kept {
		return time.Duration((cost + kept - b.tokens) / perSec * float64(time.Second)), false
	}
	b.tokens -= cost
	return 0, true
}

// sweep drops the buckets that have become full, at most once a minute.
func (r *rates) sweep(now time.Time) {
	if len(r.buckets) < maxBuckets || now.Sub(r.swept) < time.Minute {
		return
	}
	r.swept = now
	for key, b := range r.buckets {
		if b.tokens+now.Sub(b.last).Seconds()*b.perSec >= b.full {
			delete(r.buckets, key)
		}
	}
}
