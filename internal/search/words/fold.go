// Package words says what search takes for a word: how a text is folded, which tokens
// the index keeps of it, what a query asks for, and where a text answers it.
//
// Folding makes equal what people take for the same: NFKC (full width and half width),
// lower case, accents of Latin, Greek and Cyrillic stripped. A folded text is runs of
// letters and digits with everything else between them. A run is cut into pieces: of
// scripts that write blanks between words (a word), and of those that do not, Chinese,
// Japanese, Korean, Thai and others, and symbols such as emoji (dense).
//
// A query's term is a run of it. A text answers a term where it holds the same letters,
// if the term begins with a word: at the beginning of a word. A word of three letters or
// more at the term's end may go on in the text; a shorter one may not, since too much
// begins with it.
package words

import (
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// folded is a text and what was made of it.
type folded struct {
	src string
	s   string
	// segs are where segments begin in both, ascending; nil: s has a byte for each of src.
	segs []segment
}

type segment struct{ fold, src int }

// Fold gives a text the form in which texts are compared.
func Fold(text string) string { return fold(text, false).s }

// fold folds a text; with places it can tell where in the text something stood.
func fold(text string, places bool) folded {
	if isASCII(text) {
		return folded{src: text, s: strings.ToLower(text)}
	}
	f := folded{src: text}
	out := make([]byte, 0, len(text)+len(text)/8)
	var it norm.Iter
	it.InitString(norm.NFKC, text)
	for !it.Done() {
		at := it.Pos()
		b := it.Next()
		if places {
			f.segs = append(f.segs, segment{len(out), at})
		}
		out = appendSegment(out, b)
	}
	f.s = string(out)
	return f
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// appendSegment folds one segment of NFKC: a letter with what belongs to it.
func appendSegment(out, b []byte) []byte {
	if len(b) == 1 && b[0] < utf8.RuneSelf {
		if c := b[0]; 'A' <= c && c <= 'Z' {
			return append(out, c+'a'-'A')
		}
		return append(out, b[0])
	}
	if r, n := utf8.DecodeRune(b); n == len(b) && plainDense(r) {
		return append(out, b...)
	}
	// Decomposed after it is in lower case: İ becomes an i with a dot above, for example.
	s := norm.NFKD.String(strings.ToLower(string(b)))
	s = strings.Map(func(r rune) rune {
		switch {
		case dropped(r):
			return -1
		case r == 'ς':
			return 'σ'
		}
		return r
	}, s)
	return append(out, norm.NFKC.String(strings.ReplaceAll(s, "ß", "ss"))...)
}

// dropped says whether a character is left out: accents, and what has no look of its own.
func dropped(r rune) bool {
	switch {
	case r >= 0x300 && r <= 0x36f: // accents; other scripts' marks are letters of theirs
		return true
	case r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0100 && r <= 0xe01ef: // variation selectors
		return true
	case r >= 0x1f3fb && r <= 0x1f3ff: // skin tones
		return true
	}
	return unicode.Is(unicode.Cf, r)
}

// plainDense says quickly of the usual dense characters what class and folding say of them.
func plainDense(r rune) bool {
	return r >= 0x4e00 && r <= 0x9fff || r >= 0x3041 && r <= 0x3096 || r >= 0x30a1 && r <= 0x30fa || r >= 0xac00 && r <= 0xd7a3
}

type class int8

const (
	between class = iota
	word
	dense
)

// classOf says what a character of a folded text is. It hangs on nothing around it, so
// that a query's characters are what the text's are.
func classOf(r rune) class {
	switch {
	case r < utf8.RuneSelf:
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' {
			return word
		}
		return between
	case plainDense(r) || r == 0x30fc: // the long sound of Katakana
		return dense
	case unicode.Is(unicode.So, r):
		return dense
	case !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r):
		return between
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo, unicode.Yi,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan):
		return dense
	}
	return word
}

// piece is a part of a folded text of one class.
type piece struct {
	start, end int
	dense      bool
	begins     bool // it is the first of its run
}

// pieces cuts a folded text. What yield answers false to is the last.
func pieces(s string, yield func(piece) bool) {
	last, start := between, 0
	begins := true
	cut := func(end int) bool {
		if last == between {
			return true
		}
		p := piece{start, end, last == dense, begins}
		begins = false
		return yield(p)
	}
	for i, r := range s {
		c := classOf(r)
		if c == last {
			continue
		}
		if !cut(i) {
			return
		}
		if c == between {
			begins = true
		}
		last, start = c, i
	}
	cut(len(s))
}

// source gives the place in the text of a range of what was folded, whole segments.
func (f *folded) source(start, end int) (int, int) {
	if f.segs == nil {
		return start, end
	}
	from := sort.Search(len(f.segs), func(i int) bool { return f.segs[i].fold > start }) - 1
	// Segments that became nothing begin where the next one does: the last of them is found, which is right.
	to := sort.Search(len(f.segs), func(i int) bool { return f.segs[i].fold >= end })
	if to == len(f.segs) {
		return f.segs[from].src, len(f.src)
	}
	return f.segs[from].src, f.segs[to].src
}

// prefixes are how many first letters of a word are a token: of a shorter word all of them.
// So that what begins with something is one look and no walk through all such words: of
// a query's word the longest of its own that is a token is looked up, and the text then
// tells the rest.
var prefixes = []int{3, 5, 8}

// namePrefixes are those of names, which are found from the first letter on.
var namePrefixes = []int{1, 2, 3, 4, 5, 6, 7, 8}

// Tokens answers what the index keeps of a text: of words their beginnings, of dense
// pieces each character and each pair of neighbours, the last character too. They come
// as often as they stand in the text. A token has no blank, quote or ASCII symbol.
func Tokens(text string) []string { return tokens(Fold(text), prefixes) }

// NameTokens is Tokens for names.
func NameTokens(name string) []string { return tokens(Fold(name), namePrefixes) }

func tokens(s string, lengths []int) []string {
	list := make([]string, 0, len(s)/4+1)
	pieces(s, func(p piece) bool {
		part := s[p.start:p.end]
		if p.dense {
			list = appendDense(list, part, true)
			return true
		}
		for i, n := range lengths {
			cut, whole := firstLetters(part, n)
			if !whole || i == 0 || len(cut) > len(list[len(list)-1]) {
				list = append(list, cut)
			}
			if whole {
				break
			}
		}
		return true
	})
	return list
}

// firstLetters answers the first n letters of a word, and whether that is all of it.
func firstLetters(w string, n int) (string, bool) {
	for i := range w {
		if n == 0 {
			return w[:i], false
		}
		n--
	}
	return w, true
}

// lookedUp is the token to look a query's word up by.
func lookedUp(w string, lengths []int) string {
	letters := utf8.RuneCountInString(w)
	n := letters // shorter than any: a whole word
	for _, l := range lengths {
		if l <= letters {
			n = l
		}
	}
	cut, _ := firstLetters(w, n)
	return cut
}

// appendDense appends the pairs of a dense piece, and with single its characters too.
func appendDense(list []string, s string, single bool) []string {
	before := -1
	for i, r := range s {
		end := i + utf8.RuneLen(r)
		if single {
			list = append(list, s[i:end])
		}
		if before >= 0 {
			list = append(list, s[before:end])
		}
		before = i
	}
	return list
}

// Query is what somebody looks for.
type Query struct{ terms []term }

type term struct {
	text    string // folded
	atStart bool   // it begins with a word
	whole   bool   // it ends with a word that does not go on
	tokens  []string
}

// Parse reads a query. One without a letter, digit or symbol has no terms.
func Parse(text string) Query { return parse(text, prefixes) }

// ParseName is Parse for a query for names: words may go on from the first letter.
func ParseName(text string) Query { return parse(text, namePrefixes) }

func parse(text string, lengths []int) Query {
	s := Fold(text)
	var q Query
	var t term
	start := -1
	var last piece
	end := func() {
		if start < 0 {
			return
		}
		t.text = s[start:last.end]
		t.whole = !last.dense && utf8.RuneCountInString(s[last.start:last.end]) < lengths[0]
		if !slices.ContainsFunc(q.terms, func(o term) bool { return o.text == t.text }) {
			q.terms = append(q.terms, t)
		}
		t, start = term{}, -1
	}
	pieces(s, func(p piece) bool {
		if p.begins {
			end()
			start = p.start
			t.atStart = !p.dense
		}
		part := s[p.start:p.end]
		switch {
		case !p.dense:
			t.tokens = append(t.tokens, lookedUp(part, lengths))
		case utf8.RuneCountInString(part) == 1:
			t.tokens = append(t.tokens, part)
		default:
			t.tokens = appendDense(t.tokens, part, false)
		}
		last = p
		return true
	})
	end()
	return q
}

// Terms is how many terms the query has.
func (q Query) Terms() int { return len(q.terms) }

// Tokens answers the tokens that every text has which answers the query, each once.
func (q Query) Tokens() []string {
	var list []string
	for _, t := range q.terms {
		for _, one := range t.tokens {
			if !slices.Contains(list, one) {
				list = append(list, one)
			}
		}
	}
	return list
}
