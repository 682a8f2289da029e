package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// lockName is the file in the folder whose lock is the folder's.
const lockName = "lock"

// Folder is the data folder, held by this process.
type Folder struct {
	path string
	lock *os.File
}

// errHeld says that another process holds a lock.
var errHeld = errors.New("held by another process")

// ErrHeld says that a server runs on the folder.
var ErrHeld = errors.New("a server is running on the folder")

// held is ErrHeld with what to do about it.
type held struct{ message string }

func (h *held) Error() string { return h.message }

func (h *held) Is(target error) bool { return target == ErrHeld }

// addressName is the file in the folder that says where its server listens.
const addressName = "address"

// Serving notes where the server of the folder listens, for ReadServing.
func (f *Folder) Serving(addr string) error {
	return os.WriteFile(filepath.Join(f.path, addressName), []byte(addr+"\n"), 0o600)
}

// ReadServing answers where the server that runs on a folder listens.
func ReadServing(folder string) (string, error) {
	b, err := os.ReadFile(filepath.Join(folder, addressName))
	if err != nil {
		return "", fmt.Errorf("where the server listens: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// OpenFolder makes the folder if it is not there and takes it: no second server has it
// until Close, or until this process ends, however it ends.
func OpenFolder(path string) (*Folder, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("data: the folder cannot be made: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data: %q cannot be used: %w", path, err)
	}
	if err := lockFile(f); err != nil {
		_ = f.Close()
		if errors.Is(err, errHeld) {
			return nil, &held{fmt.Sprintf("data: a server%s is running on the folder %q; stop it, or name another folder with --data", holder(path), path)}
		}
		return nil, fmt.Errorf("data: the folder %q cannot be locked: %w", path, err)
	}
	// Only for the message to a second server; the lock does not depend on it.
	pid := []byte(strconv.Itoa(os.Getpid()) + "\n")
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt(pid, 0)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("data: the folder %q cannot be written to: %w", path, err)
	}
	return &Folder{path: path, lock: f}, nil
}

// holder says which process holds a folder, where that can be read.
func holder(path string) string {
	b, err := os.ReadFile(filepath.Join(path, lockName))
	if pid := strings.TrimSpace(string(b)); err == nil && pid != "" {
		return " (process " + pid + ")"
	}
	return ""
}

// Close lets the folder go.
func (f *Folder) Close() error { return f.lock.Close() }

// Secret answers the secret that tokens are signed with: the one given, or the one in
// the folder, which is made at the first start.
func (f *Folder) Secret(given string) ([]byte, error) {
	if given != "" {
		return []byte(given), nil
	}
	secret, err := ReadSecret(f.path)
	if errors.Is(err, os.ErrNotExist) {
		return f.makeSecret()
	}
	return secret, err
}

// ReadSecret reads the secret in a data folder; os.ErrNotExist when no server has
// started there yet.
func ReadSecret(folder string) ([]byte, error) {
	name := filepath.Join(folder, "secret")
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("the secret: %w", err)
	}
	if err := checkPrivate(name); err != nil {
		return nil, err
	}
	secret := strings.TrimSpace(string(b))
	if len(secret) < 32 {
		return nil, fmt.Errorf("%s: a secret has at least 32 characters", name)
	}
	return []byte(secret), nil
}

// makeSecret writes a new secret, whole or not at all.
func (f *Folder) makeSecret() ([]byte, error) {
	var raw [32]byte
	rand.Read(raw[:])
	secret := []byte(base64.RawURLEncoding.EncodeToString(raw[:]))
	name := filepath.Join(f.path, "secret")
	tmp, err := os.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the secret: %w", err)
	}
	_, err = tmp.Write(append(secret, '\n'))
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err == nil {
		err = SyncDir(f.path)
	}
	if err != nil {
		return nil, fmt.Errorf("make the secret: %w", err)
	}
	return secret, nil
}
