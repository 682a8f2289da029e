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

	"github.com/linnet-im/linnet/internal/config"
	"github.com/linnet-im/linnet/internal/store/sqlite"
)

// lostAndFound is what the folder at the root of a disk has in it from the start.
const lostAndFound = "lost+found"

// Restore makes a data folder of a backup. The folder must not be there, or be empty. On
// an error it is as it was. The store's lineage gets a new start, so clients that know
// more than the backup are told from where on to drop what they hold.
func Restore(ctx context.Context, from, data string) (m Manifest, err error) {
	data, there, err := vacant(data)
	if err != nil {
		return m, err
	}
	// A folder that is there stays the one it is: it may be a disk of its own, or be
	// known by another name. A new one appears whole.
	beside := data
	if !there {
		beside = filepath.Dir(data)
	}
	if err := os.MkdirAll(beside, 0o700); err != nil {
		return m, err
	}
	work, err := os.MkdirTemp(beside, ".linnet-restore-")
	if err != nil {
		return m, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(work))
		}
	}()
	if m, err = unpack(from, work); err != nil {
		return m, fmt.Errorf("%s: %w", from, err)
	}
	database := filepath.Join(work, databaseName)
	if err := sqlite.Whole(ctx, database); err != nil {
		return m, err
	}
	store, err := sqlite.Open(ctx, sqlite.Config{Path: database}) // it begins a new start
	if err != nil {
		return m, err
	}
	if err := store.Close(); err != nil {
		return m, err
	}
	if err := config.SyncDir(work); err != nil {
		return m, err
	}
	if there {
		return m, moveInto(data, work)
	}
	if err := os.Rename(work, data); err != nil {
		return m, err
	}
	return m, config.SyncDir(beside)
}

// moveInto moves a folder's files into the one that it is in, the database last, and
// removes it. On an error none is moved.
func moveInto(data, work string) (err error) {
	list, err := os.ReadDir(work)
	if err != nil {
		return err
	}
	names := []string{databaseName}
	for _, e := range list {
		if e.Name() != databaseName {
			names = append([]string{e.Name()}, names...)
		}
	}
	var moved []string
	defer func() {
		if err != nil {
			for _, name := range moved {
				err = errors.Join(err, os.Remove(filepath.Join(data, name)))
			}
		}
	}()
	for _, name := range names {
		if err := os.Rename(filepath.Join(work, name), filepath.Join(data, name)); err != nil {
			return err
		}
		moved = append(moved, name)
	}
	return errors.Join(os.Remove(work), config.SyncDir(data))
}

// vacant answers the path of a folder that is to be made, or of one that is there and
// empty. A link is followed, also one that leads to nothing yet.
func vacant(data string) (path string, there bool, err error) {
	path = filepath.Clean(data)
	if to, err := os.Readlink(path); err == nil {
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	list, err := os.ReadDir(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return path, false, nil
	case err != nil:
		return "", false, err
	}
	for _, e := range list {
		if e.Name() != lostAndFound {
			return "", false, fmt.Errorf("the folder %s is not empty: a backup is restored into a new one; move the old one away", data)
		}
	}
	return path, true, nil
}

// unpack writes a backup's members to a folder, and compares their sums.
func unpack(from, folder string) (m Manifest, err error) {
	f, err := os.Open(from)
	if err != nil {
		return m, err
	}
	defer f.Close()
	in := tar.NewReader(f)
	sums := make(map[string]string)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return m, fmt.Errorf("it is no backup, or was cut off: %w", err)
		}
		switch h.Name {
		case manifestName:
			if err := json.NewDecoder(io.LimitReader(in, maxSmall)).Decode(&m); err != nil {
				return m, fmt.Errorf("its manifest: %w", err)
			}
			if m.Format != format {
				return m, fmt.Errorf("its format is %d, and this program knows %d", m.Format, format)
			}
		case secretName, databaseName:
			if sums[h.Name], err = put(filepath.Join(folder, h.Name), in); err != nil {
				return m, fmt.Errorf("%s: %w", h.Name, err)
			}
		default:
			return m, fmt.Errorf("it is no backup: there is %q in it", h.Name)
		}
	}
	for _, name := range []string{secretName, databaseName} {
		if sums[name] != m.Sums[name] || name == databaseName && sums[name] == "" {
			return m, fmt.Errorf("%s in it is not what was backed up", name)
		}
	}
	return m, nil
}

// put writes a file, synced, for its owner alone, and answers its sum.
func put(name string, r io.Reader) (sum string, err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(f, h), r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), f.Sync()
}
