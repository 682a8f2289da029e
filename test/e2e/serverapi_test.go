package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/testkit"
)

// The back end's guide, as somebody copies it: its examples, one after the other, are all
// answered well. A mutant: a method in the guide that is not there.
func TestServerAPIGuide(t *testing.T) {
	testkit.Need(t, "curl")
	text, err := os.ReadFile("../../docs/server-api.md")
	if err != nil {
		t.Fatal(err)
	}
	script := "set -eu\n"
	blocks := strings.Split(string(text), "```sh\n")[1:]
	for _, b := range blocks {
		code, _, closed := strings.Cut(b, "```")
		if !closed {
			t.Fatal("an example has no end")
		}
		script += code + "\necho\n"
	}
	if len(blocks) < 3 {
		t.Fatalf("only %d examples", len(blocks))
	}
	server := testkit.Start(t)
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "LINNET="+server.URL(""), "KEY="+server.Key(t, "admin"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
