package kill

import (
	"fmt"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/testkit"
)

// An account is deleted with what it wrote while the server is killed again and again: when
// it is left alone the deletion is done, each message purged once, by events that say so.
// Mutants: the job's state kept in memory; a place forgotten before its messages are purged.
func TestDeletionSurvivesKills(t *testing.T) {
	server := testkit.Start(t)
	key := server.Key(t, "admin")
	dora := &testkit.HTTP{Server: server, Token: key, User: "dora"}
	must := func(h *testkit.HTTP, method string, params, result any) {
		t.Helper()
		if err := h.Call(method, params, result); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
	}
	client := 0
	id := func() string { client++; return fmt.Sprintf("01938d5e-0000-7000-8000-%012d", client) }
	const groups, messages = 6, 300
	var ids []string
	for range groups {
		var made struct{ ID string }
		must(dora, "conversations.create", map[string]any{"kind": "group", "name": "g", "client_id": id(), "members": []string{"mia"}}, &made)
		ids = append(ids, made.ID)
		var batch []map[string]any
		for range messages {
			batch = append(batch, map[string]any{"to": map[string]any{"conversation": made.ID}, "client_id": id(), "content": map[string]any{"type": "text", "text": "mine"}})
		}
		var sent struct{ Failed int }
		must(dora, "messages.send_batch", map[string]any{"messages": batch}, &sent)
		if sent.Failed > 0 {
			t.Fatalf("%d were not sent", sent.Failed)
		}
	}
	must(dora, "account.delete", map[string]any{"confirm": "dora", "messages": "purge"}, nil)
	for range 8 {
		server.Kill()
		server.Restart()
	}
	mia := &testkit.HTTP{Server: server, Token: key, User: "mia"}
	type event struct {
		Seq     int
		Kind    string
		Targets [][2]int
	}
	for _, group := range ids {
		deadline := time.Now().Add(testkit.Patience)
		for {
			var state struct{ Members int }
			must(mia, "conversations.get", map[string]any{"conversation": group}, &state)
			if state.Members == 1 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the deletion does not go on")
			}
		}
		purged := make(map[int]int)
		for after := 0; ; {
			var page struct{ Events []event }
			must(mia, "messages.list", map[string]any{"conversation": group, "after_seq": after, "limit": 200}, &page)
			if len(page.Events) == 0 {
				break
			}
			for _, e := range page.Events {
				if e.Seq != after+1 {
					t.Fatalf("event %d comes after %d", e.Seq, after)
				}
				after = e.Seq
				if e.Kind == "message" {
					t.Errorf("message %d is left", e.Seq)
				}
				for _, span := range e.Targets {
					for seq := span[0]; seq <= span[1]; seq++ {
						purged[seq]++
					}
				}
			}
		}
		if len(purged) != messages {
			t.Errorf("%d messages were purged", len(purged))
		}
		for seq, n := range purged {
			if n != 1 {
				t.Errorf("message %d was purged %d times", seq, n)
			}
		}
	}
}
