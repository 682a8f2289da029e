package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
)

// morning is the time of the first event. It has what milliseconds cannot hold.
var morning = time.Date(2026, 11, 25, 8, 0, 0, 123_456_789, time.FixedZone("", 8*3600))

type fixture struct {
	*testing.T
	chat.Store
}

// write is one message to be sent; an empty call is not remembered.
type write struct {
	to   chat.ConversationID
	from chat.UserID
	call string
}

func (w write) key() chat.CallKey {
	sum := sha256.Sum256([]byte(w.call))
	return chat.CallKey{User: w.from, ClientID: [16]byte(sum[:16])}
}

// send writes messages in one Update, the way the domain does: dedupe first, then seqs.
func (f *fixture) send(writes ...write) {
	f.Helper()
	if err := f.trySend(writes...); err != nil {
		f.Fatalf("Update: %v", err)
	}
}

func (f *fixture) trySend(writes ...write) error {
	var keys chat.Keys
	for _, w := range writes {
		keys.Conversations = append(keys.Conversations, w.to)
		keys.Members = append(keys.Members, chat.MemberKey{Conversation: w.to, User: w.from})
		if w.call != "" {
			keys.Calls = append(keys.Calls, w.key())
		}
	}
	return f.Update(context.Background(), keys, func(rows *chat.Rows) *chat.Changes {
		b := batch{rows: rows}
		for _, w := range writes {
			if w.call != "" && rows.Calls[w.key()] != nil {
				continue
			}
			e := b.message(w.to, w.from)
			if w.call != "" {
				c := &chat.Call{CallKey: w.key(), Conversation: w.to, Seq: e.Seq, Time: e.Time, At: e.Time}
				rows.Calls[w.key()] = c
				b.changes.Calls = append(b.changes.Calls, c)
			}
		}
		return &b.changes
	})
}

// batch gathers what an Update writes.
type batch struct {
	rows    *chat.Rows
	changes chat.Changes
}

func (b *batch) conversation(id chat.ConversationID) *chat.Conversation {
	c := b.rows.Conversations[id]
	if c == nil {
		c = &chat.Conversation{ID: id, Kind: chat.Group}
		b.rows.Conversations[id] = c
	}
	for _, other := range b.changes.Conversations {
		if other == c {
			return c
		}
	}
	b.changes.Conversations = append(b.changes.Conversations, c)
	return c
}

func (b *batch) event(id chat.ConversationID, from chat.UserID, kind chat.EventKind) *chat.Event {
	c := b.conversation(id)
	c.Seq++
	if kind == chat.Message {
		c.Count++
	}
	c.Time = morning.Add(time.Duration(c.Seq) * time.Second)
	e := &chat.Event{
		Conversation: id, Seq: c.Seq, Kind: kind, From: from, Time: c.Time, Count: c.Count,
		JSON: fmt.Appendf(nil, `{"seq":%d,"from":%q}`, c.Seq, from),
	}
	b.changes.Events = append(b.changes.Events, e)
	return e
}

func (b *batch) message(id chat.ConversationID, from chat.UserID) *chat.Event {
	e := b.event(id, from, chat.Message)
	key := chat.MemberKey{Conversation: id, User: from}
	m := b.rows.Members[key]
	if m == nil {
		m = &chat.Member{MemberKey: key, Role: chat.Plain, Spans: []chat.Span{{From: e.Seq}}, Since: e.Seq}
		b.rows.Members[key] = m
	}
	m.Sent++
	for _, other := range b.changes.Members {
		if other == m {
			return e
		}
	}
	b.changes.Members = append(b.changes.Members, m)
	return e
}

// put writes a conversation's members as they are given, with one event.
func (f *fixture) put(id chat.ConversationID, members ...chat.Member) {
	f.Helper()
	f.update(chat.Keys{Conversations: []chat.ConversationID{id}}, func(rows *chat.Rows) *chat.Changes {
		b := batch{rows: rows}
		b.event(id, "", chat.Members)
		for _, m := range members {
			m.Conversation = id
			b.changes.Members = append(b.changes.Members, &m)
		}
		return &b.changes
	})
}

func (f *fixture) update(keys chat.Keys, decide func(*chat.Rows) *chat.Changes) {
	f.Helper()
	if err := f.Update(context.Background(), keys, decide); err != nil {
		f.Fatalf("Update: %v", err)
	}
}

// load answers what an Update finds.
func (f *fixture) load(keys chat.Keys) *chat.Rows {
	f.Helper()
	var found *chat.Rows
	f.update(keys, func(rows *chat.Rows) *chat.Changes {
		found = rows
		return &chat.Changes{}
	})
	return found
}

func (f *fixture) head(id chat.ConversationID) chat.Conversation {
	f.Helper()
	return must(f.Conversation(context.Background(), id))(f)
}

// seqs answers the seqs of a range.
func (f *fixture) seqs(r chat.EventRange) []chat.Seq {
	f.Helper()
	var seqs []chat.Seq
	for _, e := range must(f.Events(context.Background(), r))(f) {
		seqs = append(seqs, e.Seq)
	}
	return seqs
}

// whole checks that a conversation has exactly the events 1 to n.
func (f *fixture) whole(id chat.ConversationID, n int) {
	f.Helper()
	seqs := f.seqs(chat.EventRange{Conversation: id, From: 1, To: 1 << 40, Limit: 1 << 20})
	for i, seq := range seqs {
		if seq != chat.Seq(i+1) {
			f.Fatalf("%s: event %d has seq %d", id, i+1, seq)
		}
	}
	if len(seqs) != n || f.head(id).Seq != chat.Seq(n) {
		f.Fatalf("%s: %d events and head %d, want %d", id, len(seqs), f.head(id).Seq, n)
	}
}

// must gives the value of a call that must not fail.
func must[T any](v T, err error) func(*fixture) T {
	return func(f *fixture) T {
		f.Helper()
		if err != nil {
			f.Fatal(err)
		}
		return v
	}
}

func (f *fixture) equal(what string, got, want any) {
	f.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		f.Fatalf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func (f *fixture) notFound(what string, err error) {
	f.Helper()
	if !errors.Is(err, chat.ErrNotFound) {
		f.Fatalf("%s: error %v, want ErrNotFound", what, err)
	}
}
