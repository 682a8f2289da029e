// Package metrics counts what an operator wants to know of a running server, and shows
// it in Prometheus's text format. What happens often is counted by atomic adds where it
// happens; the rest is asked for when somebody looks.
package metrics

import (
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are a server's. Their methods may be called concurrently and do not block.
type Metrics struct {
	registry   *prometheus.Registry
	calls      *prometheus.CounterVec
	callTime   *prometheus.HistogramVec
	batch      prometheus.Histogram
	commitTime prometheus.Histogram
	slow       prometheus.Counter
}

// New makes a server's metrics.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "linnet_calls_total", Help: "Calls of the API by method and outcome: ok, or the error's code.",
		}, []string{"method", "code"}),
		callTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "linnet_call_seconds", Help: "How long calls took until they were answered; sends until they were on disk.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9),
		}, []string{"method"}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "linnet_commit_operations", Help: "Operations that shared one commit, and so one sync of the disk.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 6),
		}),
		commitTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "linnet_commit_seconds", Help: "How long a commit took, with its sync.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9),
		}),
		slow: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "linnet_slow_closed_total", Help: "Connections that were closed because they did not take what they were sent.",
		}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "linnet_build_info", Help: "1; the version is its label.", ConstLabels: prometheus.Labels{"version": version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.calls, m.callTime, m.batch, m.commitTime, m.slow, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// Called notes that a call was answered; code is "ok" or the error's.
func (m *Metrics) Called(method, code string, took time.Duration) {
	m.calls.WithLabelValues(method, code).Inc()
	m.callTime.WithLabelValues(method).Observe(took.Seconds())
}

// Committed notes a commit of so many operations.
func (m *Metrics) Committed(operations int, took time.Duration) {
	m.batch.Observe(float64(operations))
	m.commitTime.Observe(took.Seconds())
}

// Slow notes that a connection was closed as slow.
func (m *Metrics) Slow() { m.slow.Inc() }

// Gauge has a number asked for whenever somebody looks.
func (m *Metrics) Gauge(name, help string, ask func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, ask))
}

// Counter has a number that only grows asked for whenever somebody looks.
func (m *Metrics) Counter(name, help string, ask func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, ask))
}

// Gauges has numbers by one label asked for whenever somebody looks.
func (m *Metrics) Gauges(name, help, label string, ask func() map[string]int) {
	m.registry.MustRegister(&labelled{prometheus.NewDesc(name, help, []string{label}, nil), ask})
}

// labelled is a collector of numbers by one label.
type labelled struct {
	desc *prometheus.Desc
	ask  func() map[string]int
}

func (l *labelled) Describe(ch chan<- *prometheus.Desc) { ch <- l.desc }

func (l *labelled) Collect(ch chan<- prometheus.Metric) {
	for value, n := range l.ask() {
		ch <- prometheus.MustNewConstMetric(l.desc, prometheus.GaugeValue, float64(n), value)
	}
}

// FileSize answers a file's size in bytes, 0 when there is none.
func FileSize(name string) float64 {
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return float64(info.Size())
}

// Handler shows the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
