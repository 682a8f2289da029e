package wire

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// The Append functions write one frame to the end of dst and answer the longer slice.
// They add no newline: framing is the link's. What they write has no newline in it
// either, as long as ids and params given as JSON have none.

// AppendResult appends the answer to the call with this id. On an error, which only a
// result that is no JSON gives (text that is not UTF-8), dst comes back as it was.
func AppendResult(dst []byte, id jsontext.Value, result any) ([]byte, error) {
	answer, err := AppendJSON(appendAnswer(dst, id, "result"), result)
	if err != nil {
		return dst, err
	}
	return append(answer, '}'), nil
}

// AppendPlaceResult appends what AppendResult does for a Place, several times faster:
// it is the answer to every send.
func AppendPlaceResult(dst []byte, id jsontext.Value, p Place) []byte {
	dst = appendAnswer(dst, id, "result")
	dst = appendPlace(dst, p)
	return append(dst, '}')
}

// AppendError appends the refusal of the call with this id; nil, when it could not be read.
func AppendError(dst []byte, id jsontext.Value, e *Error) []byte {
	dst = appendAnswer(dst, id, "error")
	dst = append(dst, `{"code":`...)
	dst = strconv.AppendInt(dst, int64(codeInfo(e.Code).RPC), 10)
	dst = append(dst, `,"message":`...)
	dst = appendString(dst, e.Message)
	dst = append(dst, `,"data":{`...)
	dst = appendErrorMembers(dst, e)
	return append(dst, "}}}"...)
}

// AppendNotification appends a notification. params is its JSON object, copied as it is.
func AppendNotification(dst []byte, method string, params []byte) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","method":`...)
	dst = appendString(dst, method)
	dst = append(dst, `,"params":`...)
	dst = append(dst, params...)
	return append(dst, '}')
}

func appendAnswer(dst []byte, id jsontext.Value, member string) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","id":`...)
	if len(id) == 0 {
		dst = append(dst, "null"...)
	}
	dst = append(dst, id...)
	dst = append(dst, `,"`...)
	dst = append(dst, member...)
	return append(dst, `":`...)
}

// appendErrorMembers appends what an error says of itself on every link.
func appendErrorMembers(dst []byte, e *Error) []byte {
	dst = append(dst, `"code":`...)
	dst = appendString(dst, string(e.Code))
	dst = append(dst, `,"outcome":`...)
	outcome := e.Outcome
	if outcome == "" {
		outcome = OutcomeNo
	}
	dst = appendString(dst, string(outcome))
	if e.RetryAfter > 0 {
		dst = append(dst, `,"retry_after_ms":`...)
		// Upwards: who comes back a little too early is refused again.
		ms := e.RetryAfter.Milliseconds()
		if time.Duration(ms)*time.Millisecond < e.RetryAfter {
			ms++
		}
		dst = strconv.AppendInt(dst, ms, 10)
	}
	if !e.Until.IsZero() {
		dst = append(dst, `,"until":`...)
		dst = appendString(dst, FormatTime(e.Until))
	}
	if e.Param != "" {
		dst = append(dst, `,"param":`...)
		dst = appendString(dst, e.Param)
	}
	if e.First != nil {
		dst = append(dst, `,"first":`...)
		dst = appendPlace(dst, *e.First)
	}
	return dst
}

func appendPlace(dst []byte, p Place) []byte {
	dst = append(dst, `{"conversation":`...)
	dst = appendString(dst, p.Conversation)
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendInt(dst, p.Seq, 10)
	dst = append(dst, `,"time":`...)
	dst = appendString(dst, p.Time)
	return append(dst, '}')
}

// appendString appends s as a JSON string; what is not UTF-8 in it becomes U+FFFD,
// since an answer that says a little less is better than none.
func appendString(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}
