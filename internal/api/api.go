// Package api is the table of Linnet's methods: one row each, from which the sockets,
// the HTTP API, the OpenAPI document, the reference in docs/api and the authorisation
// test are made. Adding a feature is adding a row and its rule in package chat.
package api

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/presence"
	"github.com/linnet-im/linnet/wire"
)

// Access says who may call a method at all; what they may do it to is the domain's rule.
type Access string

// The kinds of access.
const (
	Anybody  Access = "anybody"   // no session needed
	Sessions Access = "a session" // users and guests
	Users    Access = "a user"    // not guests
	Servers  Access = "a server key"
)

// Repeat says what a repetition of a call does.
type Repeat string

// Every row is one of these.
const (
	ByNature   Repeat = "harmless by nature"
	ByClientID Repeat = "the first answer, by client_id"
	ByEach     Repeat = "the first answers, by each one's own id"
	AtMostOnce Repeat = "another one: it is told once or not at all"
)

// Caller is the session a call comes from. What is bound to a live connection a link
// without one refuses.
type Caller interface {
	// Actor gives who calls; false before session.open.
	Actor() (chat.Actor, bool)
	Open(ctx context.Context, p *wire.OpenParams) (wire.OpenResult, error)
	CloseSession() error
	Ack(cursor string) error
	JoinRoom(ctx context.Context, room chat.ConversationID) (wire.RoomResult, error)
	LeaveRoom(room chat.ConversationID) error
	// SetState says how present the session is.
	SetState(state presence.State) error
	Watch(ctx context.Context, users []chat.UserID) (wire.PresenceResult, error)
	Unwatch(users []chat.UserID) error
	// SignToken makes a token for a user, as the app's back end does.
	SignToken(user chat.UserID, name string, life time.Duration) (token string, expires time.Time, err error)
	// Signed is where the caller's user is signed in; only once there is an Actor.
	Signed() Signed
}

// Signed is where a user is signed in, as one of its sessions sees and changes it.
// It needs no live connection.
type Signed interface {
	// Presence answers what the caller may see of users, in their order.
	Presence(ctx context.Context, users []chat.UserID) ([]wire.Presence, error)
	SetStatus(ctx context.Context, status string) error
	// TellProfile tells the user's sessions, and those who watch its presence, of its profile.
	TellProfile(u wire.User)
	// HideSeen has it shown to others, or not, when the user was last seen.
	HideSeen(hide bool)
	// Screen has the user and the others watch each other no more where they may not any
	// more; without others, all who watch the user.
	Screen(ctx context.Context, others []chat.UserID) error
	Sessions(ctx context.Context) (wire.SessionsResult, error)
	RevokeSession(ctx context.Context, session string) (wire.RevokeResult, error)
	RevokeDevice(ctx context.Context, device string) (wire.RevokeResult, error)
	RevokeOthers(ctx context.Context) (wire.RevokeResult, error)
	// DeleteAccount deletes the user's account, with purge its messages too, and ends its sessions.
	DeleteAccount(ctx context.Context, purge bool) error
}

// Method is a row of the table.
type Method struct {
	Name   string
	Access Access
	Repeat Repeat
	Scope  chat.Scope // what a server key needs to call it
	Notify bool       // may be called without an id, and is not answered then
	Live   bool       // needs a live connection
	Doc    string
	Params reflect.Type
	Result reflect.Type

	call func(ctx context.Context, c Caller, params jsontext.Value) (any, error)
	send func(c Caller, params jsontext.Value, reply chat.Reply) error // instead of call: answers later

	answered func(method string, code wire.Code, took time.Duration) // nil: nobody wants to know
	used     func(key chat.Actor, things int) error                  // told of each call by a server key
}

// Table is the table, by name.
type Table struct {
	methods []*Method
	byName  map[string]*Method
}

// Observe has every call told to f when it is answered: its method, the error's code, ""
// for none, and how long it took. It must be called before the table is used.
func (t *Table) Observe(f func(method string, code wire.Code, took time.Duration)) {
	for _, m := range t.methods {
		m.answered = f
	}
}

// Methods gives the rows in the table's order.
func (t *Table) Methods() []*Method { return slices.Clone(t.methods) }

// Find gives the row, or an error for the caller.
func (t *Table) Find(name string) (*Method, *wire.Error) {
	if m := t.byName[name]; m != nil {
		return m, nil
	}
	return nil, wire.Errorf(wire.CodeMethod, "there is no method of that name; docs/api lists them")
}

// Later says whether the method answers by Send, not by Call.
func (m *Method) Later() bool { return m.send != nil }

// Call checks access and parameters and runs a method. It blocks until the result is there.
func (m *Method) Call(ctx context.Context, c Caller, params jsontext.Value) (result any, err *wire.Error) {
	if m.answered != nil {
		began := time.Now()
		defer func() { m.note(err, began) }()
	}
	return m.run(ctx, c, params)
}

// note tells that a call was answered.
func (m *Method) note(err *wire.Error, began time.Time) {
	code := wire.Code("")
	if err != nil {
		code = err.Code
	}
	m.answered(m.Name, code, time.Since(began))
}

func (m *Method) run(ctx context.Context, c Caller, params jsontext.Value) (any, *wire.Error) {
	if err := m.admit(c); err != nil {
		return nil, err
	}
	result, err := m.call(ctx, c, params)
	if err != nil {
		return nil, Error(err)
	}
	return result, nil
}

// Send is Call for a method that answers later: on success the reply takes the answer,
// on an error it is not used. It does not block.
func (m *Method) Send(c Caller, params jsontext.Value, reply chat.Reply) *wire.Error {
	if m.answered == nil {
		return m.sendOff(c, params, reply)
	}
	began := time.Now()
	err := m.sendOff(c, params, &noted{Reply: reply, method: m, began: began})
	if err != nil {
		m.note(err, began)
	}
	return err
}

func (m *Method) sendOff(c Caller, params jsontext.Value, reply chat.Reply) *wire.Error {
	if err := m.admit(c); err != nil {
		return err
	}
	if err := m.send(c, params, reply); err != nil {
		return Error(err)
	}
	return nil
}

// noted is a reply that tells when it is answered.
type noted struct {
	chat.Reply
	method *Method
	began  time.Time
}

func (n *noted) Answer(p chat.Place, err error) {
	n.Reply.Answer(p, err)
	var e *wire.Error
	if err != nil {
		e = Error(err)
	}
	n.method.note(e, n.began)
}

// admit checks who calls against the row.
func (m *Method) admit(c Caller) *wire.Error {
	if m.Access == Anybody {
		return nil
	}
	a, ok := c.Actor()
	switch {
	case !ok:
		return wire.Errorf(wire.CodeSession, "session.open comes first")
	case a.Server:
		return m.admitKey(a)
	case m.Access == Servers:
		return wire.Errorf(wire.CodeForbidden, "this is for server keys")
	case m.Access == Users && a.User.IsGuest():
		return wire.Errorf(wire.CodeForbidden, "this is not for guests")
	}
	return nil
}

// admitKey checks a server key against the row.
func (m *Method) admitKey(a chat.Actor) *wire.Error {
	if !a.Key.Has(m.Scope) {
		return wire.Errorf(wire.CodeScope, "this server key lacks the scope %s", m.Scope)
	}
	if a.User == "" && m.Access != Servers {
		return wire.Errorf(wire.CodeUser, "for whom? Over HTTP a server key comes with the header Linnet-User")
	}
	if err := m.used(a, 1); err != nil {
		return Error(err)
	}
	return nil
}

// row makes a row whose parameters are decoded, strictly, into a P.
func row[P, R any](m Method, call func(ctx context.Context, c Caller, p *P) (R, error)) *Method {
	m.Params, m.Result = reflect.TypeFor[P](), reflect.TypeFor[R]()
	m.call = func(ctx context.Context, c Caller, params jsontext.Value) (any, error) {
		p := new(P)
		if err := wire.DecodeParams(params, p); err != nil {
			return nil, err
		}
		return call(ctx, c, p)
	}
	return &m
}

// laterRow is row for a method that answers later, with a Place.
func laterRow[P any](m Method, send func(c Caller, p *P, reply chat.Reply) error) *Method {
	m.Params, m.Result = reflect.TypeFor[P](), reflect.TypeFor[wire.Place]()
	m.send = func(c Caller, params jsontext.Value, reply chat.Reply) error {
		p := new(P)
		if err := wire.DecodeParams(params, p); err != nil {
			return err
		}
		return send(c, p, reply)
	}
	return &m
}

// Error gives an error the form that peers see. It is the one place where the domain's
// errors become the wire's.
func Error(err error) *wire.Error {
	var own *wire.Error
	if errors.As(err, &own) {
		return own
	}
	var e *chat.Error
	if !errors.As(err, &e) {
		return &wire.Error{Code: wire.CodeInternal, Message: "something went wrong here", Outcome: wire.OutcomeUnknown}
	}
	w := &wire.Error{
		Code: wire.Code(e.Code), Message: e.Message, Param: e.Param,
		RetryAfter: e.RetryAfter, Until: e.Until, Outcome: wire.OutcomeNo,
	}
	switch e.Code {
	case chat.CodeRate, chat.CodeRoomBusy, chat.CodeBusy, chat.CodeStorage:
		w.Outcome = wire.OutcomeRetry
	case chat.CodeUnknown, chat.CodeInternal:
		w.Outcome = wire.OutcomeUnknown
	}
	if e.First != nil {
		first := Place(*e.First)
		w.First = &first
	}
	return w
}

// Place gives a place its wire form.
func Place(p chat.Place) wire.Place {
	return wire.Place{Conversation: string(p.Conversation), Seq: int64(p.Seq), Time: wire.FormatTime(p.Time)}
}

// pageLimit checks a limit: 0 is the usual one.
func pageLimit(n, usual int) (int, error) {
	switch {
	case n == 0:
		return usual, nil
	case n < 0 || n > MaxPage:
		return 0, paramErrorf("limit", "limit: 1 to %d", MaxPage)
	}
	return n, nil
}

// MaxPage is the most rows of a page.
const MaxPage = 200

func paramErrorf(param, format string, args ...any) *wire.Error {
	e := wire.Errorf(wire.CodeParam, format, args...)
	e.Param = param
	return e
}

// clientID checks a client_id.
func clientID(text string) ([16]byte, error) {
	id, err := wire.ParseUUID(text)
	if err != nil {
		return id, paramErrorf("client_id", "client_id: a UUID such as 0193a5e6-7c1f-7b2a-9d3e-4f5061728394")
	}
	return id, nil
}

// Heartbeat is how long a link may be silent before the server pings; after three of
// them it closes.
const Heartbeat = 25 * time.Second
