package line

import (
	"strings"
	"unicode/utf8"
)

// Render appends a message as peers read it: for each line of the text one line
// "NAME: LINE" and LF. That no other line can be made by a text is the protocol's only
// safety against forgery, so everything that some terminal takes for a line's end is
// one here, and what could move or hide text becomes U+FFFD. In a name a colon does
// too: the first one ends it. A line end at the end of a text begins no further line.
func Render(dst []byte, name, text string) []byte {
	for {
		i, n := lineEnd(text)
		dst = appendName(dst, name)
		dst = append(dst, ": "...)
		dst = appendClean(dst, text[:i])
		dst = append(dst, '\n')
		if text = text[i+n:]; text == "" {
			return dst
		}
	}
}

// Joined appends "NAME has joined" and LF.
func Joined(dst []byte, name string) []byte {
	dst = appendName(dst, name)
	return append(dst, " has joined\n"...)
}

// Error appends "error: MESSAGE" and LF.
func Error(dst []byte, message string) []byte {
	dst = append(dst, "error: "...)
	dst = appendClean(dst, message)
	return append(dst, '\n')
}

// lineEnd finds the first line end in s and its length; without one, the end of s.
func lineEnd(s string) (i, n int) {
	for i, r := range s {
		switch r {
		case '\r':
			if strings.HasPrefix(s[i:], "\r\n") {
				return i, 2
			}
			return i, 1
		case '\n', '\v', '\f':
			return i, 1
		case '\u0085', '\u2028', '\u2029':
			return i, utf8.RuneLen(r)
		}
	}
	return len(s), 0
}

func appendName(dst []byte, name string) []byte {
	for _, r := range name {
		if r == ':' {
			r = utf8.RuneError
		}
		dst = utf8.AppendRune(dst, clean(r))
	}
	return dst
}

func appendClean(dst []byte, s string) []byte {
	for _, r := range s {
		dst = utf8.AppendRune(dst, clean(r))
	}
	return dst
}

// clean gives what is shown for r. Bytes that are not UTF-8 come as U+FFFD already.
func clean(r rune) rune {
	switch {
	case r == '\t':
		return ' '
	case r < 0x20, r >= 0x7f && r < 0xa0, // C0, DEL, C1
		r == '\u2028', r == '\u2029',
		r == '\u061c', r == '\u200e', r == '\u200f', // direction marks
		r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069': // overrides, isolates
		return utf8.RuneError
	}
	return r
}
