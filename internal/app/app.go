// Package app puts Linnet together and runs it: the one place that knows every part.
package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync"
	"time"

	"github.com/linnet-im/linnet/internal/api"
	"github.com/linnet-im/linnet/internal/auth"
	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/config"
	"github.com/linnet-im/linnet/internal/jwks"
	"github.com/linnet-im/linnet/internal/link/sock"
	"github.com/linnet-im/linnet/internal/listen"
	"github.com/linnet-im/linnet/internal/metrics"
	"github.com/linnet-im/linnet/internal/presence"
	"github.com/linnet-im/linnet/internal/rest"
	"github.com/linnet-im/linnet/internal/router"
	"github.com/linnet-im/linnet/internal/search"
	"github.com/linnet-im/linnet/internal/search/fts"
	"github.com/linnet-im/linnet/internal/session"
	"github.com/linnet-im/linnet/internal/store/sqlite"
	"github.com/linnet-im/linnet/wire"
)

// drainTime is how long a stopping server waits for its peers to take what they are owed.
const drainTime = 5 * time.Second

// requestTime is how long it waits for HTTP requests.
const requestTime = time.Second

// Run serves until ctx ends, then drains: it takes no new work, answers the sends in
// flight, tells the sessions to come back, and returns in seconds. out is told where to
// point a browser and nc. Errors before it serves say which setting is wrong.
func Run(ctx context.Context, cfg config.Config, log *slog.Logger, out io.Writer) (err error) {
	folder, err := config.OpenFolder(cfg.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	secret, err := folder.Secret(cfg.Secret)
	if err != nil {
		return err
	}
	store, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(cfg.Data, "linnet.db"), Logger: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	index := openIndex(ctx, &cfg, log)
	if index != nil {
		defer func() { err = errors.Join(err, index.Close()) }()
	}
	s, err := newServer(ctx, cfg, secret, store, index, log)
	if err != nil {
		return err
	}
	s.folder = folder
	return s.run(ctx, out)
}

// server is a running Linnet.
type server struct {
	cfg      config.Config
	folder   *config.Folder
	log      *slog.Logger
	store    *sqlite.Store
	metrics  *metrics.Metrics
	indexer  *search.Indexer // nil: search is off
	chat     *chat.Service
	router   *router.Router
	presence *presence.Board
	keys     *jwks.Source // nil: none
	hub      *session.Hub
	links    *links
	http     *http.Server
	port     *listen.Server
	tls      *tls.Config // nil: none

	authority *authority // nil: none
}

// newServer makes a server; index may be nil.
func newServer(ctx context.Context, cfg config.Config, secret []byte, store *sqlite.Store, index *fts.Index, log *slog.Logger) (*server, error) {
	s := &server{cfg: cfg, log: log, store: store, metrics: metrics.New()}
	s.router = router.New(router.Config{
		MaySee: func(u chat.UserID, k chat.ConversationKind) bool { return s.chat.MaySee(u, k) },
		Left:   func(room chat.ConversationID, u chat.UserID) { s.chat.LeftRoom(room, u) },
		Log:    log,
	}, store)
	limits := cfg.Limits
	var err error
	s.chat, err = chat.New(ctx, chat.Config{
		Guests: chat.Guests(cfg.Guests), Committed: s.metrics.Committed, Presence: s.router,
		Limits: chat.Limits{
			SearchesPerSecond: limits.UserSearchesPerSecond, SearchesBurst: limits.UserSearchesBurst,
			SendsPerSecond: limits.UserSendsPerSecond, SendsBurst: limits.UserSendsBurst,
			RoomSendsPerSec: limits.ConversationSendsPerSecond, RoomSendsBurst: limits.ConversationSendsBurst,
			NewDirectsHourly: limits.NewDirectsPerHour, NewRoomsHourly: limits.NewRoomsPerHour, JoinsHourly: limits.JoinsPerHour, MembersPerCall: limits.MembersPerCall,
			GroupMembers: limits.GroupMembers, CallsKept: limits.DedupeWindow,
			ReportsHourly: limits.ReportsPerHour, KeyCallsPerSecond: limits.KeyCallsPerSecond, KeyCallsBurst: limits.KeyCallsBurst,
			EditWindow: cfg.EditWindow, RecallWindow: cfg.RecallWindow,
		},
	}, store, s.router)
	if err != nil {
		return nil, err
	}
	tokens := auth.Config{Secret: secret, Issuer: cfg.TokenIssuer, Audience: cfg.TokenAudience}
	if cfg.TokenJWKS != "" {
		if s.keys, err = jwks.New(cfg.TokenJWKS, log); err != nil {
			return nil, fmt.Errorf("token-jwks: %q is not right: %w", cfg.TokenJWKS, err)
		}
		tokens.Keys = s.keys.Keys
	}
	verifier := auth.New(tokens)
	s.presence = presence.New()
	var finder *search.Service
	if index != nil {
		s.indexer = search.NewIndexer(store, index, log)
		finder = search.New(s.chat, index, s.indexer)
	}
	table := api.New(s.chat, finder)
	table.Observe(s.called)
	s.hub = session.NewHub(session.Config{
		Chat: s.chat, Router: s.router, Presence: s.presence, Table: table, Verifier: verifier, Log: log, PlainLAN: cfg.LAN,
		Devices:      session.Devices{Policy: session.Policy(cfg.Sessions), Groups: cfg.PlatformGroups},
		MaxListeners: cfg.MaxConnections,
		Limits: wire.Limits{
			FrameBytes: limits.FrameBytes, ContentBytes: api.MaxContent, InFlight: limits.InFlight,
			DedupeMS: limits.DedupeWindow.Milliseconds(), ListLimit: api.MaxPage, Members: limits.MembersPerCall,
		},
	})
	s.links = newLinks(s.hub, limits, cfg, s.metrics.Slow, log)
	if len(cfg.ACME) > 0 {
		if s.authority, err = newAuthority(&cfg, log); err != nil {
			return nil, err
		}
	}
	if s.tls, err = tlsConfig(&cfg, s.authority); err != nil {
		return nil, err
	}
	handler, err := rest.New(rest.Config{
		Hub: s.hub, Table: table, Chat: s.chat, Verifier: verifier, BodyBytes: int64(limits.FrameBytes), KeyBodyBytes: int64(limits.KeyBodyBytes), QueueBytes: limits.OutboxBytes, Calls: limits.InFlight,
		Proxied: len(cfg.Proxies) > 0, Hosts: append(cfg.Hosts, cfg.ACME...), Origins: cfg.Origins, Ready: s.ready, Metrics: s.metrics.Handler(), MetricsToken: cfg.MetricsToken, Socket: s.links.serveSocket, Log: log,
	})
	if err != nil {
		return nil, err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true) // from a proxy that has TLS and negotiated it
	s.http = &http.Server{
		Handler: handler, ReadHeaderTimeout: limits.HeaderTimeout, ReadTimeout: limits.BodyTimeout,
		ConnContext: rest.ConnContext, IdleTimeout: limits.IdleTimeout, MaxHeaderBytes: limits.HeaderBytes,
		// Without it a peer that asks and does not read is held, with its answer, as long as it likes.
		WriteTimeout: limits.AnswerTimeout,
		TLSConfig:    s.tls, Protocols: protocols, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: limits.HTTP2Streams, WriteByteTimeout: limits.WriteTimeout},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// ready says whether sends can be stored.
func (s *server) ready() error { return s.store.Healthy() }

// run serves until ctx ends, and drains.
func (s *server) run(ctx context.Context, out io.Writer) error {
	ln, err := net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w; is another server running? --listen takes another address", err)
	}
	if err := s.folder.Serving(ln.Addr().String()); err != nil {
		_ = ln.Close()
		return fmt.Errorf("data: %w", err)
	}
	s.port = listen.New(ln, s.listening())
	s.measure()
	// What serves and what delivers end at different times: sends in flight are
	// committed and delivered after the last frame was taken.
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	delivering, stopDelivering := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	defer stopDelivering()
	var background, delivery sync.WaitGroup
	delivery.Go(func() { s.router.Run(delivering) })
	background.Go(func() { s.hub.Run(serving) })
	background.Go(func() { s.presence.Run(serving) })
	background.Go(func() { giveBack(serving) })
	if s.indexer != nil {
		background.Go(func() { s.indexer.Run(serving) })
	}
	if s.keys != nil {
		background.Go(func() { s.keys.Run(serving) })
	}
	background.Go(func() {
		s.chat.FlushVisitsEvery(serving, 5*time.Second, func(err error) { s.log.Error("visits not kept", slog.Any("error", err)) })
	})
	background.Go(func() {
		s.chat.FlushDeliveredEvery(serving, time.Second, func(err error) { s.log.Error("delivered positions not kept", slog.Any("error", err)) })
	})
	background.Go(func() {
		s.chat.TidyEvery(serving, time.Hour, func(err error) { s.log.Error("old calls not forgotten", slog.Any("error", err)) })
	})
	background.Go(func() {
		s.chat.RunDueEvery(serving, time.Second, func(err error) { s.log.Error("what is due is not done", slog.Any("error", err)) })
	})
	background.Go(func() {
		s.chat.RunBroadcastsEvery(serving, time.Second, func(err error) { s.log.Error("a broadcast does not go on", slog.Any("error", err)) })
	})
	background.Go(func() {
		s.chat.RunDeletionsEvery(serving, 2*time.Second, func(err error) { s.log.Error("accounts not deleted yet", slog.Any("error", err)) })
	})
	failed := make(chan error, 3)
	background.Go(func() { failed <- s.port.Serve() })
	background.Go(func() {
		if err := s.http.Serve(s.port); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			failed <- err
		}
	})
	if s.cfg.UDP {
		if err := s.listenUDP(serving, ln.Addr(), &background, failed); err != nil {
			_ = ln.Close()
			return err
		}
	}
	if s.authority != nil {
		s.authority.first()
	}
	s.greet(out, ln.Addr())

	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.log.Info("draining", slog.Int("sessions", s.hub.Count()))
	_ = s.port.Close() // what it accepted goes on
	s.hub.Stop()
	s.finishRequests(ctx)
	s.chat.Close()
	stopDelivering()
	delivery.Wait()
	s.hub.Drain()
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	s.port.Wait(limit)
	stopServing()
	background.Wait()
	s.log.Info("stopped")
	return err
}

// finishRequests waits for HTTP requests that are being answered, but not long for
// those that have not come whole: sockets wait to be told meanwhile.
func (s *server) finishRequests(ctx context.Context) {
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTime)
	defer cancel()
	if err := s.http.Shutdown(limit); err != nil {
		s.log.Warn("requests were cut off", slog.Any("error", err))
		_ = s.http.Close() // they are cut off
	}
}

// listening says who may connect, and how, by the settings.
func (s *server) listening() listen.Config {
	c := listen.Config{
		JSON: s.links.serveLines, Text: s.links.serveText, Refuse: s.links.refuse, Proxies: s.cfg.Proxies,
		MaxConns: s.cfg.MaxConnections, PerAddress: s.cfg.Limits.PerAddress, Log: s.log,
	}
	if s.tls != nil {
		c.TLS = func(nc *listen.Conn) *tls.Conn { return tls.Server(sock.NewLayer(nc), s.tls) }
		c.Plain = func(a netip.Addr) bool { return a.IsLoopback() }
	}
	if s.cfg.LAN {
		c.Admit = isPrivate
	}
	return c
}

// shared is RFC 6598: addresses behind a carrier's NAT, which some home networks have.
var shared = netip.MustParsePrefix("100.64.0.0/10")

// isPrivate says whether an address is one of a local network.
func isPrivate(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || shared.Contains(a)
}

// listenUDP serves the text protocol over UDP on the port that TCP has.
func (s *server) listenUDP(ctx context.Context, addr net.Addr, background *sync.WaitGroup, failed chan<- error) error {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return nil
	}
	pc, err := net.ListenUDP("udp", &net.UDPAddr{IP: tcp.IP, Port: tcp.Port, Zone: tcp.Zone})
	if err != nil {
		return fmt.Errorf("udp: %w; --udp off serves without it", err)
	}
	admit := func(netip.Addr) bool { return true }
	if s.cfg.LAN {
		admit = isPrivate
	}
	background.Go(func() {
		if err := s.links.serveUDP(ctx, pc, admit); err != nil {
			failed <- err
		}
	})
	return nil
}
