package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// A streamed message grows while it is written, by an AI for example. In the log it is two
// events: the message itself, whose stream is open, and one of kind finished that targets
// it. What comes between is told live by the notification stream, and the message is
// revised with it every second, so that who comes later reads it so far and goes on from
// there. A stream that nothing is written to for a minute, or whose server is gone, is
// finished as interrupted.

// Finished is the kind of the event that ends a streamed message.
const Finished EventKind = "finished"

// The states of a streamed message that is not whole: Event.Stream.
const (
	streamOpen        = "open"
	streamInterrupted = "interrupted"
)

// itemStream stands for an open stream, held by its conversation under its seq. It is due
// when the stream was silent for too long.
const itemStream ItemKind = "stream"

const (
	maxStream     = 128 << 10        // bytes of text
	maxStreamOpen = 30 * time.Minute // from the first to the last append
	maxStreams    = 20               // of a user that grow at a time; a server key's have no such limit
	streamSilence = time.Minute
	// appendsPerSend is how many appends a user may make for each message.
	appendsPerSend = 10
)

// streams are the open streams that this node has taken text for.
type streams struct {
	mu    sync.Mutex
	open  map[EventKey]*stream
	rates rates
}

// stream is what is known of an open stream here; the store knows it up to durable.
type stream struct {
	user         UserID
	conversation Conversation // for its audience
	kind         string       // the content's type
	text         []byte
	durable      int
	opened       time.Time
	server       bool // a server key writes it
	gone         bool // it is finished, or its message is: nothing more is taken
}

// of answers how many streams of a user's text is taken for. The lock is held.
func (ss *streams) of(u UserID) (n int) {
	for _, st := range ss.open {
		if st.user == u {
			n++
		}
	}
	return n
}

// Streamed says how far a stream is.
type Streamed struct {
	Offset  int // bytes taken
	Durable int // of those, on disk
}

// streamContent is the content of a streamed message.
func streamContent(kind, text string) json.RawMessage {
	return mustJSON(struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}{kind, text})
}

// OpenStream sends a message that will grow. Its content has a type and a text, which may
// be empty; it is for everybody in the conversation.
func (s *Service) OpenStream(ctx context.Context, a Actor, m Send) (Place, error) {
	m.Once, m.Only = true, nil
	op, err := s.newSend(a, m)
	if err != nil {
		return Place{}, err
	}
	op.stream = true
	return s.await(ctx, &operation{keys: op.keys, decide: op.decide})
}

// AppendStream adds text at an offset in bytes, which is how much was taken before: text
// that was taken already may come again. Only who opened the stream may. It does not wait for
// the disk; the answer says what is on it.
func (s *Service) AppendStream(ctx context.Context, a Actor, key EventKey, offset int, text string) (Streamed, error) {
	if !utf8.ValidString(text) {
		return Streamed{}, invalid("text", "text: UTF-8")
	}
	st, err := s.openStream(ctx, a, key)
	if err != nil {
		return Streamed{}, err
	}
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	now := s.cfg.Now()
	if err := s.streams.takes(st, a, offset, text, &s.cfg.Limits, now); err != nil {
		return Streamed{}, err
	}
	if fresh := text[len(st.text)-offset:]; fresh != "" {
		s.bus.Notify(Notice{Conversation: st.conversation, Method: "stream", Params: mustJSON(struct {
			Conversation ConversationID `json:"conversation"`
			Seq          Seq            `json:"seq"`
			Offset       int            `json:"offset"`
			Text         string         `json:"text"`
		}{key.Conversation, key.Seq, len(st.text), fresh})})
		st.text = append(st.text, fresh...)
	}
	return Streamed{len(st.text), st.durable}, nil
}

// takes says whether text can be taken at an offset: it follows what is there, or repeats it.
func (ss *streams) takes(st *stream, a Actor, offset int, text string, l *Limits, now time.Time) error {
	have := len(st.text)
	switch {
	case st.gone:
		return notOpen()
	case offset < 0 || offset > have:
		return invalid("offset", "offset: %d bytes were taken; go on from there", have)
	case offset+len(text) < have && string(st.text[offset:offset+len(text)]) == text:
		return invalid("offset", "offset: all of this and more was taken; %d bytes were", have)
	case offset+len(text) < have || string(st.text[offset:]) != text[:have-offset]:
		return invalid("text", "text: other bytes were taken there before")
	case offset+len(text) > maxStream:
		return invalid("text", "text: a streamed message has at most %d bytes", maxStream)
	case now.Sub(st.opened) > maxStreamOpen:
		return forbidden(fmt.Sprintf("a stream is open for at most %d minutes: finish it", maxStreamOpen/time.Minute))
	}
	if a.Limited {
		if wait, ok := ss.rates.take(string(a.User), l.SendsPerSecond*appendsPerSend, l.SendsBurst*appendsPerSend, now); !ok {
			return tooFast("you append too fast: send more at once", wait)
		}
	}
	return nil
}

// notOpen is the answer for a message that is not an open stream of the caller's.
func notOpen() *Error {
	return &Error{Code: CodeNotFound, Message: "there is no such stream of yours that is open"}
}

// openStream answers a stream of the caller's, as it was taken here or as the store has it.
func (s *Service) openStream(ctx context.Context, a Actor, key EventKey) (*stream, error) {
	s.streams.mu.Lock()
	st := s.streams.open[key]
	s.streams.mu.Unlock()
	if st != nil {
		if st.user != a.User {
			return nil, notOpen()
		}
		return st, nil
	}
	c, m, spans, err := s.find(ctx, a, key.Conversation)
	if err != nil || !within(spans, key.Seq) || c.Kind != Room && c.Kind != Thread && !joined(m) && !a.Server {
		return nil, notOpen()
	}
	records, err := s.store.Events(ctx, EventRange{Conversation: key.Conversation, From: key.Seq, To: key.Seq, Limit: 1})
	if err != nil {
		return nil, readError(err)
	}
	if len(records) != 1 {
		return nil, notOpen()
	}
	e := ParseEvent(key.Conversation, records[0])
	var content struct{ Type, Text string }
	if e.Stream != streamOpen || e.From != a.User || json.Unmarshal(e.Content, &content) != nil {
		return nil, notOpen()
	}
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	if st := s.streams.open[key]; st != nil {
		return st, nil
	}
	if !a.Server && s.streams.of(a.User) >= maxStreams {
		return nil, forbidden(fmt.Sprintf("at most %d messages of yours grow at a time: finish one", maxStreams))
	}
	st = &stream{
		user: a.User, server: a.Server, conversation: *c, kind: content.Type, text: []byte(content.Text), durable: len(content.Text), opened: e.Time,
	}
	s.streams.open[key] = st
	return st, nil
}

// FinishStream ends a stream with what was taken, and logs an event that targets it. Only
// who opened it may.
func (s *Service) FinishStream(ctx context.Context, a Actor, key EventKey, client [16]byte, clientID string) (Place, error) {
	cl := newCall(a.User, client, "streams.finish", string(key.Conversation), strconv.FormatInt(int64(key.Seq), 10))
	// A repetition is answered though the stream is no longer open.
	st, openErr := s.openStream(ctx, a, key)
	if openErr == nil {
		s.streams.mu.Lock()
		st.gone = true
		s.streams.mu.Unlock()
	}
	place, err := s.await(ctx, &operation{
		keys: func(k *Keys) {
			k.Calls = append(k.Calls, cl.key)
			streamKeys(k, key, a.User)
		},
		decide: func(b *batch) (Place, error) {
			if p, found, err := b.recall(cl.key, cl.hash); found {
				return p, err
			}
			if openErr != nil {
				return Place{}, openErr
			}
			if err := s.mayStream(b, key, st); err != nil {
				return Place{}, err
			}
			e, err := b.finishStream(key, st, clientID, "")
			if err != nil {
				return Place{}, err
			}
			return b.remember(cl.key, cl.hash, e), nil
		},
	})
	if openErr == nil {
		s.streams.mu.Lock()
		defer s.streams.mu.Unlock()
		if code := codeOf(err); err == nil || code == CodeNotFound {
			delete(s.streams.open, key)
		} else {
			st.gone = false // it may be tried again
		}
	}
	return place, err
}

// stopStream takes no more text for a message that is gone.
func (s *Service) stopStream(key EventKey) {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	if st := s.streams.open[key]; st != nil {
		st.gone = true
		delete(s.streams.open, key)
	}
}

// mayStream says whether who writes a stream may still say something where it is.
func (s *Service) mayStream(b *batch, key EventKey, st *stream) error {
	a := Actor{User: st.user, Server: st.server}
	_, home, m, err := s.standing(b, a, key.Conversation)
	if err != nil {
		return err
	}
	return speak(a, home, m, b.now)
}

func streamKeys(k *Keys, key EventKey, u UserID) {
	standKeys(k, u, key.Conversation)
	k.Events = append(k.Events, key)
	k.Items = append(k.Items, streamItem(key))
}

func streamItem(key EventKey) ItemKey {
	return ItemKey{ConversationHolder(key.Conversation), itemStream, fmt.Sprintf("%016x", int64(key.Seq))}
}

// finishStream ends an open stream: the message is whole, or as state says. st is what was
// taken here; nil: what the store has.
func (b *batch) finishStream(key EventKey, st *stream, clientID, state string) (*Event, error) {
	c, target := b.rows.Conversations[key.Conversation], b.event(key)
	if c == nil || target == nil || target.Stream != streamOpen {
		return nil, notOpen()
	}
	if st != nil {
		target.Content = streamContent(st.kind, string(st.text))
	}
	target.Stream = state
	// What it says is in the message alone, so that it goes with it.
	content := struct {
		Text        string `json:"text"`
		Interrupted bool   `json:"interrupted,omitempty"`
	}{"finished a message", state == streamInterrupted}
	e := &Event{Kind: Finished, From: target.From, ClientID: clientID, Targets: [][2]Seq{{key.Seq, key.Seq}}, Content: mustJSON(content)}
	b.append(c, e)
	b.revise(target, e.Seq)
	b.forgetItem(streamItem(key))
	return e, nil
}

// FlushStreams writes what streams have taken since the last time. It blocks until that is
// committed.
func (s *Service) FlushStreams(ctx context.Context) error {
	type flush struct {
		key  EventKey
		st   *stream
		text string
	}
	var list []flush
	s.streams.mu.Lock()
	for key, st := range s.streams.open {
		switch {
		case st.gone:
		case len(st.text) > st.durable:
			list = append(list, flush{key, st, string(st.text)})
		case s.cfg.Now().Sub(st.opened) > maxStreamOpen+streamSilence:
			delete(s.streams.open, key) // its item is due, or it is finished
		}
	}
	s.streams.mu.Unlock()
	for _, f := range list {
		_, err := s.await(ctx, &operation{
			keys: func(k *Keys) { streamKeys(k, f.key, f.st.user) },
			decide: func(b *batch) (Place, error) {
				c, target := b.rows.Conversations[f.key.Conversation], b.event(f.key)
				if c == nil || target == nil || target.Stream != streamOpen {
					return Place{}, notOpen() // recalled meanwhile
				}
				if s.mayStream(b, f.key, f.st) != nil {
					// It was put out, muted or blocked: it ends with what it had said before.
					_, err := b.finishStream(f.key, nil, "", streamInterrupted)
					if err == nil {
						err = notOpen()
					}
					return Place{}, err
				}
				target.Content = streamContent(f.st.kind, f.text)
				b.revised.add(target)
				b.putItem(&Item{ItemKey: streamItem(f.key), Body: mustJSON(f.st.user), Due: b.now.Add(streamSilence)})
				return Place{}, nil
			},
		})
		s.streams.mu.Lock()
		switch {
		case err == nil:
			f.st.durable = max(f.st.durable, len(f.text))
		case codeOf(err) == CodeNotFound:
			f.st.gone = true
			delete(s.streams.open, f.key)
		}
		s.streams.mu.Unlock()
		if err != nil && codeOf(err) != CodeNotFound {
			return err
		}
	}
	return nil
}

// interruptStream ends a stream that nothing was written to for too long.
func (s *Service) interruptStream(it Item) *operation {
	id := it.Holder.conversation()
	n, _ := strconv.ParseInt(it.Key, 16, 64)
	key := EventKey{id, Seq(n)}
	var taken *stream // what was taken here and is not on disk; also for a decision made again
	return &operation{
		keys: func(k *Keys) { streamKeys(k, key, "") },
		decide: func(b *batch) (Place, error) {
			now := b.item(it.ItemKey)
			if now == nil || now.Due.After(b.now) {
				return Place{}, nil
			}
			s.streams.mu.Lock()
			if st := s.streams.open[key]; st != nil {
				st.gone = true
				taken = &stream{kind: st.kind, text: st.text}
				delete(s.streams.open, key)
			}
			s.streams.mu.Unlock()
			if _, err := b.finishStream(key, taken, "", streamInterrupted); err != nil {
				b.forgetItem(it.ItemKey) // its message is gone
			}
			return Place{}, nil
		},
	}
}
