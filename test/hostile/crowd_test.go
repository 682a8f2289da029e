package hostile

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/linnet-im/linnet/internal/testkit"
)

// One who does not read hurts nobody else: the room goes on, and he is put out with what
// the kernel took for him, to come back and sync.
func TestSlowReader(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	slow := dial(t, server)
	if _, err := io.WriteString(slow, `{"id":1,"method":"session.open","params":{"guest":"slow"}}`+"\n"); err != nil {
		t.Fatal(err)
	}
	slowText := dial(t, server)
	if _, err := io.WriteString(slowText, "iam:slowtext\n"); err != nil {
		t.Fatal(err)
	}
	// On loopback the kernel takes about 4 MB for one who never reads: send three times that.
	const each, messages = 12 << 10, 1024
	text := strings.Repeat("long ", each/5)
	for i := range messages {
		if err := b.client.Call("messages.send", testkit.Message("lobby", uuid.NewString(), text), nil); err != nil {
			t.Fatalf("send %d: %v", i, err)
		}
	}
	for seq := int64(1); seq <= messages; seq++ {
		if e := b.client.NextEvent(t); e.Seq != seq {
			t.Fatalf("the bystander got event %d, not %d", e.Seq, seq)
		}
	}
	b.unhurt()

	frames := strings.Split(strings.TrimSuffix(drain(t, slow), "\n"), "\n")
	events := 0
	for _, f := range frames {
		var n struct {
			Method string
			Params struct{ Seq int }
		}
		if json.Unmarshal([]byte(f), &n) == nil && n.Method == "event" {
			if events++; n.Params.Seq != events {
				t.Fatalf("after event %d the slow reader got %d", events-1, n.Params.Seq)
			}
		}
	}
	if events >= messages {
		t.Fatalf("the slow reader got all %d events: it was never slow", events)
	}
	drain(t, slowText)

	back := server.Dial(t)
	back.Guest(t, "slow")
	if log, err := back.History("lobby"); err != nil || len(log) != messages {
		t.Fatalf("after coming back: %d events, %v", len(log), err)
	}
}

// drain reads all that was sent until the server's close.
func drain(t *testing.T, c interface {
	io.Reader
	SetReadDeadline(time.Time) error
},
) string {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(testkit.Patience)); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(c)
	if err != nil && strings.Contains(err.Error(), "timeout") {
		t.Fatalf("one who did not read 12 MB is still connected after %d KB", len(said)>>10)
	}
	return string(said)
}

// 10,000 guests that come and go leave nothing in the log, and those who are there are
// told at most once a second, on text in a bounded number of lines.
func TestGuestsReconnect(t *testing.T) {
	server := testkit.Start(t)
	b := newBystander(t, server)
	watcher := server.DialText(t)
	watcher.Send("iam:watcher\n")
	watcher.Want("watcher has joined")
	begun := time.Now()
	const guests, atOnce = 10_000, 32
	var wg sync.WaitGroup
	for w := range atOnce {
		wg.Go(func() {
			for i := w; i < guests; i += atOnce {
				conn, err := server.DialLines()
				if err != nil {
					t.Error(err)
					return
				}
				c := testkit.NewClient(conn)
				if err := c.Call("session.open", map[string]string{"guest": fmt.Sprint("g", i)}, nil); err != nil {
					t.Error(err)
				}
				c.Close()
			}
		})
	}
	wg.Wait()
	took := time.Since(begun)
	b.unhurt()
	log, err := b.client.History("lobby")
	if err != nil || len(log) != 0 {
		t.Errorf("the lobby's log has %d events, %v", len(log), err)
	}
	told := b.client.Count("room.members")
	if most := int(took/time.Second) + 3; told > most {
		t.Errorf("in %v the bystander was told %d times who is there", took, told)
	}
	watcher.Send("msg:the end\n")
	printed := 0
	for {
		line, err := watcher.Line()
		if err != nil {
			t.Fatal(err)
		}
		if line == "watcher: the end" {
			break
		}
		printed++
	}
	if most := 25 * (int(took/time.Second) + 2); printed > most {
		t.Errorf("in %v the text peer was told of %d guests", took, printed)
	}
	t.Logf("%d guests in %v, told %d times and in %d lines", guests, took.Round(time.Millisecond), told, printed)
}
