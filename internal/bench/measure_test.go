package bench

import (
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/testkit"
)

// onServer is a small run on the real server.
func onServer(t *testing.T, workloads ...Workload) Options {
	t.Helper()
	o := small(t)
	o.Program, o.Workloads = testkit.Command(t).Path, workloads
	o.Crowd, o.pace = 4, 2*time.Millisecond
	return o
}

// The workloads of connections on the real server, on each link. What they check themselves
// makes them fail: a connection that is lost, an event that is missing, a peer that was
// not told that it is slow.
func TestConnectionWorkloads(t *testing.T) {
	for _, link := range []string{LinkTCP, LinkWS, LinkTLS} {
		t.Run(link, func(t *testing.T) {
			o := onServer(t, Idle, SignIn, Storm, Churn)
			o.Links, o.Connections, o.Most = []string{link}, 10, 15
			report, err := Run(t.Context(), o, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			got := make(map[Workload][]string)
			for _, row := range report.MeasureRows {
				got[row.Workload] = append(got[row.Workload], row.Name)
				switch row.Unit {
				case "KB", "% of a core": // ten of them do not show beside what a start leaves behind
				case "µs": // nor does their CPU, in ticks of 10 ms
				default:
					if row.Linnet <= 0 {
						t.Errorf("%s: %s: %g", row.Workload, row.Name, row.Linnet)
					}
				}
				if bare := row.Workload == Idle || row.Workload == SignIn; bare != (row.BesideName != "") && !strings.Contains(row.Name, "15 connections") {
					t.Errorf("%s: %s: beside %q", row.Workload, row.Name, row.BesideName)
				}
			}
			want := map[Workload]int{Idle: 0, SignIn: 3, Storm: 3, Churn: 5}
			if runtime.GOOS == "linux" { // memory and CPU
				want = map[Workload]int{Idle: 3, SignIn: 4, Storm: 4, Churn: 5}
			}
			for w, n := range want {
				if len(got[w]) != n {
					t.Errorf("%s measured %q", w, got[w])
				}
			}
			var table strings.Builder
			if err := report.WriteTable(&table); err != nil || !strings.Contains(table.String(), "from the kill until all have caught up") {
				t.Errorf("the table, %v:\n%s", err, &table)
			}
			if left, err := os.ReadDir(o.Dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestStalled(t *testing.T) {
	o := onServer(t, Stalled)
	report, err := Run(t.Context(), o, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range report.MeasureRows {
		if row.Unit != "KB" && row.Linnet <= 0 {
			t.Errorf("%s: %g", row.Name, row.Linnet)
		}
	}
	if len(report.MeasureRows) < 5 {
		t.Errorf("only %v", report.MeasureRows)
	}
}

// Storms need a server that may be killed.
func TestStormOfAnothersServer(t *testing.T) {
	o := onServer(t, Storm)
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/secret", []byte("a secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Server, o.SecretFile = "127.0.0.1:1", dir+"/secret"
	if _, err := Run(t.Context(), o, io.Discard); err == nil || !strings.Contains(err.Error(), "storm kills the server") {
		t.Errorf("error %v", err)
	}
}

func TestMeasures(t *testing.T) {
	var m measures
	m.add("known", "KB", 1, true)
	m.add("not known here", "KB", 2, false)
	m.ms("nothing counted", new(Histogram))
	if len(m) != 1 || m[0].Name != "known" {
		t.Fatalf("%+v", m)
	}
	row := func(name string, bare bool, value float64) Measure {
		return Measure{Workload: Idle, Link: LinkTCP, Name: name, Unit: "KB", Program: "p", Beside: bare, Value: value}
	}
	rows := summarizeMeasures([]Measure{row("a", false, 9), row("a", true, 3), row("b", false, 1), row("a", false, 6), row("a", false, 100)})
	if len(rows) != 2 || rows[0].Linnet != 9 || rows[0].Beside != 3 || rows[0].Ratio != 3 || rows[1].Ratio != 0 {
		t.Errorf("%+v", rows)
	}
}

// A process knows of itself what it holds. Mutant: kB taken for bytes.
func TestMemory(t *testing.T) {
	if _, known := memory(0); known {
		t.Error("the memory of no process is known")
	}
	before, known := memory(os.Getpid())
	if known != (runtime.GOOS == "linux") {
		t.Fatalf("known on %s: %t", runtime.GOOS, known)
	}
	if !known {
		return
	}
	held := make([]byte, 64<<20)
	for i := range held {
		held[i] = 1
	}
	after, _ := memory(os.Getpid())
	if grown := after - before; grown < 60<<20 || grown > 200<<20 {
		t.Errorf("64 MB more are %d bytes more", grown)
	}
	runtime.KeepAlive(held)
}

// Large groups, rooms and lists on the real server, beside small ones. What they check
// themselves makes them fail: see TestFaults and those below.
func TestLargeWorkloads(t *testing.T) {
	for _, link := range []string{LinkTCP, LinkWS} {
		t.Run(link, func(t *testing.T) {
			o := onServer(t, Large, Room, List)
			o.Links, o.Windows, o.Duration = []string{link}, []int{1}, time.Second
			report, err := Run(t.Context(), o, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			got := make(map[Workload]int)
			for _, row := range report.MeasureRows {
				got[row.Workload]++
				if row.Name == "building the group" {
					continue
				}
				if row.BesideName == "" {
					t.Errorf("%s: %s is compared with nothing", row.Workload, row.Name)
				}
				switch row.Unit {
				case "s", "µs": // CPU, in ticks of 10 ms
				case "events":
					if row.Linnet != 0 {
						t.Errorf("%g events of 64 bytes were skipped", row.Linnet)
					}
				default:
					if row.Linnet <= 0 || row.Beside <= 0 {
						t.Errorf("%s: %s: %g beside %g", row.Workload, row.Name, row.Linnet, row.Beside)
					}
				}
			}
			want := map[Workload]int{Large: 7, Room: 6, List: 12}
			if runtime.GOOS == "linux" { // CPU
				want = map[Workload]int{Large: 8, Room: 7, List: 16}
			}
			for w, n := range want {
				if got[w] != n {
					t.Errorf("%s measured %d figures, not %d", w, got[w], n)
				}
			}
			var table strings.Builder
			if err := report.WriteTable(&table); err != nil || !strings.Contains(table.String(), "a group of two") {
				t.Errorf("the table, %v:\n%s", err, &table)
			}
		})
	}
}

// A list has the conversations it must have, the newest first. Mutants: a conversation
// twice, one missing, another one first, no token though there is more.
func TestCheckList(t *testing.T) {
	list := func(page string, ids ...string) *listed {
		l := &listed{Page: page}
		for _, id := range ids {
			l.Conversations = append(l.Conversations, struct{ ID string }{id})
		}
		return l
	}
	a := &lister{newest: "a"}
	for _, tt := range []struct {
		name string
		got  *listed
		more bool
		ok   bool
	}{
		{"whole", list("", "a", "b"), false, true},
		{"a page of more", list("p", "a", "b"), true, true},
		{"twice", list("", "a", "a"), false, false},
		{"one missing", list("", "a"), false, false},
		{"not in order", list("", "b", "a"), false, false},
		{"no token", list("", "a", "b"), true, false},
		{"a token", list("p", "a", "b"), false, false},
	} {
		if err := a.checkList(tt.got, 2, tt.more); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := listCalls()[3].check(a, &listed{Total: 3}, 3); err == nil {
		t.Error("3 unread of 4 are right")
	}
}

// Two answers are the same page whatever tokens are behind it.
func TestPageOf(t *testing.T) {
	one := pageOf([]byte(`{"jsonrpc":"2.0","id":3,"result":{"conversations":[{"id":"a"}],"page":"x","cursor":"y"}}`))
	if other := pageOf([]byte(`{"jsonrpc":"2.0","id":44,"result":{"conversations":[{"id":"a"}],"cursor":"z"}}`)); string(one) != string(other) {
		t.Errorf("%s\n%s", one, other)
	}
	if other := pageOf([]byte(`{"jsonrpc":"2.0","id":44,"result":{"conversations":[{"id":"b"}],"cursor":"z"}}`)); string(one) == string(other) {
		t.Error("another conversation is the same page")
	}
}

// A gap is a listener's only where none other is missing, and where one may be. Mutants:
// one that begins late, one that begins again; gaps taken for events that are ignored.
func TestGaps(t *testing.T) {
	event := func(seq string) []byte {
		return []byte(`{"jsonrpc":"2.0","method":"event","params":{"conversation":"r","seq":` + seq + `,"kind":"reactions"}}`)
	}
	gap := func(from, to string) []byte {
		return []byte(`{"jsonrpc":"2.0","method":"gap","params":{"conversation":"r","from_seq":` + from + `,"to_seq":` + to + `}}`)
	}
	for _, tt := range []struct {
		name   string
		frames [][]byte
		strict bool
		missed int64
		ok     bool
	}{
		{"none", [][]byte{event("3"), event("4")}, false, 0, true},
		{"one", [][]byte{event("3"), gap("4", "6"), event("7")}, false, 3, true},
		{"at the end", [][]byte{event("3"), gap("4", "4")}, false, 1, true},
		{"late", [][]byte{event("3"), gap("5", "6")}, false, 0, false},
		{"again", [][]byte{event("3"), gap("3", "6")}, false, 0, false},
		{"too short", [][]byte{event("3"), gap("4", "5"), event("7")}, false, 2, false},
		{"backwards", [][]byte{event("3"), gap("4", "3")}, false, 0, false},
		{"where there may be none", [][]byte{event("3"), gap("4", "6"), event("7")}, true, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r receiver
			var missed int64
			if !tt.strict {
				r.gap = func(from, to int64) { missed += to - from + 1 }
			}
			var err error
			for _, f := range tt.frames {
				if err = r.take(f); err != nil {
					break
				}
			}
			if (err == nil) != tt.ok || missed != tt.missed {
				t.Errorf("%d missed, %v", missed, err)
			}
		})
	}
}

// The last of a crowd is told apart, message by message. Mutant: a place that is not
// free again for the seq that comes there later.
func TestReach(t *testing.T) {
	c := new(crowd)
	for round := range int64(3) {
		seq := 7 + round*int64(len(c.reached))
		if c.reach(seq, 3) || c.reach(seq+1, 3) || c.reach(seq, 3) || !c.reach(seq, 3) || c.reach(seq+1, 3) || !c.reach(seq+1, 3) {
			t.Errorf("round %d", round)
		}
	}
}

// Searches on the real server. What they check themselves makes them fail: see TestCheckSearch.
func TestSearch(t *testing.T) {
	o := onServer(t, Search)
	o.Duration = 20 * time.Millisecond
	report, err := Run(t.Context(), o, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	want := 5 + 2*2*len(searchCalls)
	if runtime.GOOS == "linux" { // CPU
		want += 2 * len(searchCalls)
	}
	if len(report.MeasureRows) != want {
		t.Errorf("%d figures; want %d", len(report.MeasureRows), want)
	}
	for _, row := range report.MeasureRows {
		if row.BesideName != "100 messages" {
			t.Errorf("%s is beside %q", row.Name, row.BesideName)
		}
		if cpu := strings.HasSuffix(row.Name, "CPU"); !cpu && (row.Linnet <= 0 || row.Beside <= 0) {
			t.Errorf("%s: %g beside %g", row.Name, row.Linnet, row.Beside)
		}
	}
}

// A page has what was looked for, and what is looked for is in the texts where it must be,
// and nowhere else. Mutants: a message missing, twice, without the word, of another
// conversation, an older one first; a made up word that begins like one that is looked for; a word that is always in the same conversations.
func TestCheckSearch(t *testing.T) {
	page := func(times ...string) *foundPage {
		p := new(foundPage)
		p.Messages = append(p.Messages, make([]struct {
			Conversation, Time, Type, Snippet string
			Seq                               int64
		}, len(times))...)
		for i := range p.Messages {
			m := &p.Messages[i]
			m.Conversation, m.Time, m.Type, m.Snippet, m.Seq = "c", times[i], "text", "good weather", int64(9-i)
		}
		return p
	}
	in := searchCall{word: commonWord, one: true}
	for name, tt := range map[string]struct {
		change func(*foundPage)
		ok     bool
	}{
		"as it must be":   {func(*foundPage) {}, true},
		"one missing":     {func(p *foundPage) { p.Messages = p.Messages[:2] }, false},
		"twice":           {func(p *foundPage) { p.Messages[1].Seq = 9 }, false},
		"one more, twice": {func(p *foundPage) { p.Messages = append(p.Messages, p.Messages[2]) }, false},
		"another word":    {func(p *foundPage) { p.Messages[2].Snippet = "good" }, false},
		"another type":    {func(p *foundPage) { p.Messages[2].Type = "image" }, false},
		"elsewhere":       {func(p *foundPage) { p.Messages[1].Conversation = "d" }, false},
		"an older first":  {func(p *foundPage) { p.Messages[0].Time = "1" }, false},
	} {
		p := page("3", "2", "2")
		tt.change(p)
		if err := in.check(p, 3); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := &corpus{others: make([]string, 10)}
	in0 := 0
	for n := range 2000 {
		text := c.text(n)
		if n%10 == 0 && has(commonWord, n, 10) {
			in0++
		}
		for _, word := range []string{rareWord, commonWord, oneChinese, twoChinese} {
			if strings.Contains(text, word) != has(word, n, 10) {
				t.Fatalf("%q in message %d, %q: it must be %t", word, n, text, has(word, n, 10))
			}
		}
		for word := range strings.FieldsSeq(text) {
			if word != rareWord && word != commonWord && strings.ContainsAny(word[:1], "qw") {
				t.Fatalf("%q", word)
			}
		}
	}
	if in0 < 15 || in0 > 25 {
		t.Errorf("%d of 200 messages of a conversation have a word that one in 10 has", in0)
	}
}
