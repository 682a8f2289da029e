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

// get asks a page of the server's, on a connection of its own. Another answer than 200 is
// errMissed.
func get(url, token string) (io.ReadCloser, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body) // it may be cut off
		return nil, fmt.Errorf("%w: %s %s", errMissed, resp.Status, text)
	}
	return resp.Body, nil
}

// takeWhole takes a notification of a row of which nothing may be missing.
func (b *bare) takeWhole(method string, params []byte) error {
	switch method {
	case "event":
		var e testkit.Event
		if err := json.Unmarshal(params, &e); err != nil {
			return err
		}
		if have := int64(len(b.held[e.Conversation])); e.Seq > have+1 {
			return fmt.Errorf("%w: %s %d came after %d", errMissed, e.Conversation, e.Seq, have)
		}
		b.apply(e, "pushed")
	case "gap", "reset":
		return fmt.Errorf("%w: %s %s, and little was missed", errMissed, method, params)
	}
	return nil
}

// again lives with one connection after the other until stop is closed, or something is missed.
func again(stop <-chan struct{}, live func() error) error {
	for {
		select {
		case <-stop:
			return nil
		case <-time.After(time.Millisecond):
		}
		if err := live(); errors.Is(err, errMissed) {
			return err
		}
	}
}

// live reads one stream to its end.
func (s *stream) live(addr, token string) error {
	body, err := get("http://"+addr+"/v1/events?cursor="+url.QueryEscape(s.cursor), token)
	if err != nil {
		return err
	}
	defer body.Close()
	s.event, s.data, s.id = "", "", ""
	in := bufio.NewScanner(body)
	for in.Buffer(nil, 1<<20); in.Scan(); {
		if err := s.line(in.Text()); err != nil {
			return err
		}
	}
	return in.Err()
}

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
	if err := s.takeWhole(s.event, []byte(s.data)); err != nil {
		return err
	}
	if s.id != "" {
		s.cursor = s.id
		s.meets("checkpoint")
	}
	return nil
}

func (s *stream) read(w *world, addr string, stop <-chan struct{}) error {
	return again(stop, func() error { return s.live(addr, w.token("ann")) })
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
