// Package indextest is what every search.Index must do, as one suite of tests. Where it
// guards against a tempting mistake, a comment names the mutant that must fail it.
package indextest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/search"
	"github.com/linnet-im/linnet/internal/search/words"
)

// Run tests the indexes that open makes. Each call must make an empty one; Run closes it.
func Run(t *testing.T, open func(testing.TB) search.Index) {
	for _, tt := range []struct {
		name string
		test func(*fixture)
	}{
		{"state", testState},
		{"words", testWords},
		{"filters", testFilters},
		{"order and pages", testPages},
		{"changed and gone", testChanged},
		{"many conversations", testMany},
		{"names", testNames},
		{"clear", testClear},
		{"close", testClose},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := open(t)
			t.Cleanup(func() {
				if err := x.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			tt.test(&fixture{T: t, index: x})
		})
	}
}

type fixture struct {
	*testing.T
	index search.Index
}

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// doc is a message of alice's in conversation c, sent seq minutes after noon.
func doc(seq chat.Seq, text string) search.Doc {
	return search.Doc{
		Conversation: "c", Seq: seq, Time: noon.Add(time.Duration(seq) * time.Minute), From: "alice", Type: "text", Text: text,
	}
}

func (f *fixture) apply(c search.Changes) {
	f.Helper()
	if err := f.index.Apply(f.Context(), &c); err != nil {
		f.Fatal(err)
	}
}

// find answers what is found as text: conversation and seq of each.
func (f *fixture) find(l search.Lookup) string {
	f.Helper()
	if l.Limit == 0 {
		l.Limit = 100
	}
	hits, err := f.index.Find(f.Context(), l)
	if err != nil {
		f.Fatal(err)
	}
	list := make([]string, len(hits))
	for i, h := range hits {
		list[i] = fmt.Sprint(h.Conversation, h.Seq)
	}
	return strings.Join(list, " ")
}

func (f *fixture) wants(what, got, want string) {
	f.Helper()
	if got != want {
		f.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func tokens(query string) []string { return words.Parse(query).Tokens() }

func testState(f *fixture) {
	if s, err := f.index.State(f.Context()); err != nil || len(s.Starts) != 0 || s.Pos != 0 || s.Users != 0 {
		f.Fatalf("a new index: %+v, %v", s, err)
	}
	want := search.State{Starts: []chat.Start{{ID: "a", Pos: 0}, {ID: "b", Pos: 7}}, Pos: 12, Users: 9}
	f.apply(search.Changes{State: &want, Reached: map[chat.ConversationID]chat.Seq{"c": 5}})
	f.apply(search.Changes{Reached: map[chat.ConversationID]chat.Seq{"d": 1}})
	f.apply(search.Changes{Docs: []search.Doc{doc(3, "again")}})
	got, err := f.index.State(f.Context())
	if err != nil || !slices.Equal(got.Starts, want.Starts) || got.Pos != want.Pos || got.Users != want.Users {
		f.Errorf("got %+v, %v", got, err)
	}
	for id, want := range map[chat.ConversationID]chat.Seq{"c": 5, "d": 1, "e": 0} {
		if got, err := f.index.Reached(f.Context(), id); err != nil || got != want {
			f.Errorf("%s: reached %d, %v; want %d", id, got, err, want)
		}
	}
}

// Mutant: without the last character alone.
func testWords(f *fixture) {
	f.apply(search.Changes{Docs: []search.Doc{
		doc(1, "明天开会"), doc(2, "三楼会议室"), doc(3, "API接口 documents"), doc(4, "a meeting at noon"), doc(5, "🎉"), doc(6, ""),
		doc(7, strings.Repeat("长", 5000)),
	}})
	for query, want := range map[string]string{
		"会": "c2 c1", "会议": "c2", "议会": "", "api": "c3", "接口": "c3", "meet": "c4", "at": "c4", "doc api": "c3",
		"🎉": "c5", "长长": "c7", "nothing": "",
	} {
		f.wants(query, f.find(search.Lookup{Tokens: tokens(query)}), want)
	}
	if hits, err := f.index.Find(f.Context(), search.Lookup{Limit: 5}); err == nil {
		f.Errorf("nothing was asked for, %v answered", hits)
	}
}

func testFilters(f *fixture) {
	d := doc(4, "lunch")
	d.From, d.Type, d.Conversation = "bob:1", "image", "d\"1"
	e := doc(5, "lunch")
	e.From = "carol"
	f.apply(search.Changes{Docs: []search.Doc{doc(1, "lunch"), doc(2, "dinner"), doc(3, "lunch"), d, e}})
	at := func(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }
	lunch := tokens("lunch")
	for _, tt := range []struct {
		what, want string
		l          search.Lookup
	}{
		{"all", "c5 d\"14 c3 c1", search.Lookup{Tokens: lunch}},
		{"a conversation", "c5 c3 c1", search.Lookup{Tokens: lunch, Conversations: []chat.ConversationID{"c"}}},
		{"two", "c5 d\"14 c3 c1", search.Lookup{Tokens: lunch, Conversations: []chat.ConversationID{"c", "d\"1"}}},
		{"an unknown one", "", search.Lookup{Tokens: lunch, Conversations: []chat.ConversationID{"x"}}},
		{"a sender", "d\"14", search.Lookup{Tokens: lunch, Senders: []chat.UserID{"bob:1"}}},
		{"senders", "c5 d\"14", search.Lookup{Tokens: lunch, Senders: []chat.UserID{"bob:1", "carol"}}},
		{"a type", "d\"14", search.Lookup{Tokens: lunch, Types: []string{"image"}}},
		{"no words", "c5 c3 c2 c1", search.Lookup{Conversations: []chat.ConversationID{"c"}}},
		{"no words but a type", "d\"14", search.Lookup{Types: []string{"image"}}},
		{"from", "c5 d\"14 c3", search.Lookup{Tokens: lunch, From: at(3)}},
		{"to", "c1", search.Lookup{Tokens: lunch, To: at(3)}},
		{"from and to", "c3", search.Lookup{Tokens: lunch, From: at(3), To: at(4)}},
		{"before there was anything", "", search.Lookup{Tokens: lunch, To: time.Unix(-5, 0)}},
	} {
		f.wants(tt.what, f.find(tt.l), tt.want)
	}
}

// Mutant: ids by number, not by time.
func testPages(f *fixture) {
	var docs []search.Doc
	for i := range 30 {
		d := doc(chat.Seq(i+1), "word")
		d.Time = noon.Add(time.Duration(i/10) * time.Millisecond) // ten a millisecond
		docs = append(docs, d)
	}
	// Whatever the order they come in, the newest is answered first.
	f.apply(search.Changes{Docs: docs[20:]})
	f.apply(search.Changes{Docs: docs[:15]})
	f.apply(search.Changes{Docs: docs[15:20]})
	seen := make(map[chat.Seq]bool)
	l := search.Lookup{Tokens: tokens("word"), Limit: 7}
	last := chat.Seq(100)
	for range 5 {
		hits, err := f.index.Find(f.Context(), l)
		if err != nil {
			f.Fatal(err)
		}
		for _, h := range hits {
			if seen[h.Seq] {
				f.Errorf("%d came twice", h.Seq)
			}
			if (h.Seq-1)/10 > (last-1)/10 {
				f.Errorf("%d came after %d", h.Seq, last)
			}
			seen[h.Seq], last, l.Below = true, h.Seq, h.Mark
		}
	}
	if len(seen) != 30 {
		f.Errorf("%d of 30 came", len(seen))
	}
}

// Mutants: old words stay; a message that comes twice in one step keeps its first text.
func testChanged(f *fixture) {
	f.apply(search.Changes{Docs: []search.Doc{doc(1, "first"), doc(2, "second"), doc(3, "early"), doc(3, "third")}})
	f.wants("the early text", f.find(search.Lookup{Tokens: tokens("early")}), "")
	marks := func() []search.Mark {
		hits, err := f.index.Find(f.Context(), search.Lookup{Conversations: []chat.ConversationID{"c"}, Limit: 10})
		if err != nil {
			f.Fatal(err)
		}
		var list []search.Mark
		for _, h := range hits {
			list = append(list, h.Mark)
		}
		return list
	}
	before := marks()
	f.apply(search.Changes{Docs: []search.Doc{doc(2, "changed")}})
	f.apply(search.Changes{Docs: []search.Doc{doc(2, "changed")}})
	f.wants("what it was", f.find(search.Lookup{Tokens: tokens("second")}), "")
	f.wants("what it is", f.find(search.Lookup{Tokens: tokens("changed")}), "c2")
	if after := marks(); !slices.Equal(before, after) {
		f.Errorf("the marks were %v and are %v", before, after)
	}
	gone := doc(2, "")
	gone.Gone = true
	never := doc(9, "")
	never.Gone = true
	f.apply(search.Changes{Docs: []search.Doc{gone, never}})
	f.wants("gone", f.find(search.Lookup{Tokens: tokens("changed")}), "")
	f.wants("those left", f.find(search.Lookup{Conversations: []chat.ConversationID{"c"}}), "c3 c1")
	f.apply(search.Changes{Docs: []search.Doc{doc(2, "back again")}})
	f.wants("back", f.find(search.Lookup{Tokens: tokens("back")}), "c2")
}

// However many conversations are asked for, and whoever wrote most: what is found is
// what a look at each message says.
func testMany(f *fixture) {
	seed := uint64(time.Now().UnixNano())
	f.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	vocabulary := []string{"red", "green", "blue", "会议", "会", "noon"}
	var docs []search.Doc
	for i := range 6000 {
		d := doc(chat.Seq(i/500+1), vocabulary[random.IntN(len(vocabulary))]+" "+vocabulary[random.IntN(len(vocabulary))])
		d.Conversation = chat.ConversationID(fmt.Sprint("c", i%500, "-"))
		d.Time = noon.Add(time.Duration(i) * time.Second)
		docs = append(docs, d)
	}
	for part := range slices.Chunk(docs, 1000) {
		f.apply(search.Changes{Docs: part})
	}
	for range 40 {
		query := vocabulary[random.IntN(len(vocabulary))]
		some := make(map[chat.ConversationID]bool)
		l := search.Lookup{Tokens: tokens(query), Limit: 1 + random.IntN(50)}
		for range []int{1, 5, 20, 300, 450}[random.IntN(5)] {
			id := chat.ConversationID(fmt.Sprint("c", random.IntN(500), "-"))
			if !some[id] {
				some[id] = true
				l.Conversations = append(l.Conversations, id)
			}
		}
		var want []string
		for _, d := range slices.Backward(docs) {
			if some[d.Conversation] && words.Parse(query).Matches(d.Text) && len(want) < l.Limit {
				want = append(want, fmt.Sprint(d.Conversation, d.Seq))
			}
		}
		f.wants(fmt.Sprintf("seed %d: %s in %d conversations", seed, query, len(l.Conversations)), f.find(l), strings.Join(want, " "))
	}
}

func testNames(f *fixture) {
	f.apply(search.Changes{Names: []search.Name{{User: "u1", Name: "Wang Wei u1"}, {User: "u2", Name: "王伟 u2"}, {User: "u3", Name: "Linda u3"}}})
	f.apply(search.Changes{Names: []search.Name{{User: "u3", Name: "Wang Lin u3"}}})
	for query, want := range map[string]string{
		"w": "u1 u3", "wang": "u1 u3", "wang wei": "u1", "王": "u2", "linda": "", "u2": "u2", "lin": "u3",
	} {
		ids, err := f.index.Named(f.Context(), words.ParseName(query).Tokens(), 10)
		if err != nil {
			f.Fatal(err)
		}
		var list []string
		for _, id := range slices.Sorted(slices.Values(ids)) {
			list = append(list, string(id))
		}
		f.wants(query, strings.Join(list, " "), want)
	}
	if ids, err := f.index.Named(f.Context(), words.ParseName("w").Tokens(), 1); err != nil || len(ids) != 1 {
		f.Errorf("one was asked for: %v, %v", ids, err)
	}
	if ids, err := f.index.Named(f.Context(), nil, 1); err == nil {
		f.Errorf("nothing was asked for, %v answered", ids)
	}
}

func testClear(f *fixture) {
	state := search.State{Starts: []chat.Start{{ID: "a"}}, Pos: 5, Users: 5}
	f.apply(search.Changes{
		Docs: []search.Doc{doc(1, "word")}, Reached: map[chat.ConversationID]chat.Seq{"c": 1},
		Names: []search.Name{{User: "u", Name: "word"}}, State: &state,
	})
	if err := f.index.Clear(f.Context()); err != nil {
		f.Fatal(err)
	}
	f.wants("found", f.find(search.Lookup{Tokens: tokens("word")}), "")
	if ids, err := f.index.Named(f.Context(), tokens("word"), 5); err != nil || len(ids) != 0 {
		f.Errorf("named: %v, %v", ids, err)
	}
	if s, err := f.index.State(f.Context()); err != nil || len(s.Starts) != 0 || s.Pos != 0 {
		f.Errorf("state %+v, %v", s, err)
	}
	if seq, err := f.index.Reached(f.Context(), "c"); err != nil || seq != 0 {
		f.Errorf("reached %d, %v", seq, err)
	}
	f.apply(search.Changes{Docs: []search.Doc{doc(1, "word")}})
	f.wants("found again", f.find(search.Lookup{Tokens: tokens("word")}), "c1")
}

func testClose(f *fixture) {
	if err := f.index.Close(); err != nil {
		f.Fatal(err)
	}
	if err := f.index.Apply(f.Context(), &search.Changes{Docs: []search.Doc{doc(1, "word")}}); err == nil {
		f.Error("a closed index was written to")
	}
	if _, err := f.index.Find(f.Context(), search.Lookup{Tokens: tokens("word"), Limit: 1}); err == nil {
		f.Error("a closed index was looked at")
	}
}
