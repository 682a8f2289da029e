package client

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/linnet-im/linnet/internal/testkit"
)

// What session.open tells a client of limits is on the page, all of it, as it is. Mutants: a
// limit changed; one more.
func TestLimitsThatAreTold(t *testing.T) {
	page, err := os.ReadFile("../../docs/sizing.md")
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]string)
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([0-9]+) \\|$").FindAllStringSubmatch(string(page), -1) {
		want[m[1]] = m[2]
	}
	c := testkit.Start(t).Dial(t)
	defer c.Close()
	var opened struct{ Limits map[string]int64 }
	if err := c.Call("session.open", map[string]any{"guest": "ann"}, &opened); err != nil {
		t.Fatal(err)
	}
	if len(opened.Limits) == 0 || len(opened.Limits) != len(want) {
		t.Errorf("session.open tells %v, the page %v", opened.Limits, want)
	}
	for name, value := range opened.Limits {
		if fmt.Sprint(value) != want[name] {
			t.Errorf("%s is %d, on the page %q", name, value, want[name])
		}
	}
}
