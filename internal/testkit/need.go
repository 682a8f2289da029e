package testkit

import (
	"os"
	"os/exec"
	"testing"
)

// Need finds a program by the first of its names that is installed. Without it the test
// skips, and with CI=true it fails: there scripts/install-test-deps.sh has installed it.
func Need(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, names[0])
	return ""
}

// Missing ends a test for which something is not installed, as Need does.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s must be there in CI", what)
	}
	t.Skipf("%s is not installed", what)
}
