package listen

import "bytes"

// Kind is what a connection speaks.
type Kind uint8

// The kinds.
const (
	Undecided Kind = iota // more bytes are needed
	Text
	JSON
	HTTP
	TLS
)

func (k Kind) String() string {
	return [...]string{"nothing yet", "text", "JSON", "HTTP", "TLS"}[k]
}

// classify says from a connection's first bytes what it speaks. What it does not know
// is for the text link, which answers with a line that says what to do.
func classify(first []byte) Kind {
	b := bytes.TrimLeft(first, " \t\r\n")
	if len(b) == 0 {
		return Undecided
	}
	switch b[0] {
	case '{', '[':
		return JSON
	case 0x16:
		return TLS
	}
	for _, verb := range []string{
		"GET ", "POST ", "HEAD ", "PUT ", "PATCH ", "DELETE ", "OPTIONS ", "TRACE ", "CONNECT ", "PRI ",
	} {
		if bytes.HasPrefix(b, []byte(verb)) {
			return HTTP
		}
		if bytes.HasPrefix([]byte(verb), b) {
			return Undecided
		}
	}
	if isVerbStart(b) {
		return Undecided
	}
	return Text
}

// isVerbStart says whether first is the beginning of a text verb, and not all of it.
func isVerbStart(first []byte) bool {
	b := bytes.TrimLeft(first, " \t\r\n")
	for _, verb := range []string{"iam:", "msg:"} {
		if 0 < len(b) && len(b) < len(verb) && verb[:len(b)] == string(b) {
			return true
		}
	}
	return false
}
