package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
)

// All plans of Changed must answer the same, whichever is picked. Mutants: the whole not
// sorted; not cut.
func TestChangedPlansAgree(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "store.db"))
	random := rand.New(rand.NewPCG(1, 2))
	users := []chat.UserID{"alice", "bob", "carol"}
	for range 300 {
		id := chat.ConversationID(fmt.Sprint("c", random.IntN(40)))
		user := users[random.IntN(len(users))]
		key := chat.MemberKey{Conversation: id, User: user}
		head, row := random.IntN(3) > 0, random.IntN(3) > 0
		err := s.Update(context.Background(), chat.Keys{Conversations: []chat.ConversationID{id}}, func(rows *chat.Rows) *chat.Changes {
			var changes chat.Changes
			c := rows.Conversations[id]
			if c == nil || head {
				changes.Conversations = append(changes.Conversations, &chat.Conversation{ID: id, Kind: chat.Group})
			}
			if row {
				changes.Members = append(changes.Members, &chat.Member{MemberKey: key})
			}
			return &changes
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	position := int64(s.Position())
	compared := 0
	for range 300 {
		after := chat.Position(random.Int64N(position))
		q := chat.Changed{
			User: users[random.IntN(len(users))], After: after,
			Before: after + chat.Position(random.Int64N(position)), Limit: 1 + random.IntN(20),
		}
		byMembership := changedKeys(t, s, s.read.changedByMembership, q)
		byHead := changedKeys(t, s, s.read.changedByHead, q)
		whole := changedKeys(t, s, s.read.changedWhole, q)
		if !slices.Equal(byMembership, byHead) || !slices.Equal(byMembership, whole) {
			t.Fatalf("%+v:\nby membership %v\n      by head %v\n        whole %v", q, byMembership, byHead, whole)
		}
		compared += len(byHead)
	}
	if compared == 0 {
		t.Fatal("there was nothing to compare")
	}
}

func changedKeys(t *testing.T, s *Store, stmt *sql.Stmt, q chat.Changed) []string {
	t.Helper()
	entries, err := s.changed(context.Background(), stmt, q)
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{}
	for _, e := range entries {
		keys = append(keys, fmt.Sprint(e.Conversation.ID, e.Member.User, e.Pos()))
	}
	return keys
}

func TestChangedPlan(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "store.db"))
	for i := range 10 {
		if err := say(s, chat.ConversationID(fmt.Sprint("c", i)), 1, 1); err != nil {
			t.Fatal(err)
		}
	}
	now := s.Position() // 20: a head and a member each
	byHead, byMembership, whole := s.read.changedByHead, s.read.changedByMembership, s.read.changedWhole
	for _, tt := range []struct {
		after, before chat.Position
		limit         int
		want          *sql.Stmt
	}{
		{0, 1 << 62, 9, byMembership},
		{0, 1 << 62, 10, whole},
		{now - 3, 1 << 62, 100, byHead},
		{now, 1 << 62, 100, byHead},
		{0, 5, 100, byHead},
		{0, now - 5, 9, byMembership},
		{0, now - 5, 100, whole},
	} {
		stmt, err := s.changedPlan(context.Background(), chat.Changed{User: "alice", After: tt.after, Before: tt.before, Limit: tt.limit})
		if err != nil {
			t.Fatal(err)
		}
		if stmt != tt.want {
			t.Errorf("%d between %d and %d: the wrong plan", tt.limit, tt.after, tt.before)
		}
	}
}

// The hot statements must be answered from their indexes, whatever the planner learns.
func TestNoScans(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "store.db"))
	db := s.readers
	for _, text := range []string{
		changedByHead, changedByMembership, changedWhole, countMemberships,
		eventsIn + ` ORDER BY seq DESC LIMIT ?`,
		`SELECT id, seq, pos FROM conversation WHERE pos > ? ORDER BY pos LIMIT ?`,
		`SELECT user, spans FROM member INDEXED BY member_conv WHERE conv = ` + conv,
	} {
		rows, err := db.Query("EXPLAIN QUERY PLAN "+text, args(text)...)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			// A scan of an intermediate result is a page long.
			if strings.HasPrefix(detail, "SCAN") && !strings.Contains(detail, "page") && !strings.Contains(detail, "subquery") {
				t.Errorf("%s\nin %s", detail, text)
			}
			t.Log(detail)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func args(text string) []any {
	if strings.Contains(text, ":user") {
		return []any{sql.Named("user", "a"), sql.Named("after", 1), sql.Named("before", 2), sql.Named("limit", 3)}
	}
	return slices.Repeat([]any{1}, strings.Count(text, "?"))
}
