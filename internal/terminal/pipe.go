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

// maxLine is the longest line that is sent, in bytes; the server takes less.
const maxLine = 1 << 20

// SendLines sends each line of in as a message, and returns when all are acknowledged, or
// with the first that was refused. Empty lines are passed over. What is sent waits for
// the server as long as ctx does.
func SendLines(ctx context.Context, c *client.Client, to wire.To, in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	var sendings []client.Sending
	for lines.Scan() {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		s, err := c.Send(ctx, to, client.Text(lines.Text()))
		if err != nil {
			return err
		}
		sendings = append(sendings, s)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("input: %w", err)
	}
	for _, s := range sendings {
		if _, err := s.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
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
	p := printer{client: c, to: to, json: asJSON, out: out}
	feed := c.Feed()
	defer feed.Close()
	incoming := c.Incoming(ctx) // from the next Connected on
	if since > 0 {
		if err := p.past(ctx, feed, since); err != nil {
			return err
		}
	}
	for e, err := range incoming {
		if err != nil {
			return err
		}
		if err := p.print(&e); err != nil {
			return err
		}
	}
	return nil
}

// printer prints events.
type printer struct {
	client *client.Client
	to     wire.To
	json   bool
	out    io.Writer
	last   map[string]int64 // the seq printed last, by conversation
}

// past prints the last n events of the conversation that is followed, once it is known.
func (p *printer) past(ctx context.Context, feed *client.Feed, n int) error {
	for p.client.State().Phase != client.Connected {
		if _, err := feed.Next(ctx); err != nil {
			return err
		}
	}
	p.last = make(map[string]int64)
	for _, conv := range p.client.Conversations() {
		if !p.wanted(conv.ID) {
			continue
		}
		page, err := p.client.Timeline(ctx, conv.ID, 0, n)
		if err != nil {
			return err
		}
		for i := range page.Events {
			if err := p.print(&page.Events[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *printer) wanted(conversation string) bool {
	if p.to == (wire.To{}) || p.to.Conversation == conversation {
		return true
	}
	conv, known := p.client.Conversation(conversation)
	return known && p.to.User != "" && conv.User == p.to.User
}

func (p *printer) print(e *wire.Event) error {
	if !p.wanted(e.Conversation) || e.Kind == "void" || p.last != nil && e.Seq <= p.last[e.Conversation] {
		return nil
	}
	if p.last != nil {
		p.last[e.Conversation] = e.Seq
	}
	if p.json {
		b, err := json.Marshal(e)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.out, "%s\n", b)
		return err
	}
	_, err := fmt.Fprintf(p.out, "%s\t%s\t%d\t%s\t%s\n", e.Time, e.Conversation, e.Seq, oneLine(e.From), oneLine(said(e)))
	return err
}

// Stopped is the error of what ended because it was asked to, made none.
func Stopped(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, client.ErrStopped) {
		return nil
	}
	return err
}

// Patience is how long a script waits, unless it says otherwise, for a server to take what it sends.
const Patience = 30 * time.Second
