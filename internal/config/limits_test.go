package config

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

func TestLimits(t *testing.T) {
	t.Chdir(t.TempDir()) // no linnet.yaml lies about
	load := func(text string) (Config, error) {
		return Load([]string{"--limits", text}, func(string) string { return "" }, io.Discard)
	}
	c, err := load("user-sends-per-second=0.5, group-members=200000,dedupe-window=720h,http2-streams=7")
	want := DefaultLimits()
	want.UserSendsPerSecond, want.GroupMembers, want.DedupeWindow, want.HTTP2Streams = 0.5, 200_000, 720*time.Hour, 7
	if err != nil || c.Limits != want {
		t.Errorf("%+v, %v", c.Limits, err)
	}
	for _, wrong := range []string{
		"group-members", "group-members=", "group-members=0", "group-members=-1", "group-members=many", "group-members=99999999999",
		"user-sends-per-second=0", "user-sends-per-second=NaN", "user-sends-per-second=+Inf", "dedupe-window=7", "dedupe-window=-1h",
		"members=7", "GroupMembers=7",
	} {
		if _, err := load(wrong); err == nil || !strings.Contains(err.Error(), "limits") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if err := os.WriteFile(DefaultFile, []byte("limits: [in-flight=8, frame-bytes=70000]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err = Load(nil, func(string) string { return "" }, io.Discard)
	if err != nil || c.Limits.InFlight != 8 || c.Limits.FrameBytes != 70_000 {
		t.Errorf("from the file: %+v, %v", c.Limits, err)
	}
}

// The page names each, and no other. Mutant: a field more.
func TestLimitsAreNamedOnThePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/sizing.md")
	if err != nil {
		t.Fatal(err)
	}
	want := "`" + strings.Join(LimitNames(), "`, `") + "`"
	if flat := strings.Join(strings.Fields(string(page)), " "); !strings.Contains(flat, "Their names: "+want+".") {
		t.Errorf("docs/sizing.md does not say: Their names: %s.", want)
	}
}
