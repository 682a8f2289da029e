package chat

import (
	"context"
	"errors"
	"time"
)

// dueStep is how many items of a kind are looked at together.
const dueStep = 200

// dueHandlers says, by the kind of an item, what is done when one is due. The operation
// is decided on rows of its own time: it must ask whether the item is still there and due,
// and leave it gone or due later, or it comes again at once.
func (s *Service) dueHandlers() map[ItemKind]func(Item) *operation {
	return map[ItemKind]func(Item) *operation{
		itemReacting:  s.tellReactions,
		itemUnreact:   s.unreact,
		itemSchedule:  s.sendScheduled,
		itemStream:    s.interruptStream,
		itemAttribute: s.attributeDue,
		itemBurn:      s.burn,
		requestKind:   s.expireRequest,
		resolvedKind:  s.forgetReport,
	}
}

// RunDue does what is due now, and writes what streams have taken. It blocks until that is committed. What could not be done is
// left for the next call.
func (s *Service) RunDue(ctx context.Context) error {
	errs := []error{s.FlushStreams(ctx), s.flushLikes(ctx), s.dropLeft(ctx)}
	for kind, handle := range s.dueHandlers() {
		for {
			n, err := s.runDueStep(ctx, kind, handle)
			if err != nil {
				errs = append(errs, err)
			}
			if err != nil || n < dueStep {
				break
			}
		}
	}
	return errors.Join(errs...)
}

// runDueStep does some of what is due of one kind, all in few commits, and says how many it found.
func (s *Service) runDueStep(ctx context.Context, kind ItemKind, handle func(Item) *operation) (int, error) {
	items, err := s.store.DueItems(ctx, kind, s.cfg.Now(), dueStep)
	if err != nil {
		return 0, readError(err)
	}
	waiters := make([]*waiter, len(items))
	for i, it := range items {
		op := handle(it)
		waiters[i] = &waiter{done: make(chan struct{})}
		op.reply = waiters[i]
		s.committer.submit(op)
	}
	var errs []error
	for _, w := range waiters {
		select {
		case <-w.done:
			errs = append(errs, w.err)
		case <-ctx.Done():
			return len(items), ctx.Err()
		}
	}
	return len(items), errors.Join(errs...)
}

// RunDueEvery calls RunDue now and then until ctx ends. failed is told what could not be done.
func (s *Service) RunDueEvery(ctx context.Context, every time.Duration, failed func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.RunDue(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
	}
}
