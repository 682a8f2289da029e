// Follow prints every message of its user's conversations, and goes on where it was: after a
// lost connection, a restart of the server, and when it was stopped or killed itself.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/signal"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/wire"
)

func main() {
	url := flag.String("url", "tcp://127.0.0.1:7788", "the server")
	file := flag.String("progress", "progress.json", "file that says up to where everything was printed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := follow(ctx, *url, *file); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

func follow(ctx context.Context, url, file string) error {
	p, err := load(file)
	if err != nil {
		return err
	}
	c, err := client.New(ctx, client.Config{
		URL:   url,
		Token: func(context.Context) (string, error) { return os.Getenv("LINNET_TOKEN"), nil },
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	defer func() { cancel(); <-done }()

	for e, err := range c.IncomingSince(ctx, p.missed) {
		if err != nil {
			return err // ctx has ended, or Run has, and this is why
		}
		if e.Kind == "message" {
			fmt.Printf("%s %d %s: %s\n", e.Conversation, e.Seq, e.From, text(&e))
		}
		if err := p.mark(&e); err != nil {
			return err
		}
	}
	return nil
}

// text is what any client can show of a message, also of a type it does not know.
func text(e *wire.Event) string {
	var content struct {
		Text string `json:"text"`
	}
	_ = json.Unmarshal(e.Content, &content) // one without a text shows as none
	return content.Text
}

// progress is up to which seq of each conversation the work is done.
type progress struct {
	file string
	done map[string]int64
}

func load(file string) (*progress, error) {
	p := &progress{file, make(map[string]int64)}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	return p, json.Unmarshal(b, &p.done)
}

// missed is how many events of a conversation came while this program did not run. Of one
// that it has never seen these are the unread ones; a room has no such thing.
func (p *progress) missed(c client.Conversation) int {
	done, known := p.done[c.ID]
	switch {
	case !known && c.Kind == "room":
		return 0
	case !known:
		done = c.ReadSeq
	}
	return int(max(0, c.Seq-done))
}

// mark says that an event is dealt with. The seq may be lower than the last one: then the
// server's store went back to a backup, and this is what stands there now.
func (p *progress) mark(e *wire.Event) error {
	p.done[e.Conversation] = max(e.Seq, e.ToSeq)
	b, err := json.Marshal(p.done)
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.file+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(p.file+".new", p.file) // whole, or not at all
}
