package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

func item(holder chat.Holder, kind chat.ItemKind, key, body string) *chat.Item {
	it := &chat.Item{ItemKey: chat.ItemKey{Holder: holder, Kind: kind, Key: key}}
	if body != "" {
		it.Body = json.RawMessage(body)
	}
	return it
}

func (f *fixture) putItems(items ...*chat.Item) {
	f.Helper()
	f.update(chat.Keys{}, func(*chat.Rows) *chat.Changes { return &chat.Changes{Items: items} })
}

// named answers kind, key and body of items.
func named(items []chat.Item) []string {
	var list []string
	for _, it := range items {
		list = append(list, fmt.Sprintf("%s/%s=%s", it.Kind, it.Key, it.Body))
	}
	return list
}

func testItems(f *fixture) {
	ctx := context.Background()
	alice, group := chat.UserHolder("alice"), chat.ConversationHolder("alice")
	due := morning.Add(time.Hour)
	timed := item(alice, "draft", "g", `{"n":2}`)
	timed.Due = due
	before := f.Position()
	f.putItems(item(alice, "friend", "张三", `{"n":1}`), timed, item(alice, "friend", "bob", `"b"`), item(group, "friend", "bob", `3`))
	middle := f.Position()
	f.putItems(item(alice, "friend", "bobby", `4`), item(alice, "friend", "bob", ""))

	list := func(r chat.ItemRange) []string { return named(must(f.Items(ctx, r))(f)) }
	f.equal("by key, without those that are gone", list(chat.ItemRange{Holder: alice, Kind: "friend", Limit: 10}), []string{"friend/bobby=4", `friend/张三={"n":1}`})
	f.equal("after a key", list(chat.ItemRange{Holder: alice, Kind: "friend", After: "bobby", Limit: 10}), []string{`friend/张三={"n":1}`})
	f.equal("with a prefix", list(chat.ItemRange{Holder: alice, Kind: "friend", Prefix: "bo", Limit: 10}), []string{"friend/bobby=4"})
	f.equal("limited", list(chat.ItemRange{Holder: alice, Kind: "friend", Limit: 1}), []string{"friend/bobby=4"})
	f.equal("another holder", list(chat.ItemRange{Holder: group, Kind: "friend", Limit: 10}), []string{"friend/bob=3"})
	f.equal("nobody", list(chat.ItemRange{Holder: chat.UserHolder("zoe"), Kind: "friend", Limit: 10}), []string(nil))

	changed := func(after, upTo chat.Position, limit int) []string {
		return named(must(f.ChangedItems(ctx, alice, after, upTo, limit))(f))
	}
	first := changed(before, middle, 10)
	slices.Sort(first)
	f.equal("changed up to a position", first, []string{`draft/g={"n":2}`, `friend/张三={"n":1}`})
	f.equal("changed after it, those that are gone too", changed(middle, f.Position(), 10), []string{"friend/bobby=4", "friend/bob="})
	f.equal("changed, limited", changed(middle, f.Position(), 1), []string{"friend/bobby=4"})

	f.equal("not due", named(must(f.DueItems(ctx, "draft", due.Add(-time.Millisecond), 10))(f)), []string(nil))
	got := must(f.DueItems(ctx, "draft", due, 10))(f)
	f.equal("due", named(got), []string{`draft/g={"n":2}`})
	if !got[0].Due.Equal(due.Truncate(time.Millisecond)) {
		f.Fatalf("due at %v, want %v", got[0].Due, due)
	}

	keys := []chat.ItemKey{{Holder: alice, Kind: "draft", Key: "g"}, {Holder: alice, Kind: "friend", Key: "bob"}, {Holder: alice, Kind: "friend", Key: "nobody"}}
	rows := f.load(chat.Keys{Items: keys})
	if len(rows.Items) != 2 || string(rows.Items[keys[0]].Body) != `{"n":2}` || rows.Items[keys[1]].Body != nil {
		f.Fatalf("loaded %+v", rows.Items)
	}
	f.update(chat.Keys{}, func(*chat.Rows) *chat.Changes { return &chat.Changes{Forgotten: keys} })
	if rows := f.load(chat.Keys{Items: keys}); len(rows.Items) != 0 {
		f.Fatalf("forgotten and loaded: %+v", rows.Items)
	}
	f.equal("no trace", changed(middle, f.Position(), 10), []string{"friend/bobby=4"})
}

func testItemsAtomic(f *fixture) {
	f.send(write{to: "g", from: "alice", call: "1"})
	f.putItems(item(chat.ServerHolder, "key", "a", "1"))
	err := f.Update(context.Background(), chat.Keys{}, func(*chat.Rows) *chat.Changes {
		again := write{from: "alice", call: "1"}.key()
		return &chat.Changes{
			Items:     []*chat.Item{item(chat.ServerHolder, "key", "b", "1")},
			Forgotten: []chat.ItemKey{{Holder: chat.ServerHolder, Kind: "key", Key: "a"}},
			Calls:     []*chat.Call{{CallKey: again}},
		}
	})
	if err == nil {
		f.Fatal("a second call with one key was written")
	}
	f.equal("items", named(must(f.Items(context.Background(), chat.ItemRange{Holder: chat.ServerHolder, Kind: "key", Limit: 9}))(f)), []string{"key/a=1"})
}

// Mutant: the store shares or forgets details.
func testDetails(f *fixture) {
	ctx := context.Background()
	key := chat.MemberKey{Conversation: "g", User: "alice"}
	f.send(write{to: "g", from: "alice"})
	set := func(c *chat.Details, m *chat.MemberDetails, u *chat.UserDetails) {
		f.update(chat.Keys{Conversations: []chat.ConversationID{"g"}, Members: []chat.MemberKey{key}}, func(rows *chat.Rows) *chat.Changes {
			rows.Conversations["g"].Details, rows.Members[key].Details = c, m
			return &chat.Changes{
				Conversations: []*chat.Conversation{rows.Conversations["g"]}, Members: []*chat.Member{rows.Members[key]},
				Users: []*chat.User{{ID: "alice", Details: u}},
			}
		})
	}
	for _, there := range []bool{true, false} {
		if there {
			set(new(chat.Details), new(chat.MemberDetails), new(chat.UserDetails))
		} else {
			set(nil, nil, nil)
		}
		users := must(f.Users(ctx, []chat.UserID{"alice"}))(f)
		rows := f.load(chat.Keys{Conversations: []chat.ConversationID{"g"}, Members: []chat.MemberKey{key}, Users: []chat.UserID{"alice"}})
		for i, got := range []bool{
			f.head("g").Details != nil, must(f.Member(ctx, key))(f).Details != nil, users[0].Details != nil,
			rows.Conversations["g"].Details != nil, rows.Members[key].Details != nil, rows.Users["alice"].Details != nil,
			must(f.Members(ctx, "g", "", 1))(f)[0].Details != nil,
			must(f.Changed(ctx, chat.Changed{User: "alice", Before: f.Position() + 1, Limit: 1}))(f)[0].Conversation.Details != nil,
		} {
			if got != there {
				f.Errorf("details %d: there is %v, want %v", i, got, there)
			}
		}
		// A send leaves them as they are.
		f.send(write{to: "g", from: "alice"})
		if got := must(f.Member(ctx, key))(f); got.Sent == 0 || (got.Details != nil) != there {
			f.Errorf("after a send: %+v", got)
		}
	}
}

// sendOnly writes a message for some.
func (f *fixture) sendOnly(id chat.ConversationID, from chat.UserID, only ...chat.UserID) {
	f.Helper()
	f.update(chat.Keys{Conversations: []chat.ConversationID{id}}, func(rows *chat.Rows) *chat.Changes {
		b := batch{rows: rows}
		c := b.conversation(id)
		c.Seq++
		b.changes.Events = append(b.changes.Events, &chat.Event{
			Conversation: id, Seq: c.Seq, Kind: chat.Message, From: from, Time: morning, Count: c.Count, Only: only,
			JSON: fmt.Appendf(nil, `{"seq":%d}`, c.Seq),
		})
		return &b.changes
	})
}

// Mutant: an event for a few counts.
func testOnly(f *fixture) {
	ctx := context.Background()
	f.send(write{to: "g", from: "alice"})
	f.sendOnly("g", "alice", "alice", "guest:li wei", "张三")
	f.send(write{to: "g", from: "alice"})
	for _, messages := range []bool{false, true} {
		for _, newest := range []bool{false, true} {
			records := must(f.Events(ctx, chat.EventRange{Conversation: "g", From: 1, To: 3, Limit: 3, Messages: messages, Newest: newest}))(f)
			if len(records) != 3 || records[0].Only != nil || records[2].Only != nil ||
				!slices.Equal(records[1].Only, []chat.UserID{"alice", "guest:li wei", "张三"}) {
				f.Fatalf("messages %v, newest %v: %+v", messages, newest, records)
			}
		}
	}
	key := chat.TallyKey{MemberKey: chat.MemberKey{Conversation: "g", User: "alice"}, Seq: 3}
	f.equal("tally", f.load(chat.Keys{Tallies: []chat.TallyKey{key}}).Tallies[key], chat.Tally{Seq: 3, Count: 2, Mine: 2})
	rows := f.load(chat.Keys{Events: []chat.EventKey{{Conversation: "g", Seq: 2}}})
	if e := rows.Events[chat.EventKey{Conversation: "g", Seq: 2}]; e == nil || len(e.Only) != 3 || e.Countable() {
		f.Fatalf("loaded %+v", e)
	}
}

// Mutant: the event kept in memory stays as it was.
func testRevised(f *fixture) {
	ctx := context.Background()
	for range 3 {
		f.send(write{to: "g", from: "alice"})
	}
	f.sendOnly("g", "alice", "alice")
	pos := f.Position()
	keys := chat.Keys{Events: []chat.EventKey{{Conversation: "g", Seq: 2}, {Conversation: "g", Seq: 9}, {Conversation: "no", Seq: 1}}}
	rows := f.load(keys)
	if len(rows.Events) != 1 || rows.Events[keys.Events[0]].From != "alice" || rows.Events[keys.Events[0]].Seq != 2 {
		f.Fatalf("loaded %+v", rows.Events)
	}
	for _, seq := range []chat.Seq{2, 4} {
		f.update(chat.Keys{Conversations: []chat.ConversationID{"g"}}, func(rows *chat.Rows) *chat.Changes {
			return &chat.Changes{Revised: []*chat.Event{{Conversation: "g", Seq: seq, JSON: fmt.Appendf(nil, `{"seq":%d,"kind":"void"}`, seq)}}}
		})
	}
	for _, r := range []chat.EventRange{
		{Conversation: "g", From: 1, To: 4, Limit: 4},
		{Conversation: "g", From: 1, To: 4, Limit: 4, Newest: true, Messages: true}, // which no memory answers
	} {
		records := must(f.Events(ctx, r))(f)
		if len(records) != 4 || string(records[1].JSON) != `{"seq":2,"kind":"void"}` || string(records[3].JSON) != `{"seq":4,"kind":"void"}` ||
			string(records[0].JSON) != `{"seq":1,"from":"alice"}` {
			f.Fatalf("listed %+v", records)
		}
		if records[1].Only != nil || !slices.Equal(records[3].Only, []chat.UserID{"alice"}) {
			f.Fatalf("who may see them has changed: %+v", records)
		}
	}
	if seq := must(f.Fork(ctx, "g", pos))(f); seq != 4 {
		f.Fatalf("at the position from before, the head was %d", seq)
	}
	for _, e := range []*chat.Event{{Conversation: "g", Seq: 5, JSON: []byte("{}")}, {Conversation: "no", Seq: 1, JSON: []byte("{}")}} {
		err := f.Update(ctx, chat.Keys{}, func(*chat.Rows) *chat.Changes { return &chat.Changes{Revised: []*chat.Event{e}} })
		if err == nil {
			f.Fatalf("an event that is not there was revised: %+v", e)
		}
	}
}
