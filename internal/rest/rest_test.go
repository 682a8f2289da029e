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
