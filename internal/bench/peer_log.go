package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// groupLog is a file to which one goroutine appends all that waits with one write and
// one sync, and then answers and delivers it.
type groupLog struct {
	file *os.File
	done chan struct{}

	mu     sync.Mutex
	ready  *sync.Cond // something waits, or the log is closed
	bytes  []byte     // what waits
	parts  []logPart  // whose it is
	closed bool
}

// logPart is lines of one sender among the waiting bytes.
type logPart struct {
	channel  *channel
	from, to int
}

func openLog(dir string) (*groupLog, error) {
	file, err := os.OpenFile(filepath.Join(dir, "bare.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	l := &groupLog{file: file, done: make(chan struct{})}
	l.ready = sync.NewCond(&l.mu)
	go l.run()
	return l, nil
}

// append queues a sender's lines, which it copies.
func (l *groupLog) append(ch *channel, lines []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := len(l.bytes)
	l.bytes = append(l.bytes, lines...)
	l.parts = append(l.parts, logPart{ch, from, len(l.bytes)})
	l.ready.Signal()
}

// run commits and delivers until close. A log that cannot be written ends the senders'
// connections: they must not wait for ever.
func (l *groupLog) run() {
	defer close(l.done)
	var bytes []byte
	var parts []logPart
	for {
		l.mu.Lock()
		for len(l.parts) == 0 && !l.closed {
			l.ready.Wait()
		}
		if len(l.parts) == 0 {
			l.mu.Unlock()
			return
		}
		bytes, l.bytes = l.bytes, bytes[:0]
		parts, l.parts = l.parts, parts[:0]
		l.mu.Unlock()
		_, err := l.file.Write(bytes)
		if err == nil {
			err = syncData(l.file)
		}
		for _, p := range parts {
			if err != nil || p.channel.deliver(bytes[p.from:p.to]) != nil {
				p.channel.sender.Close()
			}
		}
	}
}

// close commits what waits and ends.
func (l *groupLog) close() {
	l.mu.Lock()
	l.closed = true
	l.ready.Signal()
	l.mu.Unlock()
	<-l.done
	l.file.Close()
}
