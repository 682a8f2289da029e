package chat

import (
	"context"
	"time"
)

// tidyStep bounds what one commit of Tidy removes, so that senders hardly wait for it.
const tidyStep = 1000

// Tidy removes what is no longer kept: calls older than Limits.CallsKept. It blocks
// until that is done or ctx ends.
func (s *Service) Tidy(ctx context.Context) error {
	if s.cfg.Limits.CallsKept <= 0 {
		return nil
	}
	before := s.cfg.Now().Add(-s.cfg.Limits.CallsKept)
	for {
		n, err := s.store.ForgetCalls(ctx, before, tidyStep)
		if err != nil || n < tidyStep {
			return err
		}
	}
}

// TidyEvery calls Tidy now and then until ctx ends. What it could not do it leaves for
// the next time; failed is told why.
func (s *Service) TidyEvery(ctx context.Context, every time.Duration, failed func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := s.Tidy(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
