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

// syncDir does nothing: a folder cannot be synced here.
func syncDir(string) error { return nil }
