package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/internal/session"
	"github.com/linnet-im/linnet/wire"
)

const (
	// usualWait and maxWait are how long a poll waits for something to tell.
	usualWait = 25 * time.Second
	maxWait   = 60 * time.Second
	// answerTime is how long a poller may take to read its answer.
	answerTime = time.Minute
)

// poll answers GET /v1/poll: what came since the cursor, at once if there is anything,
// else when there is or the wait is over. The same cursor is answered the same again, and
// more, so an answer that is lost loses nothing but notices.
func (s *server) poll(w http.ResponseWriter, r *http.Request) {
	open, params, bad := s.listener(r)
	wait := usualWait
	if bad == nil && params.Wait != nil {
		if wait = time.Duration(*params.Wait) * time.Second; wait < 0 || wait > maxWait {
			bad = paramError("wait", "wait: seconds, 0 to 60")
		}
	}
	if bad != nil {
		problem(w, bad)
		return
	}
	p, err := s.cfg.Hub.Poll(r.Context(), open)
	if err != nil {
		problemOf(w, err)
		return
	}
	defer p.Done()
	signedIn(r)
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{})                                   // the request is here; its answer may take longer
	_ = rc.SetWriteDeadline(time.Now().Add(wait + callTime + answerTime)) // for an answer that says what went wrong
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	answer, err := s.answerPoll(ctx, p, params.Cursor)
	if err != nil {
		problemOf(w, err)
		return
	}
	body, err := wire.AppendJSON(nil, answer)
	if err != nil {
		problemOf(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = rc.SetWriteDeadline(time.Now().Add(answerTime))
	_, _ = w.Write(body) // the client may have gone: it asks again
}

func (s *server) answerPoll(ctx context.Context, p *session.Poll, cursor string) (wire.PollResult, error) {
	if cursor == "" {
		return wire.PollResult{
			Cursor: s.cfg.Chat.Cursor(p.User(), s.cfg.Chat.Position()), Notifications: []wire.Notification{},
		}, nil
	}
	s.cfg.Chat.Delivered(p.User(), cursor) // the client keeps what it comes with
	for mine := true; ; mine = p.Wait(ctx) {
		answer := wire.PollResult{Notifications: []wire.Notification{}}
		if !mine {
			answer.Cursor = cursor // another poll tells what there is
			return answer, nil
		}
		keep := func(t session.Told) error {
			answer.Notifications = append(answer.Notifications, wire.Notification{Method: t.Method, Params: jsontext.Value(t.Params)})
			return nil
		}
		// What is being read is read to the end: the wait is for something to come.
		reading, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
		var err error
		answer.Cursor, _, err = s.missed(reading, p.User(), cursor, p.Rooms(), keep)
		cancel()
		if err != nil {
			return answer, err
		}
		notices, last := p.Notices()
		for _, t := range notices {
			_ = keep(t) // it only appends
		}
		if len(answer.Notifications) > 0 || last || ctx.Err() != nil {
			return answer, nil
		}
		cursor = answer.Cursor
	}
}
