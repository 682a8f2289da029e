package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Reactions are rows: who reacted to which message with what. The message carries totals,
// and an event tells that they changed: at once where few are, and gathered for a while where
// many are, so that a hundred thousand who like an announcement are not a hundred thousand
// events for a hundred thousand members.

// Reacted is the kind of the event that says that the reactions to a message changed.
const Reacted EventKind = "reactions"

const (
	// itemReaction is one reaction, held by its conversation: SEQ tab EMOJI tab USER.
	itemReaction ItemKind = "reaction"
	// itemReactionsOf is what one user reacted to a message with, a list of emoji, held by its
	// conversation: USER tab SEQ.
	itemReactionsOf ItemKind = "reactions_of"
	// itemReacting is what is gathered to be told of a message, held by its conversation under
	// its seq, and due when it is to be told.
	itemReacting ItemKind = "reacting"
	// itemUnreact has the reactions to a message that is gone removed: as itemReacting.
	itemUnreact ItemKind = "unreact"
)

const (
	// maxEmoji is how many different reactions a message has.
	maxEmoji = 50
	// maxEmojiBytes is the longest reaction.
	maxEmojiBytes = 32
	// reactionsAtOnce is up to how many members a conversation is told of each reaction at once.
	reactionsAtOnce = 500
	// reactionWindow is how long reactions are gathered where there are more, and in rooms.
	reactionWindow = 2 * time.Second
	// unreactStep is how many reactions to a message that is gone one commit removes.
	unreactStep = 500
)

// keySep stands between the parts of an item's key: no user id and no emoji has it.
const keySep = "\t"

// Reaction is how many reacted to a message with an emoji.
type Reaction struct {
	Emoji string `json:"emoji"`
	Count int    `json:"count"`
}

// reactionChange is that a user reacted, or took it back.
type reactionChange struct {
	User  UserID `json:"user"`
	Emoji string `json:"emoji"`
	On    bool   `json:"on"`
}

// reactedContent is the content of the event: the totals, and of the changes at most 100.
type reactedContent struct {
	Text      string           `json:"text"`
	Changes   []reactionChange `json:"changes"`
	Changed   int              `json:"changed"` // how many there were
	Reactions []Reaction       `json:"reactions"`
}

// reacting is what is gathered of a message.
type reacting struct {
	Changes []reactionChange `json:"changes"`
	Changed int              `json:"changed"`
	Deltas  map[string]int   `json:"deltas"`
}

func (r *reacting) add(ch reactionChange) {
	if r.Deltas == nil {
		r.Deltas = make(map[string]int)
	}
	if ch.On {
		r.Deltas[ch.Emoji]++
	} else {
		r.Deltas[ch.Emoji]--
	}
	r.Changed++
	if len(r.Changes) < maxNamed {
		r.Changes = append(r.Changes, ch)
	}
}

// totals answers what there is with the changes in it, in the order of their first use.
func (r *reacting) totals(have []Reaction) []Reaction {
	list := slices.Clone(have)
	for _, emoji := range slices.Sorted(maps.Keys(r.Deltas)) {
		i := slices.IndexFunc(list, func(x Reaction) bool { return x.Emoji == emoji })
		if i < 0 {
			i, list = len(list), append(list, Reaction{Emoji: emoji})
		}
		list[i].Count += r.Deltas[emoji]
	}
	return slices.DeleteFunc(list, func(x Reaction) bool { return x.Count <= 0 })
}

func reactionKey(key EventKey, emoji string, u UserID) ItemKey {
	return ItemKey{ConversationHolder(key.Conversation), itemReaction, seqKey(key.Seq) + keySep + emoji + keySep + string(u)}
}

func reactionsOfKey(key EventKey, u UserID) ItemKey {
	return ItemKey{ConversationHolder(key.Conversation), itemReactionsOf, string(u) + keySep + seqKey(key.Seq)}
}

func (key EventKey) item(kind ItemKind) ItemKey {
	return ItemKey{ConversationHolder(key.Conversation), kind, seqKey(key.Seq)}
}

// eventOf answers which event an item of its conversation is about.
func eventOf(it *Item) (EventKey, bool) {
	id, ok := strings.CutPrefix(string(it.Holder), "c:")
	seq, err := strconv.ParseInt(it.Key, 10, 64)
	return EventKey{ConversationID(id), Seq(seq)}, ok && err == nil
}

// React has the caller react to a message with an emoji, or takes it back. What is so
// already stays so.
func (s *Service) React(ctx context.Context, a Actor, key EventKey, emoji string, on bool) error {
	if emoji == "" || len(emoji) > maxEmojiBytes || !utf8.ValidString(emoji) ||
		strings.ContainsFunc(emoji, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return invalid("emoji", "emoji: 1 to %d bytes without blanks", maxEmojiBytes)
	}
	mc := MessageCall{GroupCall: GroupCall{Conversation: key.Conversation}, Seq: key.Seq}
	row, mine, waits := reactionKey(key, emoji, a.User), reactionsOfKey(key, a.User), key.item(itemReacting)
	keys := func(k *Keys) { k.Items = append(k.Items, row, mine, waits) }
	rate := s.writeRate(a)
	_, err := s.changeMessage(ctx, a, "reactions.set", mc, nil, keys, func(b *batch, at *changing) (*Event, error) {
		if (b.item(row) != nil) == on {
			return nil, nil
		}
		e := at.event
		if err := respond(a, at.home, at.self, b.now); err != nil {
			return nil, err
		}
		var p reacting
		due := b.now.Add(reactionWindow)
		if it := b.item(waits); it != nil {
			due = it.Due
			_ = json.Unmarshal(it.Body, &p)
		}
		p.add(reactionChange{a.User, emoji, on})
		totals := p.totals(e.Reactions)
		if on && len(totals) > maxEmoji {
			return nil, forbidden(fmt.Sprintf("a message has at most %d different reactions", maxEmoji))
		}
		if err := rate(b); err != nil {
			return nil, err
		}
		b.putReaction(row, mine, emoji, on)
		if at.home.Kind == Room || at.home.Members > reactionsAtOnce {
			b.putItem(&Item{ItemKey: waits, Body: mustJSON(p), Due: due})
			return nil, nil
		}
		b.forgetItem(waits)
		e.Reactions = totals
		b.revise(e, at.c.Seq+1)
		return p.event(totals), nil
	})
	return err
}

// event tells of what was gathered.
func (r *reacting) event(totals []Reaction) *Event {
	text := fmt.Sprintf("%d reactions", r.Changed)
	if r.Changed == 1 {
		verb := "took back"
		if r.Changes[0].On {
			verb = "reacted with"
		}
		text = fmt.Sprintf("%s %s %s", r.Changes[0].User, verb, r.Changes[0].Emoji)
	}
	if totals == nil {
		totals = []Reaction{}
	}
	return &Event{Kind: Reacted, Content: mustJSON(reactedContent{text, r.Changes, r.Changed, totals})}
}

// putReaction writes the two rows of a reaction, or removes them.
func (b *batch) putReaction(row, mine ItemKey, emoji string, on bool) {
	var list []string
	if it := b.item(mine); it != nil {
		_ = json.Unmarshal(it.Body, &list)
	}
	list = slices.DeleteFunc(list, func(e string) bool { return e == emoji })
	if on {
		list = append(list, emoji)
		b.putItem(&Item{ItemKey: row, Body: mustJSON(string(AppendTime(nil, b.now)))})
	} else {
		b.forgetItem(row)
	}
	if len(list) == 0 {
		b.forgetItem(mine)
	} else {
		b.putItem(&Item{ItemKey: mine, Body: mustJSON(list)})
	}
}

// tellReactions tells what was gathered of a message.
func (s *Service) tellReactions(it Item) *operation {
	key, ok := eventOf(&it)
	return &operation{
		keys: func(k *Keys) {
			k.Items = append(k.Items, it.ItemKey)
			if ok {
				k.Conversations = append(k.Conversations, key.Conversation)
				k.Events = append(k.Events, key)
			}
		},
		decide: func(b *batch) (Place, error) {
			now := b.item(it.ItemKey)
			if now == nil || now.Due.After(b.now) {
				return Place{}, nil // told at once, or by another node
			}
			b.forgetItem(it.ItemKey)
			var p reacting
			c, e := b.rows.Conversations[key.Conversation], b.event(key)
			if json.Unmarshal(now.Body, &p) != nil || c == nil || e == nil || e.Kind != Message || e.Erased {
				return Place{}, nil
			}
			totals := p.totals(e.Reactions)
			if slices.Equal(totals, e.Reactions) {
				return Place{}, nil // taken back before anybody was told
			}
			e.Reactions = totals
			b.revise(e, c.Seq+1)
			told := p.event(totals)
			told.Targets, told.Only = [][2]Seq{{e.Seq, e.Seq}}, e.Only
			b.append(c, told)
			return Place{}, nil
		},
	}
}

// unreact removes the reactions to a message that is gone, a step at a time.
func (s *Service) unreact(it Item) *operation {
	key, ok := eventOf(&it)
	var rows []Item
	var err error
	if ok {
		rows, err = s.store.Items(context.Background(), ItemRange{
			Holder: it.Holder, Kind: itemReaction, Prefix: it.Key + keySep, Limit: unreactStep,
		})
	}
	return &operation{
		keys: func(k *Keys) { k.Items = append(k.Items, it.ItemKey) },
		decide: func(b *batch) (Place, error) {
			if err != nil {
				return Place{}, readError(err)
			}
			for _, row := range rows {
				b.forgetItem(row.ItemKey)
				if i := strings.LastIndex(row.Key, keySep); i >= 0 {
					b.forgetItem(reactionsOfKey(key, UserID(row.Key[i+1:])))
				}
			}
			if len(rows) < unreactStep {
				b.forgetItem(it.ItemKey)
			}
			return Place{}, nil
		},
	}
}

// eraseReactions has the reactions to a message that is gone removed. There may be some that
// its totals do not tell of yet.
func (b *batch) eraseReactions(c *Conversation, e *Event) {
	key := EventKey{c.ID, e.Seq}
	b.forgetItem(key.item(itemReacting))
	b.putItem(&Item{ItemKey: key.item(itemUnreact), Body: mustJSON(true), Due: b.now})
}

// Reactor is who reacted with what.
type Reactor struct {
	User  UserID
	Emoji string
}

// Reactors answers who reacted to a message, with one emoji or, with "", with any, in
// pages: page goes on where the answer before ended, and is empty on the last.
func (s *Service) Reactors(ctx context.Context, a Actor, key EventKey, emoji, page string, limit int) (list []Reactor, next string, err error) {
	if _, err := s.readMessage(ctx, a, key); err != nil {
		return nil, "", err
	}
	prefix := seqKey(key.Seq) + keySep
	r := ItemRange{Holder: ConversationHolder(key.Conversation), Kind: itemReaction, Prefix: prefix, Limit: limit + 1}
	if emoji != "" {
		r.Prefix += emoji + keySep
	}
	if page != "" {
		r.After = prefix + page
	}
	items, err := s.store.Items(ctx, r)
	if err != nil {
		return nil, "", readError(err)
	}
	for i, it := range items {
		rest := strings.TrimPrefix(it.Key, prefix)
		if i == limit {
			return list, strings.TrimPrefix(items[i-1].Key, prefix), nil
		}
		emoji, user, _ := strings.Cut(rest, keySep)
		list = append(list, Reactor{UserID(user), emoji})
	}
	return list, "", nil
}

// Mine is what the reader reacted to a message with.
type Mine struct {
	Seq   Seq
	Emoji []string
}

// minePage is how many of the reader's reactions are read together.
const minePage = 200

// Mine answers what the caller reacted to listed events with.
func (s *Service) Mine(ctx context.Context, a Actor, id ConversationID, events []Record) ([]Mine, error) {
	var seqs []Seq
	for i := range events {
		if r := &events[i]; bytes.Contains(r.head(), []byte(`,"reactions":[`)) {
			seqs = append(seqs, r.Seq)
		}
	}
	if len(seqs) == 0 {
		return nil, nil
	}
	var list []Mine
	prefix := string(a.User) + keySep
	r := ItemRange{
		Holder: ConversationHolder(id), Kind: itemReactionsOf, Prefix: prefix, After: prefix + seqKey(seqs[0]-1), Limit: minePage,
	}
	for {
		items, err := s.store.Items(ctx, r)
		if err != nil {
			return nil, readError(err)
		}
		for _, it := range items {
			seq, _ := strconv.ParseInt(strings.TrimPrefix(it.Key, prefix), 10, 64)
			if Seq(seq) > seqs[len(seqs)-1] {
				return list, nil
			}
			mine := Mine{Seq: Seq(seq)}
			if _, shown := slices.BinarySearch(seqs, mine.Seq); shown && json.Unmarshal(it.Body, &mine.Emoji) == nil {
				list = append(list, mine)
			}
		}
		if len(items) < minePage {
			return list, nil
		}
		r.After = items[len(items)-1].Key
	}
}
