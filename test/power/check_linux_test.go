package power

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/linnet-im/linnet/internal/chat"
)

// verdict is what a check found.
type verdict struct {
	missing []ack // acknowledged, and not where the answer said
	damage  error // what no cut may do, whatever was lost
}

// repeats is how many acknowledged sends are sent again in each check.
const repeats = 50

// check opens the store in dir, on an ordinary file system, and looks for what was acknowledged.
func check(dir string, acks []ack) verdict {
	if err := integrity(dir); err != nil {
		return verdict{damage: err}
	}
	s, store, stop, err := openService(dir, "FULL")
	if err != nil {
		return verdict{damage: fmt.Errorf("open after the cut: %w", err)}
	}
	defer stop()
	byConversation := make(map[chat.ConversationID][]ack)
	for _, a := range acks {
		byConversation[a.conversation] = append(byConversation[a.conversation], a)
	}
	var v verdict
	for _, id := range slices.Sorted(maps.Keys(byConversation)) {
		events, err := readAll(store, id)
		if err != nil {
			return verdict{damage: err}
		}
		for _, a := range byConversation[id] {
			e, ok := events[a.clientID]
			switch {
			case !ok || e.Seq != a.seq:
				v.missing = append(v.missing, a)
			case string(e.Content) != string(content(a.clientID)) || e.From != user(a.sender):
				return verdict{damage: fmt.Errorf("%s %d: not what was sent: %s", id, e.Seq, e.Content)}
			}
		}
	}
	if len(v.missing) == 0 {
		v.damage = repeat(s, acks[max(0, len(acks)-repeats):])
	}
	return v
}

// integrity lets SQLite itself look at the file.
func integrity(dir string) error {
	db, err := sql.Open("sqlite", storeConfig(dir, "FULL").Path)
	if err != nil {
		return err
	}
	defer db.Close()
	var said string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&said); err != nil {
		return fmt.Errorf("integrity check: %w", err)
	}
	if said != "ok" {
		return errors.New("integrity check: " + said)
	}
	return nil
}

// event is a stored event as the check reads it.
type event struct {
	Seq      chat.Seq
	From     chat.UserID
	ClientID string `json:"client_id"`
	Content  json.RawMessage
}

// readAll answers a conversation's events by client id. It checks that their seqs are
// 1, 2, 3… up to the head and that no client id stands twice.
func readAll(store chat.Store, id chat.ConversationID) (map[string]event, error) {
	head, err := store.Conversation(context.Background(), id)
	if errors.Is(err, chat.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	events := make(map[string]event)
	next := chat.Seq(1)
	for next <= head.Seq {
		page, err := store.Events(context.Background(), chat.EventRange{
			Conversation: id, From: next, To: head.Seq + 1000, Limit: 500,
		})
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			var e event
			if err := json.Unmarshal(r.JSON, &e); err != nil {
				return nil, fmt.Errorf("%s %d: %w", id, r.Seq, err)
			}
			if r.Seq != next || e.Seq != next {
				return nil, fmt.Errorf("%s: seq %d (in it %d) where %d should be", id, r.Seq, e.Seq, next)
			}
			if first, twice := events[e.ClientID]; twice {
				return nil, fmt.Errorf("%s: client id %s at %d and %d", id, e.ClientID, first.Seq, e.Seq)
			}
			events[e.ClientID] = e
			next++
		}
		if len(page) == 0 {
			return nil, fmt.Errorf("%s: the log ends at %d, its head says %d", id, next-1, head.Seq)
		}
	}
	if next != head.Seq+1 {
		return nil, fmt.Errorf("%s: the log goes to %d, its head says %d", id, next-1, head.Seq)
	}
	return events, nil
}

// repeat sends acknowledged sends again: each must be answered as it was.
func repeat(s *chat.Service, acks []ack) error {
	for _, a := range acks {
		m := chat.Send{
			ClientID: a.clientID, Key: uuid.MustParse(a.clientID), Once: true,
			Content: content(a.clientID), ToUser: a.to,
		}
		if a.to == "" {
			m.Conversation = a.conversation
		}
		type answer struct {
			place chat.Place
			err   error
		}
		answered := make(chan answer, 1)
		s.Send(chat.Actor{User: user(a.sender)}, m, reply(func(p chat.Place, err error) { answered <- answer{p, err} }))
		got := <-answered
		if got.err != nil || got.place.Conversation != a.conversation || got.place.Seq != a.seq {
			return fmt.Errorf("%s: sent again, answered %v %v; first it was %s %d",
				a.clientID, got.place, got.err, a.conversation, a.seq)
		}
	}
	return nil
}
