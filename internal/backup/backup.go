// Package backup makes a server's backup, one file with everything that the server needs
// to go on elsewhere, and makes a server's folder of it again.
//
// The file is a tar archive: manifest.json, which says what it is and holds the sums of
// the others, secret, unless the server has it from its environment, and linnet.db. It is written beside its name and
// renamed, so that under its name there is a whole backup or none.
package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/linnet-im/linnet/internal/config"
	"github.com/linnet-im/linnet/internal/store/sqlite"
)

const (
	manifestName = "manifest.json"
	secretName   = "secret"
	databaseName = "linnet.db"

	// format is that of the file.
	format = 1
	// maxSmall bounds the members that are read into memory.
	maxSmall = 64 << 10
)

// Manifest says what a backup holds.
type Manifest struct {
	Format int               `json:"format"`
	Made   time.Time         `json:"made"`
	Sums   map[string]string `json:"sums"` // SHA-256 of the other members, in hex
}

// Make writes a backup of the data folder to a new file, readable by its owner alone: it
// has the secret in it. The server may run and be written to meanwhile; everything that
// it acknowledged before the call is in it. It needs as much free space as twice the
// database. An error leaves no file.
func Make(ctx context.Context, data, to string) (err error) {
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("%s is there already; name another file", to)
	}
	work, err := os.MkdirTemp(filepath.Dir(to), ".linnet-backup-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	secret, err := os.ReadFile(filepath.Join(data, secretName))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	database := filepath.Join(work, databaseName)
	if err := sqlite.Snapshot(ctx, filepath.Join(data, databaseName), database); err != nil {
		return err
	}
	if err := sqlite.Whole(ctx, database); err != nil {
		return err
	}
	archive := filepath.Join(work, "archive")
	if err := write(archive, secret, database); err != nil {
		return err
	}
	// Link, not Rename: what somebody else has put there meanwhile stays.
	if err := os.Link(archive, to); err != nil {
		return err
	}
	return config.SyncDir(filepath.Dir(to))
}

func write(name string, secret []byte, database string) (err error) {
	sum, size, err := sumOf(database)
	if err != nil {
		return err
	}
	m := Manifest{Format: format, Made: time.Now().UTC().Truncate(time.Second), Sums: map[string]string{databaseName: sum}}
	if secret != nil {
		own := sha256.Sum256(secret)
		m.Sums[secretName] = hex.EncodeToString(own[:])
	}
	manifest, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := tar.NewWriter(f)
	small := func(name string, b []byte) error {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(b)), Format: tar.FormatPAX}); err != nil {
			return err
		}
		_, err := w.Write(b)
		return err
	}
	if err := small(manifestName, manifest); err != nil {
		return err
	}
	if secret != nil {
		if err := small(secretName, secret); err != nil {
			return err
		}
	}
	if err := w.WriteHeader(&tar.Header{Name: databaseName, Mode: 0o600, Size: size, Format: tar.FormatPAX}); err != nil {
		return err
	}
	in, err := os.Open(database)
	if err != nil {
		return err
	}
	defer in.Close()
	if _, err := io.Copy(w, in); err != nil {
		return err
	}
	return errors.Join(w.Close(), f.Sync())
}

func sumOf(name string) (sum string, size int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}
