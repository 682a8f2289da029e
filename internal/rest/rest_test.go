package rest

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Whose page may talk to the server, and who may read the answer.
func TestGuard(t *testing.T) {
	s := &server{cfg: Config{Hosts: []string{"chat.example.com"}, Origins: []string{"https://app.example.com"}}}
	h := s.guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	tests := []struct {
		name, method, host, origin string
		preflight                  bool
		status                     int
		allowed                    string
	}{
		{"no page", "POST", "127.0.0.1:7788", "", false, http.StatusTeapot, ""},
		{"own page", "POST", "127.0.0.1:7788", "http://127.0.0.1:7788", false, http.StatusTeapot, ""},
		{"named host", "POST", "chat.example.com", "", false, http.StatusTeapot, ""},
		{"rebound host", "POST", "evil.example.com:7788", "", false, http.StatusForbidden, ""},
		{"foreign page", "POST", "127.0.0.1:7788", "https://evil.example.com", false, http.StatusForbidden, ""},
		{"page of no origin", "POST", "localhost:7788", "null", false, http.StatusForbidden, ""},
		{"named page", "POST", "localhost:7788", "https://app.example.com", false, http.StatusTeapot, "https://app.example.com"},
		{"named page asks", "OPTIONS", "localhost:7788", "https://app.example.com", true, http.StatusNoContent, "https://app.example.com"},
		{"foreign page asks", "OPTIONS", "localhost:7788", "https://evil.example.com", true, http.StatusForbidden, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "/v1/sync", nil)
			r.Host = tt.host
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
			if tt.preflight {
				r.Header.Set("Access-Control-Request-Method", "POST")
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.status || w.Header().Get("Access-Control-Allow-Origin") != tt.allowed {
				t.Errorf("%d, allows %q", w.Code, w.Header().Get("Access-Control-Allow-Origin"))
			}
		})
	}
}

// Metrics are for this machine, and for who has their token. Mutants: each condition.
func TestWhoReadsMetrics(t *testing.T) {
	const token = "a metrics token of some length"
	for _, tt := range []struct {
		what, from, bearer string
		proxied, set       bool
		status             int
	}{
		{"loopback", "127.0.0.1:1", "", false, false, 200},
		{"elsewhere", "192.0.2.1:1", "", false, false, 401},
		{"elsewhere, with no token set", "192.0.2.1:1", token, false, false, 401},
		{"elsewhere, with the token", "192.0.2.1:1", token, false, true, 200},
		{"elsewhere, with another", "192.0.2.1:1", "another token of some length!!", false, true, 401},
		{"behind a proxy on loopback", "127.0.0.1:1", "", true, true, 401},
		{"behind a proxy, with the token", "127.0.0.1:1", token, true, true, 200},
	} {
		cfg := Config{Proxied: tt.proxied, Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { plain(w, 200, "m") })}
		if tt.set {
			cfg.MetricsToken = token
		}
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.RemoteAddr = tt.from
		if tt.bearer != "" {
			r.Header.Set("Authorization", "Bearer "+tt.bearer)
		}
		w := httptest.NewRecorder()
		(&server{cfg: cfg}).metrics(w, r)
		if w.Code != tt.status {
			t.Errorf("%s: %d, want %d", tt.what, w.Code, tt.status)
		}
	}
}
