package ws

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// The opcodes of RFC 6455, section 5.2.
const (
	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xA
)

// The close codes of RFC 6455, section 7.4.1, that this end uses itself.
const (
	CloseNormal   = 1000
	CloseProtocol = 1002
	CloseData     = 1003
	CloseUTF8     = 1007
	CloseTooLong  = 1009
)

// Error is what is wrong with what a peer sent, and the close code that says so.
type Error struct {
	Code   int
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("websocket: %d: %s", e.Code, e.Reason) }

func broken(reason string) error { return &Error{CloseProtocol, reason} }

// AppendText appends an unmasked text message of one frame.
func AppendText(dst, payload []byte) []byte { return appendFrame(dst, opText, payload) }

// AppendPing appends a ping; payload has at most 125 bytes.
func AppendPing(dst, payload []byte) []byte { return appendFrame(dst, opPing, payload) }

// AppendPong appends the answer to a ping with that payload.
func AppendPong(dst, payload []byte) []byte { return appendFrame(dst, opPong, payload) }

// AppendClose appends a close frame; a reason is cut at 123 bytes.
func AppendClose(dst []byte, code int, reason string) []byte {
	payload := binary.BigEndian.AppendUint16(nil, uint16(code))
	reason = reason[:min(len(reason), 123)]
	for !utf8.ValidString(reason) {
		reason = reason[:len(reason)-1]
	}
	return appendFrame(dst, opClose, append(payload, reason...))
}

func appendFrame(dst []byte, op byte, payload []byte) []byte {
	dst = append(dst, 0x80|op)
	switch n := len(payload); {
	case n <= 125:
		dst = append(dst, byte(n))
	case n <= 0xffff:
		dst = append(dst, 126)
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	default:
		dst = append(dst, 127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	return append(dst, payload...)
}

// Handler takes what a peer sent. The bytes are good for the time of the call. Its
// errors end Feed.
type Handler interface {
	Text(message []byte) error
	Ping(payload []byte) error
	Pong()
	// Ended is told the peer's close frame; the code is 1005 when it gave none.
	Ended(code int, reason string) error
}

// maxFragments bounds the frames of one message.
const maxFragments = 64

// Cutter reads a client's frames (RFC 6455, section 5) from a byte stream. It keeps at
// most one message of Max bytes and one frame.
type Cutter struct {
	Max int // the longest message

	pending   []byte // a frame that is not whole yet
	message   []byte // of the fragments so far
	fragments int
}

// Feed reads p. On an error that is an *Error the connection is to be closed with its code.
func (c *Cutter) Feed(p []byte, h Handler) error {
	own := len(c.pending) > 0
	if own {
		c.pending = append(c.pending, p...)
		p = c.pending
	}
	for rest := p; len(rest) > 0; {
		f, size, err := c.parse(rest)
		if err != nil {
			return err
		}
		if size == 0 || len(rest) < size {
			// A frame that comes byte by byte is not copied for each of them.
			if !own || len(rest) < len(p) {
				c.pending = append([]byte(nil), rest...)
			}
			return nil
		}
		if err := c.frame(f, rest[size-f.length:size], h); err != nil {
			return err
		}
		rest = rest[size:]
	}
	c.pending = nil // an idle connection keeps no buffer
	return nil
}

// header is the start of a frame.
type header struct {
	final  bool
	op     byte
	mask   [4]byte
	length int
}

// parse reads a frame's header and answers the size of the whole frame, 0 when the
// header is not whole. What is wrong is known before the payload has come.
func (c *Cutter) parse(p []byte) (h header, size int, err error) {
	if len(p) < 2 {
		return h, 0, nil
	}
	h.final, h.op = p[0]&0x80 != 0, p[0]&0x0f
	control := h.op&0x8 != 0
	switch {
	case p[0]&0x70 != 0:
		return h, 0, broken("reserved bits are set; no extension was agreed on")
	case h.op > opBinary && h.op < opClose || h.op > opPong:
		return h, 0, broken("unknown opcode")
	case p[1]&0x80 == 0:
		return h, 0, broken("a client's frames are masked")
	case control && !h.final:
		return h, 0, broken("a control frame has no fragments")
	}
	n, at := uint64(p[1]&0x7f), 2
	switch {
	case control && n > 125:
		return h, 0, broken("a control frame has at most 125 bytes")
	case n == 126:
		if len(p) < 4 {
			return h, 0, nil
		}
		n, at = uint64(binary.BigEndian.Uint16(p[2:])), 4
		if n < 126 {
			return h, 0, broken("the length is not in its shortest form")
		}
	case n == 127:
		if len(p) < 10 {
			return h, 0, nil
		}
		n, at = binary.BigEndian.Uint64(p[2:]), 10
		if n <= 0xffff {
			return h, 0, broken("the length is not in its shortest form")
		}
	}
	if h.op == opBinary {
		return h, 0, &Error{CloseData, "text messages only"}
	}
	if !control && n > uint64(c.Max-len(c.message)) {
		return h, 0, &Error{CloseTooLong, fmt.Sprintf("a message has at most %d bytes", c.Max)}
	}
	if len(p) < at+4 {
		return h, 0, nil
	}
	copy(h.mask[:], p[at:])
	h.length = int(n)
	return h, at + 4 + h.length, nil
}

// frame takes a whole frame.
func (c *Cutter) frame(f header, payload []byte, h Handler) error {
	unmasked := make([]byte, len(payload))
	for i, b := range payload {
		unmasked[i] = b ^ f.mask[i&3]
	}
	switch f.op {
	case opPing:
		return h.Ping(unmasked)
	case opPong:
		h.Pong()
		return nil
	case opClose:
		return closeFrame(unmasked, h)
	case opText:
		if c.fragments > 0 {
			return broken("a new message before the last one's end")
		}
		if f.final {
			return text(unmasked, h)
		}
	case opContinue:
		if c.fragments == 0 {
			return broken("a fragment of no message")
		}
	}
	if c.fragments++; c.fragments > maxFragments {
		return broken("too many fragments")
	}
	c.message = append(c.message, unmasked...)
	if !f.final {
		return nil
	}
	message := c.message
	c.message, c.fragments = nil, 0
	return text(message, h)
}

func text(message []byte, h Handler) error {
	if !utf8.Valid(message) {
		return &Error{CloseUTF8, "text is UTF-8"}
	}
	return h.Text(message)
}

func closeFrame(p []byte, h Handler) error {
	if len(p) == 0 {
		return h.Ended(1005, "")
	}
	if len(p) < 2 {
		return broken("a close frame has no code")
	}
	code := int(binary.BigEndian.Uint16(p))
	switch {
	case code < 1000 || code > 4999, code >= 1004 && code <= 1006, code >= 1015 && code <= 2999:
		return broken("a close code that is not sent")
	case !utf8.Valid(p[2:]):
		return &Error{CloseUTF8, "text is UTF-8"}
	}
	return h.Ended(code, string(p[2:]))
}
