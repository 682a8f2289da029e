// Package testkit runs the real binary for black-box tests and speaks to it over every
// link, by the public protocol only: what it sends and reads are the bytes that any
// client would. Its functions fail the test they are given and are called from the
// test's goroutine, unless they return an error.
package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binaryEnv names a binary to test instead of one built from this tree.
const binaryEnv = "LINNET_TEST_BINARY"

// Main builds the binary, runs the package's tests with it and answers the exit code.
// A package that starts servers has it in its TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }
func Main(m *testing.M) int {
	if os.Getenv(binaryEnv) != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "linnet-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "linnet")
	build := exec.Command("go", "build", "-o", binary, "github.com/linnet-im/linnet/cmd/linnet")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the binary to test:", err)
		return 1
	}
	os.Setenv(binaryEnv, binary)
	return m.Run()
}

// Command makes a command of the binary under test.
func Command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	binary := os.Getenv(binaryEnv)
	if binary == "" {
		t.Fatal("no binary: the package's TestMain must call testkit.Main")
	}
	return exec.Command(binary, args...)
}
