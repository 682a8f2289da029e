package cutfs

import (
	"math/rand/v2"
	"testing"
)

func TestCutKeepsWhatWasSynced(t *testing.T) {
	for _, loss := range []Loss{None, Some} {
		for seed := range uint64(200) {
			d := NewDisk(map[string][]byte{"old": []byte("old")})
			f := &file{}
			d.rename(func(n names) { n["new"] = f })
			d.change(f, change{0, []byte("synced")})
			d.sync(f)
			d.change(f, change{6, []byte(" and more")})
			d.Cut(loss, rand.New(rand.NewPCG(seed, 0)))
			rest := d.Survivors()
			if got := string(rest["old"]); got != "old" {
				t.Fatalf("%s, seed %d: old is %q", loss, seed, got)
			}
			if got := string(rest["new"][:6]); got != "synced" {
				t.Fatalf("%s, seed %d: new begins with %q", loss, seed, got)
			}
			if loss == None && len(rest["new"]) != 6 {
				t.Fatalf("seed %d: an unsynced write survived: %q", seed, rest["new"])
			}
		}
	}
}

func TestCutLosesUnsyncedNamesAndSizes(t *testing.T) {
	d := NewDisk(map[string][]byte{"a": []byte("content")})
	a := d.names["a"]
	d.change(a, change{off: 2})
	d.rename(func(n names) { delete(n, "a"); n["b"] = a })
	cut := d.CutAfter(1, None, nil)
	if err := d.sync(a); err == 0 {
		t.Fatal("a sync that the cut hits must fail")
	}
	<-cut
	rest := d.Survivors()
	if string(rest["a"]) != "content" || len(rest) != 1 {
		t.Fatalf("after the cut: %q", rest)
	}
	if _, err := d.size(a); err == 0 {
		t.Fatal("a dead disk answers")
	}
}

func TestSomeTearsWrites(t *testing.T) {
	whole, torn, none := 0, 0, 0
	for seed := range uint64(200) {
		d := NewDisk(map[string][]byte{"a": make([]byte, 4*sector)})
		ones := make([]byte, 4*sector)
		for i := range ones {
			ones[i] = 1
		}
		d.change(d.names["a"], change{0, ones})
		d.Cut(Some, rand.New(rand.NewPCG(seed, 1)))
		sum := 0
		for _, b := range d.Survivors()["a"] {
			sum += int(b)
		}
		switch sum {
		case 0:
			none++
		case len(ones):
			whole++
		default:
			torn++
		}
	}
	if whole == 0 || torn == 0 || none == 0 {
		t.Fatalf("whole %d, torn %d, none %d: each must happen", whole, torn, none)
	}
}
