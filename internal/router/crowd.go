package router

import (
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// To more than crowdSessions live sessions a conversation's events go out together, at most
// every crowdEvery: a write to each of 10,000 sockets costs the same for one event as for
// twenty. What is too much for such a frame, beyond crowdBytes, is told as gaps: the least
// important first, the oldest of those first, and only messages. The log has all of it.
const (
	crowdSessions = 2000
	crowdEvery    = 200 * time.Millisecond
	crowdBytes    = 64 << 10
)

// crowd is a conversation that many sessions are told of, on one worker.
type crowd struct {
	told time.Time     // when events last went out
	held []chat.Commit // what waits for the next time, answered already
}

// hold keeps a burst for later if its conversation has a crowd that was told lately, and
// says whether it did.
func (w *worker) hold(burst []chat.Commit, now time.Time) bool {
	id := burst[0].Event.Conversation
	c := w.crowds[id]
	if c == nil || len(c.held) == 0 && now.Sub(c.told) >= crowdEvery {
		return false
	}
	if len(c.held) == 0 {
		time.AfterFunc(crowdEvery-now.Sub(c.told), func() {
			w.give(job{barrier: func(w *worker) { w.release(id) }})
		})
	}
	c.held = append(c.held, burst...)
	return true
}

// release pushes what was held of a conversation.
func (w *worker) release(id chat.ConversationID) {
	c := w.crowds[id]
	if c == nil || len(c.held) == 0 {
		return
	}
	burst := c.held
	c.held = nil
	w.pushAll(burst, time.Now())
}

// releaseAll pushes all that is held.
func (w *worker) releaseAll() {
	for id := range w.crowds {
		w.release(id)
	}
}

// noteCrowd notes how many sessions were told something of a conversation now.
func (w *worker) noteCrowd(id chat.ConversationID, sessions int, now time.Time) {
	c := w.crowds[id]
	switch {
	case sessions <= crowdSessions && c != nil && len(c.held) == 0:
		delete(w.crowds, id)
	case sessions > crowdSessions && c == nil:
		w.crowds[id] = &crowd{told: now}
	case c != nil:
		c.told = now
	}
}

// thin answers which events of a burst are left out of a crowd's frames; nil: none.
func thin(burst []chat.Commit) map[chat.Seq]bool {
	size := 0
	for i := range burst {
		size += len(burst[i].Event.JSON)
	}
	if size <= crowdBytes {
		return nil
	}
	// What is no message changes what is shown already, and stays.
	var messages []*chat.Event
	for i := range burst {
		if e := burst[i].Event; e.Kind == chat.Message {
			messages = append(messages, e)
		}
	}
	slices.SortStableFunc(messages, func(a, b *chat.Event) int { return a.Priority.Rank() - b.Priority.Rank() })
	out := make(map[chat.Seq]bool)
	for _, e := range messages {
		if size <= crowdBytes {
			break
		}
		out[e.Seq] = true
		size -= len(e.JSON)
	}
	return out
}

// appendThinned appends a burst's frames, with a gap for each run of events that are left out.
func appendThinned(b []byte, f *Format, burst []chat.Commit, out map[chat.Seq]bool) []byte {
	for i := 0; i < len(burst); i++ {
		e := burst[i].Event
		if !out[e.Seq] {
			b = f.Event(b, e)
			continue
		}
		from := e.Seq
		for i+1 < len(burst) && out[burst[i+1].Event.Seq] {
			i++
		}
		if f.Notice != nil {
			b = f.Notice(b, "gap", gapParams(e.Conversation, from, burst[i].Event.Seq))
		}
	}
	return b
}

func gapParams(id chat.ConversationID, from, upTo chat.Seq) []byte {
	params, err := json.Marshal(map[string]any{"conversation": id, "from_seq": from, "to_seq": upTo})
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return params
}

// pushAll pushes commits of one conversation, in bursts with one audience.
func (w *worker) pushAll(burst []chat.Commit, now time.Time) {
	p := w.progressOf(&burst[0])
	for len(burst) > 0 && burst[0].Event.Seq <= p.last {
		burst = burst[1:] // a sweep told it already
	}
	for len(burst) > 0 {
		n := sameAudience(burst)
		if err := w.pushNext(p, burst[:n], now); err != nil {
			// From p.last on it is the next sweep's: an event told here would come before those it follows.
			w.router.cfg.Log.Error("events not delivered yet", slog.Any("error", err))
			return
		}
		burst = burst[n:]
	}
}
