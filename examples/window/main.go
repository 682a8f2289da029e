// Window shows the newest messages of a conversation as they are now, whatever happens to
// them: what is changed, skipped, or taken back with the server's store, is read anew.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/wire"
)

func main() {
	url := flag.String("url", "tcp://127.0.0.1:7788", "the server")
	conversation := flag.String("conversation", "lobby", "what to show")
	lines := flag.Int("lines", 10, "how much of it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := window(ctx, *url, *conversation, *lines); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

func window(ctx context.Context, url, conversation string, lines int) error {
	c, err := client.New(ctx, client.Config{
		URL: url, Rooms: []string{"lobby"},
		Token: func(context.Context) (string, error) { return os.Getenv("LINNET_TOKEN"), nil },
	})
	if err != nil {
		return err
	}
	feed := c.Feed() // before Run: nothing is missed
	defer feed.Close()
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	defer func() { cancel(); <-done }()

	for {
		u, err := feed.Next(ctx)
		if err != nil {
			return err
		}
		switch u := u.(type) {
		case client.State:
			fmt.Printf("-- %s\n", u.Phase)
			if u.Phase == client.Offline && u.Err != nil {
				return u.Err
			}
		case client.Changed:
			if u.Conversation != conversation {
				continue
			}
			if err := show(ctx, c, conversation, lines); err != nil {
				return err
			}
		}
	}
}

// show reads anew what there is, and prints that.
func show(ctx context.Context, c *client.Client, conversation string, lines int) error {
	page, err := c.Timeline(ctx, conversation, 0, lines)
	var answered *client.Error
	switch {
	case errors.As(err, &answered) && answered.Code == wire.CodeNotFound:
		fmt.Println("-- it is not there, or no longer for us")
		return nil
	case err != nil && !errors.Is(err, client.ErrOffline): // then it is what is held here
		return err
	}
	fmt.Printf("-- %d to %d\n", page.From, page.To)
	for i := range page.Events {
		if e := &page.Events[i]; e.Kind == "message" {
			fmt.Printf("%d %s: %s\n", e.Seq, e.From, text(e))
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
