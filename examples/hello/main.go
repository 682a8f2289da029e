// Hello says something in the lobby, as a guest, and prints where that stands in the log.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/linnet-im/linnet/client"
)

func main() {
	url := flag.String("url", "tcp://127.0.0.1:7788", "the server")
	flag.Parse()
	if err := hello(context.Background(), *url); err != nil {
		log.Fatal(err)
	}
}

func hello(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Second, errors.New("the server did not take it in 10 s"))
	defer cancel()
	c, err := client.New(ctx, client.Config{URL: url, Guest: "gopher"})
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }() // it connects, and connects again
	defer func() { cancel(); <-done }()

	sending, err := c.Send(ctx, client.ToConversation("lobby"), client.Text("hello from Go"))
	if err != nil {
		return err
	}
	place, err := sending.Wait(ctx) // until it is on the server's disk
	if err != nil {
		return err
	}
	fmt.Printf("it is number %d in %s\n", place.Seq, place.Conversation)
	return nil
}
