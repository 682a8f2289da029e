package client

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"
)

// gone is a link whose peer is gone: writing fails at once, reading waits for its end.
type gone struct {
	once sync.Once
	end  chan struct{}
}

var errReset = errors.New("connection reset")

func (g *gone) Send([]byte) error { return errReset }

func (g *gone) Receive() ([]byte, error) {
	<-g.end
	return nil, io.EOF
}

func (g *gone) Close() error {
	g.once.Do(func() { close(g.end) })
	return nil
}

// A connection that is lost as it is written to has a reason, before its reader has one.
// Mutant: because answers what the reader knows.
func TestLostInWriting(t *testing.T) {
	dial := func(context.Context) (Link, error) { return &gone{end: make(chan struct{})}, nil }
	bubble(t, func(cfg *Config) { cfg.Dial = dial }, func(t *testing.T, _ *fake, c *Client) {
		stop := running(t, c)
		wantPhase(t, c, Waiting)
		if err := c.State().Err; !errors.Is(err, errReset) {
			t.Errorf("it waits because of %v", err)
		}
		pass(time.Minute)
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
