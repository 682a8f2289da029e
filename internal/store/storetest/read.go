package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
)

func testTally(f *fixture) {
	// 1 membership, 2 alice, 3 bob, 4 alice, 5 membership, 6 alice, 7 bob, 8 carol
	f.put("g")
	f.send(write{to: "g", from: "alice"}, write{to: "g", from: "bob"}, write{to: "g", from: "alice"})
	f.put("g")
	f.send(write{to: "g", from: "alice"}, write{to: "g", from: "bob"}, write{to: "g", from: "carol"})
	counts := []int64{0, 0, 1, 2, 3, 3, 4, 5, 6, 6}
	mine := map[chat.UserID][]int64{
		"alice": {0, 0, 1, 1, 2, 2, 3, 3, 3, 3},
		"bob":   {0, 0, 0, 1, 1, 1, 1, 2, 2, 2},
		"carol": {0, 0, 0, 0, 0, 0, 0, 0, 1, 1},
		"dave":  {0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	}
	for user, want := range mine {
		var keys chat.Keys
		for seq := range counts {
			keys.Tallies = append(keys.Tallies, chat.TallyKey{MemberKey: chat.MemberKey{Conversation: "g", User: user}, Seq: chat.Seq(seq)})
		}
		got := f.load(keys).Tallies
		for seq, k := range keys.Tallies {
			f.equal(fmt.Sprintf("tally of %s at %d", user, seq), got[k], chat.Tally{Seq: chat.Seq(min(seq, 8)), Count: counts[seq], Mine: want[seq]})
		}
	}
}

func in(user chat.UserID, spans ...chat.Span) chat.Member {
	m := chat.Member{MemberKey: chat.MemberKey{User: user}, Role: chat.Plain, Spans: spans}
	if len(spans) > 0 {
		m.Since = spans[len(spans)-1].From
	}
	return m
}

func testHeirs(f *fixture) {
	f.put("g",
		in("alice", chat.Span{From: 1}),
		in("left", chat.Span{From: 1, To: 5}),
		in("back", chat.Span{From: 1, To: 5}, chat.Span{From: 9}),
		in("zoe", chat.Span{From: 2}),
		in("Zoe", chat.Span{From: 2}),
		in("never"))
	f.put("alone", in("alice", chat.Span{From: 1}))
	key := func(id chat.ConversationID, u chat.UserID) chat.MemberKey {
		return chat.MemberKey{Conversation: id, User: u}
	}
	keys := chat.Keys{Heirs: []chat.MemberKey{key("g", "alice"), key("g", "bob"), key("alone", "alice"), key("alone", "bob")}}
	rows := f.load(keys)
	f.equal("heirs", rows.Heirs, map[chat.MemberKey]chat.UserID{
		key("g", "alice"):   "Zoe", // the same since: by bytes
		key("g", "bob"):     "alice",
		key("alone", "bob"): "alice",
	})
	for k, user := range rows.Heirs {
		m := rows.Members[chat.MemberKey{Conversation: k.Conversation, User: user}]
		if m == nil || m.User != user || m.Role != chat.Plain {
			f.Errorf("the row of the heir %s came as %+v", user, m)
		}
	}
}

func testUsers(f *fixture) {
	ctx := context.Background()
	f.update(chat.Keys{}, func(*chat.Rows) *chat.Changes {
		return &chat.Changes{Users: []*chat.User{{ID: "a", Name: "1"}, {ID: "A", Name: "2"}, {ID: "张三", Name: "三"}}}
	})
	users := must(f.Users(ctx, []chat.UserID{"张三", "nobody", "a", "a"}))(f)
	names := []string{}
	for _, u := range users {
		names = append(names, u.Name)
	}
	slices.Sort(names)
	f.equal("users", names, []string{"1", "三"})
	f.equal("no users", len(must(f.Users(ctx, nil))(f)), 0)
}

func testNotFound(f *fixture) {
	ctx := context.Background()
	f.send(write{to: "g", from: "alice"})
	_, err := f.Conversation(ctx, "G")
	f.notFound("Conversation", err)
	_, err = f.Member(ctx, chat.MemberKey{Conversation: "g", User: "bob"})
	f.notFound("Member", err)
	_, err = f.Member(ctx, chat.MemberKey{Conversation: "h", User: "alice"})
	f.notFound("Member of a conversation that is not there", err)
	f.equal("Members", len(must(f.Members(ctx, "h", "", 10))(f)), 0)
	f.equal("Audience", len(must(f.Audience(ctx, "h", 1))(f)), 0)
	f.equal("Events", len(must(f.Events(ctx, chat.EventRange{Conversation: "h", From: 1, To: 9, Limit: 9}))(f)), 0)
	f.equal("Changed", len(must(f.Changed(ctx, chat.Changed{User: "bob", Before: 1 << 62, Limit: 9}))(f)), 0)
	f.equal("Fork", must(f.Fork(ctx, "h", 1<<62))(f), 0)
}

// Mutant: a collation that folds case or follows a language.
func testMembers(f *fixture) {
	sorted := []chat.UserID{"Bob", "Zoe", "_", "alice", "bob", "guest:bob", "zoe", "é", "张三", "李四", "😀"}
	slices.Sort(sorted)
	members := []chat.Member{in("left", chat.Span{From: 1, To: 2}), in("never")}
	for _, u := range sorted {
		members = append(members, in(u, chat.Span{From: 1}))
	}
	f.put("g", members...)
	f.put("other", in("aaa", chat.Span{From: 1}))
	var got []chat.UserID
	var after chat.UserID
	for {
		page := must(f.Members(context.Background(), "g", after, 3))(f)
		for _, m := range page {
			got = append(got, m.User)
			f.equal("conversation", m.Conversation, "g")
		}
		if len(page) < 3 {
			break
		}
		after = page[2].User
	}
	f.equal("members", got, sorted)
}

func testAudience(f *fixture) {
	f.put("g",
		in("now", chat.Span{From: 3}),
		in("left", chat.Span{From: 1, To: 5}),
		in("back", chat.Span{From: 2, To: 4}, chat.Span{From: 7, To: 8}, chat.Span{From: 10}),
		in("never"))
	for seq, want := range map[chat.Seq]string{
		1: "[left]", 2: "[back left]", 3: "[back left now]", 4: "[back left now]", 5: "[left now]",
		6: "[now]", 7: "[back now]", 8: "[back now]", 9: "[now]", 10: "[back now]", 99: "[back now]",
	} {
		got := must(f.Audience(context.Background(), "g", seq))(f)
		slices.Sort(got)
		f.equal(fmt.Sprintf("audience of %d", seq), got, want)
	}
}

func testEvents(f *fixture) {
	// Events 1, 4, 7, 10 are not messages.
	for range 4 {
		f.put("g")
		f.send(write{to: "g", from: "alice"}, write{to: "g", from: "bob"})
	}
	f.send(write{to: "h", from: "alice"})
	for _, tt := range []struct {
		r    chat.EventRange
		want string
	}{
		{chat.EventRange{From: 1, To: 12, Limit: 100}, "[1 2 3 4 5 6 7 8 9 10 11 12]"},
		{chat.EventRange{From: 0, To: 1 << 60, Limit: 3}, "[1 2 3]"},
		{chat.EventRange{From: 3, To: 6, Limit: 100}, "[3 4 5 6]"},
		{chat.EventRange{From: 3, To: 3, Limit: 1}, "[3]"},
		{chat.EventRange{From: 6, To: 3, Limit: 100}, "[]"},
		{chat.EventRange{From: 13, To: 20, Limit: 100}, "[]"},
		{chat.EventRange{From: 1, To: 12, Limit: 3, Newest: true}, "[10 11 12]"},
		{chat.EventRange{From: 1, To: 9, Limit: 3, Newest: true}, "[7 8 9]"},
		{chat.EventRange{From: 8, To: 9, Limit: 3, Newest: true}, "[8 9]"},
		{chat.EventRange{From: 1, To: 12, Limit: 3, Messages: true}, "[2 3 5]"},
		{chat.EventRange{From: 1, To: 12, Limit: 3, Newest: true, Messages: true}, "[9 11 12]"},
		{chat.EventRange{From: 4, To: 7, Limit: 3, Newest: true, Messages: true}, "[5 6]"},
	} {
		tt.r.Conversation = "g"
		f.equal(fmt.Sprintf("%+v", tt.r), f.seqs(tt.r), tt.want)
	}
}

// entries walks a user's changed conversations in pages.
func (f *fixture) entries(user chat.UserID, after, before chat.Position, limit int, between func()) []chat.ConversationID {
	f.Helper()
	var ids []chat.ConversationID
	for {
		page := must(f.Changed(context.Background(), chat.Changed{User: user, After: after, Before: before, Limit: limit}))(f)
		for _, e := range page {
			if e.Pos() <= after || e.Pos() >= before {
				f.Fatalf("%s at %d is not within (%d, %d), or not in order", e.Conversation.ID, e.Pos(), after, before)
			}
			before = e.Pos()
			f.equal("entry", e.Member.MemberKey, chat.MemberKey{Conversation: e.Conversation.ID, User: user})
			ids = append(ids, e.Conversation.ID)
		}
		if len(page) < limit {
			return ids
		}
		between()
	}
}

func testChanged(f *fixture) {
	nothing := func() {}
	for i := range 5 {
		f.put(chat.ConversationID(fmt.Sprint("c", i)), in("alice", chat.Span{From: 1}), in("bob", chat.Span{From: 1}))
	}
	f.put("bobs", in("bob", chat.Span{From: 1}))
	f.put("left", in("alice", chat.Span{From: 1, To: 1}))
	first := f.Position()
	f.equal("all", f.entries("alice", 0, 1<<62, 100, nothing), "[left c4 c3 c2 c1 c0]")
	f.equal("all in pages", f.entries("alice", 0, 1<<62, 2, nothing), "[left c4 c3 c2 c1 c0]")

	f.send(write{to: "c2", from: "bob"})   // the head alone
	f.send(write{to: "c1", from: "alice"}) // the head and the own row
	f.update(chat.Keys{Members: []chat.MemberKey{{Conversation: "c0", User: "alice"}}}, func(rows *chat.Rows) *chat.Changes {
		m := rows.Members[chat.MemberKey{Conversation: "c0", User: "alice"}] // the own row alone
		m.ReadSeq = 1
		return &chat.Changes{Members: []*chat.Member{m}}
	})
	f.update(chat.Keys{Members: []chat.MemberKey{{Conversation: "c3", User: "bob"}}}, func(rows *chat.Rows) *chat.Changes {
		m := rows.Members[chat.MemberKey{Conversation: "c3", User: "bob"}] // another's row
		m.ReadSeq = 1
		return &chat.Changes{Members: []*chat.Member{m}}
	})
	f.send(write{to: "bobs", from: "bob"})
	f.equal("since", f.entries("alice", first, 1<<62, 100, nothing), "[c0 c1 c2]")
	f.equal("since in pages", f.entries("alice", first, 1<<62, 1, nothing), "[c0 c1 c2]")
	f.equal("before", f.entries("alice", 0, first+1, 100, nothing), "[left c4 c3]")
	f.equal("all again", f.entries("alice", 0, 1<<62, 2, nothing), "[c0 c1 c2 left c4 c3]")
	f.equal("nothing new", len(f.entries("alice", f.Position(), 1<<62, 2, nothing)), 0)
}

// A walk goes down from a bound taken before its first page, and the next one begins at
// that bound. Mutant: the next one begins at the position after the last page.
func testChangedMoving(f *fixture) {
	const n = 20
	for i := range n {
		f.put(chat.ConversationID(fmt.Sprint("c", i)), in("alice", chat.Span{From: 1}), in("bob", chat.Span{From: 1}))
	}
	seen := make(map[chat.ConversationID]bool)
	bound, moved := f.Position(), 0
	for _, id := range f.entries("alice", 0, bound+1, 3, func() {
		f.send(write{to: chat.ConversationID(fmt.Sprint("c", moved)), from: "bob"}) // one not yet told
		moved++
	}) {
		seen[id] = true
	}
	if len(seen) == n {
		f.Fatal("nothing moved out of the walk; the test shows nothing")
	}
	for _, id := range f.entries("alice", bound, f.Position()+1, 3, func() {}) {
		seen[id] = true
	}
	f.equal("conversations told", len(seen), n)
}

func testHeads(f *fixture) {
	for _, id := range []chat.ConversationID{"a", "b", "c"} {
		f.send(write{to: id, from: "alice"})
	}
	f.send(write{to: "a", from: "alice"})
	var got []string
	var after chat.Position
	for {
		heads := must(f.Heads(context.Background(), after, 2))(f)
		for _, h := range heads {
			if h.Pos <= after || h.Pos != f.head(h.Conversation).Pos {
				f.Fatalf("head %+v after %d, and the row has %d", h, after, f.head(h.Conversation).Pos)
			}
			after = h.Pos
			got = append(got, fmt.Sprint(h.Conversation, h.Seq))
		}
		if len(heads) < 2 {
			break
		}
	}
	f.equal("heads", got, "[b1 c1 a2]")
}

func testFork(f *fixture) {
	ctx := context.Background()
	start := f.Position()
	f.send(write{to: "g", from: "alice"}, write{to: "g", from: "alice"})
	two := f.Position()
	f.send(write{to: "h", from: "alice"})
	elsewhere := f.Position()
	f.send(write{to: "g", from: "alice"})
	f.equal("before", must(f.Fork(ctx, "g", start))(f), 0)
	f.equal("after two", must(f.Fork(ctx, "g", two))(f), 2)
	f.equal("after another conversation", must(f.Fork(ctx, "g", elsewhere))(f), 2)
	f.equal("now", must(f.Fork(ctx, "g", f.Position()))(f), 3)
	f.put("g")
	f.equal("at the head's own position", must(f.Fork(ctx, "g", f.head("g").Pos))(f), 4)
}

// What a conversation had at a position never changes once Position has answered it.
// Mutant: Position moves before the commit is visible.
func testPosition(f *fixture) {
	ctx := context.Background()
	const senders, each = 4, 30
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			id := chat.ConversationID(fmt.Sprint("c", i))
			for range each {
				if err := f.trySend(write{to: id, from: "alice"}); err != nil {
					f.Errorf("Update: %v", err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	type look struct {
		pos  chat.Position
		seqs [senders]chat.Seq
	}
	at := func(pos chat.Position) (l look) {
		l.pos = pos
		for i := range senders {
			l.seqs[i] = must(f.Fork(ctx, chat.ConversationID(fmt.Sprint("c", i)), pos))(f)
		}
		return l
	}
	var looks []look
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		looks = append(looks, at(f.Position()))
	}
	for i, l := range looks {
		if i > 0 && l.pos < looks[i-1].pos {
			f.Fatalf("position went from %d back to %d", looks[i-1].pos, l.pos)
		}
		if now := at(l.pos); now != l {
			f.Fatalf("what position %d holds went from %v to %v", l.pos, l.seqs, now.seqs)
		}
	}
	f.equal("the last look", looks[len(looks)-1].seqs, [senders]chat.Seq{each, each, each, each})
}

func testLineage(f *fixture, open func(testing.TB) chat.Store) {
	lineage := f.Lineage()
	last := lineage[len(lineage)-1]
	if len(last.ID) != 16 {
		f.Errorf("the start's id %q does not have 16 characters", last.ID)
	}
	f.equal("the start's position", last.Pos, f.Position())
	other := open(f)
	defer other.Close()
	if starts := other.Lineage(); starts[len(starts)-1].ID == last.ID {
		f.Error("two starts have the same id")
	}
	f.send(write{to: "g", from: "alice"})
	f.equal("lineage", f.Lineage(), lineage)
}

func testLarge(f *fixture) {
	const n = 10_000
	members := make([]chat.Member, n)
	for i := range members {
		members[i] = in(chat.UserID(fmt.Sprintf("user%05d", i)), chat.Span{From: 1})
	}
	f.put("g", members...)
	f.send(write{to: "g", from: "user00007"})
	ctx := context.Background()
	f.equal("audience", len(must(f.Audience(ctx, "g", 2))(f)), n)
	page := must(f.Members(ctx, "g", "user04999", 200))(f)
	if len(page) != 200 || page[0].User != "user05000" {
		f.Fatalf("%d members, the first is %s", len(page), page[0].User)
	}
	f.equal("of one member", f.entries("user09999", 0, f.Position()+1, 10, func() {}), "[g]")
}

func testClose(f *fixture) {
	f.send(write{to: "g", from: "alice"})
	if err := f.Close(); err != nil {
		f.Fatalf("Close: %v", err)
	}
	if err := f.trySend(write{to: "g", from: "alice"}); err == nil {
		f.Error("Update after Close")
	}
	if _, err := f.Conversation(context.Background(), "g"); err == nil {
		f.Error("Conversation after Close")
	}
}
