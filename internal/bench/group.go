package bench

import "sync"

// group runs goroutines of which the first that fails ends all: it calls abort, which
// must make the others return. What they then say is a consequence and is dropped.
type group struct {
	abort func()

	wg   sync.WaitGroup
	once sync.Once
	err  error
}

func (g *group) run(fn func() error) {
	g.wg.Go(func() { g.fail(fn()) })
}

// fail ends all if err is one, as a goroutine that answers it does.
func (g *group) fail(err error) {
	if err == nil {
		return
	}
	g.once.Do(func() {
		g.err = err
		g.abort()
	})
}

// wait answers the first error when all goroutines have returned.
func (g *group) wait() error {
	g.wg.Wait()
	return g.err
}

// dialers is how many connections are opened, or prepared, at a time.
const dialers = 32

// forEach calls fn for 0 to n-1, some of them at a time, and answers the first error;
// after one it begins no other.
func forEach(n int, fn func(i int) error) error {
	next := make(chan int)
	stop := make(chan struct{})
	g := group{abort: func() { close(stop) }}
	for range min(n, dialers) {
		g.run(func() error {
			for i := range next {
				if err := fn(i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for i := range n {
		select {
		case next <- i:
			continue
		case <-stop:
		}
		break
	}
	close(next)
	return g.wait()
}
