package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// searchedConversations are those of the user who searches, where there are messages enough.
	searchedConversations = 1000
	// fewSearched are the messages that many are compared with.
	fewSearched = 10_000
	// searchSessions search at the same time.
	searchSessions = 8
	// searchPage is how many messages they ask for.
	searchPage = 20
	// searchWindow is how many messages a writer has under way.
	searchWindow = 32
)

// What is looked for. No other word begins like these, and no other character is one of them.
const (
	rareWord   = "quokka"  // one message in 100,000
	commonWord = "weather" // one in 10
	oneChinese = "鲸"       // one in 10
	twoChinese = "熊猫"      // one in 100
)

// corpus is messages of one user with others, one conversation with each.
type corpus struct {
	user          string
	others        []string
	conversations []string
	written       int
}

// searched is in how many conversations the messages are.
func (o *Options) searched() int { return min(searchedConversations, max(1, o.Messages/10)) }

// has says whether message n of so many conversations has a word, or all that it is asked for.
func has(word string, n, conversations int) bool {
	n += n / conversations // or a word would always be in the same conversations
	switch word {
	case rareWord:
		return n%100_000 == 0
	case commonWord:
		return n%10 == 0
	case oneChinese:
		return n%10 == 5
	case twoChinese:
		return n%100 == 7
	}
	return true
}

// text is message n: made up words, some of them much more often than others.
func (c *corpus) text(n int) string {
	const consonants, vowels = "bcdfghjklmnprstvxyz", "aeiou"
	random := rand.New(rand.NewPCG(uint64(n), 0))
	often := func(of int) int { f := random.Float64(); return int(f * f * float64(of)) }
	var b strings.Builder
	for range 4 {
		for w, k := often(20_000), 0; k < 3; k++ {
			b.WriteByte(consonants[(w+k*w/7)%len(consonants)])
			b.WriteByte(vowels[w/len(consonants)%len(vowels)])
			w /= 3
		}
		b.WriteByte(' ')
	}
	for range 8 {
		b.WriteRune(rune('一' + often(2000)))
	}
	for _, word := range []string{rareWord, commonWord, oneChinese, twoChinese} {
		if has(word, n, len(c.others)) {
			b.WriteString(" " + word)
		}
	}
	return b.String()
}

// searchCall is a search that is measured.
type searchCall struct {
	name string
	word string // "": any message
	one  bool   // only in the first conversation
}

var searchCalls = []searchCall{
	{"rare word", rareWord, false},
	{"common word", commonWord, false},
	{"one Chinese character", oneChinese, false},
	{"two Chinese characters", twoChinese, false},
	{"common word in one conversation", commonWord, true},
	{"all of mine", "", false},
}

// runSearch measures searches among many messages and among a few, and how fast an index is made.
func runSearch(ctx context.Context, t *target, run string, o *Options) (m measures, err error) {
	n := o.searched()
	c := &corpus{user: run + "-me", others: names(run+"-o", n), conversations: make([]string, n)}
	few := min(fewSearched, o.Messages/2)
	small, err := c.grow(ctx, t, o, few)
	if err != nil {
		return nil, fmt.Errorf("%d messages: %w", few, err)
	}
	large, err := c.grow(ctx, t, o, o.Messages)
	if err != nil {
		return nil, fmt.Errorf("%d messages: %w", o.Messages, err)
	}
	with := fmt.Sprintf("%d messages", few)
	both := func(name, unit string, one, other float64, known bool) {
		m.add(name, unit, one, known)
		m.beside(with, name, unit, other, known)
	}
	both("written", "a second", large.written, small.written, true)
	both("written and found", "a second", large.found, small.found, true)
	both("the index made anew", "a second", large.anew, small.anew, large.anew > 0)
	both("search.db for each of them", "KB", large.index, small.index, large.index > 0)
	both("search.db", "% of linnet.db", large.share, small.share, large.index > 0)
	for i, call := range searchCalls {
		for k, how := range []string{"one at a time", fmt.Sprintf("%d at a time", searchSessions)} {
			one, other := large.calls[i][k], small.calls[i][k]
			name := call.name + ", " + how
			both(name+": server CPU", "ms", one.cpu, other.cpu, one.known && other.known)
			m.ms(name, &one.latency)
			m.msBeside(with, name, &other.latency)
		}
	}
	return m, nil
}

// searchRun is what was found with so many messages.
type searchRun struct {
	written, found float64         // messages a second: until acknowledged, until the index has them too
	anew           float64         // messages a second, when there was no index; 0: not known
	index, share   float64         // KB of it for a message, % of linnet.db; 0: not known
	calls          [][2]searchCost // one at a time, some at a time
}

// searchCost is what one search costs.
type searchCost struct {
	cpu     float64 // ms
	known   bool    // cpu is
	latency Histogram
}

// grow writes messages up to so many, and measures searches among them.
func (c *corpus) grow(ctx context.Context, t *target, o *Options, upTo int) (*searchRun, error) {
	start, before := time.Now(), c.written
	if err := c.write(ctx, t, upTo); err != nil {
		return nil, err
	}
	r := &searchRun{written: float64(upTo-before) / time.Since(start).Seconds()}
	f, err := c.caughtUp(ctx, t)
	if err != nil {
		return nil, err
	}
	defer func() { f.close() }()
	r.found = float64(upTo-before) / time.Since(start).Seconds()
	for i := range searchCalls {
		call := &searchCalls[i]
		if err := c.first(f.conns[0], call); err != nil {
			return nil, fmt.Errorf("%s: %w", call.name, err)
		}
		var costs [2]searchCost
		for k, conns := range [][]*conn{f.conns[:1], f.conns} {
			if costs[k], err = c.load(t, o, f, conns, call); err != nil {
				return nil, fmt.Errorf("%s, %d at a time: %w", call.name, len(conns), err)
			}
		}
		r.calls = append(r.calls, costs)
	}
	if t.restart == nil {
		return r, nil
	}
	index, store := fileSize(t.data, "search.db"), fileSize(t.data, "linnet.db")
	r.index, r.share = index/1000/float64(upTo), 100*index/store
	f.close()
	if err := t.restart(ctx, "search.db", "search.db-wal", "search.db-shm"); err != nil {
		return nil, err
	}
	start = time.Now()
	if f, err = c.caughtUp(ctx, t); err != nil {
		return nil, fmt.Errorf("make the index anew: %w", err)
	}
	r.anew = float64(upTo) / time.Since(start).Seconds()
	return r, c.first(f.conns[0], &searchCalls[0])
}

// fileSize is that of a file of the server and of what is not in it yet, in bytes.
func fileSize(dir, name string) (sum float64) {
	for _, file := range []string{name, name + "-wal"} {
		if info, err := os.Stat(filepath.Join(dir, file)); err == nil {
			sum += float64(info.Size())
		}
	}
	return sum
}

// write has the others write to the user, in turn, until there are so many messages.
func (c *corpus) write(ctx context.Context, t *target, upTo int) error {
	f, err := t.dialAll(ctx, c.others)
	if err != nil {
		return err
	}
	defer f.close()
	n := len(c.others)
	err = forEach(n, func(i int) error {
		if c.conversations[i] != "" || i >= upTo {
			return nil
		}
		f.conns[i].text = c.text(i)
		at, err := f.conns[i].send(map[string]string{"user": c.user}, nil)
		c.conversations[i] = at.Conversation
		return err
	})
	if err != nil {
		return err
	}
	for from := max(c.written, n); from < upTo; from += n * searchWindow {
		err := forEach(n, func(i int) error {
			pending := 0
			for k := from + (i+n-from%n)%n; k < min(from+n*searchWindow, upTo); k += n {
				f.conns[i].text = c.text(k)
				f.conns[i].queueSend(c.conversations[i])
				pending++
			}
			return f.conns[i].answers(pending)
		})
		if err != nil {
			return err
		}
	}
	c.written = upTo
	return nil
}

// answers waits for so many, and passes over what else comes.
func (c *conn) answers(pending int) error {
	if err := c.SetReadDeadline(time.Now().Add(c.grace)); err != nil {
		return err
	}
	for pending > 0 {
		frame, err := c.next()
		if err != nil {
			return err
		}
		kind, _, err := classify(frame)
		if err != nil {
			return err
		}
		if kind == answerFrame {
			pending--
		}
	}
	return c.SetReadDeadline(time.Time{})
}

// foundPage is what a search answers.
type foundPage struct {
	Messages []struct {
		Conversation, Time, Type, Snippet string
		Seq                               int64
	}
	Behind bool
}

// caughtUp signs the user in some times and waits until the index has all messages.
func (c *corpus) caughtUp(ctx context.Context, t *target) (*fleet, error) {
	users := make([]string, searchSessions)
	for i := range users {
		users[i] = c.user
	}
	f, err := t.dialAll(ctx, users)
	if err != nil {
		return nil, err
	}
	patience := time.Minute + time.Duration(c.written)*2*time.Millisecond
	for until := time.Now().Add(patience); ; {
		got, _, err := c.ask(f.conns[0], &searchCalls[0])
		switch {
		case err == nil && !got.Behind:
			return f, nil
		case err == nil && time.Now().After(until):
			err = fmt.Errorf("the index was still behind after %s", patience)
		case err == nil: // it was waited for as long as a search waits
			continue
		}
		f.close()
		return nil, err
	}
}

// ask searches once.
func (c *corpus) ask(conn *conn, call *searchCall) (*foundPage, []byte, error) {
	params := map[string]any{"limit": searchPage}
	if call.word == "" {
		params["types"] = []string{"text"}
	} else {
		params["query"] = call.word
	}
	if call.one {
		params["conversation"] = c.conversations[0]
	}
	encoded, err := json.Marshal(params)
	if err != nil {
		return nil, nil, err
	}
	frame, err := conn.answer(conn.queueCall("messages.search", encoded), nil)
	if err != nil {
		return nil, nil, err
	}
	var answer struct{ Result foundPage }
	if err := json.Unmarshal(frame, &answer); err != nil {
		return nil, nil, fmt.Errorf("decode the answer: %w", err)
	}
	return &answer.Result, frame, nil
}

// first searches once and checks what is found.
func (c *corpus) first(conn *conn, call *searchCall) error {
	got, _, err := c.ask(conn, call)
	if err != nil {
		return err
	}
	step := 1
	if call.one {
		step = len(c.others)
	}
	want := 0
	for n := 0; n < c.written && want < searchPage; n += step {
		if has(call.word, n, len(c.others)) {
			want++
		}
	}
	return call.check(got, want)
}

// check looks whether a page has so many messages, each once and with the word, newest first.
func (call *searchCall) check(got *foundPage, want int) error {
	if len(got.Messages) != want {
		return fmt.Errorf("%d messages are on the first page; there must be %d", len(got.Messages), want)
	}
	type at struct {
		conversation string
		seq          int64
	}
	seen := make(map[at]bool)
	for i, m := range got.Messages {
		seen[at{m.Conversation, m.Seq}] = true
		switch {
		case !strings.Contains(m.Snippet, call.word) || m.Type != "text":
			return fmt.Errorf("%q was found, a message of type %s: %q", call.word, m.Type, m.Snippet)
		case call.one && m.Conversation != got.Messages[0].Conversation:
			return fmt.Errorf("a message of %s was found in %s", m.Conversation, got.Messages[0].Conversation)
		case i > 0 && m.Time > got.Messages[i-1].Time:
			return fmt.Errorf("a message of %s stands behind one of %s", m.Time, got.Messages[i-1].Time)
		}
	}
	if len(seen) != want {
		return errors.New("a message was found twice")
	}
	return nil
}

// load searches with all conns for as long as is measured. Nobody writes, so each answer must be what the first was.
func (c *corpus) load(t *target, o *Options, f *fleet, conns []*conn, call *searchCall) (cost searchCost, err error) {
	_, frame, err := c.ask(conns[0], call)
	if err != nil {
		return cost, err
	}
	want := bytes.Clone(pageOf(frame))
	latencies := make([]Histogram, len(conns))
	clock, meter := clock{time.Now()}, startMeter(t.pid)
	g := &group{abort: f.close}
	for i, conn := range conns {
		g.run(func() error {
			for {
				start := clock.now()
				if start >= o.Duration {
					return nil
				}
				_, frame, err := c.ask(conn, call)
				if err != nil {
					return err
				}
				latencies[i].Add(clock.now() - start)
				if !bytes.Equal(pageOf(frame), want) {
					return errors.New("the same search was answered differently, though nobody wrote")
				}
			}
		})
	}
	if err := g.wait(); err != nil {
		return cost, err
	}
	used := meter.stop()
	for i := range latencies {
		cost.latency.Merge(&latencies[i])
	}
	cost.cpu, cost.known = used.server.Seconds()*1e3/float64(cost.latency.Count()), used.known
	return cost, nil
}
