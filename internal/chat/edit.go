package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Edited is the kind of the event that says that a message was edited: the target has the
// new content, and Event.Edited.
const Edited EventKind = "edited"

// itemVersions holds what a message was before it was edited, by its conversation, under
// its seq. It goes when the message is recalled.
const itemVersions ItemKind = "versions"

const (
	// maxVersions is how many earlier versions of a message are kept: the first and the newest.
	maxVersions = 20
	// maxVersionBytes bounds them together, but for two.
	maxVersionBytes = 64 << 10
)

// Version is what a message was from a time on.
type Version struct {
	Time    time.Time       `json:"time"`
	Content json.RawMessage `json:"content"`
}

// Edit gives a message of the caller's another content, checked by the caller of this.
func (s *Service) Edit(ctx context.Context, a Actor, mc MessageCall, content json.RawMessage) (Place, error) {
	names, key := mentions(content), versionsKey(EventKey{mc.Conversation, mc.Seq})
	keys := func(k *Keys) {
		names.keysBy(k, mc.Conversation, a.User)
		k.Items = append(k.Items, key)
	}
	rate := s.writeRate(a)
	return s.changeMessage(ctx, a, "messages.edit", mc, []string{string(content)}, keys, func(b *batch, on *changing) (*Event, error) {
		c, e := on.c, on.event
		was := mentions(e.Content)
		if err := s.mayEdit(a, on, b.now); err != nil {
			return nil, err
		}
		if names.all && !was.all {
			if err := may(a, on.home, on.self, RightMentionAll); err != nil {
				return nil, err
			}
			if e.Only != nil {
				return nil, invalid("content.mentions", "content.mentions: a message for a few does not name everybody")
			}
		}
		if err := rate(b); err != nil {
			return nil, err
		}
		b.keepVersion(key, e)
		e.Content, e.Edited = content, b.now
		b.revise(e, c.Seq+1)
		b.mark(c, e, was, names)
		return &Event{Kind: Edited, Content: mustJSON(textOnly{fmt.Sprintf("%s edited a message", a.User)})}, nil
	})
}

// textOnly is the content of events that say in their targets what they are about.
type textOnly struct {
	Text string `json:"text"`
}

// mayEdit says whether the caller may edit a message: its sender, for a time.
func (s *Service) mayEdit(a Actor, on *changing, now time.Time) error {
	e := on.event
	var content struct{ Type string }
	_ = json.Unmarshal(e.Content, &content)
	window := s.cfg.Limits.EditWindow
	switch {
	case e.From != a.User && !a.Server:
		return forbidden("only who wrote a message edits it")
	case e.Stream == streamOpen:
		return forbidden("the message is still being written")
	case content.Type != "text" && content.Type != "markdown" && content.Type != "custom":
		return forbidden("text, markdown and custom messages are edited")
	case !a.Server && window > 0 && now.Sub(e.Time) > window:
		return forbidden(fmt.Sprintf("a message is edited within %s", window))
	}
	if err := s.notForGuests(a); err != nil {
		return err
	}
	return speak(a, on.home, on.self, now)
}

func versionsKey(key EventKey) ItemKey {
	return ItemKey{ConversationHolder(key.Conversation), itemVersions, seqKey(key.Seq)}
}

// version is what a message is now.
func (e *Event) version() Version {
	if e.Edited.IsZero() {
		return Version{e.Time, e.Content}
	}
	return Version{e.Edited, e.Content}
}

// keepVersion puts what a message is now to its earlier versions.
func (b *batch) keepVersion(key ItemKey, e *Event) {
	var list []Version
	if it := b.item(key); it != nil {
		_ = json.Unmarshal(it.Body, &list)
	}
	list = append(list, e.version())
	bytes := 0
	for _, v := range list {
		bytes += len(v.Content)
	}
	for len(list) > 2 && (len(list) > maxVersions || bytes > maxVersionBytes) {
		bytes -= len(list[1].Content)
		list = append(list[:1], list[2:]...)
	}
	b.putItem(&Item{ItemKey: key, Body: mustJSON(list)})
}

// Versions answers what a message was, oldest first, and is now. Who may read the message may.
func (s *Service) Versions(ctx context.Context, a Actor, key EventKey) ([]Version, error) {
	e, err := s.readMessage(ctx, a, key)
	if err != nil {
		return nil, err
	}
	if e.Edited.IsZero() {
		return []Version{e.version()}, nil
	}
	k := versionsKey(key)
	items, err := s.store.Items(ctx, ItemRange{Holder: k.Holder, Kind: k.Kind, Prefix: k.Key, Limit: 1})
	if err != nil {
		return nil, readError(err)
	}
	var list []Version
	if len(items) == 1 {
		_ = json.Unmarshal(items[0].Body, &list)
	}
	return append(list, e.version()), nil
}

// readMessage answers a message that the caller may read, as it is now.
func (s *Service) readMessage(ctx context.Context, a Actor, key EventKey) (*Event, error) {
	c, _, spans, err := s.find(ctx, a, key.Conversation)
	if err != nil {
		return nil, err
	}
	records, err := s.store.Events(ctx, EventRange{Conversation: c.ID, From: key.Seq, To: key.Seq, Limit: 1})
	if err != nil {
		return nil, readError(err)
	}
	if len(records) != 1 || !within(spans, key.Seq) || !a.Server && !records[0].isFor(a.User) {
		return nil, noMessage()
	}
	e := ParseEvent(c.ID, records[0])
	if e.Kind != Message {
		return nil, noMessage()
	}
	return e, nil
}
