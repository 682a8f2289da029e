package chaos

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/linnet-im/linnet/internal/testkit"
)

// poller is a reader by long poll that does what docs/links/poll.md says.
type poller struct{ *bare }

// live makes one poll.
func (p *poller) live(addr, token string) error {
	query := url.Values{"session": {p.session}, "wait": {"25"}, "cursor": {p.cursor}}
	body, err := get("http://"+addr+"/v1/poll?"+query.Encode(), token)
	if err != nil {
		return err
	}
	defer body.Close()
	var answer struct {
		Notifications []struct {
			Method string
			Params json.RawMessage
		}
		Cursor string
	}
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		return err
	}
	for _, n := range answer.Notifications {
		if err := p.takeWhole(n.Method, n.Params); err != nil {
			return err
		}
	}
	p.cursor = answer.Cursor
	p.meets("cursor")
	return nil
}

func (p *poller) read(w *world, addr string, stop <-chan struct{}) error {
	return again(stop, func() error { return p.live(addr, w.token("ann")) })
}

// The same hundred cuts with long polls: an answer that is lost loses nothing.
//
// Mutant that was tried, on the server: what was missed read in the one walk of a sync, in
// which a conversation that is written to meanwhile is left out.
func TestPollerCutOff(t *testing.T) {
	w := newWorld(t)
	cursor := w.cursor("ann")
	reader := &poller{newBare(w.newAuthor(), nil)}
	reader.cursor = cursor // from before there was anything
	w.cutOff(reader.bare, testkit.NewProxy(t, w.server.Addr), reader.read, func(int) bool { return false })
	if reader.met["cursor"] == 0 {
		t.Error("no poll was ever answered")
	}
}
