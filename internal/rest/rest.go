// Package rest is Linnet over HTTP: POST /v1/<method> for every row of the API table,
// the WebSocket's door, the OpenAPI document, the health checks and the start page.
package rest

import (
	"context"
	"crypto/subtle"
	_ "embed"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/auth"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/session"
	"github.com/linnet-im/linnet/wire"
)

// Config configures the HTTP side.
type Config struct {
	Hub          *session.Hub
	Table        *api.Table
	Chat         *chat.Service
	Verifier     *auth.Verifier
	BodyBytes    int64    // the longest body
	KeyBodyBytes int64    // … of a call by a server key
	QueueBytes   int      // what may wait for a listener that is slow
	Calls        int      // of a user that are under way at a time; 0: as many as come
	Proxied      bool     // a proxy stands before it: no request comes from loopback
	Hosts        []string // names the server answers to besides loopback's; with a port or without
	Origins      []string // origins that pages may come from besides the server's own
	Ready        func() error
	Metrics      http.Handler
	MetricsToken string                                       // opens /metrics to others than loopback; "" does not
	Socket       func(w http.ResponseWriter, r *http.Request) // GET /v1/socket
	Log          *slog.Logger
}

// callTime is how long a call may take.
const callTime = 30 * time.Second

//go:embed page.html
var page []byte

type server struct {
	cfg     Config
	openAPI []byte
	turns   turns
}

// New makes the handler.
func New(cfg Config) (http.Handler, error) {
	doc, err := cfg.Table.OpenAPI()
	if err != nil {
		return nil, err
	}
	s := &server{cfg: cfg, openAPI: doc, turns: turns{max: cfg.Calls, of: make(map[chat.UserID]*turn)}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /v1/openapi.json", s.document)
	mux.HandleFunc("GET /v1/socket", cfg.Socket)
	mux.HandleFunc("GET /v1/events", s.events)
	mux.HandleFunc("GET /v1/poll", s.poll)
	mux.HandleFunc("POST /v1/{method}", s.method)
	mux.HandleFunc("/", s.nothing)
	return s.guard(mux), nil
}

// guard refuses what a web page must not do behind its visitor's back: requests for a
// host this is not (DNS rebinding), and requests that a foreign page sends.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if overTLS(r) {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000") // RFC 6797: a year of nothing but TLS
		}
		switch {
		case !s.knownHost(r.Host):
			problem(w, wire.Errorf(wire.CodeForbidden, "this server does not answer to the host name asked for; see the setting hosts"))
		case !s.knownOrigin(r):
			problem(w, wire.Errorf(wire.CodeForbidden, "pages of this origin may not talk to this server; see the setting origins"))
		case allowOrigin(w, r):
			w.WriteHeader(http.StatusNoContent)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// allowOrigin lets a page of another origin, which is known, read the answer, and says whether
// the request is a preflight, which is answered with that alone (Fetch, section 3.3).
func allowOrigin(w http.ResponseWriter, r *http.Request) (preflight bool) {
	origin := r.Header.Get("Origin")
	if origin == "" || origin == "http://"+r.Host || origin == "https://"+r.Host {
		return false // no page, or the server's own
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Add("Vary", "Origin")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID")
	h.Set("Access-Control-Max-Age", "600")
	return true
}

// knownHost says whether host, with or without a port, is loopback, an address, or named in the settings.
func (s *server) knownHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if name == "localhost" {
		return true
	}
	// A name can be made to point here; an address cannot.
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	for _, known := range s.cfg.Hosts {
		if strings.EqualFold(known, host) || strings.EqualFold(known, name) {
			return true
		}
	}
	return false
}

// knownOrigin says whether the request comes from no page, from the server's own, or from one of the settings.
func (s *server) knownOrigin(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	origin := origins[0]
	if len(origins) > 1 {
		return false
	}
	if origin == "http://"+r.Host || origin == "https://"+r.Host {
		return true
	}
	for _, known := range s.cfg.Origins {
		if strings.EqualFold(known, origin) {
			return true
		}
	}
	return false
}

func (s *server) ready(w http.ResponseWriter, _ *http.Request) {
	if err := s.cfg.Ready(); err != nil {
		plain(w, http.StatusServiceUnavailable, err.Error()+"\n")
		return
	}
	plain(w, http.StatusOK, "ready\n")
}

// metrics shows the metrics to this machine, and to whoever has their token.
func (s *server) metrics(w http.ResponseWriter, r *http.Request) {
	token, bad := bearer(r)
	known := s.cfg.MetricsToken != "" && subtle.ConstantTimeCompare([]byte(token), []byte(s.cfg.MetricsToken)) == 1
	if bad != nil || !known && (s.cfg.Proxied || !isLoopback(r.RemoteAddr)) {
		problem(w, wire.Errorf(wire.CodeToken, "metrics are for this machine, and for who has the token that the setting metrics-token says"))
		return
	}
	s.cfg.Metrics.ServeHTTP(w, r)
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the client may have gone
}

func (s *server) page(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self' ws: wss:; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write(page) // the client may have gone
}

func (s *server) document(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(s.openAPI) // the client may have gone
}

func (s *server) nothing(w http.ResponseWriter, r *http.Request) {
	if name, ok := strings.CutPrefix(r.URL.Path, "/v1/"); ok && r.Method != http.MethodPost {
		if _, err := s.cfg.Table.Find(name); err == nil {
			w.Header().Set("Allow", http.MethodPost)
			problem(w, wire.Errorf(wire.CodeVerb, "methods are called with POST"))
			return
		}
	}
	problem(w, wire.Errorf(wire.CodeMethod, "there is nothing here; methods are at POST /v1/<method>, listed in /v1/openapi.json"))
}

func problem(w http.ResponseWriter, e *wire.Error) {
	status, body := wire.Problem(e)
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", seconds(e.RetryAfter))
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer") // every 401 has a challenge: RFC 9110, 15.5.2
	}
	w.Header().Set("Content-Type", wire.ProblemType)
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have gone
}

// method runs a row of the table.
func (s *server) method(w http.ResponseWriter, r *http.Request) {
	m, bad := s.cfg.Table.Find(r.PathValue("method"))
	if bad != nil {
		problem(w, bad)
		return
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		problem(w, wire.Errorf(wire.CodeMedia, "the body is JSON: send Content-Type: application/json"))
		return
	}
	c := &caller{server: s, loopback: s.loopback(r)}
	if bad := c.authenticate(r); bad != nil {
		problem(w, bad)
		return
	}
	limit := s.cfg.BodyBytes
	switch a, ok := c.Actor(); {
	case ok && a.Server:
		limit = s.cfg.KeyBodyBytes // the operator's own: as many calls as it makes
	case ok:
		waiting, cancel := context.WithTimeout(r.Context(), callTime)
		give, ok := s.turns.take(waiting, a.User)
		cancel()
		if !ok {
			problem(w, &wire.Error{
				Code: wire.CodeBusy, Outcome: wire.OutcomeRetry, RetryAfter: time.Second,
				Message: "too many of your calls are under way: read their answers",
			})
			return
		}
		defer give()
	}
	params, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			problem(w, wire.Errorf(wire.CodeTooLarge, "the body is longer than %d bytes", limit))
			return
		}
		problem(w, wire.Errorf(wire.CodeInvalid, "the body did not come whole; nothing was done"))
		return
	}
	if m.Live {
		problem(w, wire.Errorf(wire.CodeForbidden, "this needs a live connection: a socket"))
		return
	}
	// A call that is running is not undone when the client goes.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), callTime)
	defer cancel()
	result, bad := s.run(ctx, m, c, params)
	if bad != nil {
		problem(w, bad)
		return
	}
	body, err := wire.AppendJSON(nil, result)
	if err != nil {
		s.cfg.Log.Error("result not encoded", slog.String("method", m.Name), slog.Any("error", err))
		problem(w, api.Error(err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // the client may have gone
}

func (s *server) run(ctx context.Context, m *api.Method, c *caller, params []byte) (any, *wire.Error) {
	if !m.Later() {
		return m.Call(ctx, c, params)
	}
	reply := &waiter{done: make(chan struct{})}
	if bad := m.Send(c, params, reply); bad != nil {
		return nil, bad
	}
	select {
	case <-reply.done:
	case <-ctx.Done():
		return nil, &wire.Error{
			Code: wire.CodeUnknown, Outcome: wire.OutcomeUnknown,
			Message: "the store took too long; repeat it with the same client_id",
		}
	}
	if reply.err != nil {
		return nil, api.Error(reply.err)
	}
	return api.Place(reply.place), nil
}

// waiter is a chat.Reply that a request waits on.
type waiter struct {
	place chat.Place
	err   error
	done  chan struct{}
}

func (w *waiter) Answer(p chat.Place, err error) { w.place, w.err = p, err; close(w.done) }
func (w *waiter) Flush()                         {}

func (s *server) loopback(r *http.Request) bool { return !s.cfg.Proxied && isLoopback(r.RemoteAddr) }

func isLoopback(addr string) bool {
	ap, err := netip.ParseAddrPort(addr)
	return err == nil && ap.Addr().Unmap().IsLoopback()
}
