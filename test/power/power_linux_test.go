package power

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/store/sqlite"
	"github.com/linnet-im/linnet/test/power/cutfs"
)

// The writer is this test binary itself: it gets the folder and the mode by these.
const (
	writerDir  = "LINNET_POWER_WRITER"
	writerMode = "LINNET_POWER_SYNCHRONOUS"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerDir); dir != "" {
		if err := write(dir, os.Getenv(writerMode)); err != nil {
			fmt.Fprintln(os.Stderr, "writer:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func storeConfig(dir, synchronous string) sqlite.Config {
	return sqlite.Config{Path: filepath.Join(dir, "linnet.db"), Synchronous: synchronous}
}

// roundsPerDisk is how many cuts one disk lives through, each on what the one before left.
const roundsPerDisk = 8

func TestNothingAcknowledgedIsLost(t *testing.T) {
	needFUSE(t)
	cuts := envInt(t, "LINNET_POWER_CUTS", 40)
	rng := seeded(t)
	total := 0
	var d *disk
	for i := range cuts {
		if i%roundsPerDisk == 0 {
			d = &disk{}
		}
		before := len(d.acks)
		v := cut(t, d, rng, "FULL", i)
		total += len(d.acks) - before
		if v.damage != nil {
			t.Fatalf("cut %d: %v", i, v.damage)
		}
		if len(v.missing) > 0 {
			t.Fatalf("cut %d: %d of %d acknowledged are missing, the first: %s", i, len(v.missing), len(d.acks), v.missing[0])
		}
	}
	if total < 50*cuts {
		t.Fatalf("%d cuts met only %d acknowledged sends: the rig tests nothing", cuts, total)
	}
	t.Logf("%d cuts, %d acknowledged sends, none lost", cuts, total)
}

// The mutant: a store that does not sync its commits must be caught.
func TestRigCatchesNormal(t *testing.T) {
	needFUSE(t)
	rng := seeded(t)
	for i := range 20 {
		d := &disk{}
		if v := cut(t, d, rng, "NORMAL", i); len(v.missing) > 0 {
			t.Logf("cut %d lost %d of %d acknowledged sends", i, len(v.missing), len(d.acks))
			return
		}
	}
	t.Fatal("20 cuts with synchronous=NORMAL lost nothing: the rig is blind")
}

// cut runs the i-th round, in turn with either loss, and removes its folders at once.
func cut(t *testing.T, d *disk, rng *rand.Rand, synchronous string, i int) (v verdict) {
	t.Helper()
	loss := cutfs.None
	if i%2 == 1 {
		loss = cutfs.Some
	}
	if !t.Run(fmt.Sprintf("cut %d %s", i, loss), func(t *testing.T) { v = d.round(t, rng, synchronous, loss) }) {
		t.FailNow()
	}
	return v
}

// disk is what goes through the cuts: the files left by the last one, and all that was
// ever acknowledged on them.
type disk struct {
	files map[string][]byte
	acks  []ack
}

// round runs a writer on the disk up to one cut and checks what is left.
func (d *disk) round(t *testing.T, rng *rand.Rand, synchronous string, loss cutfs.Loss) verdict {
	t.Helper()
	fsys := cutfs.NewDisk(d.files)
	mountpoint := t.TempDir()
	unmount, err := cutfs.Mount(mountpoint, fsys)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unmount(); err != nil {
			t.Errorf("unmount: %v", err)
		}
	}()
	// Few changes, and the cut is in the store's opening; many, and it is past checkpoints.
	after := int(math.Exp(3 + 7*rng.Float64()))
	cut := fsys.CutAfter(after, loss, rand.New(rand.NewPCG(rng.Uint64(), 0)))

	w := startWriter(t, mountpoint, synchronous)
	select {
	case <-cut:
	case <-w.ended:
	case <-time.After(time.Minute):
		w.process.Kill()
		t.Fatalf("the writer did not come to its %dth change in a minute", after)
	}
	w.process.Kill()
	acks, err := w.acks()
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-cut:
	default:
		t.Fatalf("the writer ended before the cut: %s", w.stderr())
	}
	d.acks = append(d.acks, acks...)
	d.files = fsys.Survivors()
	return check(export(t, d.files), d.acks)
}

// export writes files to a folder of an ordinary file system.
func export(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// writer is a running writer process.
type writer struct {
	process *os.Process
	ended   chan struct{} // closed when it has ended and its output is read
	lines   []string
	log     string
}

func startWriter(t *testing.T, dir, synchronous string) *writer {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "stderr")
	stderr, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), writerDir+"="+dir, writerMode+"="+synchronous)
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w := &writer{process: cmd.Process, ended: make(chan struct{}), log: log}
	go func() {
		defer close(w.ended)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			w.lines = append(w.lines, s.Text())
		}
		_ = cmd.Wait() // it was killed, or its store failed: both are meant
	}()
	return w
}

// acks waits for the writer's end and answers what it acknowledged.
func (w *writer) acks() ([]ack, error) {
	<-w.ended
	var acks []ack
	for _, line := range w.lines {
		a, err := parseAck(line)
		if err != nil {
			return nil, fmt.Errorf("writer printed %q: %w", line, err)
		}
		acks = append(acks, a)
	}
	return acks, nil
}

func (w *writer) stderr() string {
	b, err := os.ReadFile(w.log)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// needFUSE skips where the rig cannot run; in CI that is a failure.
func needFUSE(t *testing.T) {
	t.Helper()
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err == nil {
		f.Close()
		if os.Geteuid() == 0 {
			return
		}
		err = errors.New("not root")
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("the power-cut rig must run in CI: %v", err)
	}
	t.Skipf("needs root and /dev/fuse: %v", err)
}

// seeded gives the run's random numbers and prints where they come from.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := envInt(t, "LINNET_POWER_SEED", int(time.Now().UnixNano()))
	fmt.Printf("LINNET_POWER_SEED=%d\n", seed)
	return rand.New(rand.NewPCG(uint64(seed), 0))
}

func envInt(t *testing.T, name string, otherwise int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 {
		t.Fatalf("%s=%q: a number above 0", name, s)
	}
	return n
}
