package client_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/linnet-im/linnet/client"
	"github.com/linnet-im/linnet/client/disk"
	"github.com/linnet-im/linnet/internal/app"
	"github.com/linnet-im/linnet/internal/auth"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/config"
	"github.com/linnet-im/linnet/wire"
)

// Something is said, and it is waited for until it is on the server's disk.
func Example() {
	server := startServer()
	defer server.stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	c, err := client.New(ctx, client.Config{URL: server.url, Guest: "gopher"})
	if err != nil {
		log.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	defer func() { cancel(); <-done }()

	sending, err := c.Send(ctx, client.ToConversation("lobby"), client.Text("hello"))
	if err != nil {
		log.Fatal(err)
	}
	place, err := sending.Wait(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(place.Conversation, place.Seq)
	// Output: lobby 1
}

// What is written without a connection goes out when there is one, and by the next program
// if this one ends before.
func ExampleClient_Send() {
	server := startServer()
	defer server.stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	open := func() *client.Client {
		store, err := disk.Open(ctx, filepath.Join(server.folder, "alice"))
		if err != nil {
			log.Fatal(err)
		}
		c, err := client.New(ctx, client.Config{URL: server.url, Token: server.tokenOf("alice"), Store: store})
		if err != nil {
			log.Fatal(err)
		}
		return c
	}

	c := open() // it does not connect: nobody runs it
	if _, err := c.Send(ctx, client.ToUser("bob"), client.Text("hello")); err != nil {
		log.Fatal(err)
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	_ = c.Run(stopped) // it ends at once, and closes the store

	c = open()
	fmt.Println("waiting:", len(c.Outbox()))
	feed := c.Feed()
	defer feed.Close()
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	defer func() { cancel(); <-done }()
	for u := range feed.All(ctx) {
		if sent, ok := u.(client.Sent); ok {
			fmt.Println("sent:", sent.Place.Seq, sent.Err)
			break
		}
	}
	// Output:
	// waiting: 1
	// sent: 1 <nil>
}

// Every event, its own too, in order.
func ExampleClient_Incoming() {
	server := startServer()
	defer server.stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.New(ctx, client.Config{URL: server.url, Token: server.tokenOf("alice")})
	if err != nil {
		log.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	defer func() { cancel(); <-done }()
	for _, text := range []string{"one", "two"} {
		sending, err := c.Send(ctx, client.ToUser("bob"), client.Text(text))
		if err != nil {
			log.Fatal(err)
		}
		if _, err := sending.Wait(ctx); err != nil {
			log.Fatal(err)
		}
	}

	// IncomingSince begins with what is there: here with all of it.
	all := func(conv client.Conversation) int { return int(conv.Seq) }
	for e, err := range c.IncomingSince(ctx, all) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(e.Seq, e.From, string(e.Content))
		if e.Seq == 2 {
			break
		}
	}
	// Output:
	// 1 alice {"type":"text","text":"one"}
	// 2 alice {"type":"text","text":"two"}
}

// A program that may be killed between reading and answering answers once: the same event
// gives the same id.
func ExampleClient_SendAs() {
	server := startServer()
	defer server.stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.New(ctx, client.Config{URL: server.url, Token: server.tokenOf("bot")})
	if err != nil {
		log.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	defer func() { cancel(); <-done }()

	question := wire.Event{From: "bob", ClientID: "0193a5e6-7c1f-7b2a-9d3e-4f5061728394"}
	for range 2 { // the second time as if nothing was known of the first
		sending, err := c.SendAs(ctx, client.IDFor("answer", &question), client.ToUser("bob"), client.Text("yes"))
		if err != nil {
			log.Fatal(err)
		}
		place, err := sending.Wait(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(place.Seq)
	}
	// Output:
	// 1
	// 1
}

// Any method of the API, by its name. What is told live comes over a feed.
func ExampleClient_Call() {
	server := startServer()
	defer server.stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.New(ctx, client.Config{URL: server.url, Token: server.tokenOf("alice")})
	if err != nil {
		log.Fatal(err)
	}
	feed := c.Feed()
	defer feed.Close()
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	defer func() { cancel(); <-done }()

	for u := range feed.All(ctx) {
		switch u := u.(type) {
		case client.State:
			if u.Phase != client.Connected {
				continue
			}
			var r wire.PresenceResult
			if err := c.Call(ctx, "presence.subscribe", &wire.WatchParams{Users: []string{"alice"}}, &r); err != nil {
				log.Fatal(err)
			}
			if err := c.Notify("presence.set", &wire.PresenceSetParams{State: "away"}); err != nil {
				log.Fatal(err)
			}
		case client.Notice:
			fmt.Println(u.Method)
			return
		}
	}
	// Output: presence
}

// server is a real one, on a port and a folder of its own.
type server struct {
	url, folder string
	stop        func()
}

func startServer() *server {
	folder, err := os.MkdirTemp("", "linnet-example-")
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- app.Run(ctx, config.Config{
			Listen: "127.0.0.1:0", Data: filepath.Join(folder, "linnet-data"), Guests: "full", MaxConnections: 100, Secret: secret,
			Limits: config.DefaultLimits(),
		}, slog.New(slog.DiscardHandler), w)
		_ = w.Close() // a pipe's never fails
	}()
	in := bufio.NewReader(r)
	line, err := in.ReadString('\n')
	if err != nil {
		log.Fatal(<-done)
	}
	go func() { _, _ = io.Copy(io.Discard, in) }()
	return &server{
		url: "tcp://" + regexp.MustCompile(`[0-9.]+:[0-9]+`).FindString(line), folder: folder,
		stop: func() {
			cancel()
			if err := <-done; err != nil {
				log.Fatal(err)
			}
			_ = os.RemoveAll(folder) // it is a temporary one
		},
	}
}

const secret = "0123456789abcdef0123456789abcdef"

// tokenOf answers tokens as an app's back end does.
func (*server) tokenOf(user chat.UserID) func(context.Context) (string, error) {
	return func(context.Context) (string, error) {
		return auth.Sign([]byte(secret), user, "", time.Now(), time.Hour, "", "")
	}
}
