//go:build !linux

package bench

import (
	"errors"
	"os"
	"time"
)

// cpuTime is not known here; reports say n/a.
func cpuTime(int) (time.Duration, error) { return 0, errors.ErrUnsupported }

// memory is not known here.
func memory(int) (bytes int64, known bool) { return 0, false }

// openFiles is not known here.
func openFiles() uint64 { return 0 }

// fileSystem is not known here.
func fileSystem(string) string { return "" }

// syncData writes f to the disk.
func syncData(f *os.File) error { return f.Sync() }
