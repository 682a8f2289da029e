package client

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/linnet-im/linnet/wire"
)

// Error is an error that the server answered: its Code says what, its Outcome what became
// of the call, and RetryAfter when to come again, zero where that does not help.
type Error = wire.Error

// Closed is that the server ended the connection and said why.
type Closed struct {
	Code       wire.Code // restarting, slow, idle, token_expired, revoked…
	Message    string
	RetryAfter time.Duration
}

func (c *Closed) Error() string {
	return fmt.Sprintf("the server closed the connection: %s: %s", c.Code, c.Message)
}

// Is says that a connection that the server closed is one that was lost.
func (c *Closed) Is(target error) bool { return target == ErrLost }

// Errors of a Client.
var (
	// ErrOffline says that something needs the server and there is no connection now: the
	// call was not made.
	ErrOffline = errors.New("not connected")
	// ErrLost says that the connection ended before the answer came: whether the call was
	// done is not known. One that has a client_id can be repeated with the same one.
	ErrLost = errors.New("the connection was lost")
	// ErrTooOld is a message that waited longer than the server remembers client ids:
	// sent again, it might be there twice. Retry sends it all the same, Discard drops it.
	ErrTooOld = errors.New("it waited so long that it might be sent twice")
	// ErrTooLarge is a message with more content than the server takes.
	ErrTooLarge = errors.New("it is longer than the server takes")
	// ErrDiscarded is a message that was taken out of the outbox.
	ErrDiscarded = errors.New("it was discarded")
	// ErrStopped says that Run has ended.
	ErrStopped = errors.New("the client has stopped")
)

// refusal says whether an error is the server's no to the token or the session itself.
func refusal(err error) (code wire.Code, ok bool) {
	var answered *Error
	var closed *Closed
	switch {
	case errors.As(err, &answered):
		code = answered.Code
	case errors.As(err, &closed):
		code = closed.Code
	}
	switch code {
	case wire.CodeToken, wire.CodeExpired, wire.CodeRevoked:
		return code, true
	}
	return code, false
}

// hopeless says whether trying again as it is cannot help.
func hopeless(err error) bool {
	var answered *Error
	var closed *Closed
	if errors.As(err, &closed) && (closed.Code == wire.CodeElsewhere || closed.Code == wire.CodeDeleted) {
		return true // coming back would put the other device out, or be somebody else
	}
	if !errors.As(err, &answered) {
		return false
	}
	switch answered.Code {
	case wire.CodeElsewhere, wire.CodeDeleted:
		return true
	case wire.CodeGuests, wire.CodeParam, wire.CodeUnknownParam, wire.CodeMethod, wire.CodeNotFound:
		return true
	}
	return false
}

// hint is how long the server asks to wait.
func hint(err error) time.Duration {
	var answered *Error
	var closed *Closed
	switch {
	case errors.As(err, &answered):
		return answered.RetryAfter
	case errors.As(err, &closed):
		return closed.RetryAfter
	}
	return 0
}

func httpClient(config *tls.Config) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = config
	transport.ForceAttemptHTTP2 = false // a WebSocket is an HTTP/1.1 connection
	transport.DisableKeepAlives = true
	return &http.Client{Transport: transport}
}
