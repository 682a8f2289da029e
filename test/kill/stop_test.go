package kill

import (
	"io"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/testkit"
)

// A server that is asked to stop takes no new work, answers what it took, tells
// everybody to come back and ends well, in seconds: Stop checks that.
func TestStop(t *testing.T) {
	server := testkit.Start(t)
	all := newSenders(t, server)
	idle := map[string]*testkit.Client{"lines": server.Dial(t), "websocket": server.DialWS(t)}
	for name, c := range idle {
		c.Guest(t, name)
	}
	person := server.DialText(t)
	person.Send("iam:person\n")
	person.Want("person has joined")

	flood(t, server, server.Stop, all, 1000)

	for name, c := range idle {
		if n, err := c.Next("close"); err != nil || !strings.Contains(string(n.Params), `"retry_after_ms"`) {
			t.Errorf("%s: told %s, %v", name, n.Params, err)
		}
		<-c.Ended()
	}
	told := ""
	for {
		line, err := person.Line()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		told = line
	}
	if !strings.HasPrefix(told, "error: ") {
		t.Errorf("text: told %q last", told)
	}

	server.Restart()
	each(t, all, func(s *sender) error { return s.recover(server) })
	if t.Failed() {
		return
	}
	check(t, server, all)
}
