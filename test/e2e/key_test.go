package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/testkit"
)

// linnet key works on the running server and on the folder of one that is stopped; a secret
// is told once, and is neither in the log nor on the disk. Mutants: the secret stored; a key
// logged with what it was called by; the operator's pass taken for what is in a header.
func TestKeyCommand(t *testing.T) {
	server := testkit.Start(t, "--log-level", "debug")
	key := func(args ...string) (string, error) {
		cmd := testkit.Command(t, append([]string{"key"}, append(args, "--data", server.Data)...)...)
		var all bytes.Buffer
		cmd.Stdout, cmd.Stderr = &all, &all
		err := cmd.Run()
		return strings.TrimSpace(all.String()), err
	}
	must := func(args ...string) string {
		t.Helper()
		out, err := key(args...)
		if err != nil {
			t.Fatalf("linnet key %v: %v\n%s", args, err, out)
		}
		return out
	}
	calls := func(secret string) error {
		back := &testkit.HTTP{Server: server, Token: secret}
		return back.Call("keys.list", map[string]any{}, nil)
	}
	running := must("create", "--name", "made while it runs", "--scopes", "admin")
	if !regexp.MustCompile(`^lk_[a-z2-7]+_[a-z2-7]{52}$`).MatchString(running) {
		t.Fatalf("got %q", running)
	}
	if err := calls(running); err != nil {
		t.Error(err)
	}
	if out, err := key("create", "--name", "n", "--scopes", "all"); err == nil || !strings.Contains(out, "read, send, manage, moderate and admin") {
		t.Errorf("got %q, %v", out, err)
	}
	server.Stop()
	stopped := must("create", "--name", "made while it does not", "--scopes", "admin,read", "--ttl", "1h")
	if list := must("list"); strings.Count(list, "\n") != 2 || !strings.Contains(list, "made while it runs") || !strings.Contains(list, "read,admin") || strings.Contains(list, stopped) {
		t.Errorf("got %s", list)
	}
	server.Restart()
	if err := calls(stopped); err != nil {
		t.Error(err)
	}
	id := strings.Split(stopped, "_")[1]
	must("revoke", id)
	if err := calls(stopped); err == nil {
		t.Error("a revoked key is taken")
	}
	if out, err := key("revoke", id); err == nil || !strings.Contains(out, "there is no such server key") {
		t.Errorf("got %q, %v", out, err)
	}
	for _, pass := range []string{"lo_", "lo_9999999999_", "lo_9999999999_AAAA", "lo_x"} {
		if err := calls(pass); err == nil {
			t.Errorf("%s is an operator's pass", pass)
		}
	}
	server.Stop()
	for _, secret := range []string{running, stopped} {
		_, random, _ := strings.Cut(secret[3:], "_")
		if strings.Contains(server.Log(), random) {
			t.Error("a secret is in the log")
		}
		files, err := filepath.Glob(filepath.Join(server.Data, "*"))
		if err != nil || len(files) < 3 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			if b, err := os.ReadFile(f); err == nil && bytes.Contains(b, []byte(random)) {
				t.Errorf("a secret is in %s", f)
			}
		}
	}
	if out, err := testkit.Command(t, "key", "list", "--data", t.TempDir()).Output(); err == nil {
		t.Errorf("a folder of no server lists %q", out)
	}
}
