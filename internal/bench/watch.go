package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// watchEvery is how often the server is looked at.
const watchEvery = 250 * time.Millisecond

// closedWatch waits until the server has closed some connections as slow.
type closedWatch struct {
	done  chan struct{}
	after time.Duration
	err   error
}

// watchClosed begins to wait until the server has closed n more than before, stalledWait at most.
func (c *crowd) watchClosed(ctx context.Context, n int) (*closedWatch, error) {
	before, err := slowClosed(ctx, c.target.addr)
	if err != nil {
		return nil, err
	}
	w := &closedWatch{done: make(chan struct{})}
	start := time.Now()
	go func() {
		defer close(w.done)
		for {
			now, err := slowClosed(ctx, c.target.addr)
			w.after = time.Since(start)
			switch {
			case err != nil:
				w.err = err
				return
			case now-before >= n:
				return
			case w.after > stalledWait:
				w.err = fmt.Errorf("%d of %d who stopped reading were closed as slow within %s", now-before, n, stalledWait)
				return
			}
			if w.err = pause(ctx, watchEvery); w.err != nil {
				return
			}
		}
	}()
	return w, nil
}

func (w *closedWatch) ended() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// wait answers how long it took until all were closed.
func (w *closedWatch) wait() (time.Duration, error) {
	<-w.done
	return w.after, w.err
}

// slowClosed asks the server how many connections it has closed as slow.
func slowClosed(ctx context.Context, addr string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, fmt.Errorf("ask for the metrics: %w", err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, fmt.Errorf("read the metrics: %w", err)
	}
	for line := range strings.Lines(string(page)) {
		if n, ok := strings.CutPrefix(line, "linnet_slow_closed_total "); ok {
			return strconv.Atoi(strings.TrimSpace(n))
		}
	}
	return 0, errors.New("the metrics do not tell who was slow")
}

// watchMemory looks at a process's memory again and again, and then answers the most.
func watchMemory(pid int) (most func() (bytes int64, known bool)) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	var top int64
	known := true
	go func() {
		defer close(stopped)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			now, ok := memory(pid)
			top, known = max(top, now), known && ok
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	return func() (int64, bool) {
		close(stop)
		<-stopped
		return top, known
	}
}
