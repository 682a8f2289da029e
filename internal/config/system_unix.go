//go:build unix

package config

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lockFile takes f's lock, or answers errHeld. The kernel lets it go when f is closed.
func lockFile(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errHeld
	}
	return err
}

// checkPrivate refuses a file that others than its owner may read.
func checkPrivate(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s may be read by others (mode %o): chmod 600 it, and think of it as known", name, mode)
	}
	return nil
}

// spareFiles is what the process opens besides connections.
const spareFiles = 64

// RaiseOpenFiles raises the open-file limit as far as it goes and answers an error if
// that is too low for so many connections.
func RaiseOpenFiles(connections int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("the open-file limit: %w", err)
	}
	need := uint64(connections + spareFiles)
	have := limit.Cur
	if have < need {
		// No further than needed: where the hard limit is "unlimited", asking for all of
		// it may be refused although this much is not.
		limit.Cur = min(need, limit.Max)
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err == nil {
			have = limit.Cur
		}
	}
	if have < need {
		return fmt.Errorf("max-connections: %d connections need an open-file limit of %d, and it is %d: raise it (ulimit -n %d) or set max-connections to %d",
			connections, need, have, need, max(1, int(have)-spareFiles))
	}
	return nil
}

// SyncDir makes a new name in a folder durable.
func SyncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// FreeSpace answers how many bytes are free for us on the disk that a folder is on.
func FreeSpace(folder string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", folder, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

// OpenFiles answers how many files this process may open.
func OpenFiles() (uint64, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("the open-file limit: %w", err)
	}
	return limit.Max, nil
}
