package line

import (
	"bytes"
	"unicode/utf8"
)

// MaxFrame is the longest frame in bytes, its verb included.
const MaxFrame = 4096

// Verb says what a frame is.
type Verb string

// The verbs.
const (
	Iam Verb = "iam" // Text is a name, not yet checked
	Msg Verb = "msg" // Text is what was said
	Bad Verb = "bad" // Err says what to do
)

// Frame is one thing a peer said.
type Frame struct {
	Verb Verb
	Text string // UTF-8
	Err  string // for a person: one line without its end
}

const (
	iamPrefix = "iam:"
	msgPrefix = "msg:"
)

// What Bad frames say.
const (
	errVerb    = "write iam:NAME to sign in or msg:TEXT to speak, one on a line"
	errUTF8    = "this is not UTF-8; set your terminal or client to UTF-8 and send it again"
	errTooLong = "a line has at most 4096 bytes; send it in parts"
)

// Decoder cuts a peer's bytes into frames. The zero value is ready. Between calls it
// keeps at most MaxFrame bytes, and no buffer when nothing is pending. It is not safe for
// concurrent use.
//
// However the same bytes are cut into reads, the frames are the same, as long as Quiet
// is not called between them.
type Decoder struct {
	pending  []byte // at most MaxFrame; begins a frame
	skipping bool   // the rest of a frame that was too long
	spoken   bool   // the frame that is skipped began with a verb: a silence ends it
}

// Feed takes what was read and answers the frames that are complete. It does not keep p.
func (d *Decoder) Feed(p []byte) []Frame {
	data := p
	if len(d.pending) > 0 {
		data = append(d.pending, p...)
	}
	var frames []Frame
	for {
		if d.skipping {
			lf := bytes.IndexByte(data, '\n')
			if lf < 0 {
				d.pending = nil
				return frames
			}
			d.skipping = false
			data = data[lf+1:]
		}
		data = bytes.TrimLeft(data, "\r\n")
		end, next := cut(data)
		if end < 0 && len(data) <= MaxFrame {
			break
		}
		if end < 0 {
			d.skipping, d.spoken = true, hasVerb(data)
			frames = append(frames, Frame{Verb: Bad, Err: errTooLong})
			continue
		}
		frames = append(frames, parse(data[:end]))
		data = data[next:]
	}
	d.keep(data)
	return frames
}

// Quiet says that the peer has been silent for 50 ms, or for 2 s if CutRune, and
// answers the frame that this ends, if it does end one.
func (d *Decoder) Quiet() []Frame {
	if !d.Pending() {
		return nil
	}
	if d.skipping {
		d.skipping = false
		return nil
	}
	return d.End()
}

// End says that the stream has ended and answers the frame that this ends, if there is one.
func (d *Decoder) End() []Frame {
	data := d.pending
	d.pending, d.skipping = nil, false
	if len(data) == 0 {
		return nil
	}
	return []Frame{parse(data)}
}

// Pending says whether a silence would end something: bytes that start with a verb
// wait. While it is true, the link owes the decoder a Quiet.
func (d *Decoder) Pending() bool {
	if d.skipping {
		return d.spoken
	}
	return hasVerb(d.pending)
}

// CutRune says whether the pending bytes end inside a character whose rest may still be
// on its way. Then a silence counts only after 2 s.
func (d *Decoder) CutRune() bool {
	tail := d.pending[max(0, len(d.pending)-utf8.UTFMax+1):]
	for i := len(tail) - 1; i >= 0; i-- {
		if utf8.RuneStart(tail[i]) {
			return !utf8.FullRune(tail[i:])
		}
	}
	return false
}

// keep makes data, which may be the caller's, the pending bytes.
func (d *Decoder) keep(data []byte) {
	if len(data) == 0 {
		d.pending = nil
		return
	}
	d.pending = append(d.pending[:0], data...)
}

// cut finds the end of the frame that data begins with, and where the next one starts;
// -1 when it is not there yet, or beyond MaxFrame. All it looks at are the bytes up to
// one beyond MaxFrame, whatever came in with them, so that it does not matter how
// the bytes were cut into reads.
func cut(data []byte) (end, next int) {
	window := data[:min(len(data), MaxFrame+1)]
	end = bytes.IndexByte(window, '\n')
	next = end + 1
	if bytes.HasPrefix(window, []byte(iamPrefix)) {
		name := window[len(iamPrefix):]
		if end >= 0 {
			name = window[len(iamPrefix):end]
		}
		for _, verb := range []string{iamPrefix, msgPrefix} {
			if i := bytes.Index(name, []byte(verb)); i >= 0 {
				name = name[:i]
				end = len(iamPrefix) + i
				next = end
			}
		}
	}
	return end, next
}

// hasVerb says whether data starts with a verb.
func hasVerb(data []byte) bool {
	return bytes.HasPrefix(data, []byte(iamPrefix)) || bytes.HasPrefix(data, []byte(msgPrefix))
}

// parse reads one frame without its LF.
func parse(data []byte) Frame {
	data = bytes.TrimSuffix(data, []byte("\r"))
	if !utf8.Valid(data) {
		return Frame{Verb: Bad, Err: errUTF8}
	}
	if text, ok := bytes.CutPrefix(data, []byte(iamPrefix)); ok {
		return Frame{Verb: Iam, Text: string(text)}
	}
	if text, ok := bytes.CutPrefix(data, []byte(msgPrefix)); ok {
		return Frame{Verb: Msg, Text: string(text)}
	}
	return Frame{Verb: Bad, Err: errVerb}
}

// Datagram reads a UDP datagram: one frame, with or without line ends around it. A text
// may hold line ends of its own.
func Datagram(p []byte) Frame {
	if len(p) > MaxFrame {
		return Frame{Verb: Bad, Err: errTooLong}
	}
	return parse(bytes.Trim(p, "\r\n"))
}
