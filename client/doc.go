// Package client is Linnet's client for Go: bots, tools, terminal programs, gateways.
//
// A Client is one user on one server. Run keeps it connected; everything else can be
// called at any time, connected or not:
//
//	store, err := disk.Open(ctx, "bot-data") // or nil, to keep nothing
//	c, err := client.New(ctx, client.Config{
//		URL:   "wss://chat.example.com",
//		Token: func(ctx context.Context) (string, error) { return askMyBackEnd(ctx) },
//		Store: store,
//	})
//	go c.Run(ctx)
//
//	for e, err := range c.Incoming(ctx) { // every event, once, in order
//		…
//		c.Send(ctx, client.ToConversation(e.Conversation), client.Text("hello"))
//	}
//
// Whole programs are in the folder examples, and the guide that explains them is
// docs/clients/go.md.
//
// # Nothing is lost
//
// Send returns when the message is in the store's outbox. From there it is sent once,
// in the order of the calls in each conversation, however often the connection is lost,
// the server restarts or this program is killed: it goes under one client id, which the
// server knows again. Sending.Wait waits for its place in the log, or for why there is none.
//
// What comes is applied by its seq. After a loss the client asks, by the cursor it has
// kept, what changed, and fetches the ranges that are missing; it is Connected only when
// that is done. When the server says that something was skipped, or that its store went
// back to a backup, the client mends what it holds, and sends its own acknowledged
// messages again that the backup does not have.
//
// A program that acts on what comes, and must do so once also when it is killed, keeps up
// to which seq it has acted, asks for what is above by IncomingSince, and sends by SendAs.
//
// # Reading
//
// Conversations and Timeline answer from what is held, and Timeline asks the server for
// what is older. A Feed tells what changed: the state of the connection, conversations,
// sent messages, and the notices that are told live and not logged (typing, presence).
// A late reader of a feed finds each conversation once; nothing waits for it.
//
// # Everything else
//
// Call calls any method of the server's API by its name, with the types of package wire:
//
//	var r wire.PresenceResult
//	err := c.Call(ctx, "presence.subscribe", &wire.WatchParams{Users: []string{"bob"}}, &r)
//
// Errors that the server answers are *Error, with a Code, what became of the call
// (Outcome), and when to come again. ErrOffline says that a call was not made, ErrLost that
// it may have been.
package client
