package testkit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// Tool builds a foreign program that tools/go.mod names, where it is not built yet, and
// answers where it is. Without the network for it the test skips, and with CI=true it fails.
func Tool(t testing.TB, name string) string {
	t.Helper()
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(filepath.Dir(strings.TrimSpace(string(mod))), "tools", "go.mod")
	path, err := exec.Command("go", "tool", "-modfile="+file, "-n", name).Output()
	if err != nil {
		Missing(t, name)
	}
	return strings.TrimSpace(string(path))
}
