package chat_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
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
}

// log notes an event, seen by those who are in the group before it or after it.
func (o *oracle) log(message bool, from chat.UserID, change func()) {
	e := logged{message: message, from: from, sees: make(map[chat.UserID]bool)}
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

// visible lists the seqs that u may see.
func (o *oracle) visible(u chat.UserID) []chat.Seq {
	var list []chat.Seq
	for i, e := range o.events {
		if e.sees[u] {
			list = append(list, chat.Seq(i+1))
		}
	}
	return list
}

// unread counts the messages after the read position that others wrote and u may see.
func (o *oracle) unread(u chat.UserID) int64 {
	if !o.in[u] {
		return 0
	}
	n := int64(0)
	for i, e := range o.events {
		if chat.Seq(i+1) > o.read[u] && e.message && e.from != u && e.sees[u] {
			n++
		}
	}
	return n
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
	switch k := p.rnd.IntN(10); {
	case k < 5:
		m := into(o.id, p.calls)
		m.KeepUnread = p.rnd.IntN(2) == 0
		_, err := p.send(u, m)
		if !o.in[u] {
			wantCode(p.t, err, chat.CodeNotFound)
			return fmt.Sprint(u, " may not send")
		}
		wantCode(p.t, err, "")
		o.log(true, u, nil)
		if !m.KeepUnread {
			o.read[u] = head + 1
		}
		return fmt.Sprint(u, " sends, read: ", !m.KeepUnread)
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
		page, _, err := p.Conversations(ctx, as(u), "", 10)
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
		if len(synced.Conversations) != 1 || len(page) != 1 {
			p.t.Fatalf("%s syncs %d conversations and lists %d, want one", u, len(synced.Conversations), len(page))
		}
		head := want[len(want)-1]
		for _, s := range []chat.Summary{synced.Conversations[0], page[0], p.summary(u, o.id)} {
			if s.Head != head || s.Last == nil || s.Last.Seq != head || s.Joined != o.in[u] || s.Unread != o.unread(u) {
				p.t.Errorf("%s sees head %d, last %v, joined %v, %d unread; want %d, %d, %v, %d",
					u, s.Head, s.Last, s.Joined, s.Unread, head, head, o.in[u], o.unread(u))
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
		if e.Kind != chat.Message {
			p.t.Errorf("view messages lists %s", r.JSON)
		}
		if e.From != u {
			n++
		}
	}
	if s.Unread != n {
		p.t.Errorf("%s has %d unread and can list %d after %d", u, s.Unread, n, after)
	}
}

// Mutants: top(spans) of a former member as Conversation.Seq; unread without the own
// messages; admit without the read position; dismiss with the seq before.
func TestOneRuleOfVisibility(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, newWorld(t), seed, seed%2 == 0)
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
	head := visible[len(visible)-1]
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
