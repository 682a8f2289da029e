package wire

import (
	"errors"

	"github.com/google/uuid"
)

// errUUID is ParseUUID's only error.
var errUUID = errors.New("not a UUID of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")

// ParseUUID reads a UUID in its canonical form: 32 hexadecimal digits, upper or lower
// case, in groups of 8-4-4-4-12. Any version is taken; braces, "urn:uuid:" and bare
// digits are not.
func ParseUUID(s string) ([16]byte, error) {
	var id [16]byte
	if len(s) != 36 {
		return id, errUUID
	}
	n := 0
	for i := 0; i < len(s); {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return [16]byte{}, errUUID
			}
			i++
			continue
		}
		hi, ok1 := unhex(s[i])
		lo, ok2 := unhex(s[i+1])
		if !ok1 || !ok2 {
			return [16]byte{}, errUUID
		}
		id[n] = hi<<4 | lo
		n++
		i += 2
	}
	return id, nil
}

func unhex(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// NewUUIDv7 makes a UUID of version 7, the form a client_id is best given: ids made
// one after the other sort that way, which is what stores like. It is safe for
// concurrent use.
func NewUUIDv7() string { return uuid.Must(uuid.NewV7()).String() }
