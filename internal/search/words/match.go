package words

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxMatches is how many places of a term are marked.
	maxMatches = 16
	// snippetRunes is how long a snippet is, in characters.
	snippetRunes = 120
	// snippetBefore is how much of it stands before the first match.
	snippetBefore = 30
)

// Range is a place in a text: Start and End count UTF-16 units, End is behind it.
type Range struct{ Start, End int }

// Snippet is a part of a text around what was looked for, on one line.
type Snippet struct {
	Text    string
	Matches []Range // in Text, ascending, disjoint
}

// Matches says whether a text answers the query: all of its terms stand in it.
func (q Query) Matches(text string) bool {
	s := Fold(text)
	for i := range q.terms {
		if q.terms[i].find(s, 0) < 0 {
			return false
		}
	}
	return true
}

// find answers where the term stands in s first, from a place on; -1: nowhere.
func (t *term) find(s string, from int) int {
	for from <= len(s) {
		i := strings.Index(s[from:], t.text)
		if i < 0 {
			return -1
		}
		at := from + i
		end := at + len(t.text)
		before, _ := utf8.DecodeLastRuneInString(s[:at])
		after, n := utf8.DecodeRuneInString(s[end:])
		inWord := t.atStart && at > 0 && classOf(before) == word
		goesOn := t.whole && n > 0 && classOf(after) == word
		if !inWord && !goesOn {
			return at
		}
		_, n = utf8.DecodeRuneInString(s[at:])
		from = at + n
	}
	return -1
}

// Find answers whether a text answers the query, and the part of it to show. A query
// without terms is answered by every text.
func (q Query) Find(text string) (Snippet, bool) {
	f := fold(text, true)
	var found []Range // bytes of text
	for i := range q.terms {
		t := &q.terms[i]
		at := t.find(f.s, 0)
		if at < 0 {
			return Snippet{}, false
		}
		for n := 0; at >= 0 && n < maxMatches; n++ {
			start, end := f.source(at, at+len(t.text))
			found = append(found, Range{start, end})
			at = t.find(f.s, at+len(t.text))
		}
	}
	slices.SortFunc(found, func(a, b Range) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	return f.snippet(merge(found)), true
}

// merge joins ranges that touch. They are sorted.
func merge(list []Range) []Range {
	var out []Range
	for _, r := range list {
		if n := len(out); n > 0 && r.Start <= out[n-1].End {
			out[n-1].End = max(out[n-1].End, r.End)
			continue
		}
		out = append(out, r)
	}
	return out
}

// snippet cuts the text around the first match. It cuts between segments only, so that
// no letter loses what belongs to it.
func (f *folded) snippet(found []Range) Snippet {
	first := 0
	if len(found) > 0 {
		first = found[0].Start
	}
	start := f.back(first, snippetBefore)
	end := f.forward(start, snippetRunes)
	if end == len(f.src) { // it may begin earlier
		start = min(start, f.back(end, snippetRunes))
	}
	var b strings.Builder
	units := 0
	if start > 0 {
		b.WriteString("…")
		units++
	}
	var s Snippet
	open := -1 // where the range that one is in began
	k := 0
	for k < len(found) && found[k].End <= start {
		k++
	}
	for i, r := range f.src[start:end] {
		at := start + i
		if open >= 0 && at >= found[k].End {
			s.Matches = append(s.Matches, Range{open, units})
			open = -1
			k++
		}
		if open < 0 && k < len(found) && at >= found[k].Start {
			open = units
		}
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			r = ' '
		}
		b.WriteRune(r)
		units++
		if r > 0xffff {
			units++
		}
	}
	if open >= 0 {
		s.Matches = append(s.Matches, Range{open, units})
	}
	if end < len(f.src) {
		b.WriteString("…")
	}
	s.Text = b.String()
	return s
}

// back answers the place up to n characters before at, where a segment begins.
func (f *folded) back(at, n int) int {
	for ; n > 0 && at > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(f.src[:at])
		at -= size
	}
	return f.boundary(at)
}

// forward answers the place up to n characters behind at, where a segment begins.
func (f *folded) forward(at, n int) int {
	begin := at
	for ; n > 0 && at < len(f.src); n-- {
		_, size := utf8.DecodeRuneInString(f.src[at:])
		at += size
	}
	if at == len(f.src) {
		return at
	}
	if b := f.boundary(at); b > begin {
		return b
	}
	return at // one segment that is longer than a snippet
}

// boundary answers the beginning of the segment that at is in.
func (f *folded) boundary(at int) int {
	if f.segs == nil || at >= len(f.src) {
		return at
	}
	i, found := slices.BinarySearchFunc(f.segs, at, func(s segment, at int) int { return cmp.Compare(s.src, at) })
	if found {
		return at
	}
	return f.segs[i-1].src
}
