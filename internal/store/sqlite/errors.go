package sqlite

import (
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/linnet-im/linnet/internal/chat"
)

// code is SQLite's primary result code of an error, 0 when it is none of SQLite's.
func code(err error) int {
	if e, ok := errors.AsType[*driver.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// storeError gives an error after which nothing was written its form.
func storeError(err error) error {
	if code(err) == sqlite3.SQLITE_FULL {
		return fmt.Errorf("sqlite: %w: %w", chat.ErrFull, err)
	}
	return fmt.Errorf("sqlite: %w", err)
}

// undecided says whether a COMMIT that failed with err may have happened all the same.
// When the disk was full or the lock was not to be had, nothing was synced.
func undecided(err error) bool {
	c := code(err)
	return c != sqlite3.SQLITE_FULL && c != sqlite3.SQLITE_BUSY
}
