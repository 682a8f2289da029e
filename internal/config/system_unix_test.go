//go:build unix

package config

import (
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// setOpenFiles sets the limits until the test ends; the hard one stays.
func setOpenFiles(t *testing.T, soft uint64) (hard uint64) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
			t.Error(err)
		}
	})
	lower := before
	lower.Cur = soft
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &lower); err != nil {
		t.Fatal(err)
	}
	return before.Max
}

// Mutant: the soft limit is not raised.
func TestOpenFilesAreRaised(t *testing.T) {
	hard := setOpenFiles(t, 128)
	if hard < 256 {
		t.Skipf("the hard limit is %d", hard)
	}
	connections := 256 - spareFiles
	if err := RaiseOpenFiles(connections); err != nil {
		t.Fatal(err)
	}
	var after unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &after); err != nil {
		t.Fatal(err)
	}
	if after.Cur != 256 || after.Max != hard {
		t.Errorf("the limits are %d and %d, want 256 and %d", after.Cur, after.Max, hard)
	}
}

// Mutant: RaiseOpenFiles answers nil.
func TestTooFewOpenFiles(t *testing.T) {
	setOpenFiles(t, 256)
	const connections = 1 << 40 // more than any system gives
	err := RaiseOpenFiles(connections)
	if err == nil {
		t.Fatal("taken")
	}
	for _, want := range []string{"max-connections", strconv.Itoa(connections), strconv.Itoa(connections + spareFiles), "ulimit"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}
