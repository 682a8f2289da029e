package chat_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
)

func TestReadPositionsOnlyGrow(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t)
	var c chat.ConversationID
	for n := range 5 {
		c = w.mustSend("alice", toUser("bob", n)).Conversation
	}
	rev := w.summary("bob", c).Conversation.Rev
	w.bus.taken()
	for _, tt := range []struct{ seq, stands, unread int64 }{{2, 2, 3}, {1, 2, 3}, {2, 2, 3}, {4, 4, 1}, {99, 5, 0}, {0, 5, 0}} {
		read, left, err := w.MarkRead(ctx, as("bob"), c, chat.Seq(tt.seq))
		if err != nil || int64(read) != tt.stands || left != tt.unread {
			t.Errorf("up to %d: %d, %d, %v", tt.seq, read, left, err)
		}
	}
	_, _, err := w.MarkRead(ctx, as("bob"), c, -1)
	wantCode(t, err, chat.CodeParam)
	// Three of the six moved it: that many notices, and so often rev.
	_, notices := w.bus.taken()
	if len(notices) != 3 || w.summary("alice", c).Conversation.Rev != rev+3 {
		t.Errorf("%d notices, rev %d after %d", len(notices), w.summary("alice", c).Conversation.Rev, rev)
	}
	var n struct {
		Conversation string
		User         string
		ReadSeq      int64 `json:"read_seq"`
	}
	if err := json.Unmarshal(notices[2].Params, &n); err != nil || n.User != "bob" || n.ReadSeq != 5 || notices[2].Only != "" {
		t.Errorf("told %+v, %v", n, err)
	}
	// alice sees by sync that a position moved, though nothing was written.
	_, cursor, _ := w.syncAll("alice", "", 10)
	w.mustSend("alice", into(c, 100))
	_, cursor, _ = w.syncAll("alice", cursor, 10)
	if _, _, err := w.MarkRead(ctx, as("bob"), c, 6); err != nil {
		t.Fatal(err)
	}
	if list, _, _ := w.syncAll("alice", cursor, 10); len(list) != 1 {
		t.Errorf("told %+v", list)
	}
}

// In a large conversation a position is the reader's own affair.
func TestReadInALargeGroup(t *testing.T) {
	w := newWorld(t)
	users := []chat.UserID{"owner"}
	for n := range 100 {
		users = append(users, chat.UserID(fmt.Sprint("u", n)))
	}
	g := w.group(1, false, users...)
	w.mustSend("owner", into(g, 2))
	rev := w.summary("u1", g).Conversation.Rev
	if _, left, err := w.MarkRead(t.Context(), as("u1"), g, 2); err != nil || left != 0 {
		t.Fatal(left, err)
	}
	_, notices := w.bus.taken()
	if len(notices) != 1 || notices[0].Only != "u1" {
		t.Errorf("told %+v", notices)
	}
	if got := w.summary("owner", g).Conversation.Rev; got != rev {
		t.Errorf("rev went from %d to %d", rev, got)
	}
}
