package rest

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/session"
	"github.com/linnet-im/linnet/wire"
)

// stuck is the way to a reader that has taken the first event and takes nothing more
// until room is closed.
type stuck struct {
	header  http.Header
	reached chan struct{} // closed when somebody waits in a write
	room    chan struct{}
	limits  chan time.Time // the write deadlines that are set while it waits

	mu      sync.Mutex
	out     bytes.Buffer
	waited  bool
	waiting bool
}

func (s *stuck) Header() http.Header             { return s.header }
func (s *stuck) WriteHeader(int)                 {}
func (s *stuck) FlushError() error               { return nil }
func (s *stuck) SetReadDeadline(time.Time) error { return nil }

func (s *stuck) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting {
		s.limits <- t
	}
	return nil
}

func (s *stuck) Write(p []byte) (int, error) {
	s.mu.Lock()
	first := !s.waited && bytes.Contains(s.out.Bytes(), []byte("event: event"))
	s.waited, s.waiting = s.waited || first, first
	s.mu.Unlock()
	if first {
		close(s.reached)
		<-s.room
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = false
	return s.out.Write(p)
}

// Who is signed out while it is told what it missed is told no more of that, and does not
// hold its stream by not reading. Mutants: write without a look at isCut; cut without a
// deadline.
func TestRevokedWhileCatchingUp(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	mine, stolen, bob := n.token("alice", time.Now()), n.token("alice", time.Now().Add(time.Minute)), n.token("bob", time.Now())
	cursor := n.chat.Cursor("alice", n.chat.Position())
	for k := range 10 {
		n.say(bob, "alice", k)
	}
	w := &stuck{header: http.Header{}, reached: make(chan struct{}), room: make(chan struct{}), limits: make(chan time.Time, 10)}
	r := httptest.NewRequest(http.MethodGet, "/v1/events?"+url.Values{"session": {"thief"}, "cursor": {cursor}}.Encode(), nil)
	r.Host = "localhost"
	r.Header.Set("Authorization", "Bearer "+stolen)
	done := make(chan struct{})
	go func() { n.ServeHTTP(w, r); close(done) }()
	<-w.reached
	result[wire.RevokeResult](n, "sessions.revoke", mine, `{"session":"thief"}`)
	select {
	case limit := <-w.limits:
		if left := time.Until(limit); left > session.RevokedWait {
			t.Errorf("it may take nothing for another %v", left)
		}
	default:
		t.Error("it may take nothing for as long as before")
	}
	close(w.room)
	<-done
	out := w.out.String()
	if events := strings.Count(out, "event: event"); events != 1 || !strings.Contains(out, `"code":"revoked"`) {
		t.Errorf("%d events are told: %s", events, out)
	}
}
