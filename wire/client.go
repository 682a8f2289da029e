package wire

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Answer is what a server sends: the answer to a call (Result or Err), or a
// notification (Method and Params).
type Answer struct {
	ID     jsontext.Value // of the call that is answered; nil for a notification, and for an error whose call could not be read
	Result jsontext.Value
	Err    *Error
	Method string
	Params jsontext.Value
}

// ParseAnswer reads one frame from a server. It is for clients, which must get along
// with later servers: members it does not know are ignored, as are members of an
// error's data that are not what they should be. The answer does not alias frame.
func ParseAnswer(frame []byte) (Answer, error) {
	var m struct {
		ID     jsontext.Value `json:"id"`
		Result jsontext.Value `json:"result"`
		Error  *struct {
			Code    int            `json:"code"`
			Message string         `json:"message"`
			Data    jsontext.Value `json:"data"`
		} `json:"error"`
		Method string         `json:"method"`
		Params jsontext.Value `json:"params"`
	}
	if err := json.Unmarshal(frame, &m); err != nil {
		return Answer{}, fmt.Errorf("parse answer: %w", err)
	}
	a := Answer{ID: m.ID, Result: m.Result, Method: m.Method, Params: m.Params}
	if a.ID.Kind() == 'n' {
		a.ID = nil
	}
	switch {
	case m.Error != nil:
		a.Err = decodeError(codeOfRPC(m.Error.Code), m.Error.Message, m.Error.Data)
		a.Result, a.Method, a.Params = nil, "", nil
	case m.Method != "":
		a.Result = nil
	case a.Result == nil || a.ID == nil:
		return Answer{}, errors.New("parse answer: neither an answer nor a notification")
	default:
		a.Params = nil
	}
	return a, nil
}

// ParseProblem reads the body of an HTTP answer that is an error. It takes what a proxy
// on the way sends too: a body that is no problem of ours is CodeInternal, or CodeBusy
// where the status says to come again.
func ParseProblem(status int, body []byte) *Error {
	code := CodeInternal
	if status == 429 || status == 502 || status == 503 || status == 504 {
		code = CodeBusy
	}
	var detail string
	var members map[string]jsontext.Value
	if json.Unmarshal(body, &members) == nil {
		member(members, "detail", &detail)
	}
	if detail == "" {
		detail = fmt.Sprintf("the server answered with status %d", status)
	}
	return decodeError(code, detail, body)
}

// decodeError reads an error's own members out of data, each of them only if it is what
// it should be.
func decodeError(code Code, message string, data []byte) *Error {
	e := &Error{Code: code, Message: message, Outcome: OutcomeNo}
	if code == CodeBusy {
		e.Outcome = OutcomeUnknown // it was not our server that said so
	}
	var members map[string]jsontext.Value
	if json.Unmarshal(data, &members) != nil {
		return e
	}
	member(members, "code", &e.Code)
	member(members, "outcome", &e.Outcome)
	member(members, "param", &e.Param)
	var ms int64
	if member(members, "retry_after_ms", &ms); ms > 0 {
		e.RetryAfter = time.Duration(min(ms, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
	}
	var until string
	if member(members, "until", &until) {
		e.Until, _ = time.Parse(time.RFC3339, until) // zero when it is none
	}
	var first Place
	if member(members, "first", &first) {
		e.First = &first
	}
	return e
}

// member decodes one member into into, which stays as it is when the member is absent,
// null, empty or of another type.
func member[T comparable](members map[string]jsontext.Value, name string, into *T) bool {
	var v, zero T
	if raw, ok := members[name]; !ok || json.Unmarshal(raw, &v) != nil || v == zero {
		return false
	}
	*into = v
	return true
}
