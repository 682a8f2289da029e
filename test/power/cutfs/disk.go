// Package cutfs is a file system that loses its power. It keeps what is written to it
// in memory and, like a disk behind a page cache, promises only what was synced: at the
// cut everything since a file's last fsync is dropped or, worse, partly kept. Kill -9
// cannot show a missing fsync, since the page cache outlives the process; this can.
//
// What it models: writes and sizes are volatile until fsync or fdatasync of their file;
// of the unsynced ones any subset may survive, in order or not, each torn at sectors.
// Names (create, rename, unlink) are volatile until the next fsync of any file or of
// the folder, which commits all of them, as journalling file systems do. What it does
// not model: a disk that lies about a sync, and bits that rot.
package cutfs

import (
	"maps"
	"math/rand/v2"
	"sync"
	"syscall"
)

// Loss says what becomes of unsynced changes at the cut.
type Loss string

// The losses.
const (
	None Loss = "none" // no unsynced change survives
	Some Loss = "some" // a random subset survives, partly torn
)

// sector is what a disk writes whole.
const sector = 512

// Disk is the one flat folder of the file system. Its methods may be called concurrently.
type Disk struct {
	mu     sync.Mutex
	names  names   // as programs see them
	synced names   // as of the last sync
	moves  []names // after each change of a name since
	cut    chan struct{}
	dead   bool

	left int // changes until the cut; 0: none is set
	loss Loss
	rng  *rand.Rand
	rest map[string][]byte // what survived the cut
}

type names map[string]*file

// file is one file's content, as programs see it and as it is on the platter.
type file struct {
	data    []byte
	synced  []byte
	pending []change // from synced to data
}

// change is a write of data at off or, without data, a new size off.
type change struct {
	off  int64
	data []byte
}

func (c change) apply(to []byte) []byte {
	end := c.off + int64(len(c.data))
	if int64(len(to)) < end {
		to = append(to, make([]byte, end-int64(len(to)))...)
	}
	if len(c.data) == 0 {
		return to[:c.off]
	}
	copy(to[c.off:], c.data)
	return to
}

// NewDisk makes a disk that has files and takes over their contents.
func NewDisk(files map[string][]byte) *Disk {
	d := &Disk{names: make(names), cut: make(chan struct{})}
	for name, data := range files {
		d.names[name] = &file{data: data, synced: append([]byte(nil), data...)}
	}
	d.synced = maps.Clone(d.names)
	return d
}

// CutAfter sets the cut to the n-th change (write, size, name or sync) from now on. The
// returned channel is closed when it has happened.
func (d *Disk) CutAfter(n int, loss Loss, rng *rand.Rand) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left, d.loss, d.rng = n, loss, rng
	return d.cut
}

// Cut cuts the power now, if it is still on. Every call from then on answers EIO.
func (d *Disk) Cut(loss Loss, rng *rand.Rand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.dead {
		d.loss, d.rng = loss, rng
		d.die()
	}
}

// Survivors answers what is on the disk after the cut.
func (d *Disk) Survivors() map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rest
}

// tick counts a change and says whether the power is still on after it.
func (d *Disk) tick() syscall.Errno {
	if d.left > 0 {
		if d.left--; d.left == 0 {
			d.die()
		}
	}
	return d.state()
}

func (d *Disk) state() syscall.Errno {
	if d.dead {
		return syscall.EIO
	}
	return 0
}

func (d *Disk) die() {
	d.dead = true
	d.rest = make(map[string][]byte)
	folder := d.synced
	// How much of the cache the disk has written on its own.
	kept := 0.0
	if d.loss == Some {
		kept = d.rng.Float64()
		if i := d.rng.IntN(len(d.moves) + 1); i > 0 {
			folder = d.moves[i-1]
		}
	}
	for name, f := range folder {
		d.rest[name] = f.survive(kept, d.rng)
	}
	close(d.cut)
}

// survive gives the content after the cut, with each pending change kept with the given probability.
func (f *file) survive(kept float64, rng *rand.Rand) []byte {
	out := append([]byte(nil), f.synced...)
	for _, c := range f.pending {
		switch {
		case kept == 0 || rng.Float64() >= kept:
		case len(c.data) > 0 && rng.IntN(3) == 0:
			for from := 0; from < len(c.data); from += sector {
				if rng.IntN(2) == 0 {
					out = change{c.off + int64(from), c.data[from:min(from+sector, len(c.data))]}.apply(out)
				}
			}
		default:
			out = c.apply(out)
		}
	}
	return out
}

func (d *Disk) change(f *file, c change) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.state(); err != 0 {
		return err
	}
	f.data = c.apply(f.data)
	f.pending = append(f.pending, c)
	return d.tick()
}

func (d *Disk) read(f *file, into []byte, off int64) (int, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if off >= int64(len(f.data)) {
		return 0, d.state()
	}
	return copy(into, f.data[off:]), d.state()
}

func (d *Disk) size(f *file) (int64, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return int64(len(f.data)), d.state()
}

// sync makes f's changes, and all names, durable. A nil file is the folder itself. A
// sync that the cut hits has not happened.
func (d *Disk) sync(f *file) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.tick(); err != 0 {
		return err
	}
	if f != nil {
		for _, c := range f.pending {
			f.synced = c.apply(f.synced)
		}
		f.pending = nil
	}
	d.synced, d.moves = maps.Clone(d.names), nil
	return 0
}

// rename runs f, which changes names.
func (d *Disk) rename(f func(names)) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.state(); err != 0 {
		return err
	}
	f(d.names)
	d.moves = append(d.moves, maps.Clone(d.names))
	return d.tick()
}
