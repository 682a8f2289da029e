package words

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Hello":        "hello",
		"ＡＰＩ接口":        "api接口",
		"ｶﾞ":           "ガ",
		"Café":         "cafe",
		"Cafe\u0301":   "cafe",
		"STRASSE":      "strasse",
		"Straße":       "strasse",
		"İstanbul":     "istanbul",
		"ΣΊΣΥΦΟΣ":      "σισυφοσ",
		"Ёж":           "еж",
		"が":            "が",
		"か\u3099":      "が",
		"한":            "한",
		"\u1112\u1161": "하",
		"हिन्दी":       "हिन्दी",
		"ﬁne":          "fine",
		"👍🏽":           "👍",
		"❤\ufe0f":      "❤",
		"a\u200bb":     "ab",
	} {
		if got := Fold(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// Mutants: without the last character alone; without pairs; without single characters.
func TestTokens(t *testing.T) {
	for in, want := range map[string]string{
		"今天会议":                  "今 天 今天 会 天会 议 会议",
		"议":                     "议",
		"API接口 v2":              "api 接 口 接口 v2",
		"internationally at me": "int inter internat at me",
		"four fives":            "fou four fiv fives",
		"foo-bar_baz, 3.14":     "foo bar baz 3 14",
		"":                      "",
		" …!? ":                 "",
		"🎉🎉 ok":                 "🎉 🎉 🎉🎉 ok",
		"ラーメン・屋":                "ラ ー ラー メ ーメ ン メン 屋",
		"été":                   "ete",
	} {
		if got := strings.Join(Tokens(in), " "); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestQueries(t *testing.T) {
	for _, tt := range []struct {
		query, text string
		want        bool
	}{
		{"会议", "明天开会议", true},
		{"会", "开会", true},
		{"会", "会议", true},
		{"会议室", "三楼会议室见", true},
		{"议会", "会议", false},
		{"会室", "会议室", false},
		{"接口", "API接口文档", true},
		{"api", "ＡＰＩ接口文档", true},
		{"API接口", "新的api接口", true},
		{"API接口", "api的接口", false},
		{"api接", "rapi接口", false},
		{"meet", "the Meeting is at noon", true},
		{"eet", "the meeting", false},
		{"me", "meet me", true},
		{"me", "meeting", false},
		{"meeting noon", "noon: a meeting", true},
		{"meeting night", "noon: a meeting", false},
		{"会議", "今日の会議", true},
		{"会議", "会议", false},
		{"회의", "오늘 회의 있어요", true},
		{"cafe", "Café", true},
		{"CAFÉ", "cafe", true},
		{"foo-bar", "bar and foo", true},
		{"me api", "me, the apis", true},
		{"🎉", "party 🎉!", true},
		{"3.14", "14 and 3", true},
		{"mee meeting", "meeting", true},
		{strings.Repeat("x", 33), strings.Repeat("x", 40), true},
		{strings.Repeat("x", 33), strings.Repeat("x", 32) + "y", false},
	} {
		q := Parse(tt.query)
		if q.Terms() == 0 {
			t.Fatalf("%q has no terms", tt.query)
		}
		if got := q.Matches(tt.text); got != tt.want {
			t.Errorf("%q in %q: %v", tt.query, tt.text, got)
		}
		if _, got := q.Find(tt.text); got != tt.want {
			t.Errorf("%q in %q: found: %v", tt.query, tt.text, got)
		}
		if tt.want && !covered(q, tt.text) {
			t.Errorf("%q in %q: the index would not find it: %v of %q", tt.query, tt.text, q.Tokens(), Tokens(tt.text))
		}
	}
	for _, empty := range []string{"", "  ", "?!", "\"-\""} {
		if n := Parse(empty).Terms(); n != 0 {
			t.Errorf("%q has %d terms", empty, n)
		}
	}
}

// covered says whether an index would answer text as a candidate.
func covered(q Query, text string) bool {
	tokens := Tokens(text)
	return !slices.ContainsFunc(q.Tokens(), func(want string) bool { return !slices.Contains(tokens, want) })
}

// Names are found from the first letter on.
func TestNames(t *testing.T) {
	for _, tt := range []struct {
		query, name string
		want        bool
	}{
		{"l", "Linda Li", true},
		{"li", "Linda", true},
		{"linda l", "Li, Linda", true},
		{"n", "Linda", false},
		{"王", "小王", true},
		{"internationally", "The Internationals", false},
		{"International", "The Internationals", true},
	} {
		q := ParseName(tt.query)
		if got := q.Matches(tt.name); got != tt.want {
			t.Errorf("%q in %q: %v", tt.query, tt.name, got)
		}
		has := NameTokens(tt.name)
		if tt.want && slices.ContainsFunc(q.Tokens(), func(want string) bool { return !slices.Contains(has, want) }) {
			t.Errorf("%q in %q: the index would not find it: %v of %q", tt.query, tt.name, q.Tokens(), has)
		}
	}
}

func TestSnippet(t *testing.T) {
	long := strings.Repeat("前面的话", 30) + "今天开会😀吧" + strings.Repeat("后面的话", 30)
	for _, tt := range []struct{ query, text, want string }{
		{"会议", "明天的会议改到三点", "明天的[会议]改到三点"},
		{"meet", "a Meeting,\na meeting", "a [Meet]ing, a [meet]ing"},
		{"cafe", "😀 Café", "😀 [Café]"},
		{"ab bc", "ab bc", "[ab] [bc]"},
		{"fine", "a ﬁne day", "a [ﬁne] day"},
		{"会😀", long, "…" + long[len("前面的话")*30+len("今天开")-30*3:][:30*3] + "[会😀]" + string([]rune(strings.SplitAfter(long, "😀")[1])[:88]) + "…"},
		{"", "nothing looked for", "nothing looked for"},
		{"end", strings.Repeat("x ", 100) + "end", "…" + strings.Repeat("x ", 100)[200-117:] + "[end]"},
	} {
		s, ok := Parse(tt.query).Find(tt.text)
		if !ok {
			t.Errorf("%q is not in %q", tt.query, tt.text)
			continue
		}
		units := utf16.Encode([]rune(s.Text))
		var b strings.Builder
		last := 0
		for _, m := range s.Matches {
			b.WriteString(string(utf16.Decode(units[last:m.Start])) + "[" + string(utf16.Decode(units[m.Start:m.End])) + "]")
			last = m.End
		}
		b.WriteString(string(utf16.Decode(units[last:])))
		if b.String() != tt.want {
			t.Errorf("%q in %q:\ngot  %q\nwant %q", tt.query, tt.text, b.String(), tt.want)
		}
	}
}

// What a text answers is what a naive look at it says, and the index finds all of that.
func TestAgainstNaive(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	alphabet := []string{"a", "b", "B", "é", "ab", "abc", "会", "议", "室", "の", "회", "🎉", " ", " ", "-", "１", "2"}
	text := func(n int) string {
		var b strings.Builder
		for range random.IntN(n) + 1 {
			b.WriteString(alphabet[random.IntN(len(alphabet))])
		}
		return b.String()
	}
	yes := 0
	for range 50_000 {
		q, in := text(4), text(12)
		query := Parse(q)
		got, want := query.Matches(in), naive(q, in)
		if got != want {
			t.Fatalf("seed %d: %q in %q: %v, a naive look says %v", seed, q, in, got, want)
		}
		if got {
			yes++
			if !covered(query, in) {
				t.Fatalf("seed %d: %q in %q: the index would not find it", seed, q, in)
			}
		}
	}
	if yes < 1000 {
		t.Errorf("only %d of the texts answered", yes)
	}
}

// naive is the definition by strings.Contains on the folded text, with blanks where words begin and end.
func naive(query, text string) bool {
	spaced := func(s string, marked bool) string {
		var b strings.Builder
		before := between
		for _, r := range Fold(s) {
			c := classOf(r)
			if c == word && before != word && marked {
				b.WriteString("<")
			}
			if c != word && before == word && marked {
				b.WriteString(">")
			}
			if c == between {
				r = ' '
			}
			b.WriteRune(r)
			before = c
		}
		if before == word && marked {
			b.WriteString(">")
		}
		return b.String()
	}
	in := spaced(text, true)
	for _, term := range strings.Fields(spaced(query, false)) {
		marked := spaced(term, true)
		if i := strings.LastIndex(marked, "<"); strings.HasSuffix(marked, ">") && utf8.RuneCountInString(marked[i+1:])-1 >= 3 {
			marked = strings.TrimSuffix(marked, ">")
		}
		if !strings.Contains(in, marked) {
			return false
		}
	}
	return true
}

func FuzzFind(f *testing.F) {
	for _, seed := range [][2]string{{"会议", "明天的会议"}, {"cafe", "Cafe\u0301 😀"}, {"x", "\xff\xfe"}, {"가", "\u1100\u1161\u11a8"}, {"e", strings.Repeat("e\u0301", 50)}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, query, text string) {
		q := Parse(query)
		for _, token := range Tokens(text) {
			if token == "" || strings.ContainsAny(token, " \x00\"") {
				t.Fatalf("token %q", token)
			}
		}
		s, ok := q.Find(text)
		if ok != q.Matches(text) {
			t.Fatalf("%q in %q: Find says %v", query, text, ok)
		}
		if !ok {
			return
		}
		if !covered(q, text) {
			t.Fatalf("%q in %q: the index would not find it: %v of %q", query, text, q.Tokens(), Tokens(text))
		}
		units := utf16.Encode([]rune(s.Text))
		last := 0
		for _, m := range s.Matches {
			if m.Start < last || m.End <= m.Start || m.End > len(units) {
				t.Fatalf("%q in %q: %v of %d", query, text, s.Matches, len(units))
			}
			last = m.End
		}
		if q.Terms() > 0 && len(s.Matches) == 0 {
			t.Fatalf("%q in %q: nothing is marked in %q", query, text, s.Text)
		}
		if len(units) > 2*(snippetRunes+2) && utf8.ValidString(text) && len(fmt.Sprint(text)) < 500 {
			t.Fatalf("a snippet of %d units", len(units))
		}
	})
}

func BenchmarkTokens(b *testing.B) {
	text := "明天下午三点在会议室讨论新的API接口文档, please read it before the meeting"
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Tokens(text)
	}
}
