package client

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/linnet-im/linnet/wire"
)

// Config configures a Client. URL or Dial, and Token or Guest, are needed.
type Config struct {
	URL  string      // tcp://, tls://, ws:// or wss://HOST:PORT; see Dial
	TLS  *tls.Config // of tls and wss URLs; nil is the usual one
	Dial Dialer      // instead of URL

	// Token answers a token of the app's back end. It is asked before the first attempt
	// and after each refusal, not more often. It may block; an error is tried again. When
	// the server refuses the same token twice, or three in a row, Run ends with that error.
	Token func(ctx context.Context) (string, error)
	Guest string // a name, instead of Token

	Device wire.Device  // Device.ID names this installation; "" for none
	Name   string       // of the program and its version, at most 64 bytes
	Rooms  []string     // open rooms to be in, at most 16; guests are in the lobby anyway
	Store  Store        // nil: NewMemory(). The client's alone from New on; Run closes it.
	Logger *slog.Logger // nil: nothing is logged. Texts and tokens never are
}

// Phase is how far a connection is.
type Phase string

// The phases, in their usual order. A client is Connected once it has caught up, not before.
const (
	Offline    Phase = "offline" // Run has not begun, or has ended
	Connecting Phase = "connecting"
	CatchingUp Phase = "catching up"
	Connected  Phase = "connected"
	Waiting    Phase = "waiting" // for the next attempt
)

// State is the state of the connection.
type State struct {
	Phase Phase
	Since time.Time
	Until time.Time // Waiting: when the next attempt is made
	Err   error     // Waiting, Offline: why
}

// Client is one user on one server. Run connects it; all its methods may be called
// concurrently, before, while and after Run runs.
type Client struct {
	cfg   Config
	dial  Dialer
	store Store
	log   *slog.Logger
	id    string // of its session, for its life
	wake  chan struct{}

	// changing is held by whoever reads a conversation in order to change it, and never
	// over a call to the server. It is taken before mu.
	changing sync.Mutex

	mu            sync.Mutex
	state         State
	user          wire.User
	limits        wire.Limits
	cursor        string
	epoch         string
	conversations map[string]*Conversation
	items         map[itemKey]wire.Item
	// unsure are the conversations that hold more than Sure, with how far they were held at
	// the last checkpoint: what was there then, the next one vouches for.
	unsure map[string]int64
	outbox *outbox
	live   *rpc // the connection, once its session is open
	feeds  map[*Feed]struct{}
	seen   map[*seen]struct{}
	used   bool // Run was called
}

// New makes a client and loads what its store knows. It does not connect: Run does. When
// it fails, and when Run is never called, the store stays open and is the caller's to
// close. A store belongs to one user: that of another one is refused when Run connects.
func New(ctx context.Context, cfg Config) (*Client, error) {
	if (cfg.Token == nil) == (cfg.Guest == "") {
		return nil, errors.New("client: either Token or Guest")
	}
	c := &Client{
		cfg: cfg, dial: cfg.Dial, store: cfg.Store, log: cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
		id: newID(), wake: make(chan struct{}, 1),
		state:         State{Phase: Offline, Since: time.Now()},
		conversations: make(map[string]*Conversation), items: make(map[itemKey]wire.Item), unsure: make(map[string]int64),
		feeds: make(map[*Feed]struct{}), seen: make(map[*seen]struct{}),
	}
	if c.dial == nil {
		var err error
		if c.dial, err = Dial(cfg.URL, cfg.TLS); err != nil {
			return nil, err
		}
	}
	if c.store == nil {
		c.store = NewMemory()
	}
	known, err := c.store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("client: load: %w", err)
	}
	c.user.ID, c.cursor, c.epoch = known.User, known.Cursor, known.Epoch
	for i := range known.Conversations {
		c.keep(&known.Conversations[i])
	}
	for _, it := range known.Items {
		c.items[itemKey{it.Kind, it.Key}] = it
	}
	c.outbox = newOutbox(c, known.Outbox)
	return c, nil
}

// State answers the state of the connection.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// User answers who the client is, as far as it is known: with its id alone before the
// first connection of a program whose store knows it, empty before the first of all.
func (c *Client) User() wire.User {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.user
}

// Limits answers what the server accepts; zero before the first connection.
func (c *Client) Limits() wire.Limits {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.limits
}

// Conversations answers what is known of the user's conversations and rooms, the one
// with the newest event first. It asks nobody; the copies are the caller's.
func (c *Client) Conversations() []Conversation {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.list()
}

// list is Conversations under c.mu.
func (c *Client) list() []Conversation {
	list := make([]Conversation, 0, len(c.conversations))
	newest := make(map[string]string, len(c.conversations))
	for id, conv := range c.conversations {
		list = append(list, *conv)
		newest[id] = lastTime(conv)
	}
	slices.SortFunc(list, func(a, b Conversation) int {
		return cmp.Or(cmp.Compare(newest[b.ID], newest[a.ID]), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// Conversation answers what is known of one conversation.
func (c *Client) Conversation(id string) (Conversation, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	conv := c.conversations[id]
	if conv == nil {
		return Conversation{}, false
	}
	return *conv, true
}

func lastTime(c *Conversation) string {
	e, err := decodeEvent(c.Last)
	if err != nil {
		return ""
	}
	return e.Time
}

// Call calls any method of the server, waits for the answer and decodes it into result,
// unless that is nil. It is made once, over the connection that is there now: the error
// is ErrOffline when there is none, ErrLost when it ended before the answer came (a
// *Closed, if the server said why), *Error when the server says no, or ctx's cause. After
// ErrLost, and after ctx's end, the call may have been done all the same.
func (c *Client) Call(ctx context.Context, method string, params, result any) error {
	r, err := c.connection()
	if err != nil {
		return err
	}
	return r.call(ctx, method, params, result)
}

// Notify calls a method without waiting for an answer, for those that allow it. It
// returns when the call is written; whether it arrives is not told.
func (c *Client) Notify(method string, params any) error {
	r, err := c.connection()
	if err != nil {
		return err
	}
	return r.notify(method, params)
}

func (c *Client) connection() (*rpc, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live == nil {
		return nil, ErrOffline
	}
	return c.live, nil
}

// Wake says that the network may be another one: a waiting client tries at once, a
// connected one makes sure, within seconds, that it still is.
func (c *Client) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Read moves the user's read position in a conversation up to seq; positions only grow,
// and rooms have none. It needs a connection, and has the errors of Call; to repeat it
// does no harm.
func (c *Client) Read(ctx context.Context, conversation string, seq int64) error {
	var r wire.ReadResult
	if err := c.Call(ctx, "messages.read", &wire.ReadParams{Conversation: conversation, Seq: seq}, &r); err != nil {
		return err
	}
	c.changing.Lock()
	defer c.changing.Unlock()
	conv, known := c.Conversation(conversation)
	if !known || r.ReadSeq < conv.ReadSeq {
		return nil
	}
	conv.ReadSeq, conv.Unread = r.ReadSeq, r.Unread
	if err := c.countUnread(ctx, &conv); err != nil {
		return err
	}
	return c.update(ctx, &Changes{Conversations: []Conversation{conv}})
}

// countUnread counts what is unread, if all of that is held: the server's number may have
// in it what is still on its way here, or not have what came meanwhile.
func (c *Client) countUnread(ctx context.Context, conv *Conversation) error {
	if conv.Held.From > conv.ReadSeq+1 || conv.Held.To < conv.Seq {
		return nil
	}
	events, err := c.store.Events(ctx, conv.ID, conv.ReadSeq+1, conv.Seq)
	if err != nil {
		return err
	}
	self := c.User().ID
	conv.Unread = 0
	for i := range events {
		if events[i].Kind == "message" && events[i].From != self {
			conv.Unread++
		}
	}
	return nil
}

// update writes changes to the store, then to memory, and tells the feeds.
func (c *Client) update(ctx context.Context, ch *Changes) error {
	if ch.empty() {
		return nil
	}
	// What was heard is kept even if whoever waits for it goes.
	if err := c.store.Update(context.WithoutCancel(ctx), ch); err != nil {
		return fmt.Errorf("client: the store: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if ch.User != "" && c.user.ID != ch.User {
		c.user = wire.User{ID: ch.User}
	}
	if ch.Cursor != "" {
		c.cursor = ch.Cursor
	}
	if ch.Epoch != "" {
		c.epoch = ch.Epoch
	}
	if ch.Renew {
		clear(c.items)
	}
	for _, it := range ch.Items {
		if it.Body == nil {
			delete(c.items, itemKey{it.Kind, it.Key})
		} else {
			c.items[itemKey{it.Kind, it.Key}] = it
		}
	}
	changed := make(map[string]struct{}) // up to where it is held
	for _, id := range ch.Drop {
		delete(c.conversations, id)
		delete(c.unsure, id)
		c.unsee(id, 0)
		changed[id] = struct{}{}
	}
	for i := range ch.Conversations {
		own := ch.Conversations[i]
		c.unsee(own.ID, own.Held.To)
		c.keep(&own)
		changed[own.ID] = struct{}{}
	}
	for _, e := range ch.Events {
		changed[e.Conversation] = struct{}{}
	}
	for f := range c.feeds {
		f.changed(maps.Keys(changed))
	}
	return nil
}

// keep takes a conversation into memory, under c.mu.
func (c *Client) keep(conv *Conversation) {
	c.conversations[conv.ID] = conv
	if _, marked := c.unsure[conv.ID]; conv.Held.To <= conv.Sure {
		delete(c.unsure, conv.ID)
	} else if !marked {
		c.unsure[conv.ID] = 0 // since the last checkpoint
	}
}

func (c *Client) setState(s State) {
	s.Since = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = s
	for f := range c.feeds {
		f.stateChanged()
	}
}
