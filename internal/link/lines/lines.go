// Package lines cuts a byte stream into lines, the framing of JSON-RPC over TCP.
package lines

import (
	"bytes"
	"errors"
)

// ErrTooLong says that a line is longer than the limit. Where the next one begins is not known.
var ErrTooLong = errors.New("the line is too long")

// Cutter cuts what is fed to it into lines. It keeps at most Max bytes.
type Cutter struct {
	Max     int // the longest line, without its end
	pending []byte
}

// Feed calls emit with each line that p completes, without its LF or CRLF; blank lines
// are left out. A line is good for the time of the call. It answers ErrTooLong, or
// emit's first error.
func (c *Cutter) Feed(p []byte, emit func(line []byte) error) error {
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			if len(c.pending)+len(p) > c.Max+1 { // room for the CR of a CRLF
				return ErrTooLong
			}
			c.pending = append(c.pending, p...)
			return nil
		}
		line := p[:i]
		p = p[i+1:]
		if len(c.pending) > 0 {
			if len(c.pending)+len(line) > c.Max+1 {
				return ErrTooLong
			}
			line = append(c.pending, line...)
			c.pending = nil // an idle connection keeps no buffer
		}
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if len(line) > c.Max {
			return ErrTooLong
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := emit(line); err != nil {
			return err
		}
	}
}

// Rest gives what came without an end of line: the last line of a stream that has ended.
func (c *Cutter) Rest() []byte { return bytes.TrimSpace(c.pending) }
