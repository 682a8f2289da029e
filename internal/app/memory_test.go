package app

import (
	"runtime"
	"testing"
)

// Memory is given back when it is quiet, and when it is worth it. Mutants: no count of
// quiet looks; a bound left out; free, or what was not collected, not counted.
func TestWaste(t *testing.T) {
	const mb = 1 << 20
	calm := heap{allocated: 500 * mb, objects: 30 * mb, live: 10 * mb}
	for _, tt := range []struct {
		what  string
		looks []heap
		want  bool
	}{
		{"after a burst", []heap{calm, calm, calm}, true},
		{"not yet", []heap{calm, calm}, false},
		{"the burst goes on", []heap{calm, calm, {allocated: 600 * mb, objects: 30 * mb, live: 10 * mb}}, false},
		{"a pause that ended", []heap{calm, calm, {allocated: 600 * mb}, {allocated: 600 * mb, objects: 30 * mb}}, false},
		{"little to give", []heap{calm, calm, {allocated: 500 * mb, objects: 17 * mb, live: 10 * mb}}, false},
		{"free pages", []heap{calm, calm, {allocated: 500 * mb, objects: 10 * mb, live: 10 * mb, free: 9 * mb}}, true},
		{"little beside what is used", []heap{calm, calm, {allocated: 500 * mb, objects: 124 * mb, live: 100 * mb}}, false},
		{"much beside what is used", []heap{calm, calm, {allocated: 500 * mb, objects: 126 * mb, live: 100 * mb}}, true},
		{"less than at the last collection", []heap{calm, calm, {allocated: 500 * mb, objects: 9 * mb, live: 10 * mb}}, false},
	} {
		var w waste
		var got bool
		for _, h := range tt.looks {
			got = w.look(h)
		}
		if got != tt.want {
			t.Errorf("%s: %t", tt.what, got)
		}
	}
}

// The runtime has the numbers by these names.
func TestReadHeap(t *testing.T) {
	before := readHeap()
	garbage := make([]byte, 1<<20)
	runtime.GC()
	after := readHeap()
	if after.allocated < before.allocated+1<<20 || after.live < 1<<20 || after.objects < 1<<20 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	runtime.KeepAlive(garbage)
}
