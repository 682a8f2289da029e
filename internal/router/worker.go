package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// job is one thing a worker does: deliver commits, tell a notice, or run a function
// behind everything it was given before.
type job struct {
	commits []chat.Commit
	notice  *chat.Notice
	barrier func(*worker)
}

// worker delivers the conversations that hash to it, in order.
type worker struct {
	router *Router

	mu     sync.Mutex
	queue  []job
	closed bool
	wake   chan struct{}
	moved  map[chat.UserID]struct{} // who came online or went, for indexes

	// Owned by run.
	indexes   map[chat.ConversationID]*index
	delivered map[chat.ConversationID]*progress
	crowds    map[chat.ConversationID]*crowd
	audiences map[chat.ConversationID]audience
	live      []*Live // scratch
}

// progress is what the worker has delivered of a conversation lately.
type progress struct {
	last    chat.Seq
	first   chat.Seq // where it began; 0 once what was before it was compared with the store
	low     chat.Seq // how far what was before first is known to be delivered
	touched bool     // since the last whole sweep
}

// audience is who may see a conversation's events between two changes of its members.
type audience struct {
	rev   chat.Seq
	users []chat.UserID
}

// anyRev stands for the revision of the members where it is not known: the audience is
// asked of the store and not kept.
const anyRev chat.Seq = -1

// maxAudiences bounds the cache of audiences, in conversations.
const maxAudiences = 4096

func newWorker(r *Router) *worker {
	return &worker{
		router: r, wake: make(chan struct{}, 1),
		crowds:    make(map[chat.ConversationID]*crowd),
		indexes:   make(map[chat.ConversationID]*index),
		delivered: make(map[chat.ConversationID]*progress), audiences: make(map[chat.ConversationID]audience),
	}
}

func (w *worker) give(j job) {
	w.mu.Lock()
	w.queue = append(w.queue, j)
	w.mu.Unlock()
	w.signal()
}

func (w *worker) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// close ends run when everything given is done.
func (w *worker) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.signal()
}

func (w *worker) run() {
	for range w.wake {
		for {
			w.mu.Lock()
			jobs, closed := w.queue, w.closed
			w.queue = nil
			w.mu.Unlock()
			if len(jobs) == 0 {
				if closed {
					w.releaseAll()
					return
				}
				break
			}
			for _, j := range jobs {
				w.do(j)
			}
		}
	}
}

func (w *worker) do(j job) {
	switch {
	case j.barrier != nil:
		j.barrier(w)
	case j.notice != nil:
		w.tell(j.notice)
	default:
		w.deliver(j.commits)
	}
}

// deliver answers the callers, then pushes the events, then lets both go.
func (w *worker) deliver(commits []chat.Commit) {
	for i := range commits {
		commits[i].Answer()
	}
	for len(commits) > 0 {
		rest := w.deliverFirst(commits)
		for i := range commits[:len(commits)-len(rest)] {
			commits[i].Flush()
		}
		commits = rest
	}
}

// deliverFirst pushes the events of the first commit's conversation, or holds them for its
// crowd, and gives the commits that are left. It moves
// that conversation's commits to the front.
func (w *worker) deliverFirst(commits []chat.Commit) (rest []chat.Commit) {
	n := gather(commits)
	if now := time.Now(); !w.hold(commits[:n], now) {
		w.pushAll(commits[:n], now)
	}
	return commits[n:]
}

// pushNext pushes a burst with one audience, and before it what the bus lost.
func (w *worker) pushNext(p *progress, burst []chat.Commit, now time.Time) (err error) {
	ctx, e := context.Background(), burst[0].Event
	if e.Seq > p.last+1 {
		if p.last, err = w.repair(ctx, e.Conversation, p.last+1, e.Seq-1, now); err != nil {
			return err
		}
	}
	to, err := w.audience(ctx, &burst[0])
	if err != nil {
		return err
	}
	w.noteCrowd(e.Conversation, len(to), now)
	w.push(to, burst, now)
	p.last = burst[len(burst)-1].Event.Seq
	return nil
}

// gather moves the commits of the first one's conversation to the front, all orders
// kept, and answers how many they are.
func gather(commits []chat.Commit) int {
	id, n := commits[0].Event.Conversation, 1
	for n < len(commits) && commits[n].Event.Conversation == id {
		n++
	}
	same := func(c chat.Commit) bool { return c.Event.Conversation == id }
	if !slices.ContainsFunc(commits[n:], same) {
		return n
	}
	var others []chat.Commit
	kept := commits[:0]
	for _, c := range commits {
		if same(c) {
			kept = append(kept, c)
		} else {
			others = append(others, c)
		}
	}
	copy(commits[len(kept):], others)
	return len(kept)
}

// sameAudience answers how many of the first commits follow each other and go to the
// same users: a change of the members goes alone, to those before and after it, and so does
// what is for a few.
func sameAudience(burst []chat.Commit) int {
	n := 1
	for n < len(burst) && burst[n].Event.Seq == burst[n-1].Event.Seq+1 &&
		!alone(&burst[0]) && !alone(&burst[n]) {
		n++
	}
	return n
}

// alone says whether an event has an audience of its own.
func alone(c *chat.Commit) bool { return changesMembers(c) || c.Event.Only != nil }

func changesMembers(c *chat.Commit) bool {
	return c.Conversation.Kind != chat.Channel && c.Conversation.MembersRev == c.Event.Seq
}

// progressOf gives the progress in c's conversation, which begins with c if there is none.
func (w *worker) progressOf(c *chat.Commit) *progress {
	p := w.delivered[c.Event.Conversation]
	if p == nil {
		p = &progress{last: c.Event.Seq - 1, first: c.Event.Seq}
		w.delivered[c.Event.Conversation] = p
	}
	p.touched = true
	return p
}

// audience answers the live sessions that may see the event of c, as of that event.
func (w *worker) audience(ctx context.Context, c *chat.Commit) ([]*Live, error) {
	conv := &c.Conversation
	switch conv.Kind {
	case chat.Room:
		return w.router.inRoom(conv.ID, w.live[:0]), nil
	case chat.Direct:
		users := conv.Pair[:]
		if users[0] == users[1] {
			users = users[:1]
		}
		return w.router.sessionsOf(users, conv.Kind, w.live[:0]), nil
	}
	// A group that has become smaller keeps its index: one that misses a change is wrong.
	if conv.Kind.Grouped() && (conv.Members > largeGroup || w.indexes[conv.ID] != nil) {
		return w.large(ctx, c)
	}
	a, ok := w.audiences[conv.ID]
	if !ok || a.rev != conv.MembersRev || changesMembers(c) {
		users, err := w.router.store.Audience(ctx, conv.ID, c.Event.Seq)
		if err != nil {
			return nil, err
		}
		a = audience{rev: conv.MembersRev, users: users}
		// A notice asks for the event after conv, whose audience may be another one already.
		if !changesMembers(c) && conv.MembersRev != anyRev && c.Event.Seq <= conv.Seq {
			w.keep(conv.ID, a)
		}
	}
	live := w.router.sessionsOf(a.users, conv.Kind, w.live[:0])
	if root, ok := conv.Root(); ok {
		return w.inParent(ctx, root, live)
	}
	return live, nil
}

// inParent leaves of a thread's followers those who are in its parent now and may read the
// message that it hangs on.
func (w *worker) inParent(ctx context.Context, root chat.EventKey, live []*Live) ([]*Live, error) {
	parent := root.Conversation
	c, err := w.router.store.Conversation(ctx, parent)
	if err != nil || c.Kind == chat.Room {
		return live, err
	}
	kept := live[:0]
	for _, l := range live {
		m, err := w.router.store.Member(ctx, chat.MemberKey{Conversation: parent, User: l.user})
		if err != nil && !errors.Is(err, chat.ErrNotFound) {
			return nil, err
		}
		if m.Joined() && m.Sees(root.Seq) {
			kept = append(kept, l)
		}
	}
	clear(live[len(kept):])
	return kept, nil
}

// keep caches an audience; a full cache begins anew.
func (w *worker) keep(id chat.ConversationID, a audience) {
	if len(w.audiences) >= maxAudiences {
		clear(w.audiences)
	}
	w.audiences[id] = a
}

// push pushes a burst to the sessions, encoded once a format. What is for a few is a void
// for the others.
func (w *worker) push(to []*Live, burst []chat.Commit, now time.Time) {
	w.router.counts.delivered.Add(int64(len(to) * len(burst)))
	var frames, voids encoded
	var out map[chat.Seq]bool
	if len(to) > crowdSessions {
		out = thin(burst)
	}
	only := burst[0].Event.Only
	for _, l := range to {
		if only != nil && !slices.Contains(only, l.user) {
			void := burst[0].Event.Hidden()
			l.push(voids.get(l.format, func(f *Format, b []byte) []byte { return f.Event(b, void) }), now)
			continue
		}
		l.push(frames.get(l.format, func(f *Format, b []byte) []byte {
			return appendThinned(b, f, burst, out)
		}), now)
	}
	clear(to)
	w.live = to[:0]
}

// tell pushes a notice.
func (w *worker) tell(n *chat.Notice) {
	var to []*Live
	switch {
	case n.Moved != nil:
		w.noteMembers(n)
		return
	case n.Evict != nil:
		w.release(n.Conversation.ID) // what was before it they are told
		to = w.router.evict(n.Conversation.ID, n.Evict.Users)
	case n.Only != "":
		to = w.router.sessionsOf([]chat.UserID{n.Only}, n.Conversation.Kind, w.live[:0])
	default:
		// Those who will see the next event: who was removed by the last one is told nothing more.
		c := chat.Commit{Event: &chat.Event{Seq: n.Conversation.Seq + 1}, Conversation: n.Conversation}
		var err error
		if to, err = w.audience(context.Background(), &c); err != nil {
			w.router.cfg.Log.Error("notice lost", slog.Any("error", err))
			return
		}
	}
	if n.Except != "" || n.Unseen != nil {
		to = slices.DeleteFunc(to, func(l *Live) bool { return l.user == n.Except || slices.Contains(n.Unseen, l.user) })
	}
	w.router.notify(to, n.Method, n.Params)
	clear(to)
	w.live = to[:0]
}

// notify pushes a notice to sessions whose links tell notices.
func (r *Router) notify(to []*Live, method string, params []byte) {
	var frames encoded
	for _, l := range to {
		if l.format.Notice != nil {
			l.sink.Push(frames.get(l.format, func(f *Format, b []byte) []byte {
				return f.Notice(b, method, params)
			}))
		}
	}
}

// encoded holds the same frames in each format that somebody wants.
type encoded struct {
	formats []*Format
	frames  [][]byte
}

func (e *encoded) get(f *Format, encode func(*Format, []byte) []byte) []byte {
	if i := slices.Index(e.formats, f); i >= 0 {
		return e.frames[i]
	}
	e.formats = append(e.formats, f)
	e.frames = append(e.frames, encode(f, nil))
	return e.frames[len(e.frames)-1]
}

// repairLimit is how many missed events are told; of more the sessions get a gap.
const repairLimit = 1000

// repair tells events that the bus lost, from the store, to those who may see them. It
// answers the last one that is told: to, unless there is an error.
func (w *worker) repair(ctx context.Context, id chat.ConversationID, from, to chat.Seq, now time.Time) (told chat.Seq, err error) {
	told = from - 1
	conv, err := w.router.store.Conversation(ctx, id)
	if err != nil {
		return told, fmt.Errorf("read lost events: %w", err)
	}
	if x := w.indexes[id]; x != nil && conv.Kind == chat.Channel && conv.MembersRev > x.rev {
		w.dropIndex(id) // the bus lost who came and went too
	}
	conv.MembersRev = anyRev
	if to-from >= repairLimit {
		c := chat.Commit{Event: &chat.Event{Conversation: id, Seq: to}, Conversation: conv}
		live, err := w.audience(ctx, &c)
		if err != nil {
			return told, fmt.Errorf("read lost events: %w", err)
		}
		told = to - repairLimit
		w.gap(live, id, from, told)
		if w.indexes[id] != nil {
			w.dropIndex(id) // members may have changed in the gap
		}
	}
	records, err := w.router.store.Events(ctx, chat.EventRange{Conversation: id, From: told + 1, To: to, Limit: repairLimit})
	if err != nil {
		return told, fmt.Errorf("read lost events: %w", err)
	}
	for _, rec := range records {
		c := chat.Commit{Event: chat.ParseEvent(id, rec), Conversation: conv}
		live, err := w.audience(ctx, &c)
		if err != nil {
			return told, fmt.Errorf("read lost events: %w", err)
		}
		w.push(live, []chat.Commit{c}, now)
		w.router.counts.repaired.Add(1)
		told = rec.Seq
	}
	return told, nil
}

func (w *worker) gap(to []*Live, id chat.ConversationID, from, upTo chat.Seq) {
	w.router.counts.gaps.Add(1)
	w.router.notify(to, "gap", gapParams(id, from, upTo))
	clear(to)
	w.live = to[:0]
}
