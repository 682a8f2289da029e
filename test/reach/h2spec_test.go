package reach

import (
	"encoding/xml"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/testkit"
)

// HTTP/2 is as good as the standard library's, which it is: what stands before it, finding
// out what a connection speaks and giving the first bytes again, takes nothing away. The
// measure is h2spec, against both in the same run, with TLS and without. Some of its tests
// race with the answer to what they do wrong, whoever gives it: one that fails is tried
// again.
//
// Mutants that were tried: HTTP/2 not handed on with TLS, not taken without; the last of the
// first bytes given back wrong.
func TestHTTP2Conformance(t *testing.T) {
	t.Parallel() // it waits
	h2spec := testkit.Tool(t, "h2spec")
	server, _, _ := startTLS(t)
	bare := func(secure bool) string {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = w.Write([]byte("ready\n")) // as /readyz
		}))
		t.Cleanup(s.Close)
		if s.EnableHTTP2 = secure; secure {
			s.StartTLS()
		} else {
			s.Config.Protocols = new(http.Protocols)
			s.Config.Protocols.SetUnencryptedHTTP2(true)
			s.Start()
		}
		return s.Listener.Addr().String()
	}
	for name, tt := range map[string]struct {
		bare string
		args []string
	}{
		"with TLS":    {bare(true), []string{"-t", "-k"}},
		"without TLS": {bare(false), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			theirs := make(chan map[string]string, 1)
			go func() { theirs <- spec(t, h2spec, tt.bare, tt.args) }()
			ours := spec(t, h2spec, server.Addr, tt.args)
			passed := 0
			for test, result := range <-theirs {
				if result != "" {
					continue
				}
				passed++
				for range 10 {
					if got, ok := ours[test]; ok && got == "" {
						break
					}
					section, _, _ := strings.Cut(test, ": ")
					ours[test] = "not run"
					maps.Copy(ours, spec(t, h2spec, server.Addr, append([]string{section}, tt.args...)))
				}
				if got := ours[test]; got != "" {
					t.Errorf("%s: the standard library's server passes, ours does not: %s", test, got)
				}
			}
			if passed < 130 {
				t.Errorf("the standard library's server passes %d tests only", passed)
			}
			t.Logf("%d of %d tests", passed, len(ours))
		})
	}
}

// spec runs h2spec against an address and answers what was wrong in each of its tests,
// "" where nothing was.
func spec(t *testing.T, h2spec, addr string, args []string) map[string]string {
	results := make(map[string]string)
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Error(err)
		return results
	}
	file := filepath.Join(t.TempDir(), "report.xml")
	out, err := exec.Command(h2spec, append([]string{"-h", host, "-p", port, "-P", "/readyz", "-j", file}, args...)...).CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed { // it also ends so when a test has failed
		t.Errorf("%v: %s", err, out)
		return results
	}
	var report struct {
		Suites []struct {
			Cases []struct {
				Package string    `xml:"package,attr"`
				Name    string    `xml:"classname,attr"`
				Error   *string   `xml:"error"`
				Failure *string   `xml:"failure"`
				Skipped *struct{} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	b, err := os.ReadFile(file)
	if err == nil {
		err = xml.Unmarshal(b, &report)
	}
	if err != nil {
		t.Errorf("h2spec's report: %v; it says %s", err, out)
		return results
	}
	for _, suite := range report.Suites {
		for _, c := range suite.Cases {
			result := ""
			for _, wrong := range []*string{c.Error, c.Failure} {
				if wrong != nil {
					result += "got or expected " + strings.ReplaceAll(*wrong, "\n", ", ")
				}
			}
			if c.Skipped != nil {
				result = "skipped"
			}
			results[c.Package+": "+c.Name] = result
		}
	}
	return results
}
