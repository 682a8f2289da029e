package chat

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var cursorFields = cmp.AllowUnexported(cursor{})

func TestCursorIsReadAsItWasWritten(t *testing.T) {
	starts := []Start{{"aaaaaaaaaaaaaaaa", 1}, {"bbbbbbbbbbbbbbbb", 1 << 40}}
	for _, c := range []cursor{
		{user: userMark("alice"), starts: starts, pos: 1<<40 + 5},
		{user: userMark("bob"), starts: starts[:1]},
		{user: userMark("alice"), starts: starts, pos: 5, walk: true, upTo: 9, before: farFuture, fork: 3, reset: true},
	} {
		got, err := parseCursor(c.encode())
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		if diff := cmp.Diff(c, *got, cursorFields); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// The longest that is made is taken back.
func TestLongestCursor(t *testing.T) {
	c := cursor{walk: true, reset: true, pos: farFuture, upTo: farFuture, before: farFuture, fork: farFuture}
	for n := range cursorStarts {
		c.starts = append(c.starts, Start{ID: fmt.Sprintf("%016d", n), Pos: farFuture})
	}
	text := c.encode()
	if len(text) > maxCursor {
		t.Errorf("%d bytes", len(text))
	}
	if _, err := parseCursor(text); err != nil {
		t.Error(err)
	}
}

func TestShared(t *testing.T) {
	start := func(id string, pos Position) Start { return Start{id, pos} }
	lineage := []Start{start("one", 0), start("two", 100), start("three", 200)}
	const now = 300
	for _, tt := range []struct {
		name   string
		starts []Start
		pos    Position
		fork   Position
		whole  bool
	}{
		{"the present", lineage, 250, 250, true},
		{"the position of now", lineage, 300, 300, true},
		{"an earlier start", lineage[:2], 150, 150, true},
		{"the end of an earlier start", lineage[:2], 200, 200, true},
		{"beyond the present: the same start went back", lineage, 301, 300, false},
		{"beyond an earlier start's end: a copy from before", lineage[:2], 201, 200, false},
		{"a start that was lost", append(lineage[:2:2], start("lost", 180)), 190, 180, false},
		{"a start that was lost, begun beyond the copy", append(lineage[:2:2], start("lost", 280)), 290, 200, false},
		{"another store", []Start{start("other", 0)}, 50, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := cursor{starts: tt.starts, pos: tt.pos}
			if fork, whole := c.shared(lineage, now); fork != tt.fork || whole != tt.whole {
				t.Errorf("got %d, %v; want %d, %v", fork, whole, tt.fork, tt.whole)
			}
		})
	}
}

func FuzzParseCursor(f *testing.F) {
	starts := []Start{{"aaaaaaaaaaaaaaaa", 1}, {"bbbbbbbbbbbbbbbb", 1 << 40}}
	for _, c := range []cursor{
		{user: userMark("alice"), starts: starts, pos: 7},
		{starts: starts[:1], walk: true, upTo: 9, before: farFuture, fork: 3, reset: true},
	} {
		f.Add(c.encode())
	}
	f.Add("")
	f.Add("AQD_____")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCursor(text)
		if err != nil {
			return
		}
		again, err := parseCursor(c.encode())
		if err != nil {
			t.Fatalf("%q is read, but not what is made of it: %v", text, err)
		}
		if !reflect.DeepEqual(c, again) {
			t.Errorf("%q is read as %+v, what is made of it as %+v", text, c, again)
		}
		if fork, whole := c.shared(starts, 1<<41); fork > c.pos && len(c.starts) == 1 || whole && fork != c.pos {
			t.Errorf("%q: fork %d, whole %v, of %+v", text, fork, whole, c)
		}
	})
}
