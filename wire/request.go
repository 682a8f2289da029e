package wire

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxDepth   = 32      // objects and arrays inside each other, the request's own included
	maxIDBytes = 64      // of a string id
	maxIDInt   = 1 << 53 // whole numbers from here on are not exact in JavaScript
	maxMethod  = 64      // bytes; no name comes near it
)

// Request is one call of a JSON-RPC peer.
type Request struct {
	ID     jsontext.Value // a string or a whole number as the peer wrote it; nil: no id, so no answer
	Method string
	Params jsontext.Value // an object; nil when absent
}

// ParseRequest reads one frame: one JSON object, without duplicate names, in UTF-8, at
// most 32 levels deep. ID and Params alias frame, which must not change while they are
// used.
//
// A request that is refused still has its ID where that could be read, so that the
// refusal can be answered with it; without one it is answered with the id null.
func ParseRequest(frame []byte) (Request, *Error) {
	if b := bytes.TrimLeft(frame, " \t\r\n"); len(b) > 0 && b[0] == '[' {
		return Request{}, Errorf(CodeBatch, "batches are not taken; send one object after the other, without waiting for the answers")
	}
	if tooDeep(frame) {
		return Request{}, depthError()
	}
	r := requestReader{frame: frame}
	if err := json.Unmarshal(frame, &r); err != nil {
		var syntax *jsontext.SyntacticError
		if errors.As(err, &syntax) && syntax.JSONPointer == "/id" {
			r.ID = nil // two ids are none
		}
		return Request{ID: r.ID}, parseError(err)
	}
	if r.fault == nil && r.Method == "" {
		r.refuse(Errorf(CodeInvalid, "a request needs a method"))
	}
	if r.fault != nil {
		return Request{ID: r.ID}, r.fault
	}
	return r.Request, nil
}

// requestReader reads a request's members. It goes on after a fault, since the id may
// come later.
type requestReader struct {
	Request
	frame []byte
	fault *Error // the first one
}

func (r *requestReader) refuse(e *Error) {
	if r.fault == nil {
		r.fault = e
	}
}

// UnmarshalJSONFrom reads the one value of the frame. Its errors are those of JSON's
// grammar; what else is wrong is left in r.fault.
func (r *requestReader) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '{' {
		r.refuse(Errorf(CodeInvalid, "a request is a JSON object"))
		return dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		member := name.String() // before the next read: the token does not outlive it
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		// The decoder's value is good until its next call only; the same bytes of the
		// frame stay.
		end := int(dec.InputOffset())
		r.member(member, r.frame[end-len(value):end:end])
	}
	_, err := dec.ReadToken()
	return err
}

func (r *requestReader) member(name string, value jsontext.Value) {
	switch name {
	case "jsonrpc":
		if string(value) != `"2.0"` {
			r.refuse(Errorf(CodeInvalid, `jsonrpc must be "2.0", or be left out`))
		}
	case "id":
		if !validID(value) {
			r.refuse(Errorf(CodeInvalid, "id must be a string of at most %d bytes or a whole number below 2^53", maxIDBytes))
			return
		}
		r.ID = value
	case "method":
		method, err := jsontext.AppendUnquote(nil, value)
		if value.Kind() != '"' || err != nil || len(method) == 0 || len(method) > maxMethod {
			r.refuse(Errorf(CodeInvalid, "method must be a string of 1 to %d bytes", maxMethod))
			return
		}
		r.Method = string(method)
	case "params":
		if value.Kind() != '{' {
			r.refuse(notAnObject(value.Kind()))
			return
		}
		r.Params = value
	default:
		r.refuse(Errorf(CodeInvalid, "a request has no member %q, only jsonrpc, id, method and params", clip(name)))
	}
}

func validID(value jsontext.Value) bool {
	switch value.Kind() {
	case '"':
		if len(value)-2 <= maxIDBytes {
			return true
		}
		text, err := jsontext.AppendUnquote(nil, value) // escapes are longer than what they stand for
		return err == nil && len(text) <= maxIDBytes
	case '0':
		n, err := strconv.ParseInt(string(value), 10, 64)
		return err == nil && n > -maxIDInt && n < maxIDInt
	}
	return false
}

// notAnObject refuses params of another kind.
func notAnObject(kind jsontext.Kind) *Error {
	e := Errorf(CodeParam, "params must be an object of named parameters, not %s", kindName(kind))
	e.Param = "params"
	return e
}

// tooDeep says whether objects and arrays are nested more than maxDepth levels. Of
// what is not JSON it says anything.
func tooDeep(b []byte) bool {
	if bytes.Count(b, []byte{'{'})+bytes.Count(b, []byte{'['}) <= maxDepth {
		return false // too few for it, wherever they stand
	}
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

func depthError() *Error {
	return Errorf(CodeParse, "objects and arrays are nested more than %d levels deep", maxDepth)
}

// parseError makes the answer to what is not JSON as we take it.
func parseError(err error) *Error {
	var syntax *jsontext.SyntacticError
	switch {
	case !errors.As(err, &syntax):
		return Errorf(CodeParse, "not JSON: %s", clip(err.Error()))
	case errors.Is(err, jsontext.ErrDuplicateName):
		return Errorf(CodeParse, "the name %q stands twice in one object", clip(syntax.JSONPointer.LastToken()))
	}
	return Errorf(CodeParse, "not JSON, from byte %d on: %s", syntax.ByteOffset, clip(syntax.Err.Error()))
}

// clip bounds what of a peer's text goes into a message.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return string(bytes.ToValidUTF8([]byte(s[:most]), nil)) + "…"
}
