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
			r.counts.swept.Store(began.UnixNano())
			r.vouch(pos, began)
		}
	}
}

// sweep compares what was delivered with the heads that moved between the two
// positions, repairs what is missing, and says whether everything up to pos has gone
// out. It waits for the workers.
func (r *Router) sweep(ctx context.Context, from, pos chat.Position) bool {
	parts := make([][]chat.Head, len(r.workers))
	// Heads above pos are looked at too: what moved on may have been there before.
	for at := from; at < pos; {
		heads, err := r.store.Heads(ctx, at, sweepHeads)
		if err != nil {
			if ctx.Err() == nil {
				r.cfg.Log.Error("heads not compared", slog.Any("error", err))
			}
			return false
		}
		for _, h := range heads {
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
			ok[i] = w.compare(parts[i], from, pos)
		}})
	}
	wg.Wait()
	for _, o := range ok {
		if !o {
			return false
		}
	}
	for _, w := range r.workers {
		w.give(job{barrier: (*worker).trim})
	}
	return true
}

// compare sees that of these conversations everything was delivered that came between
// the two positions. What it could not do it says, and the next sweep goes on from there.
func (w *worker) compare(heads []chat.Head, from, pos chat.Position) bool {
	ctx, now, whole := context.Background(), time.Now(), true
	for _, h := range heads {
		if err := w.compareOne(ctx, h, from, pos, now); err != nil {
			w.router.cfg.Log.Error("heads not compared", slog.Any("error", err))
			whole = false
		}
	}
	return whole
}

func (w *worker) compareOne(ctx context.Context, h chat.Head, from, pos chat.Position, now time.Time) error {
	w.release(h.Conversation)
	p := w.delivered[h.Conversation]
	if p != nil && p.first == 0 && p.last >= h.Seq {
		return nil
	}
	upTo := h.Seq
	if h.Pos > pos {
		// What is newer is on its way; told from here, it would come before its sender's answer.
		var err error
		if upTo, err = w.router.store.Fork(ctx, h.Conversation, pos); err != nil {
			return err
		}
	}
	if p == nil || p.first != 0 {
		had, err := w.router.store.Fork(ctx, h.Conversation, from)
		if err != nil {
			return err
		}
		if p == nil {
			if had >= upTo {
				return nil
			}
			p = &progress{last: had}
			w.delivered[h.Conversation] = p
		}
		if p.low = max(p.low, had); p.first > p.low+1 {
			if p.low, err = w.repair(ctx, h.Conversation, p.low+1, p.first-1, now); err != nil {
				return err
			}
		}
		p.first = 0
	}
	p.touched = true
	if p.last >= upTo {
		return nil
	}
	var err error
	p.last, err = w.repair(ctx, h.Conversation, p.last+1, upTo, now)
	return err
}

// trim forgets the conversations in which nothing was delivered between the last two
// whole sweeps: what comes next is compared with the store from there on.
func (w *worker) trim() {
	for id, p := range w.delivered {
		if !p.touched {
			delete(w.delivered, id)
		}
		p.touched = false
	}
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
