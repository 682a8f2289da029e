package search_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/search"
	"github.com/linnet-im/linnet/internal/search/words"
)

func TestMessages(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		g := w.group("alice", "team", "bob")
		w.say("alice", g, "明天下午开会议")
		w.say("bob", g, "Which meeting room?")
		d := w.send("alice", chat.Send{ToUser: "bob"}, "image", "会: a picture").Conversation
		w.say("bob", chat.Lobby, "the lobby has a meeting too")
		middle := time.Now()
		for time.Now().UnixMilli() == middle.UnixMilli() {
			// the next message is of another millisecond
		}
		after := time.Now().Truncate(time.Millisecond)
		w.say("bob", d, "会")
		for _, tt := range []struct {
			what, want string
			q          search.Query
		}{
			{"one character", "会|会: a picture|明天下午开会议", search.Query{Text: "会"}},
			{"two", "明天下午开会议", search.Query{Text: "会议"}},
			{"not there", "", search.Query{Text: "议会"}},
			{"a word", "Which meeting room?", search.Query{Text: "MEET"}},
			{"words", "Which meeting room?", search.Query{Text: "room which"}},
			{"in one conversation", "明天下午开会议", search.Query{Text: "会", Conversation: g}},
			{"in a room", "the lobby has a meeting too", search.Query{Text: "meeting", Conversation: chat.Lobby}},
			{"of a sender", "会", search.Query{Text: "会", Senders: []chat.UserID{"bob"}}},
			{"of a type", "会: a picture", search.Query{Text: "会", Types: []string{"image"}}},
			{"of a type, without words", "会: a picture", search.Query{Types: []string{"image"}}},
			{"of a sender, without words", "会|Which meeting room?", search.Query{Senders: []chat.UserID{"bob"}}},
			{"since", "会", search.Query{Text: "会", Since: after}},
			{"until", "会: a picture|明天下午开会议", search.Query{Text: "会", Until: after}},
			{"in pages", "会|会: a picture|明天下午开会议", search.Query{Text: "会", Limit: 1}},
		} {
			w.wants(tt.what, w.found("alice", tt.q), tt.want)
		}
		page, err := w.find.Messages(t.Context(), as("bob"), search.Query{Text: "meeting", Limit: 5})
		if err != nil || len(page.Found) != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		m := page.Found[0]
		if m.Conversation != g || m.Seq != 3 || m.From != "bob" || m.Type != "text" || time.Since(m.Time) > time.Minute ||
			!slices.Equal(m.Snippet.Matches, []words.Range{{Start: 6, End: 13}}) {
			t.Errorf("got %+v", m)
		}
	})
}

// Whatever the index holds, what a searcher may not see is not found. Mutants: Look
// answers what the store has; the text is not compared again.
func TestOnlyWhatMayBeSeen(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		g := w.group("alice", "team", "bob", "carol")
		w.say("alice", g, "secret one")
		w.change(w.chat.RemoveMembers, "alice", g, "bob")
		w.say("alice", g, "secret two")
		w.change(w.chat.AddMembers, "alice", g, "bob")
		w.say("alice", g, "secret three")
		w.say("alice", g, "secret for carol", "carol")
		w.send("alice", chat.Send{ToUser: "carol"}, "text", "secret direct")
		w.change(w.chat.RemoveMembers, "alice", g, "carol")
		w.say("alice", g, "secret four")
		for u, want := range map[chat.UserID]string{
			"alice":   "secret four|secret direct|secret for carol|secret three|secret two|secret one",
			"bob":     "secret four|secret three|secret one",
			"carol":   "secret direct|secret for carol|secret three|secret two|secret one",
			"mallory": "",
		} {
			// Messages of one millisecond come in any order.
			sorted := func(list string) string {
				parts := strings.Split(list, "|")
				slices.Sort(parts)
				return strings.Join(parts, "|")
			}
			w.wants(string(u), sorted(w.found(u, search.Query{Text: "secret"})), sorted(want))
			w.wants(string(u)+" by type", sorted(w.found(u, search.Query{Types: []string{"text"}})), sorted(want))
		}
		if _, err := w.find.Messages(t.Context(), as("mallory"), search.Query{Text: "secret", Conversation: g, Limit: 5}); code(err) != chat.CodeNotFound {
			t.Errorf("a stranger searched the group: %v", err)
		}
		// The index lies: an event that is no message, one that does not have the word, one that is not there.
		lie := func(seq chat.Seq) search.Doc {
			return search.Doc{Conversation: g, Seq: seq, Time: time.Now(), From: "alice", Type: "text", Text: "truth"}
		}
		if err := w.index.Apply(t.Context(), &search.Changes{Docs: []search.Doc{lie(1), lie(2), lie(99)}}); err != nil {
			t.Fatal(err)
		}
		if page, err := w.find.Messages(t.Context(), as("alice"), search.Query{Text: "truth", Limit: 5}); err != nil || len(page.Found) != 0 {
			t.Errorf("lies: %+v, %v", page.Found, err)
		}
	})
}

func code(err error) chat.Code {
	var own *chat.Error
	if errors.As(err, &own) {
		return own.Code
	}
	return ""
}

func TestBadQueries(t *testing.T) {
	w := newWorld(t, "")
	w.group("alice", "team")
	now := time.Now()
	for param, q := range map[string]search.Query{
		"query":  {},
		"query ": {Text: "?!"},
		" query": {Text: strings.Repeat("会", search.MaxQuery+1)},
		"query2": {Text: strings.Repeat("ab cd ef gh i j k l m n o p q r s t u v", 1)},
		"from":   {Text: "x", Senders: []chat.UserID{"a:b"}},
		"from2":  {Text: "x", Senders: numbered("u", search.MaxSenders+1)},
		"types":  {Text: "x", Types: make([]string, search.MaxTypes+1)},
		"until":  {Text: "x", Since: now, Until: now},
		"page":   {Text: "x", Page: "abc"},
		"page2":  {Text: "x", Page: "AAAAAAAAAAAAAAAAAAAAAA"},
	} {
		q.Limit = 5
		_, err := w.find.Messages(t.Context(), as("alice"), q)
		var own *chat.Error
		if !errors.As(err, &own) || own.Code != chat.CodeParam || own.Param != strings.Trim(param, " 2") {
			t.Errorf("%s: %v", param, err)
		}
	}
	for what, try := range map[string]func(text string) error{
		"users":         func(text string) error { _, err := w.find.Users(t.Context(), as("alice"), text, 5); return err },
		"conversations": func(text string) error { _, err := w.find.Conversations(t.Context(), as("alice"), text, 5); return err },
		"members":       func(text string) error { _, err := w.find.Members(t.Context(), as("alice"), "g", text, 5); return err },
	} {
		for _, text := range []string{"", "…", strings.Repeat("x", search.MaxQuery+1)} {
			if err := try(text); code(err) != chat.CodeParam {
				t.Errorf("%s %q: %v", what, text, err)
			}
		}
	}
}

// A page goes on with its own search only.
func TestPageOfAnotherSearch(t *testing.T) {
	w := newWorld(t, "")
	g := w.group("alice", "team")
	w.say("alice", g, "one word")
	w.say("alice", g, "another word")
	page, err := w.find.Messages(t.Context(), as("alice"), search.Query{Text: "word", Limit: 1})
	if err != nil || page.Page == "" || len(page.Found) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	if _, err := w.find.Messages(t.Context(), as("alice"), search.Query{Text: "one", Limit: 1, Page: page.Page}); code(err) != chat.CodeParam {
		t.Errorf("it was taken: %v", err)
	}
}

func TestRate(t *testing.T) {
	w := newWorld(t, "")
	limited := chat.Actor{User: "alice", Limited: true}
	var got []chat.Code
	for range 4 {
		_, err := w.find.Messages(t.Context(), limited, search.Query{Text: "word", Limit: 1})
		got = append(got, code(err))
	}
	if !slices.Equal(got, []chat.Code{"", "", "", chat.CodeRate}) {
		t.Errorf("got %q", got)
	}
}

func TestPeople(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		for id, name := range map[chat.UserID]string{"u1": "Wang Wei", "u2": "王伟", "u3": "Wang Fang", "u4": "Wanda", "alice": "Alice"} {
			if _, err := w.chat.UpdateUser(t.Context(), as(id), chat.ProfileChange{Name: &name}); err != nil {
				t.Fatal(err)
			}
		}
		w.send("alice", chat.Send{ToUser: "u1"}, "text", "hi")
		w.send("u5", chat.Send{ToUser: "alice"}, "text", "hi")
		w.group("u2", "old friends", "alice", "u4")
		w.group("u3", "strangers", "u1")
		users := func(u chat.UserID, text string) (string, string) {
			found, err := w.find.Users(t.Context(), as(u), text, 10)
			if err != nil {
				t.Fatal(err)
			}
			var list []string
			for _, p := range found.Found {
				list = append(list, string(p.ID))
			}
			slices.Sort(list)
			exact := ""
			if found.Exact != nil {
				exact = string(found.Exact.ID) + " " + found.Exact.Name
			}
			return strings.Join(list, " "), exact
		}
		for _, tt := range []struct{ text, want, exact string }{
			{"wan", "u1 u4", "wan wan"},
			{"w", "u1 u4", "w w"},
			{"wang fang", "", ""}, // no conversation with alice
			{"伟", "u2", "伟 伟"},
			{"u3", "", "u3 Wang Fang"},
			{"u5", "u5", "u5 u5"},
			{"nobody", "", "nobody nobody"},
			{"u", "u1 u2 u4 u5", "u u"},
		} {
			list, exact := users("alice", tt.text)
			w.wants("alice looks for "+tt.text, list, tt.want)
			w.wants("alice looks for exactly "+tt.text, exact, tt.exact)
		}
		if _, err := w.chat.UpdateUser(t.Context(), as("u4"), chat.ProfileChange{Name: new("Ursula")}); err != nil {
			t.Fatal(err)
		}
		list, _ := users("alice", "wanda")
		w.wants("her old name", list, "")
		list, _ = users("alice", "ursula")
		w.wants("her new name", list, "u4")

		groups := func(u chat.UserID, text string) string {
			found, err := w.find.Conversations(t.Context(), as(u), text, 10)
			if err != nil {
				t.Fatal(err)
			}
			var list []string
			for _, c := range found {
				list = append(list, c.Conversation.Name)
			}
			return strings.Join(list, "|")
		}
		w.wants("groups", groups("alice", "fri"), "old friends")
		w.wants("groups of others", groups("alice", "strangers"), "")
		w.wants("their own", groups("u1", "str"), "strangers")
	})
}

func TestMembers(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		few := w.group("alice", "few", "bob", "carla")
		many := w.group("alice", "many", numbered("m", 700)...)
		for id, name := range map[chat.UserID]string{"bob": "Robert", "m00300": "Robin 罗宾", "x": "Robin Outside"} {
			if _, err := w.chat.UpdateUser(t.Context(), as(id), chat.ProfileChange{Name: &name}); err != nil {
				t.Fatal(err)
			}
		}
		members := func(u chat.UserID, id chat.ConversationID, text string) string {
			found, err := w.find.Members(t.Context(), as(u), id, text, 3)
			if err != nil {
				return string(code(err))
			}
			var list []string
			for _, m := range found {
				list = append(list, fmt.Sprint(m.User, " ", m.Profile.Name, " ", m.Role))
			}
			return strings.Join(list, "|")
		}
		for _, tt := range []struct {
			id         chat.ConversationID
			text, want string
		}{
			{few, "rob", "bob Robert member"},
			{few, "al", "alice alice owner"},
			{few, "b", "bob Robert member"},
			{many, "rob", "m00300 Robin 罗宾 member"},
			{many, "罗", "m00300 Robin 罗宾 member"},
			{many, "m0069", "m00690 m00690 member|m00691 m00691 member|m00692 m00692 member"},
			{many, "m00007", "m00007 m00007 member"},
			{many, "bob", ""},
			{many, "x", ""},
		} {
			w.wants(fmt.Sprintf("%q in %s", tt.text, tt.id), members("alice", tt.id, tt.text), tt.want)
		}
		w.change(w.chat.RemoveMembers, "alice", many, "m00300")
		w.wants("who is gone", members("alice", many, "rob"), "")
		w.wants("to who is gone", members("m00300", many, "rob"), string(chat.CodeForbidden))
		w.wants("to a stranger", members("bob", many, "rob"), string(chat.CodeNotFound))
		w.wants("to a stranger who is asked for", members("bob", many, "bob"), string(chat.CodeNotFound))
	})
}

// A restart goes on where the index was, and finds what came meanwhile.
func TestRestart(t *testing.T) {
	w := newWorld(t, t.TempDir())
	g := w.group("alice", "team")
	w.say("alice", g, "before")
	w.wants("before", w.found("alice", search.Query{Text: "before"}), "before")
	w.stop()
	w.say("alice", g, "meanwhile")
	state := w.state(t)
	w.chat.Close()
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	w.begin()
	w.wants("after", w.found("alice", search.Query{Types: []string{"text"}}), "meanwhile|before")
	if now := w.state(t); now.Pos <= state.Pos {
		t.Errorf("it is at %d, was at %d", now.Pos, state.Pos)
	}
}

// state answers how far the index on disk goes.
func (w *world) state(t *testing.T) search.State {
	t.Helper()
	x := open(t, w.dir)
	s, err := x.State(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A store that was put back is noticed, and what it does not have is not in the index.
// Mutant: chat.Holds answers true.
func TestRestoredStore(t *testing.T) {
	w := newWorld(t, t.TempDir())
	g := w.group("alice", "team")
	w.say("alice", g, "common past")
	w.end()
	copied, err := os.ReadFile(filepath.Join(w.dir, "linnet.db"))
	if err != nil {
		t.Fatal(err)
	}
	w.begin()
	w.say("alice", g, "lost one")
	w.wants("before", w.found("alice", search.Query{Text: "one"}), "lost one")
	w.end()
	if err := os.WriteFile(filepath.Join(w.dir, "linnet.db"), copied, 0o600); err != nil {
		t.Fatal(err)
	}
	w.begin()
	for range 3 {
		w.say("alice", g, "new one") // the seqs and positions that were lost are given again
	}
	w.wants("after", w.found("alice", search.Query{Text: "one"}), "new one|new one|new one")
	w.wants("past", w.found("alice", search.Query{Text: "past"}), "common past")
	hits, err := w.index.Find(t.Context(), search.Lookup{Tokens: words.Parse("lost").Tokens(), Limit: 5})
	if err != nil || len(hits) != 0 {
		t.Errorf("the index has what was lost: %v, %v", hits, err)
	}
}

// What people find is what a naive look at everything says, whoever comes and goes, and
// whenever the search or everything is begun again.
func TestAgainstOracle(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	worlds(t, func(t *testing.T, w *world) {
		random := rand.New(rand.NewPCG(seed, 1))
		people := []chat.UserID{"ann", "bob", "cat", "dan"}
		vocabulary := []string{"会议", "会", "议会", "室", "Meeting", "meet", "at", "Ａt", "lunch", "café", "🎉", "3"}
		type message struct {
			conversation chat.ConversationID
			from         chat.UserID
			kind, text   string
			seenBy       []chat.UserID
		}
		type group struct {
			id chat.ConversationID
			in map[chat.UserID]bool
		}
		var log []message
		var groups []*group
		steps := 250
		if w.dir == "" {
			steps = 500
		}
		pick := func() chat.UserID { return people[random.IntN(len(people))] }
		text := func(n int) string {
			var list []string
			for range 1 + random.IntN(n) {
				list = append(list, vocabulary[random.IntN(len(vocabulary))])
			}
			return strings.Join(list, []string{"", " ", "-"}[random.IntN(3)])
		}
		for step := range steps {
			u := pick()
			switch n := random.IntN(20); {
			case len(groups) < 2 || n == 0 && len(groups) < 8:
				g := &group{w.group(u, "team"), map[chat.UserID]bool{u: true}}
				groups = append(groups, g)
			case n < 3:
				g := groups[random.IntN(len(groups))]
				if other := pick(); g.in[u] && !g.in[other] {
					w.change(w.chat.AddMembers, u, g.id, other)
					g.in[other] = true
				}
			case n == 3:
				g := groups[random.IntN(len(groups))]
				if g.in[u] && len(g.in) > 1 {
					if _, err := w.chat.Leave(t.Context(), as(u), chat.GroupCall{Key: w.key(), Conversation: g.id}); err != nil {
						t.Fatal(err)
					}
					delete(g.in, u)
				}
			case n == 4 && step%5 == 0:
				w.stop()
				w.beginSearch()
			case n == 5 && w.dir != "" && step%10 == 0:
				w.end()
				w.begin()
			case n < 13:
				g := groups[random.IntN(len(groups))]
				if !g.in[u] {
					continue
				}
				m := message{g.id, u, []string{"text", "text", "image"}[random.IntN(3)], text(5), nil}
				s := chat.Send{Conversation: g.id}
				for p := range g.in {
					m.seenBy = append(m.seenBy, p)
				}
				if other := pick(); random.IntN(5) == 0 && g.in[other] && other != u {
					s.Only, m.seenBy = []chat.UserID{other}, []chat.UserID{u, other}
				}
				w.send(u, s, m.kind, m.text)
				log = append(log, m)
			default:
				q := search.Query{Text: text(2), Limit: 1 + random.IntN(20)}
				if random.IntN(4) == 0 {
					q.Senders = []chat.UserID{pick()}
				}
				if random.IntN(4) == 0 {
					q.Types = []string{"image"}
				}
				if g := groups[random.IntN(len(groups))]; random.IntN(3) == 0 && g.in[u] {
					q.Conversation = g.id
				}
				var want []string
				for _, m := range log {
					if slices.Contains(m.seenBy, u) && naive(q.Text, m.text) &&
						(len(q.Senders) == 0 || q.Senders[0] == m.from) && (len(q.Types) == 0 || m.kind == "image") &&
						(q.Conversation == "" || q.Conversation == m.conversation) {
						want = append(want, m.text)
					}
				}
				got := strings.Split(w.found(u, q), "|")
				if got[0] == "" {
					got = nil
				}
				// Messages of one millisecond come in any order.
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Fatalf("seed %d, step %d: %s looks for %+v:\ngot  %q\nwant %q", seed, step, u, q, got, want)
				}
			}
		}
	})
}

// naive is what a text answers, by strings.Contains on folded texts: the words of this
// test's vocabulary only.
func naive(query, text string) bool {
	isLatin := func(b byte) bool { return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' }
	in := words.Fold(text)
	for _, term := range strings.FieldsFunc(words.Fold(query), func(r rune) bool { return r == ' ' || r == '-' }) {
		last := len(term)
		for last > 0 && isLatin(term[last-1]) {
			last--
		}
		whole := len(term)-last > 0 && len(term)-last < 3
		yes := false
		for i := 0; i < len(in); i++ {
			if !strings.HasPrefix(in[i:], term) {
				continue
			}
			end := i + len(term)
			begins := !isLatin(term[0]) || i == 0 || !isLatin(in[i-1])
			ends := !whole || end == len(in) || !isLatin(in[end])
			yes = yes || begins && ends
		}
		if !yes {
			return false
		}
	}
	return true
}
