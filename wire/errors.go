package wire

import (
	"fmt"
	"time"
)

// Code is a stable, lower-case error code. Clients switch on it.
type Code string

// The error codes. Their texts are in docs/api.
const (
	CodeParse        Code = "parse_error"      // not JSON, or JSON with duplicate names, bad UTF-8, too deep
	CodeInvalid      Code = "invalid_request"  // JSON, but not a request
	CodeMethod       Code = "unknown_method"   //
	CodeParam        Code = "invalid_param"    // a parameter's value is wrong
	CodeUnknownParam Code = "unknown_param"    // a parameter this server does not know
	CodeBatch        Code = "no_batches"       // JSON-RPC batches are not taken
	CodeMedia        Code = "not_json"         // HTTP: a content type that is not application/json
	CodeVerb         Code = "not_post"         // HTTP: a method called otherwise than with POST
	CodeTooLarge     Code = "too_large"        // a frame, a body or a content over its limit
	CodeSession      Code = "session_required" // session.open comes first
	CodeOpen         Code = "already_open"     // the connection has a session
	CodeToken        Code = "invalid_token"    // not signed by whom it should be, or its claims are wrong
	CodeExpired      Code = "token_expired"    //
	CodeRevoked      Code = "revoked"          //
	CodeElsewhere    Code = "signed_in_elsewhere"
	CodeDeleted      Code = "account_deleted"
	CodeGuests       Code = "guests_off"       // guests are not allowed here
	CodeNotFound     Code = "not_found"        // not there, or not for you: the same answer
	CodeForbidden    Code = "forbidden"        // you may see it, but may not do this
	CodeMuted        Code = "muted"            // you may not speak there now
	CodeScope        Code = "scope_required"   // the server key may not do this
	CodeUser         Code = "user_required"    // a server key without the user to act for
	CodeNotAccepted  Code = "not_accepted"     // the other user does not take it
	CodeStale        Code = "stale"            // it is at another rev than the call says
	CodeConflict     Code = "client_id_reused" // the same client_id with another content
	CodeRoomBusy     Code = "room_busy"        // too much is being said in the room for a message of this priority
	CodeRate         Code = "rate_limited"     //
	CodeBusy         Code = "busy"             // overload or restart: try again
	CodeStorage      Code = "storage_full"     // nothing was written
	CodeUnknown      Code = "unknown_outcome"  // the commit's fate is not known: repeat with the same client_id
	CodeInternal     Code = "internal"         //
)

// Outcome says what became of a call that answered an error.
type Outcome string

// The outcomes.
const (
	OutcomeNo      Outcome = "no"      // it did not and will not happen
	OutcomeRetry   Outcome = "retry"   // it did not happen; try again
	OutcomeUnknown Outcome = "unknown" // it may have happened; repeat with the same client_id
)

// Error is an error as a peer sees it.
type Error struct {
	Code       Code
	Message    string        // for a person
	Outcome    Outcome       // "" means OutcomeNo
	RetryAfter time.Duration // zero: no hint
	Until      time.Time     // CodeMuted: when it ends; the year 9999: when somebody ends it
	Param      string        // the parameter at fault, if one is
	First      *Place        // CodeConflict: where the first one stands
}

// Error gives the code and the message.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }

// Errorf makes an error with the outcome "no".
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Outcome: OutcomeNo}
}
