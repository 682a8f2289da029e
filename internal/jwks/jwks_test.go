package jwks

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

// later is as if so much time had passed since the source was asked.
func (s *Source) later(d time.Duration) {
	s.asking.Lock()
	defer s.asking.Unlock()
	s.asked = s.asked.Add(-d)
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

// Mutants: unknown names asked for each time; a name that was not asked for put off the
// next asking; old keys dropped when the source fails.
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
	// A new key is found, also while unknown names come all the time.
	b.set.Store(keySet("a", "b"))
	for range 3 {
		s.later(askAgain / 2)
		ids(t, s, "unknown")
	}
	if got := ids(t, s, "b"); got != "ab" {
		t.Errorf("a new key: %s", got)
	}
	b.set.Store("")
	s.later(askAgain)
	if got := ids(t, s, "unknown"); got != "ab" {
		t.Errorf("while it fails: %s", got)
	}
	b.set.Store(keySet("c"))
	s.later(askAgain)
	if got := ids(t, s, "c"); got != "c" {
		t.Errorf("a key that is gone is still there: %s", got)
	}
}

// What is not fresh is read again, without a token that asks for it; what failed, soon.
// Mutant: Run that reads once.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []string{"", keySet("a"), keySet("b")}
		start := time.Now()
		var at []time.Duration
		s := &Source{log: slog.New(slog.DiscardHandler), read: func(context.Context) ([]byte, time.Duration, error) {
			n := len(at)
			at = append(at, time.Since(start))
			return []byte(answers[min(n, 2)]), time.Hour, nil
		}}
		ctx, stop := context.WithTimeout(t.Context(), 90*time.Minute)
		defer stop()
		s.Run(ctx)
		if want := []time.Duration{0, retryAfter, retryAfter + time.Hour}; !slices.Equal(at, want) {
			t.Errorf("read at %v, not %v", at, want)
		}
		if got := ids(t, s, ""); got != "b" {
			t.Error(got)
		}
	})
}

// A redirect leads to no place that could not have been set. Mutant: no CheckRedirect.
func TestRedirects(t *testing.T) {
	b, _ := newBackEnd(t, "a")
	to := b.URL
	redirects := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }))
	defer redirects.Close()
	for target, want := range map[string]string{b.URL: "a", "http://keys.example/jwks": "is not followed", redirects.URL: "is not followed"} {
		to = target
		var said strings.Builder
		s, err := New(redirects.URL, slog.New(slog.NewTextHandler(&said, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if got := ids(t, s, "a") + said.String(); !strings.Contains(got, want) {
			t.Errorf("to %s: %s", target, got)
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
