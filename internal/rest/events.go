package rest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/session"
	"github.com/linnet-im/linnet/wire"
)

// writeTime is how long a listener may take nothing of what is written to it.
const writeTime = 10 * time.Second

// events answers GET /v1/events: Server-Sent Events (WHATWG HTML, section 9.2). The
// stream is live before what was missed is read, so nothing falls between the two; what
// comes twice by that is told once.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	open, p, bad := s.listener(r)
	if bad == nil && p.Wait != nil {
		bad = paramError("wait", "wait: polls wait; a stream goes on")
	}
	if bad != nil {
		problem(w, bad)
		return
	}
	stream, err := s.cfg.Hub.OpenStream(r.Context(), open, "sse", s.cfg.QueueBytes)
	if err != nil {
		problemOf(w, err)
		return
	}
	defer stream.Closed()
	signedIn(r)
	out := newEventWriter(w)
	defer out.close()
	stream.WhenRevoked(out.cut)
	if err := s.stream(r.Context(), out, stream, p.Cursor); err != nil {
		s.cfg.Log.Debug("an event stream ended", slog.Any("error", err))
	}
}

// stream writes what was missed, then what comes, until either side ends it.
func (s *server) stream(ctx context.Context, out *eventWriter, stream *session.Stream, cursor string) error {
	user := stream.User()
	var told map[chat.ConversationID]chat.Seq
	if cursor == "" {
		cursor = s.cfg.Chat.Cursor(user, s.cfg.Chat.Position())
	} else {
		s.cfg.Chat.Delivered(user, cursor) // the client keeps what it comes with
		var err error
		if cursor, told, err = s.missed(ctx, user, cursor, stream.Rooms(), out.write); err != nil && !errors.Is(err, errCut) {
			return out.giveUp(err)
		}
	}
	if err := out.checkpoint(cursor); err != nil && !errors.Is(err, errCut) {
		return err
	}
	for {
		beat, cancel := context.WithTimeout(ctx, api.Heartbeat)
		list, last := stream.Next(beat)
		cancel()
		for _, t := range list {
			if t.Method == "checkpoint" {
				told = nil // what was on its way then has come
			}
			if known(t, told) {
				continue // it was among what was missed
			}
			if err := out.write(t); err != nil && !errors.Is(err, errCut) {
				return err
			}
		}
		switch {
		case last, ctx.Err() != nil:
			return out.flush()
		case len(list) == 0:
			out.comment("still here")
		}
		if err := out.flush(); err != nil {
			return err
		}
	}
}

// known says whether a live event was told before, when what was missed was.
func known(t session.Told, told map[chat.ConversationID]chat.Seq) bool {
	if t.Method != "event" || len(told) == 0 {
		return false
	}
	var e struct {
		Conversation chat.ConversationID `json:"conversation"`
		Seq          chat.Seq            `json:"seq"`
	}
	return json.Unmarshal(t.Params, &e) == nil && e.Seq <= told[e.Conversation]
}

// eventWriter writes an event stream.
type eventWriter struct {
	w   http.ResponseWriter
	rc  *http.ResponseController
	err error // of the first write that failed

	mu     sync.Mutex
	until  time.Time // when it ends, whoever reads; zero: nobody has said
	closed bool      // w is not to be touched any more
}

// cut has the writer write nothing more but last words, which may take a moment. It may be
// called while another goroutine writes.
func (o *eventWriter) cut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.until = time.Now().Add(session.RevokedWait)
	if !o.closed {
		_ = o.rc.SetWriteDeadline(o.until) // then the write fails that has it
	}
}

// close says that the handler returns.
func (o *eventWriter) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
}

// errCut is that the stream was signed out while it was told something.
var errCut = errors.New("signed out")

// arm sets how long the next write may take.
func (o *eventWriter) arm() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	limit := time.Now().Add(writeTime)
	if !o.until.IsZero() {
		limit = o.until
	}
	return o.rc.SetWriteDeadline(limit)
}

func (o *eventWriter) isCut() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.until.IsZero()
}

func newEventWriter(w http.ResponseWriter) *eventWriter {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx is not to hold it back
	rc := http.NewResponseController(w)
	// The server's limit is for requests; this one has come whole, and its answer goes on.
	_ = rc.SetReadDeadline(time.Time{})
	w.WriteHeader(http.StatusOK)
	return &eventWriter{w: w, rc: rc}
}

// write writes one notification. Its JSON is one line, so it needs no splitting.
func (o *eventWriter) write(t session.Told) error {
	if t.Method != "close" && o.isCut() {
		return errCut
	}
	id := ""
	if t.Method == "checkpoint" {
		var c wire.Checkpoint
		if err := json.Unmarshal(t.Params, &c); err != nil {
			return err
		}
		id = "id: " + c.Cursor + "\n"
	}
	o.bytes([]byte(id + "event: " + t.Method + "\ndata: "))
	o.bytes(t.Params)
	o.bytes([]byte("\n\n"))
	return o.err
}

func (o *eventWriter) checkpoint(cursor string) error {
	if err := teller(o.write).tell("checkpoint", wire.Checkpoint{Cursor: cursor}); err != nil {
		return err
	}
	return o.flush()
}

func (o *eventWriter) comment(text string) { o.bytes([]byte(": " + text + "\n\n")) }

// giveUp ends the stream with the reason why it cannot go on: its status is out already.
func (o *eventWriter) giveUp(why error) error {
	e := api.Error(why)
	c := wire.Close{Code: string(e.Code), Message: e.Message, RetryAfterMS: e.RetryAfter.Milliseconds()}
	if err := teller(o.write).tell("close", c); err != nil {
		return err
	}
	return o.flush()
}

func (o *eventWriter) bytes(p []byte) {
	if o.err != nil {
		return
	}
	if o.err = o.arm(); o.err == nil {
		_, o.err = o.w.Write(p)
	}
}

func (o *eventWriter) flush() error {
	if o.err == nil {
		o.err = o.rc.Flush()
	}
	return o.err
}
