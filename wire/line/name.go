package line

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxName is the longest name in characters.
const maxName = 32

// serverName begins the server's own lines, so nobody may have it.
const serverName = "error"

// Name gives a guest's name the one form it is kept in, or says what is wrong with it:
// NFKC, trimmed, 1 to 32 characters, without ":" and "@", and without control,
// bidirectional and invisible characters.
func Name(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", errors.New("a name is UTF-8")
	}
	if len(s) > MaxFrame {
		return "", fmt.Errorf("a name has at most %d characters", maxName)
	}
	name := strings.TrimSpace(norm.NFKC.String(s))
	if name == "" {
		return "", errors.New("a name has at least one character")
	}
	if utf8.RuneCountInString(name) > maxName {
		return "", fmt.Errorf("a name has at most %d characters", maxName)
	}
	shows := false
	for _, r := range name {
		switch {
		case r == ':' || r == '@':
			return "", fmt.Errorf("a name has no %q", r)
		case r != ' ' && (!unicode.IsGraphic(r) || unicode.IsSpace(r) || invisible(r)):
			return "", errors.New("a name has no control or invisible characters")
		}
		shows = shows || !unicode.Is(unicode.M, r)
	}
	if !shows {
		return "", errors.New("a name has at least one character that shows")
	}
	if strings.EqualFold(name, serverName) {
		return "", fmt.Errorf("the name %q is taken", serverName)
	}
	return name, nil
}

// invisible says whether r, though not a control or format character, shows as nothing.
func invisible(r rune) bool {
	const braille = '\u2800' // a pattern without a dot
	return r == braille || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
