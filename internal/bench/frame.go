package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// frameKind is what a frame from the server is, as far as the generator cares.
type frameKind int

const (
	otherFrame frameKind = iota // a notification that is not counted
	eventFrame
	answerFrame
)

var (
	eventMark   = []byte(`"method":"event"`)
	methodMark  = []byte(`"method":`)
	idMark      = []byte(`"id":`)
	resultMark  = []byte(`,"result":`)
	seqMark     = []byte(`"seq":`)
	messageMark = []byte(`"kind":"message"`)
	clientMark  = []byte(`"client_id":"`)
	gapMark     = []byte(`"method":"gap"`)
	fromMark    = []byte(`"from_seq":`)
	toMark      = []byte(`"to_seq":`)
)

// headBytes is within how many bytes of a frame its method or its id stand.
const headBytes = 64

// classify tells events from answers and gives an answer's id. It looks for marks
// instead of decoding, since the generator shares the machine with the server: what
// it spends on JSON the server cannot have. A server that writes its frames in another
// order or with blanks is therefore an error here, not a measurement.
func classify(frame []byte) (kind frameKind, id int64, err error) {
	head := frame[:min(len(frame), headBytes)]
	if bytes.Contains(head, eventMark) {
		return eventFrame, 0, nil
	}
	if bytes.Contains(head, methodMark) {
		return otherFrame, 0, nil
	}
	id, rest, ok := numberAfter(frame, idMark)
	switch {
	case !ok:
		return 0, 0, fmt.Errorf("frame not understood: %.200q", frame)
	case !bytes.HasPrefix(rest, resultMark):
		return 0, 0, answerError(frame)
	}
	return answerFrame, id, nil
}

// isGap says whether a notification tells that events were skipped.
func isGap(frame []byte) bool { return bytes.Contains(frame[:min(len(frame), headBytes)], gapMark) }

// numberAfter reads the decimal number that follows the first mark, and gives what
// stands behind it.
func numberAfter(b, mark []byte) (n int64, rest []byte, ok bool) {
	i := bytes.Index(b, mark)
	if i < 0 {
		return 0, nil, false
	}
	b = b[i+len(mark):]
	for i = 0; i < len(b) && i < 18 && '0' <= b[i] && b[i] <= '9'; i++ {
		n = n*10 + int64(b[i]-'0')
	}
	return n, b[i:], i > 0
}

// indexAfter is where the first mark in b ends, or -1.
func indexAfter(b, mark []byte) int {
	i := bytes.Index(b, mark)
	if i < 0 {
		return -1
	}
	return i + len(mark)
}

// answerError makes an error of an answer that is one.
func answerError(frame []byte) error {
	var answer struct {
		Error *struct {
			Message string `json:"message"`
			Data    struct {
				Code string `json:"code"`
			} `json:"data"`
		} `json:"error"`
	}
	if err := json.Unmarshal(frame, &answer); err != nil {
		return fmt.Errorf("frame not understood: %.200q", frame)
	}
	if answer.Error == nil {
		return errors.New("an answer with neither result nor error")
	}
	return fmt.Errorf("the server refused: %s (%s)", answer.Error.Message, answer.Error.Data.Code)
}

// payloadText is the text of every message: 64 bytes, as in the comparisons with
// other servers.
const payloadText = "Did you have dinner? There is rice left, and a little soup. - Li"

// appendSend appends a messages.send frame without its end. text needs no quoting.
func appendSend(b []byte, id int64, conversation string, clientID clientID, text string) []byte {
	b = appendHead(b, id, "messages.send")
	b = append(b, `{"to":{"conversation":"`...)
	b = append(b, conversation...)
	b = append(b, `"},"client_id":"`...)
	b = clientID.append(b, id)
	b = append(b, `","content":{"type":"text","text":"`...)
	b = append(b, text...)
	return append(b, `"}}}`...)
}

// appendList appends a messages.list frame without its end.
func appendList(b []byte, id int64, conversation string, limit int64) []byte {
	b = appendHead(b, id, "messages.list")
	b = append(b, `{"conversation":"`...)
	b = append(b, conversation...)
	b = append(b, `","limit":`...)
	b = appendInt(b, limit)
	return append(b, `}}`...)
}

func appendHead(b []byte, id int64, method string) []byte {
	b = append(b, `{"jsonrpc":"2.0","id":`...)
	b = appendInt(b, id)
	b = append(b, `,"method":"`...)
	b = append(b, method...)
	return append(b, `","params":`...)
}
