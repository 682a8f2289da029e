package config

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockFile takes f's lock, or answers errHeld. The system lets it go when f is closed.
func lockFile(f *os.File) error {
	// The byte that is locked lies far behind the text, which others may so read.
	err := windows.LockFileEx(windows.Handle(f.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errHeld
	}
	return err
}

// checkPrivate does nothing: the folder's access list is what counts here.
func checkPrivate(string) error { return nil }

// RaiseOpenFiles does nothing: there is no such limit here.
func RaiseOpenFiles(int) error { return nil }

// SyncDir does nothing: a folder cannot be synced here.
func SyncDir(string) error { return nil }

// FreeSpace answers how many bytes are free for us on the disk that a folder is on.
func FreeSpace(folder string) (int64, error) {
	name, err := windows.UTF16PtrFromString(folder)
	if err != nil {
		return 0, err
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(name, &free, nil, nil); err != nil {
		return 0, err
	}
	return int64(free), nil
}

// OpenFiles answers errors.ErrUnsupported: there is no such limit here.
func OpenFiles() (uint64, error) { return 0, errors.ErrUnsupported }
