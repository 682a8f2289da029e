package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/linnet-im/linnet/wire"
)

const (
	dialTime = 10 * time.Second
	callTime = 30 * time.Second // for a call of the client's own
	pongTime = 10 * time.Second // for the answer to a ping
	wakeTime = 3 * time.Second  // for the answer to a ping after a sleep

	// minWait and maxWait bound the wait before an attempt, which is taken at random
	// below a bound that doubles, so that clients do not come back all at once.
	minWait = 500 * time.Millisecond
	maxWait = 30 * time.Second

	// watchEvery is how often the connection is looked after.
	watchEvery = time.Second
	// slept is how much more time than this program has run the clock shows after a sleep.
	slept = 10 * time.Second
	// maxRefusals is how many tokens are tried one after the other.
	maxRefusals = 3
)

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// Run connects, catches up, delivers what waits in the outbox, and connects again when
// the connection is lost, for as long as it takes: a server that is not there is no
// error. It ends when ctx does, with its cause, or when the server says something that no
// further attempt can help, with that: tokens are refused, guests are not allowed, the
// store is another user's. Then it closes the store, and nothing can be sent any more.
// It may be called once.
func (c *Client) Run(ctx context.Context) error {
	c.mu.Lock()
	if c.used {
		c.mu.Unlock()
		return errors.New("client: Run was called before")
	}
	c.used = true
	c.mu.Unlock()
	err := c.keepConnected(ctx)
	c.setState(State{Phase: Offline, Err: err})
	c.outbox.stop(err)
	return errors.Join(err, c.store.Close())
}

func (c *Client) keepConnected(ctx context.Context) error {
	var token, last string // last: the one that was refused
	refusals := 0
	for n := 0; ; n++ {
		c.setState(State{Phase: Connecting})
		caughtUp := false
		err := c.attempt(ctx, &token, &caughtUp)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if caughtUp {
			n, refusals = 0, 0
		}
		if hopeless(err) {
			return err
		}
		if _, refused := refusal(err); refused {
			if c.cfg.Token == nil {
				return err
			}
			if refusals++; refusals >= maxRefusals || token == last {
				return fmt.Errorf("client: the token was refused: %w", err)
			}
			token, last = "", token
		}
		if err := c.wait(ctx, n, err); err != nil {
			return err
		}
	}
}

// wait waits before the attempt that follows the n-th that failed for the reason why.
func (c *Client) wait(ctx context.Context, n int, why error) error {
	// The server's hint is the least; all who were told the same come back spread out.
	wait := hint(why) + rand.N(min(maxWait, minWait<<min(n, 10)))
	c.log.Info("not connected", "error", why, "wait", wait)
	c.setState(State{Phase: Waiting, Until: time.Now().Add(wait), Err: why})
	timer := time.NewTimer(wait)
	defer timer.Stop()
	woken := newSleepWatch()
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
			return nil
		case <-c.wake:
			return nil
		case <-tick.C:
			if woken.slept() {
				return nil
			}
		}
	}
}

// attempt makes one connection and lives with it until it ends.
func (c *Client) attempt(ctx context.Context, token *string, caughtUp *bool) error {
	if c.cfg.Token != nil && *token == "" {
		var err error
		if *token, err = c.cfg.Token(ctx); err != nil {
			return fmt.Errorf("client: the token: %w", err)
		}
	}
	dialing, cancel := context.WithTimeout(ctx, dialTime)
	link, err := c.dial(dialing)
	cancel()
	if err != nil {
		return err
	}
	r := newRPC(link)
	defer r.close()
	opened, err := c.open(ctx, r, *token)
	if err != nil {
		return err
	}
	session, end := context.WithCancelCause(ctx)
	defer end(ErrLost)
	delivered := make(chan struct{})
	go func() {
		defer close(delivered)
		c.outbox.deliver(session, r)
	}()
	defer func() {
		c.setLive(nil)
		end(ErrLost)
		_ = r.link.Close() // what is under way ends now
		<-delivered
	}()
	c.setLive(r)
	c.setState(State{Phase: CatchingUp})
	if err := c.catchUp(session, r, opened); err != nil {
		return r.because(err)
	}
	*caughtUp = true
	c.setState(State{Phase: Connected})
	return r.because(c.follow(session, r, opened))
}

// because ends a connection that is lost and gives the server's own reason, if it gave one.
func (r *rpc) because(err error) error {
	if !errors.Is(err, ErrLost) {
		return err
	}
	r.close() // its last words may be on the way to the reader still
	var closed *Closed
	if errors.As(r.lost(), &closed) {
		return closed
	}
	return err
}

func (c *Client) setLive(r *rpc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live = r
}

// open opens the session.
func (c *Client) open(ctx context.Context, r *rpc, token string) (*wire.OpenResult, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	p := &wire.OpenParams{
		Token: token, Guest: c.cfg.Guest, Session: c.id, Proto: wire.Proto, Client: c.cfg.Name, Rooms: c.cfg.Rooms,
	}
	if c.cfg.Device.ID != "" {
		p.Device = &c.cfg.Device
	}
	opened := new(wire.OpenResult)
	if err := r.call(ctx, "session.open", p, opened); err != nil {
		return nil, r.because(err)
	}
	c.mu.Lock()
	stored := c.user.ID
	c.mu.Unlock()
	if stored != "" && stored != opened.User.ID {
		return nil, &Error{Code: wire.CodeParam, Message: fmt.Sprintf("the store belongs to %s, the token to %s", stored, opened.User.ID)}
	}
	if err := c.update(ctx, &Changes{User: opened.User.ID}); err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.user, c.limits = opened.User, opened.Limits
	c.mu.Unlock()
	return opened, nil
}

// follow takes what comes until the connection ends.
func (c *Client) follow(ctx context.Context, r *rpc, opened *wire.OpenResult) error {
	beat := time.Duration(opened.HeartbeatMS) * time.Millisecond
	if beat <= 0 {
		beat = 25 * time.Second
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	sleep := newSleepWatch()
	pinged := time.Now()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-r.done:
			// What came before the end is still taken.
			if err := c.take(ctx, r, opened); err != nil {
				return err
			}
			return ErrLost
		case <-r.more:
			if err := c.take(ctx, r, opened); err != nil {
				return err
			}
		case <-c.wake:
			if err := c.ping(ctx, r, wakeTime); err != nil {
				return err
			}
		case now := <-tick.C:
			switch {
			case sleep.slept():
				if err := c.ping(ctx, r, wakeTime); err != nil {
					return err
				}
				pinged = now
			case now.Sub(pinged) >= beat:
				// Also when much comes: the server is to hear something too.
				if err := c.ping(ctx, r, pongTime); err != nil {
					return err
				}
				pinged = now
			}
		}
	}
}

// ping makes sure that the connection lives.
func (c *Client) ping(ctx context.Context, r *rpc, wait time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, wait, fmt.Errorf("%w: no answer in %v", ErrLost, wait))
	defer cancel()
	return r.call(ctx, "ping", nil, nil)
}

// sleepWatch notices that the machine has slept: the clock went on, this program did not.
type sleepWatch struct{ last time.Time }

func newSleepWatch() *sleepWatch { return &sleepWatch{last: time.Now()} }

func (s *sleepWatch) slept() bool {
	now := time.Now()
	ran, passed := now.Sub(s.last), now.Round(0).Sub(s.last.Round(0))
	s.last = now
	return passed-ran > slept || ran > slept
}
