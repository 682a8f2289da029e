package terminal

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/go-json-experiment/json"

	"github.com/linnet-im/linnet/wire"
)

// clean makes text that others wrote harmless to the terminal and to the lines around
// it: what controls, moves or hides becomes U+FFFD, a tab a blank. Line ends stay.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), r == '\u2028', r == '\u2029', unicode.In(r, unicode.Cf) && r != '\u200c' && r != '\u200d':
			return utf8.RuneError
		}
		return r
	}, strings.ReplaceAll(text, "\r\n", "\n"))
}

// oneLine is clean for what has to be one line.
func oneLine(text string) string { return strings.ReplaceAll(clean(text), "\n", " ") }

// content is what is shown of a message's content.
type content struct {
	Type string `json:"type"`
	Text string `json:"text"`
	URL  string `json:"url"`
}

// said is an event as a person reads it; "" for one that is not shown.
func said(e *wire.Event) string {
	var c content
	if e.Kind == "void" || json.Unmarshal(e.Content, &c) != nil {
		return ""
	}
	if c.Type == "image" {
		return clean("[image] " + c.URL + " " + c.Text)
	}
	return clean(c.Text)
}

// wrap breaks text into lines of at most width columns. A Chinese character has two.
func wrap(text string, width int) []string {
	return strings.Split(ansi.Wrap(text, max(1, width), ""), "\n")
}

// fit cuts text to width columns, or fills it up with blanks.
func fit(text string, width int) string {
	if width <= 0 {
		return ""
	}
	text = ansi.Truncate(text, width, "…")
	return text + strings.Repeat(" ", max(0, width-ansi.StringWidth(text)))
}
