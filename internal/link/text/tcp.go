// Package text is the text protocol's two links, TCP and UDP: what iOS socket tutorials
// teach, made exact. The frames are cut by package wire/line; who speaks and what is
// said is a Speaker's.
package text

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/linnet-im/linnet/internal/link/sock"
	"github.com/linnet-im/linnet/wire/line"
)

// Speaker is the session behind a text connection.
type Speaker interface {
	// SignIn makes the peer the guest of that name.
	SignIn(name string) error
	// Say posts. It does not block; done is called once, when the message is on disk and
	// its echo on the way, or with what went wrong.
	Say(text string, done func(error))
	// Leave says that the connection has ended. A second call does nothing.
	Leave()
}

const (
	// silence ends a frame that begins with a verb: the usual client sends no newline.
	silence = 50 * time.Millisecond
	// cutWait is how long the rest of a character that a read has cut may take.
	cutWait = 2 * time.Second
	// lastWait is how long what a peer said before it closed its side may take to be committed and echoed.
	lastWait = 5 * time.Second
	// inFlight is how many messages may wait for their commits; then reading stops.
	inFlight = 64
	// maxErrors is how many errors a peer may make in errorTime before it is closed.
	maxErrors = 20
	errorTime = 10 * time.Second
)

// link is one TCP connection.
type link struct {
	conn    sock.Socket
	speaker Speaker
	decoder line.Decoder
	slots   chan struct{} // one for each message in flight

	mu     sync.Mutex // the errors of messages come from elsewhere
	errors int
	since  time.Time
}

// Serve speaks with a peer until its connection ends. first are bytes that were read
// already.
func Serve(c sock.Socket, first []byte, speaker Speaker) {
	l := &link{conn: c, speaker: speaker, slots: make(chan struct{}, inFlight), since: time.Now()}
	defer speaker.Leave()
	defer func() { _ = c.Close() }() // a second close does nothing
	l.frames(l.decoder.Feed(first))
	for {
		l.setDeadline()
		err := c.ReadLoop(func(p []byte) error {
			if !l.frames(l.decoder.Feed(p)) {
				return errFlood
			}
			l.setDeadline()
			return nil
		})
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if !l.frames(l.decoder.Quiet()) {
				l.flooded()
				return
			}
		case errors.Is(err, io.EOF):
			l.frames(l.decoder.End())
			l.finish()
			return
		case errors.Is(err, errFlood):
			l.flooded()
			return
		default:
			return
		}
	}
}

var errFlood = errors.New("too many errors")

// flooded closes on a peer that makes nothing but mistakes.
func (l *link) flooded() {
	l.conn.CloseAfter(line.Error(nil, "too many mistakes: read the answers and come back"), lastWait)
	<-l.conn.Done()
}

// setDeadline bounds the wait while bytes are pending, and only then.
func (l *link) setDeadline() {
	var at time.Time
	switch {
	case !l.decoder.Pending():
	case l.decoder.CutRune():
		at = time.Now().Add(cutWait)
	default:
		at = time.Now().Add(silence)
	}
	_ = l.conn.SetReadDeadline(at) // a closed connection fails at the read
}

// finish waits until what was said is committed and echoed, then closes.
func (l *link) finish() {
	timeout := time.NewTimer(lastWait)
	defer timeout.Stop()
	// Who has every place knows that no message is in flight.
wait:
	for range inFlight {
		select {
		case l.slots <- struct{}{}:
		case <-timeout.C:
			break wait
		case <-l.conn.Done():
			break wait
		}
	}
	// Who sees the end may come back at once, and is then no second device.
	l.speaker.Leave()
	l.conn.CloseAfter(nil, lastWait)
	<-l.conn.Done()
}

// frames runs frames and answers whether the peer may go on.
func (l *link) frames(frames []line.Frame) bool {
	for _, f := range frames {
		switch f.Verb {
		case line.Iam:
			if err := l.speaker.SignIn(f.Text); err != nil {
				l.fail(err.Error())
			}
		case line.Msg:
			l.say(f.Text)
		default:
			l.fail(f.Err)
		}
		if l.floods() {
			return false
		}
	}
	return true
}

func (l *link) say(text string) {
	select {
	case l.slots <- struct{}{}:
	case <-l.conn.Done():
		return
	}
	l.speaker.Say(text, func(err error) {
		if err != nil {
			l.fail(err.Error())
		}
		<-l.slots
	})
}

// fail tells the peer what to do, and counts.
func (l *link) fail(message string) {
	l.mu.Lock()
	if time.Since(l.since) > errorTime {
		l.errors, l.since = 0, time.Now()
	}
	l.errors++
	l.mu.Unlock()
	l.conn.Send(line.Error(nil, message))
}

func (l *link) floods() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.errors > maxErrors
}
