package client

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/wire"
)

// maxNotes is how many notifications may wait to be looked at. What would be more is
// thrown away with all that waits, and what was missed is asked for again.
const maxNotes = 4096

// note is a notification as it came.
type note struct {
	method string
	params jsontext.Value
}

// rpc is calls and notifications over a Link.
type rpc struct {
	link  Link
	heard atomic.Int64 // when something last came, Unix nanoseconds

	sending sync.Mutex // held over link.Send

	mu       sync.Mutex
	lastID   int64
	waiting  map[int64]chan<- wire.Answer
	notes    []note
	overflow bool
	bye      *wire.Close // the server's last words
	err      error       // why it ended

	more chan struct{} // holds a token when there are notes
	done chan struct{} // closed when nothing more comes
}

func newRPC(link Link) *rpc {
	r := &rpc{
		link: link, waiting: make(map[int64]chan<- wire.Answer),
		more: make(chan struct{}, 1), done: make(chan struct{}),
	}
	r.heard.Store(time.Now().UnixNano())
	go r.read()
	return r
}

// close ends the connection and waits for its reader.
func (r *rpc) close() {
	_ = r.link.Close() // the server may have been first
	<-r.done
}

func (r *rpc) read() {
	defer close(r.done)
	for {
		frame, err := r.link.Receive()
		if err == nil {
			r.heard.Store(time.Now().UnixNano())
			err = r.take(frame)
		}
		if err != nil {
			r.end(err)
			return
		}
	}
}

func (r *rpc) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = fmt.Errorf("%w: %w", ErrLost, err)
	for id, w := range r.waiting {
		close(w)
		delete(r.waiting, id)
	}
}

func (r *rpc) take(frame []byte) error {
	a, err := wire.ParseAnswer(frame)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.Method != "" {
		r.keep(note{a.Method, a.Params})
		return nil
	}
	id, err := strconv.ParseInt(string(a.ID), 10, 64)
	w := r.waiting[id]
	if err != nil || w == nil {
		return nil // nobody waits for it any more
	}
	delete(r.waiting, id)
	w <- a
	return nil
}

// keep queues a notification under r.mu.
func (r *rpc) keep(n note) {
	switch {
	case n.method == "close":
		bye := new(wire.Close)
		if json.Unmarshal(n.params, bye) == nil {
			r.bye = bye
		}
		return
	case n.method == "ping":
		return // it was heard
	case len(r.notes) == maxNotes:
		r.notes, r.overflow = nil, true
	}
	r.notes = append(r.notes, n)
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// taken gives the notifications that wait, and whether some were thrown away before them.
func (r *rpc) taken() (notes []note, overflow bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	notes, overflow = r.notes, r.overflow
	r.notes, r.overflow = nil, false
	return notes, overflow
}

// lost says why the connection ended: *Closed when the server said why.
func (r *rpc) lost() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bye != nil {
		return &Closed{Code: wire.Code(r.bye.Code), Message: r.bye.Message, RetryAfter: time.Duration(r.bye.RetryAfterMS) * time.Millisecond}
	}
	return r.err
}

type request struct {
	JSONRPC string `json:"jsonrpc"`
	ID      int64  `json:"id,omitzero"`
	Method  string `json:"method"`
	Params  any    `json:"params,omitzero"`
}

// notify calls a method without waiting for an answer.
func (r *rpc) notify(method string, params any) error {
	return r.send(&request{JSONRPC: "2.0", Method: method, Params: params})
}

func (r *rpc) send(q *request) error {
	frame, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("%s: %w", q.Method, err)
	}
	r.sending.Lock()
	defer r.sending.Unlock()
	if err := r.link.Send(frame); err != nil {
		_ = r.link.Close() // its reader says why
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	return nil
}

// call calls a method and decodes its result, unless result is nil. Error answers are
// *Error; a connection that ends first is ErrLost.
func (r *rpc) call(ctx context.Context, method string, params, result any) error {
	answer := make(chan wire.Answer, 1)
	r.mu.Lock()
	if r.err != nil {
		r.mu.Unlock()
		return r.err
	}
	r.lastID++
	id := r.lastID
	r.waiting[id] = answer
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.waiting, id)
		r.mu.Unlock()
	}()
	if err := r.send(&request{JSONRPC: "2.0", ID: id, Method: method, Params: params}); err != nil {
		return err
	}
	select {
	case a, ok := <-answer:
		switch {
		case !ok:
			return r.lost()
		case a.Err != nil:
			return a.Err
		case result == nil:
			return nil
		}
		if err := json.Unmarshal(a.Result, result); err != nil {
			return fmt.Errorf("%s: the answer: %w", method, err)
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
