package chat

import (
	"context"
	"errors"
	"sync"
	"time"
)

// maxBatch bounds the operations of one commit, and so the time the next ones wait.
const maxBatch = 1024

// Place says where something stands in the log.
type Place struct {
	Conversation ConversationID
	Seq          Seq
	Time         time.Time
}

// Reply takes the answer to an operation. Answer is called exactly once, and must not
// block: for what was committed by one of the workers that deliver it, before the
// event goes out; else by the committer. Flush follows when what came with the
// answer is on its way too, so that both can leave in one write.
type Reply interface {
	Answer(p Place, err error)
	Flush()
}

// operation is a write that waits for its commit.
type operation struct {
	keys   func(*Keys)
	decide func(*batch) (Place, error) // pure but for the operation's own memory; checks, then changes
	reply  Reply

	place Place
	err   error
	event *Event // the last one it appended, if any
}

// committer gathers operations and commits them together, in the order they came. It
// commits what is there and never waits for more: under load the batch is what came
// in while the one before was being synced.
type committer struct {
	store Store
	bus   Bus
	now   func() time.Time
	told  func(operations int, took time.Duration) // may be nil

	mu     sync.Mutex
	queue  []*operation
	closed bool
	wake   chan struct{} // holds one token when there is something to do
	done   chan struct{}
}

func newCommitter(store Store, bus Bus, now func() time.Time, told func(int, time.Duration)) *committer {
	c := &committer{
		store: store, bus: bus, now: now, told: told,
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	go c.run()
	return c
}

// submit queues operations, which commit in this order, together if they can. Operations of
// one caller commit in the order it submits them.
func (c *committer) submit(ops ...*operation) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		for _, op := range ops {
			op.reply.Answer(Place{}, &Error{
				Code: CodeBusy, Message: "the server is stopping; try again in a moment", RetryAfter: time.Second,
			})
			op.reply.Flush()
		}
		return
	}
	c.queue = append(c.queue, ops...)
	c.mu.Unlock()
	c.signal()
}

func (c *committer) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// close commits what waits, refuses what comes after, and returns when all is answered.
func (c *committer) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.signal()
	<-c.done
}

func (c *committer) run() {
	defer close(c.done)
	var batch []*operation
	for range c.wake {
		for {
			var closed bool
			batch, closed = c.take(batch[:0])
			if len(batch) == 0 {
				if closed {
					return
				}
				break
			}
			c.commit(batch)
			clear(batch)
		}
	}
}

// take moves up to maxBatch waiting operations to into.
func (c *committer) take(into []*operation) (batch []*operation, closed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(c.queue), maxBatch)
	into = append(into, c.queue[:n]...)
	rest := copy(c.queue, c.queue[n:])
	clear(c.queue[rest:])
	c.queue = c.queue[:rest]
	return into, c.closed
}

// commit runs one batch and sees that each of its operations is answered once.
func (c *committer) commit(ops []*operation) {
	var keys Keys
	for _, op := range ops {
		op.keys(&keys)
	}
	began := time.Now()
	var b *batch
	// The commit is not the callers' to cancel: it is shared.
	err := c.store.Update(context.Background(), keys, func(rows *Rows) *Changes {
		b = newBatch(rows, c.now())
		for _, op := range ops {
			op.event = nil
			b.current = op
			op.place, op.err = op.decide(b)
		}
		return b.finish()
	})
	if c.told != nil {
		c.told(len(ops), time.Since(began))
	}
	if err != nil {
		answer := storeError(err)
		for _, op := range ops {
			// The refused ones too: they may have been refused for what the others wrote.
			op.reply.Answer(Place{}, answer)
			op.reply.Flush()
		}
		return
	}
	for _, op := range ops {
		if op.event == nil {
			op.reply.Answer(op.place, op.err)
			op.reply.Flush()
		}
	}
	if len(b.commits) > 0 {
		c.bus.Publish(b.commits)
	}
	for _, n := range b.notices {
		c.bus.Notify(n)
	}
}

// storeError gives a failed Update's error the form callers get.
func storeError(err error) error {
	switch {
	case errors.Is(err, ErrFull):
		return &Error{Code: CodeStorage, Message: "the server's disk is full; nothing was written", RetryAfter: 30 * time.Second, Err: err}
	case errors.Is(err, ErrUnknownOutcome):
		return &Error{Code: CodeUnknown, Message: "it is not known whether this was stored; repeat it with the same client_id", Err: err}
	}
	return &Error{Code: CodeBusy, Message: "the store failed; nothing was written", RetryAfter: 5 * time.Second, Err: err}
}
