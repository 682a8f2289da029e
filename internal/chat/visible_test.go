package chat_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/memory"
	"github.com/linnet-im/linnet/internal/store/sqlite"
)

// oracle is what a test knows of a group because it did it: who was in it when.
type oracle struct {
	id     chat.ConversationID
	shared bool
	owner  chat.UserID
	in     map[chat.UserID]bool
	was    map[chat.UserID]bool
	events []logged // by seq, from 1
	read   map[chat.UserID]chat.Seq
}

type logged struct {
	message bool
	from    chat.UserID
	sees    map[chat.UserID]bool
	hidden  map[chat.UserID]bool // deleted for this one alone
	only    []chat.UserID        // nil: for all
	text    string
	erased  bool
	changes bool // others: it does not stand for the conversation
}

// log notes an event, seen by those who are in the group before it or after it.
func (o *oracle) log(message bool, from chat.UserID, change func()) {
	e := logged{message: message, from: from, sees: make(map[chat.UserID]bool), hidden: make(map[chat.UserID]bool)}
	note := func() {
		for u, in := range o.in {
			if in {
				e.sees[u] = true
			}
		}
	}
	note()
	if change != nil {
		change()
	}
	note()
	o.events = append(o.events, e)
}

func (o *oracle) join(u chat.UserID) {
	if o.shared && !o.was[u] {
		for i := range o.events {
			o.events[i].sees[u] = true
		}
	}
	o.in[u], o.was[u] = true, true
	o.read[u] = chat.Seq(len(o.events)) // the seq before the event that is being noted
}

// shows says whether u is shown what the event at seq holds.
func (o *oracle) shows(u chat.UserID, seq chat.Seq) bool {
	e := &o.events[seq-1]
	return e.sees[u] && !e.hidden[u] && !e.erased && (e.only == nil || slices.Contains(e.only, u))
}

// visible lists the seqs of what u is shown.
func (o *oracle) visible(u chat.UserID) []chat.Seq {
	var list []chat.Seq
	for i := range o.events {
		if seq := chat.Seq(i + 1); o.shows(u, seq) {
			list = append(list, seq)
		}
	}
	return list
}

// head is the newest event from when u was there.
func (o *oracle) head(u chat.UserID) chat.Seq {
	for i := len(o.events); i > 0; i-- {
		if o.events[i-1].sees[u] {
			return chat.Seq(i)
		}
	}
	return 0
}

// last is what stands for the conversation: near the newest that is not hidden.
func (o *oracle) last(u chat.UserID) chat.Seq {
	seq := o.head(u)
	for ; seq > 0 && (o.events[seq-1].hidden[u] || !o.events[seq-1].sees[u]); seq-- {
		continue
	}
	for lowest := seq - 20; seq > max(0, lowest); seq-- {
		if o.shows(u, seq) && !o.events[seq-1].changes {
			return seq
		}
	}
	return 0
}

// unread counts the messages after the read position that others wrote and u may see. One
// that was recalled counts on.
func (o *oracle) unread(u chat.UserID) int64 {
	if !o.in[u] {
		return 0
	}
	n := int64(0)
	for i := range o.events {
		if chat.Seq(i+1) > o.read[u] && o.unreadable(u, chat.Seq(i+1)) {
			n++
		}
	}
	return n
}

func (o *oracle) unreadable(u chat.UserID, seq chat.Seq) bool {
	e := &o.events[seq-1]
	return e.message && e.from != u && e.sees[u] && !e.hidden[u] && (e.only == nil || slices.Contains(e.only, u))
}

// play does random things in a group and notes them in its oracle.
type play struct {
	*world
	rnd   *rand.Rand
	users []chat.UserID
	o     *oracle
	calls int
}

func newPlay(t *testing.T, w *world, seed uint64, shared bool) *play {
	t.Helper()
	p := &play{world: w, rnd: rand.New(rand.NewPCG(seed, 0)), calls: 1}
	for n := range 6 {
		p.users = append(p.users, chat.UserID(fmt.Sprint("u", n)))
	}
	p.o = &oracle{
		shared: shared, owner: "u0", in: make(map[chat.UserID]bool),
		was: make(map[chat.UserID]bool), read: make(map[chat.UserID]chat.Seq),
	}
	p.o.log(false, "u0", func() { p.o.join("u0"); p.o.join("u1"); p.o.join("u2") })
	p.o.id = p.group(1, shared, "u0", "u1", "u2")
	return p
}

func (p *play) someone() chat.UserID { return p.users[p.rnd.IntN(len(p.users))] }

// step does one thing and says what it was.
func (p *play) step() string {
	p.t.Helper()
	ctx, o, u := p.t.Context(), p.o, p.someone()
	p.calls++
	head := chat.Seq(len(o.events))
	switch k := p.rnd.IntN(16); {
	case k >= 10:
		return p.change(u, k)
	case k < 5:
		m := into(o.id, p.calls)
		m.KeepUnread = p.rnd.IntN(2) == 0
		if other := p.someone(); p.rnd.IntN(4) == 0 && o.in[u] && o.in[other] {
			m.Only = []chat.UserID{other}
		}
		_, err := p.send(u, m)
		if !o.in[u] {
			wantCode(p.t, err, chat.CodeNotFound)
			return fmt.Sprint(u, " may not send")
		}
		wantCode(p.t, err, "")
		o.log(true, u, nil)
		e := &o.events[head]
		e.text = fmt.Sprint("message ", p.calls)
		if m.Only != nil {
			e.only = append(slices.Clone(m.Only), u)
		}
		if !m.KeepUnread {
			o.read[u] = head + 1
		}
		return fmt.Sprint(u, " sends, read: ", !m.KeepUnread, ", only: ", m.Only)
	case k < 7:
		seq := chat.Seq(p.rnd.Int64N(int64(head) + 3))
		read, left, err := p.MarkRead(ctx, as(u), o.id, seq)
		if !o.was[u] {
			wantCode(p.t, err, chat.CodeNotFound)
			return fmt.Sprint(u, " may not read")
		}
		wantCode(p.t, err, "")
		if o.in[u] {
			o.read[u] = max(o.read[u], min(seq, head))
		}
		if want := o.unread(u); read != o.read[u] || left != want {
			p.t.Fatalf("%s reads up to %d: stands at %d with %d unread, want %d and %d", u, seq, read, left, o.read[u], want)
		}
		return fmt.Sprint(u, " reads ", seq)
	case u == o.owner:
		return "nothing"
	case o.in[u] && k == 7:
		_, err := p.RemoveMembers(ctx, as(o.owner), change(o.id, p.calls, u))
		wantCode(p.t, err, "")
		o.log(false, o.owner, func() { o.in[u] = false })
		return fmt.Sprint(u, " is removed")
	case o.in[u] && k == 8:
		_, err := p.leave(u, o.id, p.calls)
		wantCode(p.t, err, "")
		o.log(false, u, func() { o.in[u] = false })
		return fmt.Sprint(u, " leaves")
	case !o.in[u]:
		_, err := p.AddMembers(ctx, as(o.owner), change(o.id, p.calls, u))
		wantCode(p.t, err, "")
		o.log(false, o.owner, func() { o.join(u) })
		return fmt.Sprint(u, " is added")
	}
	return "nothing"
}

// change does something to what was said.
func (p *play) change(u chat.UserID, k int) string {
	p.t.Helper()
	ctx, o := p.t.Context(), p.o
	head := chat.Seq(len(o.events))
	seq := 1 + chat.Seq(p.rnd.Int64N(int64(head)))
	target := &o.events[seq-1]
	mayRead := o.was[u] && o.in[u] && target.message && target.sees[u] && !target.hidden[u] && !target.erased &&
		(target.only == nil || slices.Contains(target.only, u))
	told := func() {
		o.log(false, u, nil)
		e := &o.events[head]
		e.changes, e.only = true, o.events[seq-1].only
	}
	want := chat.Code("")
	if !mayRead {
		want = chat.CodeNotFound
	}
	cid, key := id(p.calls)
	call := chat.GroupCall{Key: key, ClientID: cid, Conversation: o.id}
	switch k {
	case 10, 11:
		if mayRead && target.from != u {
			want = chat.CodeForbidden
		}
		_, err := p.Edit(ctx, as(u), chat.MessageCall{GroupCall: call, Seq: seq}, text(fmt.Sprint("edited ", p.calls)))
		wantCode(p.t, err, want)
		if want == "" {
			told()
			o.events[seq-1].text = fmt.Sprint("edited ", p.calls)
		}
		return fmt.Sprint(u, " edits ", seq, ": ", want)
	case 12:
		if mayRead && target.from != u && u != o.owner {
			want = chat.CodeForbidden
		}
		_, err := p.Recall(ctx, as(u), chat.MessageCall{GroupCall: call, Seq: seq})
		wantCode(p.t, err, want)
		if want == "" {
			told()
			o.events[seq-1].erased = true
		}
		return fmt.Sprint(u, " recalls ", seq, ": ", want)
	case 13:
		to := min(head, seq+chat.Seq(p.rnd.IntN(4)))
		var gone []chat.Seq
		for s := seq; s <= to; s++ {
			if o.events[s-1].message && o.shows(o.owner, s) {
				gone = append(gone, s)
			}
		}
		_, err := p.Purge(ctx, as(o.owner), call, [][2]chat.Seq{{seq, to}})
		wantCode(p.t, err, "")
		if len(gone) > 0 {
			o.log(false, o.owner, nil)
			o.events[head].changes = true
			for _, s := range gone {
				o.events[s-1].erased = true
			}
		}
		return fmt.Sprint(o.owner, " purges ", seq, " to ", to)
	}
	from, to := seq, seq+chat.Seq(p.rnd.IntN(8))
	if p.rnd.IntN(5) == 0 {
		from = 1
	}
	want = ""
	if !o.was[u] {
		want = chat.CodeNotFound
	}
	err := p.Hide(ctx, as(u), o.id, [][2]chat.Seq{{from, to}})
	wantCode(p.t, err, want)
	if want == "" {
		for s := from; s <= min(to, head); s++ {
			o.events[s-1].hidden[u] = true
		}
	}
	return fmt.Sprint(u, " hides ", from, " to ", to)
}

// check compares everything that shows a user something with the oracle.
func (p *play) check() {
	p.t.Helper()
	ctx, o := p.t.Context(), p.o
	for seq := range o.events {
		audience, err := p.store.Audience(ctx, o.id, chat.Seq(seq+1))
		if err != nil {
			p.t.Fatal(err)
		}
		for _, u := range p.users {
			if slices.Contains(audience, u) != o.events[seq].sees[u] {
				p.t.Errorf("the audience of %d is %v; %s sees it: %v", seq+1, audience, u, o.events[seq].sees[u])
			}
		}
	}
	for _, u := range p.users {
		want := o.visible(u)
		synced, err := p.Sync(ctx, as(u), "", "", 10)
		if err != nil {
			p.t.Fatal(err)
		}
		page, _, err := p.Conversations(ctx, as(u), chat.Inbox{Page: "", Limit: 10})
		if err != nil {
			p.t.Fatal(err)
		}
		if !o.was[u] {
			_, err := p.List(ctx, as(u), chat.List{Conversation: o.id, Limit: 10})
			wantCode(p.t, err, chat.CodeNotFound)
			_, err = p.Conversation(ctx, as(u), o.id)
			wantCode(p.t, err, chat.CodeNotFound)
			if len(synced.Conversations)+len(page) != 0 {
				p.t.Errorf("%s, who was never in it, syncs %+v and lists %+v", u, synced, page)
			}
			continue
		}
		if got := p.seqs(u, o.id); !slices.Equal(got, want) {
			p.t.Errorf("%s lists %v, want %v", u, got, want)
		}
		p.checkUnread(u)
		p.checkTold(u)
		if len(synced.Conversations) != 1 || len(page) != 1 {
			p.t.Fatalf("%s syncs %d conversations and lists %d, want one", u, len(synced.Conversations), len(page))
		}
		head, lastWant := o.head(u), o.last(u)
		for _, s := range []chat.Summary{synced.Conversations[0], page[0], p.summary(u, o.id)} {
			last := chat.Seq(0)
			if s.Last != nil {
				last = s.Last.Seq
			}
			if s.Head != head || last != lastWant || s.Joined != o.in[u] || s.Unread != o.unread(u) {
				p.t.Errorf("%s sees head %d, last %v, joined %v, %d unread; want %d, %d, %v, %d",
					u, s.Head, last, s.Joined, s.Unread, head, lastWant, o.in[u], o.unread(u))
			}
		}
	}
}

// checkUnread compares a member's count with what it can count itself.
func (p *play) checkUnread(u chat.UserID) {
	p.t.Helper()
	s := p.summary(u, p.o.id)
	if !s.Joined {
		return
	}
	after := s.Member.ReadSeq
	l, err := p.List(p.t.Context(), as(u), chat.List{Conversation: p.o.id, After: &after, Limit: 1 << 20, Messages: true})
	if err != nil {
		p.t.Fatal(err)
	}
	n := int64(0)
	for _, r := range l.Events {
		e := decode(p.t, r)
		switch {
		case e.Kind == chat.Void && p.o.shows(u, e.Seq), e.Kind != chat.Void && e.Kind != chat.Message:
			p.t.Errorf("view messages lists %s", r.JSON)
		case e.Kind == chat.Void && !p.o.unreadable(u, e.Seq): // not for u, or u's own
		case e.From != u:
			n++
		}
	}
	if s.Unread != n {
		p.t.Errorf("%s has %d unread and can list %d after %d", u, s.Unread, n, after)
	}
}

// checkTold compares what a member is told of all that it missed with what it may be shown:
// the same events, with what they hold now.
func (p *play) checkTold(u chat.UserID) {
	p.t.Helper()
	var got told
	if _, _, err := p.Missed(p.t.Context(), as(u), p.Cursor(u, 0), nil, &got); err != nil {
		p.t.Fatal(err)
	}
	var shown []chat.Seq
	for _, r := range got.records {
		e := decode(p.t, r)
		if e.Kind == chat.Void {
			continue
		}
		shown = append(shown, e.Seq)
		if want := p.o.events[e.Seq-1]; want.message && e.Content.Text != want.text {
			p.t.Errorf("%s is told %s, which holds %q now", u, r.JSON, want.text)
		}
	}
	if p.o.in[u] && !slices.Equal(shown, p.o.visible(u)) {
		p.t.Errorf("%s is told %v, want %v", u, shown, p.o.visible(u))
	}
}

// told takes what Missed tells.
type told struct{ records []chat.Record }

func (t *told) Reset([]chat.Forked) error { return nil }

func (t *told) Event(r chat.Record) error {
	t.records = append(t.records, r)
	return nil
}

func (t *told) Gap(id chat.ConversationID, from, to chat.Seq) error {
	return fmt.Errorf("a gap in %s from %d to %d", id, from, to)
}

// onDisk opens a store in a file.
func onDisk(t *testing.T) chat.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "linnet.db"), Synchronous: "NORMAL"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Mutants: lists of the log as it was, without reveal or without; previews from the head;
// unread that counts what is hidden, or whispers that are; merge that takes one range's end
// for both; changes of whispers told to everybody; top(spans) of a former member as
// Conversation.Seq; unread without the own messages; admit without the read position; dismiss
// with the seq before.
func TestOneRuleOfVisibility(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			store := chat.Store(memory.New())
			if seed%4 == 3 {
				store = onDisk(t)
			}
			p := newPlay(t, newWorldOn(t, store), seed, seed%2 == 0)
			var done []string
			for range 80 {
				done = append(done, p.step())
				if len(done)%4 == 0 {
					p.check()
				}
				if t.Failed() {
					t.Fatalf("after %q", done)
				}
			}
		})
	}
}

// Pages of any size, up and down, cover every seq exactly once; what is not for the
// reader is void, what is comes as it is.
func TestPagesCoverEverySeqOnce(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, newWorld(t), seed+100, seed%2 == 0)
			for range 120 {
				p.step()
			}
			for _, u := range p.users {
				if !p.o.was[u] {
					continue
				}
				for limit := 1; limit <= 7; limit++ {
					for _, messages := range []bool{false, true} {
						p.walk(u, limit, messages, true)
						p.walk(u, limit, messages, false)
					}
				}
			}
		})
	}
}

// walk pages through a conversation and checks what it is told.
func (p *play) walk(u chat.UserID, limit int, messages, up bool) {
	p.t.Helper()
	what := fmt.Sprintf("%s, limit %d, messages %v, up %v", u, limit, messages, up)
	visible := p.o.visible(u)
	head := p.o.head(u)
	want := visible
	if messages {
		want = slices.DeleteFunc(slices.Clone(visible), func(s chat.Seq) bool { return !p.o.events[s-1].message })
	}
	var got []chat.Seq
	covered := make(map[chat.Seq]int)
	told := make(map[chat.Seq]int)
	at := head + 1
	if up {
		at = 0
	}
	for pages := 0; ; pages++ {
		if pages > int(head)+2 {
			p.t.Fatalf("%s: no end", what)
		}
		l := chat.List{Conversation: p.o.id, Limit: limit, Messages: messages, Before: &at}
		if up {
			l.Before, l.After = nil, &at
		}
		page, err := p.List(p.t.Context(), as(u), l)
		if err != nil {
			p.t.Fatal(err)
		}
		if page.Head != head || len(page.Events) > limit {
			p.t.Fatalf("%s: head %d, %d events", what, page.Head, len(page.Events))
		}
		if page.To < page.From {
			break
		}
		for s := page.From; s <= page.To; s++ {
			covered[s]++
		}
		var seqs []chat.Seq
		for _, r := range page.Events {
			e := decode(p.t, r)
			last := max(e.Seq, e.ToSeq)
			if e.Seq < page.From || last > page.To {
				p.t.Fatalf("%s: %s is outside of %d to %d", what, r.JSON, page.From, page.To)
			}
			for s := e.Seq; s <= last; s++ {
				told[s]++
				if (e.Kind == chat.Void) == slices.Contains(visible, s) {
					p.t.Fatalf("%s: %s", what, r.JSON)
				}
			}
			if e.Kind != chat.Void {
				seqs = append(seqs, e.Seq)
			}
		}
		if !slices.IsSorted(seqs) {
			p.t.Fatalf("%s: a page is out of order: %v", what, seqs)
		}
		if up {
			got, at = append(got, seqs...), page.To
		} else {
			got, at = append(seqs, got...), page.From
		}
	}
	if !slices.Equal(got, want) {
		p.t.Fatalf("%s: got %v, want %v", what, got, want)
	}
	for s := chat.Seq(1); s <= head; s++ {
		if covered[s] != 1 || !messages && told[s] != 1 {
			p.t.Fatalf("%s: seq %d is covered %d times and told %d times", what, s, covered[s], told[s])
		}
	}
}

func TestListBeyondTheEnds(t *testing.T) {
	w := newWorld(t)
	c := w.mustSend("alice", toUser("bob", 1)).Conversation
	for _, tt := range []struct {
		name          string
		after, before chat.Seq
		from, to      chat.Seq
	}{
		{name: "after the head", after: 1, before: -1, from: 2, to: 1},
		{name: "far after the head", after: 1 << 53, before: -1, from: 1<<53 + 1, to: 1 << 53},
		{name: "before the first", after: -1, before: 1, from: 1, to: 0},
		{name: "before nothing", after: -1, before: 0, from: 1, to: 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := chat.List{Conversation: c, Limit: 10}
			if tt.after >= 0 {
				l.After = &tt.after
			}
			if tt.before >= 0 {
				l.Before = &tt.before
			}
			got, err := w.List(t.Context(), as("bob"), l)
			if err != nil || got.From != tt.from || got.To != tt.to || got.Head != 1 || len(got.Events) != 0 {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
