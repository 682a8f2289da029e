package search

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// Source is what an Indexer follows: a chat.Store has it.
type Source interface {
	Position() chat.Position
	Lineage() []chat.Start
	Heads(ctx context.Context, after chat.Position, limit int) ([]chat.Head, error)
	Events(ctx context.Context, r chat.EventRange) ([]chat.Record, error)
	ChangedUsers(ctx context.Context, after chat.Position, limit int) ([]chat.User, error)
}

const (
	// batchDocs and batchBytes are when a batch is written.
	batchDocs  = 1000
	batchBytes = 1 << 20
	// pageHeads, pageEvents and pageUsers are how many rows are read from the store at once.
	pageHeads  = 100
	pageEvents = 500
	pageUsers  = 500
	// gather is how long what is committed may wait to be indexed with more; a search does
	// not let it wait.
	gather = 500 * time.Millisecond
	// again is how long after a failure it is tried again.
	again = 5 * time.Second
	// keptStarts is how many starts of the store's lineage the index remembers.
	keptStarts = 5
)

// Indexer keeps an Index up to date with a store. It reads what has been committed, some
// time after it was, and rests as long as it works: a send never waits for it, and what
// it costs a busy server is half a core at most.
type Indexer struct {
	source Source
	index  Index
	log    *slog.Logger

	wake chan struct{} // holds one if a search waits

	mu       sync.Mutex
	reached  chat.Position
	progress chan struct{} // closed when reached moves
	waiting  int           // searches in Wait
}

// NewIndexer makes an Indexer; Run runs it.
func NewIndexer(source Source, index Index, log *slog.Logger) *Indexer {
	return &Indexer{source: source, index: index, log: log, wake: make(chan struct{}, 1), progress: make(chan struct{})}
}

// Run follows the store until ctx ends. What fails is logged and tried again; an index
// that is damaged, or knows what the store does not, is made anew.
func (x *Indexer) Run(ctx context.Context) {
	for {
		pause := gather
		if err := x.catchUp(ctx); err != nil && ctx.Err() == nil {
			pause = again
			x.log.Error("the search index is not up to date", slog.Any("error", err))
			if errors.Is(err, ErrDamaged) {
				if err := x.clear(ctx); err != nil {
					x.log.Error("the search index cannot be made anew", slog.Any("error", err))
				}
			}
		}
		if !x.sleep(ctx, pause, pause == gather) {
			return
		}
	}
}

// sleep waits for a time, or with early for a search that waits, and answers whether to go on.
func (x *Indexer) sleep(ctx context.Context, d time.Duration, early bool) bool {
	wake := x.wake
	if !early {
		wake = nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-wake:
			return true
		case <-timer.C:
			if !early || x.source.Position() != x.Position() {
				return true
			}
			timer.Reset(d)
		}
	}
}

// Position answers up to which position of the store everything is in the index.
func (x *Indexer) Position() chat.Position {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.reached
}

// Wait waits until everything that the store had committed up to pos is in the index,
// and answers whether it is; false when ctx ends first.
func (x *Indexer) Wait(ctx context.Context, pos chat.Position) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.waiting++
	defer func() { x.waiting-- }()
	for x.reached < pos {
		progress := x.progress
		x.mu.Unlock()
		select {
		case x.wake <- struct{}{}:
		default:
		}
		ended := false
		select {
		case <-progress:
		case <-ctx.Done():
			ended = true
		}
		x.mu.Lock()
		if ended {
			return x.reached >= pos
		}
	}
	return true
}

func (x *Indexer) setReached(pos chat.Position) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.reached = pos
	close(x.progress)
	x.progress = make(chan struct{})
}

func (x *Indexer) clear(ctx context.Context) error {
	x.setReached(0)
	return x.index.Clear(ctx)
}

// catchUp indexes everything that is committed when it is called.
func (x *Indexer) catchUp(ctx context.Context) error {
	upTo := x.source.Position()
	state, err := x.index.State(ctx)
	if err != nil {
		return err
	}
	if len(state.Starts) > 0 && !chat.Holds(x.source, state.Starts, max(state.Pos, state.Users)) {
		x.log.Warn("the store is not the one that was indexed, or went back: its search index is made anew")
		if err := x.clear(ctx); err != nil {
			return err
		}
		state = State{}
	}
	lineage := x.source.Lineage()
	state.Starts = lineage[max(0, len(lineage)-keptStarts):]
	w := &walk{x: x, state: state, upTo: upTo}
	if err := w.users(ctx); err != nil {
		return err
	}
	if err := w.conversations(ctx); err != nil {
		return err
	}
	x.setReached(upTo)
	return nil
}

// walk is one catching up.
type walk struct {
	x     *Indexer
	state State // as it will be when what is in batch has been written
	upTo  chat.Position
	batch Changes
	bytes int
}

// users indexes the names that changed.
func (w *walk) users(ctx context.Context) error {
	for w.state.Users < w.upTo {
		list, err := w.x.source.ChangedUsers(ctx, w.state.Users, pageUsers)
		if err != nil {
			return err
		}
		for _, u := range list {
			w.batch.Names = append(w.batch.Names, Name{User: u.ID, Name: u.Name + " " + string(u.ID)})
		}
		w.state.Users = w.upTo
		if len(list) == pageUsers {
			// What lies above upTo is not all there yet.
			w.state.Users = min(w.upTo, list[len(list)-1].Pos)
		}
		if len(list) > 0 {
			if err := w.write(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// conversations indexes the events of the conversations that changed.
func (w *walk) conversations(ctx context.Context) error {
	for w.state.Pos < w.upTo {
		heads, err := w.x.source.Heads(ctx, w.state.Pos, pageHeads)
		if err != nil {
			return err
		}
		for _, h := range heads {
			if err := w.conversation(ctx, h); err != nil {
				return err
			}
		}
		w.state.Pos = w.upTo
		if len(heads) == pageHeads {
			w.state.Pos = min(w.upTo, heads[len(heads)-1].Pos)
		}
	}
	return w.write(ctx)
}

// conversation indexes one conversation up to its head. What is read is as it is now, so
// an event that changes others matters for those only that were indexed before.
func (w *walk) conversation(ctx context.Context, h chat.Head) error {
	before, ok := w.batch.Reached[h.Conversation]
	if !ok {
		var err error
		if before, err = w.x.index.Reached(ctx, h.Conversation); err != nil {
			return err
		}
	}
	for next := before + 1; next <= h.Seq; {
		records, err := w.x.source.Events(ctx, chat.EventRange{Conversation: h.Conversation, From: next, To: h.Seq, Limit: pageEvents})
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return nil // a head without its events: the store is asked again when it moves
		}
		for _, r := range records {
			e := parse(h.Conversation, r)
			for _, t := range e.Targets {
				if err := w.changed(ctx, h.Conversation, t[0], min(t[1], before)); err != nil {
					return err
				}
			}
			if doc := e.doc(); !doc.Gone {
				w.add(doc)
			}
			if w.batch.Reached == nil {
				w.batch.Reached = make(map[chat.ConversationID]chat.Seq)
			}
			w.batch.Reached[h.Conversation] = r.Seq
			if err := w.writeIfFull(ctx); err != nil {
				return err
			}
		}
		next = records[len(records)-1].Seq + 1
	}
	return nil
}

// changed indexes events anew that were changed.
func (w *walk) changed(ctx context.Context, id chat.ConversationID, from, to chat.Seq) error {
	for from = max(from, 1); from <= to; {
		records, err := w.x.source.Events(ctx, chat.EventRange{Conversation: id, From: from, To: to, Limit: pageEvents})
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return nil
		}
		for _, r := range records {
			e := parse(id, r)
			w.add(e.doc())
			// The event that changed them is not reached yet: after a crash it is met again.
			if err := w.writeIfFull(ctx); err != nil {
				return err
			}
		}
		from = records[len(records)-1].Seq + 1
	}
	return nil
}

func (w *walk) add(d Doc) {
	w.batch.Docs = append(w.batch.Docs, d)
	w.bytes += len(d.Text)
}

func (w *walk) writeIfFull(ctx context.Context) error {
	if len(w.batch.Docs) < batchDocs && w.bytes < batchBytes {
		return nil
	}
	return w.write(ctx)
}

// write writes the batch, and rests as long as that took unless a search waits.
func (w *walk) write(ctx context.Context) error {
	began := time.Now()
	state := w.state
	w.batch.State = &state
	if err := w.x.index.Apply(ctx, &w.batch); err != nil {
		return err
	}
	full := len(w.batch.Docs) >= batchDocs || w.bytes >= batchBytes
	w.batch, w.bytes = Changes{}, 0
	w.x.mu.Lock()
	waiting := w.x.waiting
	w.x.mu.Unlock()
	if full && waiting == 0 && !w.x.sleep(ctx, time.Since(began), true) {
		return ctx.Err()
	}
	return ctx.Err()
}

// event is an event, and what search needs of its content.
type event struct {
	*chat.Event
	Type string
	Text string // all that is looked through
}

// content is what a content may have that people look for.
type content struct {
	Type    string `json:"type"`
	Text    string `json:"text"`
	Name    string `json:"name"`    // a file's
	Title   string `json:"title"`   // a place's or a forward's
	Address string `json:"address"` // a place's
	Items   []struct {
		Content content `json:"content"`
	} `json:"items"` // a forward's messages
}

// words answers what is looked through: a content's text, and what is not in that.
func (c *content) words() string {
	text := c.Text
	for _, more := range []string{c.Name, c.Title, c.Address} {
		if more != "" && !strings.Contains(text, more) {
			text += "\n" + more
		}
	}
	for i := range c.Items {
		text += "\n" + c.Items[i].Content.words()
	}
	return text
}

// parse reads an event. Of a content that is not readable there is nothing to find.
func parse(id chat.ConversationID, r chat.Record) event {
	e := event{Event: chat.ParseEvent(id, r)}
	var c content
	if e.Kind == chat.Message && json.Unmarshal(e.Content, &c) == nil {
		e.Type, e.Text = c.Type, c.words()
	}
	return e
}

// doc makes what the index keeps of an event. Only messages are found.
func (e *event) doc() Doc {
	return Doc{
		Conversation: e.Conversation, Seq: e.Seq, Time: e.Time, From: e.From, Type: e.Type, Text: e.Text,
		Gone: e.Kind != chat.Message,
	}
}
