package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/wire"
)

const (
	// Patience is how long a script waits, unless it says otherwise, for the server to take
	// the next of what it sends.
	Patience = 30 * time.Second
	// maxLine is the longest line that is read, in bytes; the server takes less.
	maxLine = 1 << 20
	// maxUnsent is how many lines are read ahead of what the server has taken.
	maxUnsent = 1000
)

// ErrRefused says that the server refused some of the lines.
var ErrRefused = errors.New("not all lines were sent")

// errPatience says that the server took nothing for too long.
var errPatience = errors.New("the server did not take it in time")

// Sender sends lines.
type Sender struct {
	Client   *client.Client
	To       wire.To
	Patience time.Duration // for the server to take the next line
	Errors   io.Writer     // is told of each line that is refused
}

// Send sends each line of in as a message, empty ones not, and returns when the server
// has them all, and what was in the outbox before. A line that it refuses is told to
// Errors, is not kept, and makes the error ErrRefused. When it takes nothing for as long
// as Patience, or ctx ends, the rest stays in the outbox. in may be read from after that.
func (s *Sender) Send(ctx context.Context, in io.Reader) error {
	unsent, ended := make(chan line, maxUnsent), make(chan error, 1)
	go func() {
		defer close(unsent)
		ended <- s.read(ctx, in, unsent)
	}()
	refused := false
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case l, more := <-unsent:
			if !more {
				if err := errors.Join(<-ended, s.drain(ctx)); err != nil || !refused {
					return err
				}
				return ErrRefused
			}
			no, err := s.wait(ctx, l)
			if err != nil {
				return err
			}
			refused = refused || no
		}
	}
}

// line is a line that is in the outbox.
type line struct {
	client.Sending
	number int
}

// read puts the lines of in into the outbox.
func (s *Sender) read(ctx context.Context, in io.Reader, unsent chan<- line) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		text := strings.ToValidUTF8(lines.Text(), "\ufffd")
		if strings.TrimSpace(text) == "" {
			continue
		}
		sending, err := s.Client.Send(ctx, s.To, client.Text(text))
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		select {
		case unsent <- line{sending, n}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("input: %w", err)
	}
	return nil
}

// wait waits until the server has taken a line, or has refused it.
func (s *Sender) wait(ctx context.Context, l line) (refused bool, err error) {
	waiting, stop := context.WithTimeoutCause(ctx, s.Patience, errPatience)
	defer stop()
	_, err = l.Wait(waiting)
	switch {
	case err == nil:
		return false, nil
	case waiting.Err() != nil:
		return false, s.why(err)
	case errors.Is(err, client.ErrStopped):
		return false, err
	}
	fmt.Fprintf(s.Errors, "line %d: %v\n", l.number, err)
	return true, s.Client.Discard(ctx, l.ClientID()) // whoever wrote it knows
}

// drain waits until nothing that can be sent is in the outbox.
func (s *Sender) drain(ctx context.Context) error {
	waiting, stop := context.WithTimeoutCause(ctx, s.Patience, errPatience)
	defer stop()
	feed := s.Client.Feed()
	defer feed.Close()
	for _, o := range s.Client.Outbox() {
		for o.Failed == nil && s.has(o.ClientID) {
			if _, err := feed.Next(waiting); err != nil {
				return s.why(err)
			}
		}
	}
	return nil
}

func (s *Sender) has(clientID string) bool {
	for _, o := range s.Client.Outbox() {
		if o.ClientID == clientID {
			return o.Failed == nil
		}
	}
	return false
}

// why says what keeps the client from the server, where that is the reason.
func (s *Sender) why(err error) error {
	if state := s.Client.State(); errors.Is(err, errPatience) && state.Err != nil {
		return fmt.Errorf("%w: %w", err, state.Err)
	}
	return err
}

// To is where a word leads: a conversation's id or a room, else a user.
func To(word string) wire.To {
	if isConversation(word) {
		return client.ToConversation(word)
	}
	return client.ToUser(strings.TrimPrefix(word, "@"))
}

// Follow prints the messages of a conversation, of all of them when to is zero, one a
// line, until ctx ends: at first the last since of them that there are. A line is time,
// conversation, seq, sender and text with tabs between, or the event as JSON.
func Follow(ctx context.Context, c *client.Client, to wire.To, since int, asJSON bool, out io.Writer) error {
	wanted := func(id string) bool {
		if to == (wire.To{}) || to.Conversation == id {
			return true
		}
		conv, known := c.Conversation(id)
		return known && to.User != "" && conv.User == to.User
	}
	past := func(conv client.Conversation) int {
		if wanted(conv.ID) {
			return since
		}
		return 0
	}
	for e, err := range c.IncomingSince(ctx, past) {
		if err == nil && wanted(e.Conversation) && e.Kind != "void" {
			err = printEvent(out, &e, asJSON)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func printEvent(out io.Writer, e *wire.Event, asJSON bool) error {
	if !asJSON {
		_, err := fmt.Fprintf(out, "%s\t%s\t%d\t%s\t%s\n", e.Time, e.Conversation, e.Seq, oneLine(e.From), oneLine(said(e)))
		return err
	}
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", b)
	return err
}
