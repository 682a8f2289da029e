// Bot answers every message that begins with "echo ", once, also when it is killed between
// reading and answering, and what was written while it did not run.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/client/disk"
	"github.com/linnet-im/linnet/wire"
)

func main() {
	url := flag.String("url", "tcp://127.0.0.1:7788", "the server")
	folder := flag.String("folder", "bot-data", "where everything is kept")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bot(ctx, *url, *folder); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

func bot(ctx context.Context, url, folder string) error {
	store, err := disk.Open(ctx, folder)
	if err != nil {
		return err
	}
	p, err := load(filepath.Join(folder, "progress.json"))
	if err != nil {
		return errors.Join(err, store.Close())
	}
	c, err := client.New(ctx, client.Config{
		URL: url, Store: store, Name: "bot example",
		Token: func(context.Context) (string, error) { return os.Getenv("LINNET_TOKEN"), nil },
	})
	if err != nil {
		return errors.Join(err, store.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	defer func() { cancel(); <-done }()

	for e, err := range c.IncomingSince(ctx, p.missed) {
		if err != nil {
			return err
		}
		if err := answer(ctx, c, &e); err != nil {
			return err
		}
		if err := p.mark(&e); err != nil {
			return err
		}
	}
	return nil
}

// answer returns when the answer is in the outbox. When this program is killed before the
// event is marked, it comes here with it again: the same id makes it the same answer.
func answer(ctx context.Context, c *client.Client, e *wire.Event) error {
	if e.Kind != "message" || e.From == c.User().ID {
		return nil
	}
	echo, asked := strings.CutPrefix(text(e), "echo ")
	if !asked {
		return nil
	}
	_, err := c.SendAs(ctx, client.IDFor("echo", e), client.ToConversation(e.Conversation), client.Text(echo))
	return err
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
