package chat

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// A cursor says what a device knows of its user's state: everything up to a position
// of the store. It also carries the store's last starts, so that a store that went
// back (a restored backup, a copied folder) finds where the two lineages part. A page
// token is a cursor with the place of a walk. To clients both are opaque.
type cursor struct {
	user   [4]byte // of the hash of the user's id
	starts []Start // the lineage's end, oldest first; at least one
	pos    Position

	walk   bool     // a page token
	upTo   Position // the walk's upper bound
	before Position // where the walk goes on
	items  Position // up to where it has told the user's items
	fork   Position // the walk tells a reset: what both lineages share ends here
	reset  bool
}

// cursorStarts is how many starts a cursor carries.
const cursorStarts = 5

const (
	cursorFormat = 1
	walkFlag     = 1
	resetFlag    = 2
)

func userMark(u UserID) (mark [4]byte) {
	sum := sha256.Sum256([]byte(u))
	copy(mark[:], sum[:])
	return mark
}

func (c *cursor) encode() string {
	var flags byte
	if c.walk {
		flags |= walkFlag
	}
	if c.reset {
		flags |= resetFlag
	}
	b := []byte{cursorFormat, flags}
	b = append(b, c.user[:]...)
	b = binary.AppendUvarint(b, uint64(c.pos))
	b = append(b, byte(len(c.starts)))
	for _, s := range c.starts {
		b = append(b, byte(len(s.ID)))
		b = append(b, s.ID...)
		b = binary.AppendUvarint(b, uint64(s.Pos))
	}
	if c.walk {
		b = binary.AppendUvarint(b, uint64(c.upTo))
		b = binary.AppendUvarint(b, uint64(c.before))
		b = binary.AppendUvarint(b, uint64(c.items))
		b = binary.AppendUvarint(b, uint64(c.fork))
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// maxCursor is the longest cursor looked at, in bytes.
const maxCursor = 512

var errCursor = errors.New("not a cursor")

// parseCursor reads what encode wrote, from a peer that may have written anything.
func parseCursor(text string) (*cursor, error) {
	if len(text) > maxCursor {
		return nil, errCursor
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, errCursor
	}
	r := cursorReader{b: b}
	if r.byte() != cursorFormat {
		return nil, errCursor
	}
	flags := r.byte()
	c := &cursor{walk: flags&walkFlag != 0, reset: flags&resetFlag != 0}
	copy(c.user[:], r.bytes(4))
	c.pos = r.position()
	for n := r.byte(); n > 0 && !r.bad; n-- {
		id := string(r.bytes(int(r.byte())))
		c.starts = append(c.starts, Start{ID: id, Pos: r.position()})
	}
	if c.walk {
		c.upTo, c.before, c.items, c.fork = r.position(), r.position(), r.position(), r.position()
	}
	if r.bad || len(r.b) != 0 || len(c.starts) == 0 {
		return nil, errCursor
	}
	return c, nil
}

// cursorReader takes values from the front of b; the first that is not there sets bad.
type cursorReader struct {
	b   []byte
	bad bool
}

func (r *cursorReader) bytes(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return make([]byte, n)
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *cursorReader) byte() byte { return r.bytes(1)[0] }

func (r *cursorReader) position() Position {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > 1<<62 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return Position(v)
}

// shared answers up to which position what c knows is also what the store knows, and
// whether that is all that c knows. lineage is the store's, at its position now.
func (c *cursor) shared(lineage []Start, now Position) (fork Position, whole bool) {
	ends := make(map[string]Position, len(lineage))
	for i, s := range lineage {
		ends[s.ID] = now
		if i+1 < len(lineage) {
			ends[s.ID] = lineage[i+1].Pos
		}
	}
	known := c.pos // how far c's lineage goes in the start looked at
	for i := len(c.starts) - 1; i >= 0; i-- {
		if end, ok := ends[c.starts[i].ID]; ok {
			return min(known, end), i == len(c.starts)-1 && known <= end
		}
		known = c.starts[i].Pos
	}
	return 0, false
}
