package bench

import (
	"context"
	"time"
)

// visitsWait is within which time a server has written down who was there.
const visitsWait = 6 * time.Second

// runSignIn measures what it costs to connect, to sign in with a token that is checked,
// and to leave again: all that the server does for it, also what it writes down later.
func runSignIn(ctx context.Context, t *target, run string, o *Options) (m measures, err error) {
	users := names(run+"-c", o.Connections)
	if err := signIns(ctx, t, users[:len(users)/5], nil); err != nil { // a warm-up
		return nil, err
	}
	var took Histogram
	meter := startMeter(t.pid)
	if err := signIns(ctx, t, users, &took); err != nil {
		return nil, err
	}
	rate := meter.stop()
	if err := pause(ctx, min(visitsWait, o.Duration)); err != nil {
		return nil, err
	}
	used := meter.stop()
	n := float64(len(users))
	m.add("server CPU each", "µs", used.server.Seconds()*1e6/n, used.known)
	m.add("sign-ins", "a second", n/rate.elapsed.Seconds(), true)
	m.ms("from connect to signed in", &took)
	return m, nil
}

// signIns connects for each user and leaves at once, some of them at a time.
func signIns(ctx context.Context, t *target, users []string, took *Histogram) error {
	times := make([]time.Duration, len(users))
	err := forEach(len(users), func(i int) error {
		start := time.Now()
		c, err := t.dial(ctx, users[i])
		if err != nil {
			return err
		}
		times[i] = time.Since(start)
		return c.Close()
	})
	if took != nil {
		for _, d := range times {
			took.Add(d)
		}
	}
	return err
}
