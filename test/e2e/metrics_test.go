package e2e

import (
	"net/http"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/linnet-im/linnet/internal/testkit"
)

// numbers reads the metrics with Prometheus's own parser.
func numbers(t *testing.T, server *testkit.Server) map[string]*dto.MetricFamily {
	t.Helper()
	resp, err := http.Get(server.URL("/metrics"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// value is a metric's, with a label if one is given; -1 when it is not there.
func value(families map[string]*dto.MetricFamily, name, label, is string) float64 {
	for _, m := range families[name].GetMetric() {
		match := label == ""
		for _, l := range m.GetLabel() {
			match = match || l.GetName() == label && l.GetValue() == is
		}
		if match {
			return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return -1
}

func TestMetrics(t *testing.T) {
	server := testkit.Start(t)
	alice, ws, text := server.Dial(t), server.DialWS(t), server.DialText(t)
	alice.SignIn(t, server.TokenFor(t, "alice"))
	ws.SignIn(t, server.TokenFor(t, "bob"))
	text.Send("iam:carl\n")
	text.Want("carl has joined")
	for i, to := range []string{"lobby", "lobby", "nowhere"} {
		_ = alice.Call("messages.send", testkit.Message(to, []string{
			"00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002", "00000000-0000-7000-8000-000000000003",
		}[i], "x"), nil) // the last one is refused
	}
	text.Want("@alice: x")
	text.Want("@alice: x")
	got := numbers(t, server)
	for _, want := range []struct {
		name, label, is string
		least, most     float64
	}{
		{"linnet_sessions", "link", "tcp", 1, 1},
		{"linnet_sessions", "link", "websocket", 1, 1},
		{"linnet_sessions", "link", "text", 1, 1},
		{"linnet_connections", "", "", 3, 6},
		{"linnet_connections_max", "", "", 10_000, 10_000},
		{"linnet_calls_total", "code", "not_found", 1, 1},
		{"linnet_call_seconds", "method", "messages.send", 3, 3},
		{"linnet_commit_operations", "", "", 2, 10},
		{"linnet_commit_seconds", "", "", 2, 10},
		{"linnet_events_delivered_total", "", "", 2, 2},
		{"linnet_events_repaired_total", "", "", 0, 0},
		{"linnet_gaps_total", "", "", 0, 0},
		{"linnet_slow_closed_total", "", "", 0, 0},
		{"linnet_store_bytes", "", "", 4096, 1e9},
		{"linnet_store_wal_bytes", "", "", 1, 1e9},
		{"linnet_build_info", "", "", 1, 1},
		{"process_open_fds", "", "", 5, 1000},
		{"go_goroutines", "", "", 5, 1000},
	} {
		if v := value(got, want.name, want.label, want.is); v < want.least || v > want.most {
			t.Errorf("%s %s=%s is %v, want %v to %v", want.name, want.label, want.is, v, want.least, want.most)
		}
	}
	waitFor(t, "the sweep is of a moment ago", func() bool {
		age := value(numbers(t, server), "linnet_sweep_age_seconds", "", "")
		return age >= 0 && age < 30
	})
}
