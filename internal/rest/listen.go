package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/session"
	"github.com/linnet-im/linnet/wire"
)

// listener reads a request to listen: the bearer token, and the parameters from the
// query. It answers what session.open would be told.
func (s *server) listener(r *http.Request) (*wire.OpenParams, *wire.ListenParams, *wire.Error) {
	open, bad := s.credentials(r, s.loopback(r))
	if bad != nil {
		return nil, nil, bad
	}
	if open == nil {
		return nil, nil, wire.Errorf(wire.CodeSession, "Authorization: Bearer and a token; session.open answers one, to guests too")
	}
	values := make(map[string]any)
	for name, list := range r.URL.Query() {
		values[name] = list[0]
		if n, err := strconv.Atoi(list[0]); name == "wait" && err == nil {
			values[name] = n
		}
		if len(list) > 1 {
			return nil, nil, paramError(name, name+": given more than once")
		}
	}
	raw, err := json.Marshal(values)
	if err != nil {
		return nil, nil, api.Error(err)
	}
	p := &wire.ListenParams{Cursor: r.Header.Get("Last-Event-ID")}
	if err := wire.DecodeParams(raw, p); err != nil {
		return nil, nil, api.Error(err)
	}
	if open.Key != "" && open.User == "" {
		return nil, nil, wire.Errorf(wire.CodeUser, "for whom? A server key comes with the header %s", userHeader)
	}
	open.Session, open.Client = p.Session, p.Client
	open.Rooms = strings.FieldsFunc(p.Rooms, func(r rune) bool { return r == ',' })
	if d := (wire.Device{ID: p.Device, Platform: p.Platform, Name: p.DeviceName}); d != (wire.Device{}) {
		open.Device = &d
	}
	return open, p, nil
}

func paramError(param, message string) *wire.Error {
	e := wire.Errorf(wire.CodeParam, "%s", message)
	e.Param = param
	return e
}

// missed gives what a listener was not told since its cursor to tell, which may write it
// to the peer or keep it.
func (s *server) missed(ctx context.Context, user chat.UserID, cursor string, rooms []chat.ConversationID, tell func(session.Told) error) (string, map[chat.ConversationID]chat.Seq, error) {
	return s.cfg.Chat.Missed(ctx, chat.Actor{User: user}, cursor, rooms, teller(tell))
}

// teller is chat.Teller with the notifications that it becomes.
type teller func(session.Told) error

func (t teller) Reset(forks []chat.Forked) error {
	r := wire.Reset{Conversations: make([]wire.Fork, len(forks))}
	for i, f := range forks {
		r.Conversations[i] = wire.Fork{Conversation: string(f.Conversation), ForkSeq: int64(f.Fork)}
	}
	return t.tell("reset", r)
}

func (t teller) Event(r chat.Record) error { return t(session.Told{Method: "event", Params: r.JSON}) }

func (t teller) Gap(id chat.ConversationID, from, to chat.Seq) error {
	return t.tell("gap", wire.Gap{Conversation: string(id), FromSeq: int64(from), ToSeq: int64(to)})
}

func (t teller) tell(method string, v any) error {
	params, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return t(session.Told{Method: method, Params: params})
}

// problemOf gives any error of the domain the form that peers see.
func problemOf(w http.ResponseWriter, err error) { problem(w, api.Error(err)) }
