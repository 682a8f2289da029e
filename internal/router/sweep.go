package router

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

const (
	sweepEvery = time.Second
	// vouchEvery is how often a session that is never quiet is told a checkpoint all the same.
	vouchEvery = 25 * time.Second
	// sweepHeads bounds the heads compared in one read.
	sweepHeads = 2000
)

// sweepUntil compares heads and sends checkpoints every second until ctx ends.
func (r *Router) sweepUntil(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	from := r.store.Position()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		r.tellRooms()
		began := time.Now()
		if pos := r.store.Position(); r.sweep(ctx, from, pos) {
			from = pos
			r.vouch(pos, began)
		}
	}
}

// sweep compares what was delivered with the heads that moved between the two
// positions, repairs what is missing, and says whether everything up to pos has gone
// out. It waits for the workers.
func (r *Router) sweep(ctx context.Context, from, pos chat.Position) bool {
	parts := make([][]chat.Head, len(r.workers))
	for at := from; at < pos; {
		heads, err := r.store.Heads(ctx, at, sweepHeads)
		if err != nil {
			if ctx.Err() == nil {
				r.cfg.Log.Error("heads not compared", slog.Any("error", err))
			}
			return false
		}
		for _, h := range heads {
			if h.Pos > pos {
				break
			}
			w := r.workerOf(h.Conversation)
			parts[w] = append(parts[w], h)
		}
		if len(heads) < sweepHeads {
			break
		}
		at = heads[len(heads)-1].Pos
	}
	var wg sync.WaitGroup
	ok := make([]bool, len(r.workers))
	for i, w := range r.workers {
		wg.Add(1)
		w.give(job{barrier: func(w *worker) {
			defer wg.Done()
			ok[i] = w.compare(parts[i], from)
		}})
	}
	wg.Wait()
	for _, o := range ok {
		if !o {
			return false
		}
	}
	return true
}

// compare sees that everything up to the heads was delivered since from.
func (w *worker) compare(heads []chat.Head, from chat.Position) bool {
	ctx, now := context.Background(), time.Now()
	for _, h := range heads {
		p := w.delivered[h.Conversation]
		if p != nil && p.first == 0 && p.last >= h.Seq {
			continue
		}
		had, err := w.router.store.Fork(ctx, h.Conversation, from)
		if err != nil {
			w.router.cfg.Log.Error("heads not compared", slog.Any("error", err))
			return false
		}
		switch {
		case p == nil && had < h.Seq:
			w.repair(h.Conversation, had+1, h.Seq, now)
			w.delivered[h.Conversation] = &progress{last: h.Seq, touched: true}
		case p != nil:
			if p.first > had+1 {
				w.repair(h.Conversation, had+1, p.first-1, now)
			}
			p.first = 0
			if p.last < h.Seq {
				w.repair(h.Conversation, p.last+1, h.Seq, now)
				p.last = h.Seq
			}
		}
	}
	for id, p := range w.delivered {
		if !p.touched {
			delete(w.delivered, id)
		}
		p.touched = false
	}
	return true
}

// vouch sends a checkpoint to the sessions that were pushed events and have been quiet
// for a sweep, and to those that are never quiet.
func (r *Router) vouch(pos chat.Position, began time.Time) {
	for _, l := range r.all() {
		pushed := l.pushed.Load()
		if pushed == 0 || pos < l.openedAt {
			continue
		}
		quiet := time.Unix(0, pushed).Before(began.Add(-sweepEvery))
		due := began.Sub(time.Unix(0, l.vouched.Load())) >= vouchEvery
		if !quiet && !due {
			continue
		}
		if quiet {
			l.pushed.CompareAndSwap(pushed, 0)
		}
		l.vouched.Store(began.UnixNano())
		l.sink.Checkpoint(pos)
	}
}
