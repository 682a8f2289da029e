package wire

import (
	"strconv"

	"github.com/go-json-experiment/json"
)

// AppendJSON appends a result as JSON. On an error, which only a value that is no JSON
// gives (text that is not UTF-8), dst comes back as it was.
func AppendJSON(dst []byte, result any) ([]byte, error) {
	if r, ok := result.(ListResult); ok {
		return r.appendJSON(dst), nil
	}
	body, err := json.Marshal(result)
	if err != nil {
		return dst, err
	}
	return append(dst, body...), nil
}

// appendJSON writes what json.Marshal would. A page is mostly events, which are JSON
// already: they are copied, not read again.
func (r *ListResult) appendJSON(dst []byte) []byte {
	dst = append(dst, `{"conversation":`...)
	dst = appendString(dst, r.Conversation)
	dst = append(dst, `,"from_seq":`...)
	dst = strconv.AppendInt(dst, r.FromSeq, 10)
	dst = append(dst, `,"to_seq":`...)
	dst = strconv.AppendInt(dst, r.ToSeq, 10)
	dst = append(dst, `,"head_seq":`...)
	dst = strconv.AppendInt(dst, r.HeadSeq, 10)
	dst = append(dst, `,"events":[`...)
	for i, e := range r.Events {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, e...)
	}
	return append(dst, `]}`...)
}
