package chat

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Code is the kind of an error, as callers and clients switch on it. The texts are those of the wire.
type Code string

// The codes the domain uses.
const (
	CodeParam       Code = "invalid_param"
	CodeNotFound    Code = "not_found"
	CodeForbidden   Code = "forbidden"
	CodeRevoked     Code = "revoked"
	CodeMuted       Code = "muted"
	CodeToken       Code = "invalid_token"
	CodeNotAccepted Code = "not_accepted"
	CodeStale       Code = "stale"
	CodeDeleted     Code = "account_deleted"
	CodeConflict    Code = "client_id_reused"
	CodeRoomBusy    Code = "room_busy"
	CodeRate        Code = "rate_limited"
	CodeBusy        Code = "busy"
	CodeStorage     Code = "storage_full"
	CodeUnknown     Code = "unknown_outcome"
	CodeInternal    Code = "internal"
	CodeElsewhere   Code = "signed_in_elsewhere"
)

// Error is an error whose text may be shown to the caller.
type Error struct {
	Code       Code
	Message    string
	Param      string        // CodeParam: which one
	RetryAfter time.Duration // CodeRate, CodeBusy; CodeMuted, if it ends
	Until      time.Time     // CodeMuted: its end; Forever for none
	First      *Place        // CodeConflict: where the first one stands
	Err        error         // the cause, not for the caller
}

// Error gives the code and the message.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Err)
	}
	return string(e.Code) + ": " + e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

func invalid(param, format string, args ...any) *Error {
	return &Error{Code: CodeParam, Param: param, Message: fmt.Sprintf(format, args...)}
}

// notFound is the one answer for what is not there and for what the caller may not see.
func notFound() *Error {
	return &Error{Code: CodeNotFound, Message: "there is no such conversation, or it is not for you"}
}

// oneOf checks a value that is one of a few.
func oneOf(param, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	last := len(allowed) - 1
	return invalid(param, "%s: %s or %s", param, strings.Join(allowed[:last], ", "), allowed[last])
}

func forbidden(message string) *Error { return &Error{Code: CodeForbidden, Message: message} }

// codeOf gives an error's code.
func codeOf(err error) Code {
	var own *Error
	if errors.As(err, &own) {
		return own.Code
	}
	return CodeInternal
}
