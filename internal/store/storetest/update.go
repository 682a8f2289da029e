package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

func testRoundTrip(f *fixture) {
	ctx := context.Background()
	full := chat.Conversation{
		ID: "d_full", Kind: chat.Direct, Name: "早饭", Pair: [2]chat.UserID{"alice", "张三"}, SharedPast: true,
		Seq: 1, Count: 1, Time: morning, Members: 2, MembersRev: 1, Rev: 7,
	}
	bare := chat.Conversation{ID: "g_bare", Kind: chat.Group, Time: morning}
	member := chat.Member{
		MemberKey: chat.MemberKey{Conversation: "d_full", User: "张三"}, Role: chat.Owner,
		Spans: []chat.Span{{From: 1, To: 4}, {From: 9}}, Since: 9, ReadSeq: 3, ReadCount: 2, ReadSent: 1, Sent: 5,
	}
	gone := chat.Member{MemberKey: chat.MemberKey{Conversation: "g_bare", User: "bob"}}
	user := chat.User{ID: "alice", Name: "Alice A."}
	nameless := chat.User{ID: "bob"}
	event := &chat.Event{Conversation: "d_full", Seq: 1, Kind: chat.Message, From: "alice", Count: 1, JSON: []byte("{\"a\":\"\x00\"}")}
	before := f.Position()
	f.update(chat.Keys{}, func(*chat.Rows) *chat.Changes {
		return &chat.Changes{
			Events:        []*chat.Event{event},
			Conversations: []*chat.Conversation{&full, &bare},
			Members:       []*chat.Member{&member, &gone},
			Users:         []*chat.User{&user, &nameless},
		}
	})
	for i, pos := range []chat.Position{full.Pos, bare.Pos, member.Pos, gone.Pos, user.Pos, nameless.Pos} {
		if pos <= before || pos > f.Position() {
			f.Errorf("row %d: its position %d is not in (%d, %d]", i, pos, before, f.Position())
		}
	}
	full.Time, bare.Time = morning.UTC().Truncate(time.Millisecond), morning.UTC().Truncate(time.Millisecond)

	f.equal("Conversation", f.head("d_full"), full)
	f.equal("Conversation with empty fields", f.head("g_bare"), bare)
	f.equal("Member", must(f.Member(ctx, member.MemberKey))(f), member)
	f.equal("Member with empty fields", must(f.Member(ctx, gone.MemberKey))(f), gone)
	f.equal("User", must(f.Users(ctx, []chat.UserID{"alice"}))(f), []chat.User{user})
	f.equal("User without a name", must(f.Users(ctx, []chat.UserID{"bob"}))(f), []chat.User{nameless})
	records := must(f.Events(ctx, chat.EventRange{Conversation: "d_full", From: 1, To: 1, Limit: 10}))(f)
	f.equal("Events", records, []chat.Record{{Seq: 1, JSON: event.JSON}})

	rows := f.load(chat.Keys{
		Conversations: []chat.ConversationID{"d_full", "nowhere", "d_full"},
		Members:       []chat.MemberKey{member.MemberKey, {Conversation: "d_full", User: "carol"}, {Conversation: "nowhere", User: "bob"}},
		Users:         []chat.UserID{"alice", "carol"},
		Calls:         []chat.CallKey{{User: "alice"}},
		Tallies:       []chat.TallyKey{{MemberKey: chat.MemberKey{Conversation: "nowhere", User: "bob"}, Seq: 1}},
		Heirs:         []chat.MemberKey{{Conversation: "nowhere", User: "bob"}},
	})
	if len(rows.Conversations) != 1 || len(rows.Members) != 1 || len(rows.Users) != 1 ||
		len(rows.Calls)+len(rows.Tallies)+len(rows.Heirs) != 0 {
		f.Fatalf("an Update found %+v", rows)
	}
	f.equal("loaded conversation", *rows.Conversations["d_full"], full)
	f.equal("loaded member", *rows.Members[member.MemberKey], member)
	f.equal("loaded user", *rows.Users["alice"], user)

	// Rows are replaced whole, empty values too.
	full.Name, full.SharedPast, full.Rev = "", false, 8
	member.Role, member.Spans, member.Sent = chat.NoRole, []chat.Span{{From: 1, To: 4}, {From: 9, To: 12}}, 6
	f.update(chat.Keys{}, func(*chat.Rows) *chat.Changes {
		return &chat.Changes{Conversations: []*chat.Conversation{&full}, Members: []*chat.Member{&member}}
	})
	f.equal("replaced conversation", f.head("d_full"), full)
	f.equal("replaced member", must(f.Member(ctx, member.MemberKey))(f), member)
	f.equal("loaded after replacing", *f.load(chat.Keys{Members: []chat.MemberKey{member.MemberKey}}).Members[member.MemberKey], member)
}

func testNoChanges(f *fixture) {
	f.send(write{to: "g", from: "alice"})
	before, head := f.Position(), f.head("g")
	for _, changes := range []*chat.Changes{nil, {}} {
		f.update(chat.Keys{Conversations: []chat.ConversationID{"g"}}, func(rows *chat.Rows) *chat.Changes {
			rows.Conversations["g"].Name = "changed and not written"
			return changes
		})
	}
	f.equal("head", f.head("g"), head)
	if heads := must(f.Heads(context.Background(), before, 10))(f); len(heads) != 0 {
		f.Fatalf("heads moved: %+v", heads)
	}
}

// Mutant: rows are kept in memory before the commit.
func testAtomic(f *fixture) {
	f.send(write{to: "g", from: "alice", call: "1"})
	head := f.head("g")
	err := f.Update(context.Background(), chat.Keys{Conversations: []chat.ConversationID{"g", "new"}}, func(rows *chat.Rows) *chat.Changes {
		b := batch{rows: rows}
		b.message("g", "alice")
		b.message("new", "alice")
		b.changes.Users = append(b.changes.Users, &chat.User{ID: "alice", Name: "A"})
		again := write{from: "alice", call: "1"}.key()
		b.changes.Calls = append(b.changes.Calls, &chat.Call{CallKey: again, Conversation: "g", Seq: 2})
		return &b.changes
	})
	if err == nil {
		f.Fatal("a second call with one key was written")
	}
	f.equal("head", f.head("g"), head)
	f.equal("loaded head", *f.load(chat.Keys{Conversations: []chat.ConversationID{"g"}}).Conversations["g"], head)
	_, err = f.Conversation(context.Background(), "new")
	f.notFound("the other conversation", err)
	if users := must(f.Users(context.Background(), []chat.UserID{"alice"}))(f); len(users) != 0 {
		f.Fatalf("users: %+v", users)
	}
	f.whole("g", 1)
	f.send(write{to: "g", from: "alice"}, write{to: "new", from: "alice"})
	f.whole("g", 2)
	f.whole("new", 1)
}

func testCopies(f *fixture) {
	f.put("g", chat.Member{MemberKey: chat.MemberKey{User: "alice"}, Spans: []chat.Span{{From: 1}}, Since: 1})
	key := chat.MemberKey{Conversation: "g", User: "alice"}
	keys := chat.Keys{Conversations: []chat.ConversationID{"g"}, Members: []chat.MemberKey{key}}
	rows := f.load(keys)
	rows.Conversations["g"].Seq = 99
	rows.Members[key].Spans[0].To = 99
	again := f.load(keys)
	if again.Conversations["g"].Seq != 1 || again.Members[key].Spans[0].To != 0 {
		f.Fatalf("what one Update did to its rows is seen by the next: %+v, %+v", again.Conversations["g"], again.Members[key])
	}
}

func testCancelled(f *fixture) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := f.Update(ctx, chat.Keys{}, func(*chat.Rows) *chat.Changes {
		f.Error("decide was called")
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		f.Errorf("Update: %v", err)
	}
	if _, err := f.Events(ctx, chat.EventRange{Conversation: "g", From: 1, To: 9, Limit: 9}); !errors.Is(err, context.Canceled) {
		f.Errorf("Events: %v", err)
	}
	if _, err := f.Changed(ctx, chat.Changed{User: "alice", Before: 1, Limit: 1}); !errors.Is(err, context.Canceled) {
		f.Errorf("Changed: %v", err)
	}
}

// Mutant: heads move before duplicates are taken out; seq 2 is missing for ever.
func testBatchDuplicates(f *fixture) {
	f.send(write{"g", "alice", "1"}, write{"g", "alice", "1"}, write{"g", "alice", "2"}, write{"h", "alice", "2"}, write{"h", "bob", "2"})
	f.whole("g", 2)
	f.whole("h", 1)
	f.send(write{"g", "alice", "2"}, write{"g", "alice", "3"})
	f.whole("g", 3)
}

// Mutant: an Update is given up, not run again, when another one wrote its call first.
func testConcurrentDuplicates(f *fixture) {
	const calls, senders = 50, 4
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for call := range calls {
				// The same call goes to other conversations, whose rows nobody else locks.
				to := chat.ConversationID(fmt.Sprint("shared", i%2))
				own := chat.ConversationID(fmt.Sprint("own", i))
				if err := f.trySend(write{to, "alice", fmt.Sprint(call)}, write{to: own, from: "alice"}); err != nil {
					f.Errorf("Update: %v", err)
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for _, h := range must(f.Heads(context.Background(), 0, 10))(f) {
		f.whole(h.Conversation, int(h.Seq))
		total += int(h.Seq)
	}
	f.equal("events", total, calls+senders*calls)
}

func testConcurrentUpdates(f *fixture) {
	const senders, each = 16, 20
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			from := chat.UserID(fmt.Sprint("user", i))
			for n := range each {
				if err := f.trySend(write{to: "g", from: from}, write{to: chat.ConversationID(from), from: from, call: fmt.Sprint(n)}); err != nil {
					f.Errorf("Update: %v", err)
				}
			}
		})
	}
	wg.Wait()
	f.whole("g", senders*each)
	f.equal("count", f.head("g").Count, senders*each)
	for i := range senders {
		f.whole(chat.ConversationID(fmt.Sprint("user", i)), each)
	}
}

func testCalls(f *fixture) {
	call := chat.Call{
		CallKey: chat.CallKey{User: "alice", ClientID: [16]byte{0, 1, 255}}, Hash: [16]byte{255, 0, 3},
		Conversation: "g", Seq: 3, Time: morning, At: morning.Add(time.Hour),
	}
	other := call
	other.User = "bob"
	f.update(chat.Keys{}, func(*chat.Rows) *chat.Changes {
		return &chat.Changes{Calls: []*chat.Call{&call, &other}}
	})
	call.Time, call.At = call.Time.UTC().Truncate(time.Millisecond), call.At.UTC().Truncate(time.Millisecond)
	rows := f.load(chat.Keys{Calls: []chat.CallKey{call.CallKey, {User: "carol", ClientID: call.ClientID}, {User: "alice"}}})
	f.equal("calls", len(rows.Calls), 1)
	f.equal("call", *rows.Calls[call.CallKey], call)
}

func testForgetCalls(f *fixture) {
	keys := make([]chat.CallKey, 10)
	f.update(chat.Keys{}, func(*chat.Rows) *chat.Changes {
		var changes chat.Changes
		for i := range keys {
			keys[i] = write{from: "alice", call: fmt.Sprint(i)}.key()
			at := morning.Add(time.Duration(i) * time.Millisecond)
			changes.Calls = append(changes.Calls, &chat.Call{CallKey: keys[i], Conversation: "g", Seq: 1, Time: at, At: at})
		}
		return &changes
	})
	ctx := context.Background()
	at := func(i int) time.Time { return morning.Add(time.Duration(i) * time.Millisecond) }
	f.equal("none is old", must(f.ForgetCalls(ctx, at(0), 100))(f), 0)
	f.equal("limited", must(f.ForgetCalls(ctx, at(6), 4))(f), 4)
	left := f.load(chat.Keys{Calls: keys}).Calls
	if len(left) != 6 || left[keys[3]] != nil || left[keys[4]] == nil {
		f.Fatalf("it was not the oldest that went: %d are left", len(left))
	}
	f.equal("the rest", must(f.ForgetCalls(ctx, at(6), 100))(f), 2)
	f.equal("left", len(f.load(chat.Keys{Calls: keys}).Calls), 4)
}
