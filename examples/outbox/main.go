// Outbox sends a message to a user, now or later: what the server has not taken is kept in a
// folder, and goes out the next time, once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/client/disk"
)

func main() {
	url := flag.String("url", "tcp://127.0.0.1:7788", "the server")
	folder := flag.String("folder", "outbox-data", "where what is still to be sent is kept")
	to := flag.String("to", "bob", "whom to")
	wait := flag.Duration("wait", 5*time.Second, "how long to wait for the server")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), *wait)
	defer cancel()
	if err := send(ctx, *url, *folder, *to, strings.Join(flag.Args(), " ")); err != nil {
		log.Fatal(err)
	}
}

func send(ctx context.Context, url, folder, to, text string) error {
	store, err := disk.Open(ctx, folder)
	if err != nil {
		return err
	}
	c, err := client.New(ctx, client.Config{
		URL: url, Store: store,
		Token: func(context.Context) (string, error) { return os.Getenv("LINNET_TOKEN"), nil },
	})
	if err != nil {
		return errors.Join(err, store.Close())
	}
	feed := c.Feed()
	defer feed.Close()
	running, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(running) }()
	defer func() { stop(); <-done }() // it closes the store

	if text != "" {
		if _, err := c.Send(ctx, client.ToUser(to), client.Text(text)); err != nil {
			return err
		}
		// It is on this disk now: whatever happens from here on, it will be sent.
	}
	for waiting(c) > 0 {
		u, err := feed.Next(ctx)
		if err != nil {
			fmt.Printf("%d not sent yet, kept in %s: %v\n", waiting(c), folder, c.State().Err)
			return nil
		}
		switch u := u.(type) {
		case client.Sent:
			if u.Err != nil {
				fmt.Println("refused:", u.Err) // it stays in the outbox, for Retry or Discard
			} else {
				fmt.Printf("sent: number %d in %s\n", u.Place.Seq, u.Place.Conversation)
			}
		case client.State:
			if u.Phase == client.Offline && u.Err != nil {
				return u.Err // Run has ended, and says why
			}
		}
	}
	return nil
}

// waiting counts what is still to be sent, also from earlier runs.
func waiting(c *client.Client) int {
	n := 0
	for _, o := range c.Outbox() {
		if o.Failed == nil {
			n++
		}
	}
	return n
}
