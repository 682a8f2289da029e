package chat

import (
	"context"
	"encoding/json"
	"sync"
	"time"
)

// signals limits how often users signal. Signals do not wait for a commit, so they have a
// limiter of their own.
type signals struct {
	mu    sync.Mutex
	rates rates
}

// Signal is something told live and not logged: an invitation to a call, a cursor's place.
type Signal struct {
	ToUser       UserID
	Conversation ConversationID
	Type         string
	Data         json.RawMessage // JSON, checked by the caller; may be nil
}

// Signal tells those who are in a conversation now, the caller's own sessions too, by the
// notification signal: once, or not at all to who is not connected. Who may write there may
// signal there; a direct conversation must have begun. It does not wait for anything but
// the look at the conversation.
func (s *Service) Signal(ctx context.Context, a Actor, sig Signal) error {
	id := sig.Conversation
	if sig.ToUser != "" {
		if err := CheckUserID(sig.ToUser); err != nil {
			return paramError("to.user", err)
		}
		if !s.MaySee(a.User, Direct) {
			return forbidden("guests speak in open rooms here")
		}
		id = DirectID(a.User, sig.ToUser)
	}
	c, m, _, err := s.find(ctx, a, id)
	if err != nil {
		return err
	}
	home := c
	if root, ok := c.Root(); ok { // who is in the parent, and may speak there
		if home, m, _, err = s.find(ctx, a, root.Conversation); err != nil {
			return err
		}
	}
	switch {
	case home.Kind == Room || joined(m):
	case a.Server && home.Kind == Direct:
		return forbidden("only the two of a direct conversation signal in it")
	case !a.Server:
		return notFound()
	}
	if err := speak(a, home, m, s.cfg.Now()); err != nil {
		return err
	}
	if err := s.signals.take(a, id, &s.cfg.Limits, s.cfg.Now()); err != nil {
		return err
	}
	s.bus.Notify(Notice{Conversation: *c, Method: "signal", Params: mustJSON(struct {
		Conversation ConversationID  `json:"conversation"`
		From         UserID          `json:"from"`
		Time         string          `json:"time"`
		Type         string          `json:"type"`
		Data         json.RawMessage `json:"data,omitempty"`
	}{id, a.User, string(AppendTime(nil, s.cfg.Now())), sig.Type, sig.Data})})
	return nil
}

// take takes the tokens that a signal costs: as many as a message.
func (s *signals) take(a Actor, id ConversationID, l *Limits, now time.Time) error {
	if !a.Limited {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if wait, ok := s.rates.take("u"+string(a.User), l.SendsPerSecond, l.SendsBurst, now); !ok {
		return tooFast("you signal too fast", wait)
	}
	if wait, ok := s.rates.take("c"+string(id), l.RoomSendsPerSec, l.RoomSendsBurst, now); !ok {
		return tooFast("too much is being signalled in this conversation", wait)
	}
	return nil
}
