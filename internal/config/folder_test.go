package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

func openFolder(t *testing.T, path string) *Folder {
	t.Helper()
	f, err := OpenFolder(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() }) // a second close does nothing that matters
	return f
}

// A lock that is another open file's is refused within one process too, so this is what
// a second server meets. Mutant: lockFile answers nil.
func TestOneServerOneFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "linnet-data")
	first := openFolder(t, path)
	second, err := OpenFolder(path)
	if err == nil {
		_ = second.Close()
		t.Fatal("a second server was let into the folder")
	}
	for _, want := range []string{strconv.Quote(path), "process " + strconv.Itoa(os.Getpid()), "--data"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	openFolder(t, path)
}

func TestFolderIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("access lists, not modes, say who may read here")
	}
	path := filepath.Join(t.TempDir(), "linnet-data")
	f := openFolder(t, path)
	if _, err := f.Secret(""); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{path: 0o700, filepath.Join(path, "secret"): 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

func TestFolderThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFolder(file); err == nil || !strings.Contains(err.Error(), "data: ") || !strings.Contains(err.Error(), file) {
		t.Errorf("a file for a folder: %v", err)
	}
}

func TestSecretStays(t *testing.T) {
	path := t.TempDir()
	if _, err := ReadSecret(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("before the first start: %v", err)
	}
	f := openFolder(t, path)
	first, err := f.Secret("")
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != 43 { // 32 bytes in base64url
		t.Errorf("the secret has %d characters", len(first))
	}
	again, err := f.Secret("")
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("the second start has another secret (%v)", err)
	}
	read, err := ReadSecret(path)
	if err != nil || !bytes.Equal(first, read) {
		t.Errorf("linnet token reads another secret (%v)", err)
	}
	other, err := openFolder(t, t.TempDir()).Secret("")
	if err != nil || bytes.Equal(first, other) {
		t.Errorf("another folder has the same secret (%v)", err)
	}
	given, err := f.Secret("given in the environment")
	if err != nil || string(given) != "given in the environment" {
		t.Errorf("the secret given: %q, %v", given, err)
	}
}

func TestSecretIsRefused(t *testing.T) {
	long := strings.Repeat("s", 32) + "\n"
	for _, tt := range []struct {
		name, text string
		mode       os.FileMode
		want       string
	}{
		{"for the group", long, 0o640, "chmod 600"},
		{"for everybody", long, 0o604, "chmod 600"},
		{"short", "short\n", 0o600, "32 characters"},
		{"empty", "", 0o600, "32 characters"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && tt.mode != 0o600 {
				t.Skip("access lists, not modes, say who may read here")
			}
			path := t.TempDir()
			name := filepath.Join(path, "secret")
			if err := os.WriteFile(name, []byte(tt.text), tt.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(name, tt.mode); err != nil { // whatever the umask is
				t.Fatal(err)
			}
			_, err := openFolder(t, path).Secret("")
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v, want %q and the file's name", err, tt.want)
			}
			left, readErr := os.ReadFile(name)
			if readErr != nil || string(left) != tt.text {
				t.Errorf("the file was changed to %q (%v)", left, readErr)
			}
		})
	}
}
