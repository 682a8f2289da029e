package app

import (
	"path/filepath"
	"time"

	"github.com/linnet-im/linnet/internal/metrics"
	"github.com/linnet-im/linnet/wire"
)

// called notes a call that was answered.
func (s *server) called(method string, code wire.Code, took time.Duration) {
	if code == "" {
		code = "ok"
	}
	s.metrics.Called(method, string(code), took)
}

// measure has the metrics ask the parts for what they know.
func (s *server) measure() {
	m := s.metrics
	m.Gauge("linnet_connections", "Connections that are open, signed in or not.", func() float64 { return float64(s.port.Count()) })
	m.Gauge("linnet_connections_max", "Connections that may be open.", func() float64 { return float64(s.cfg.MaxConnections) })
	m.Gauges("linnet_sessions", "Sessions that are open, by link.", "link", s.hub.Links)
	m.Counter("linnet_events_delivered_total", "Events that were handed to a session, once for each.",
		func() float64 { return float64(s.router.Stats().Delivered) })
	m.Counter("linnet_events_repaired_total", "Events that were found missing when heads were compared, and told then.",
		func() float64 { return float64(s.router.Stats().Repaired) })
	m.Counter("linnet_gaps_total", "Runs of missing events that were too long to be told.",
		func() float64 { return float64(s.router.Stats().Gaps) })
	m.Gauge("linnet_sweep_age_seconds", "Since when everything is known to be delivered; about one second when all is well.",
		func() float64 { return time.Since(s.router.Stats().Swept).Seconds() })
	if s.indexer != nil {
		m.Gauge("linnet_search_behind", "Changed rows of the store that are not in the search index yet.",
			func() float64 { return float64(s.store.Position() - s.indexer.Position()) })
		index := filepath.Join(s.cfg.Data, "search.db")
		m.Gauge("linnet_search_bytes", "The size of the search index.", func() float64 { return metrics.FileSize(index) })
	}
	database := filepath.Join(s.cfg.Data, "linnet.db")
	m.Gauge("linnet_store_bytes", "The size of the database.", func() float64 { return metrics.FileSize(database) })
	m.Gauge("linnet_store_wal_bytes", "The size of its write-ahead log.", func() float64 { return metrics.FileSize(database + "-wal") })
}
