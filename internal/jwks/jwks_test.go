package jwks

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A key of RFC 8037, appendix A.2.
const x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"

func keySet(ids ...string) string {
	out := ""
	for i, id := range ids {
		if i > 0 {
			out += ","
		}
		out += fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","x":%q,"kid":%q}`, x, id)
	}
	return `{"keys":[` + out + `]}`
}

// backEnd serves a set that the test changes.
type backEnd struct {
	*httptest.Server
	set   atomic.Value // string; "" fails
	asked atomic.Int64
}

func newBackEnd(t *testing.T, ids ...string) (*backEnd, *Source) {
	t.Helper()
	b := &backEnd{}
	b.set.Store(keySet(ids...))
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		b.asked.Add(1)
		set := b.set.Load().(string)
		if set == "" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = w.Write([]byte(set))
	}))
	t.Cleanup(b.Close)
	s, err := New(b.URL, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return b, s
}

// later moves the source's clocks back, as if so much time had passed.
func (s *Source) later(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.fresh = s.asked.Add(-d), s.fresh.Add(-d)
}

func ids(t *testing.T, s *Source, named string) string {
	t.Helper()
	keys, err := s.Keys(named)
	if err != nil {
		return "error"
	}
	out := ""
	for _, k := range keys {
		out += k.ID
	}
	return out
}

// Mutants: unknown names asked for each time; old keys dropped when the source fails.
func TestRotation(t *testing.T) {
	b, s := newBackEnd(t, "a")
	for range 3 {
		if got := ids(t, s, "a"); got != "a" {
			t.Fatal(got)
		}
	}
	var flood sync.WaitGroup
	for range 50 {
		flood.Go(func() { ids(t, s, "unknown") })
	}
	flood.Wait()
	if n := b.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	b.set.Store(keySet("a", "b"))
	s.later(askAgain)
	if got := ids(t, s, "b"); got != "ab" {
		t.Errorf("a new key: %s", got)
	}
	// It fails: what was good stays, and is asked for again.
	b.set.Store("")
	s.later(maxAge)
	if got := ids(t, s, "a"); got != "ab" {
		t.Errorf("while it fails: %s", got)
	}
	s.asking.Lock() // when the one in the background has asked
	b.set.Store(keySet("c"))
	s.asking.Unlock()
	s.later(askAgain)
	for deadline := time.Now().Add(10 * time.Second); ids(t, s, "a") != "c"; time.Sleep(time.Millisecond) {
		s.later(askAgain)
		if time.Now().After(deadline) {
			t.Fatal("a key that is gone is still taken")
		}
	}
}

// The back end is down when the server starts.
func TestNotThereYet(t *testing.T) {
	b, s := newBackEnd(t, "a")
	b.set.Store("")
	for range 3 {
		if got := ids(t, s, "a"); got != "error" {
			t.Error(got)
		}
	}
	if n := b.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	b.set.Store(keySet("a"))
	s.later(askAgain)
	if got := ids(t, s, "a"); got != "a" {
		t.Error(got)
	}
}

func TestFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(name, []byte(keySet("f")), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := New(name, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(t, s, ""); got != "f" {
		t.Error(got)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, where := range []string{"http://app.example/keys", "ftp://app.example", "https://%"} {
		if _, err := New(where, nil); err == nil {
			t.Errorf("%s is taken", where)
		}
	}
}

func TestAge(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": usualAge, "no-cache": usualAge, "public, max-age=3600": time.Hour, "Max-Age=1": minAge, "max-age=99999999": maxAge, "max-age=x": usualAge,
	} {
		if got := age(header); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}
