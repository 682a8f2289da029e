package wire

import (
	"net/http"
	"strconv"
)

// ProblemType is the media type of Problem's body.
const ProblemType = "application/problem+json"

// Problem answers the HTTP status and the RFC 9457 body for an error. Its type is
// about:blank and its title the status's own; code tells errors apart.
func Problem(e *Error) (status int, body []byte) {
	status = codeInfo(e.Code).Status
	body = append(body, `{"type":"about:blank","title":`...)
	body = appendString(body, http.StatusText(status))
	body = append(body, `,"status":`...)
	body = strconv.AppendInt(body, int64(status), 10)
	body = append(body, `,"detail":`...)
	body = appendString(body, e.Message)
	body = append(body, ',')
	body = appendErrorMembers(body, e)
	return status, append(body, '}')
}
