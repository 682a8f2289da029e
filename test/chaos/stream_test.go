package chaos

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/testkit"
)

// stream is a reader of Server-Sent Events that does what docs/links/events.md says. It
// keeps a cursor when one comes and asks for nothing: whatever it misses it is told after
// that cursor, in order, or a gap is named.
type stream struct {
	*bare
	event, data, id string // of the frame that is read
}

// live reads one stream to its end.
func (s *stream) live(addr, token string) error {
	req, err := http.NewRequest(http.MethodGet, "http://"+addr+"/v1/events?cursor="+url.QueryEscape(s.cursor), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body) // it may be cut off
		if resp.StatusCode == http.StatusServiceUnavailable {
			return errAway
		}
		return fmt.Errorf("%w: %s %s", errMissed, resp.Status, text)
	}
	s.event, s.data, s.id = "", "", ""
	in := bufio.NewScanner(resp.Body)
	for in.Buffer(nil, 1<<20); in.Scan(); {
		if err := s.line(in.Text()); err != nil {
			return err
		}
	}
	return in.Err()
}

var errAway = errors.New("the server is stopping")

func (s *stream) line(line string) error {
	name, value, _ := strings.Cut(line, ": ")
	switch name {
	case "event":
		s.event = value
	case "data":
		s.data = value
	case "id":
		s.id = value
	case "":
		if line != "" {
			return nil // a comment
		}
		err := s.frame()
		s.event, s.data, s.id = "", "", ""
		return err
	}
	return nil
}

func (s *stream) frame() error {
	switch s.event {
	case "event":
		var e testkit.Event
		if err := json.Unmarshal([]byte(s.data), &e); err != nil {
			return err
		}
		if have := int64(len(s.held[e.Conversation])); e.Seq > have+1 {
			return fmt.Errorf("%w: %s %d came after %d", errMissed, e.Conversation, e.Seq, have)
		}
		s.apply(e, "pushed")
	case "gap", "reset":
		return fmt.Errorf("%w: %s %s, and little was missed", errMissed, s.event, s.data)
	}
	if s.id != "" {
		s.cursor = s.id
		s.meets("checkpoint")
	}
	return nil
}

func (s *stream) read(w *world, addr string, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		case <-time.After(time.Millisecond):
		}
		if err := s.live(addr, w.token("ann")); errors.Is(err, errMissed) {
			return err
		}
	}
}

// The same hundred cuts with an event stream, whose reader never asks for what it missed.
//
// Mutants that were tried, on the server: what was missed told from one event too late; one
// event too many left out of what is told live because it was told before.
func TestStreamReaderCutOff(t *testing.T) {
	w := newWorld(t)
	cursor := w.cursor("ann")
	reader := &stream{bare: newBare(w.newAuthor(), nil)}
	reader.cursor = cursor // from before there was anything
	w.cutOff(reader.bare, testkit.NewProxy(t, w.server.Addr), reader.read, func(int) bool { return false })
	if reader.met["checkpoint"] == 0 {
		t.Error("it never kept a cursor")
	}
}
