package chat

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
)

// itemLikes is how often a room was liked, held by it under the key total.
const itemLikes ItemKind = "likes"

// maxLikes is how many likes one call brings.
const maxLikes = 100

// likes are those that are not written yet.
type likes struct {
	mu    sync.Mutex
	added map[ConversationID]int64
	rates rates
}

// Like adds likes to a room. They are added up and told to those who are in it, at most
// once a second; a crash loses those of the last second. It does not wait for the disk.
func (s *Service) Like(ctx context.Context, a Actor, id ConversationID, n int) error {
	if n < 1 || n > maxLikes {
		return invalid("likes", "likes: 1 to %d", maxLikes)
	}
	c, m, _, err := s.find(ctx, a, id)
	if err != nil {
		return err
	}
	if c.Kind != Room {
		return forbidden("this is for rooms")
	}
	now := s.cfg.Now()
	if err := speak(a, c, m, now); err != nil {
		return err
	}
	s.likes.mu.Lock()
	defer s.likes.mu.Unlock()
	if a.Limited {
		if wait, ok := s.likes.rates.take(string(a.User), s.cfg.Limits.SendsPerSecond, s.cfg.Limits.SendsBurst, now); !ok {
			return tooFast("you like too fast: bring more at once", wait)
		}
	}
	s.likes.added[id] += int64(n)
	return nil
}

// flushLikes writes the likes that have come, and tells them.
func (s *Service) flushLikes(ctx context.Context) error {
	s.likes.mu.Lock()
	added := s.likes.added
	s.likes.added = make(map[ConversationID]int64)
	s.likes.mu.Unlock()
	var errs []error
	for id, n := range added {
		key := ItemKey{ConversationHolder(id), itemLikes, "total"}
		_, err := s.await(ctx, &operation{
			keys: func(k *Keys) {
				k.Conversations = append(k.Conversations, id)
				k.Items = append(k.Items, key)
			},
			decide: func(b *batch) (Place, error) {
				c := b.rows.Conversations[id]
				if c == nil {
					return Place{}, nil
				}
				total := n
				if it := b.item(key); it != nil {
					before, err := strconv.ParseInt(string(it.Body), 10, 64)
					if err != nil {
						return Place{}, fmt.Errorf("likes of %q: %w", id, err)
					}
					total += before
				}
				b.putItem(&Item{ItemKey: key, Body: strconv.AppendInt(nil, total, 10)})
				b.notify(Notice{Conversation: *c, Method: "room.likes", Params: mustJSON(struct {
					Room  ConversationID `json:"room"`
					Added int64          `json:"added"`
					Total int64          `json:"total"`
				}{id, n, total})})
				return Place{}, nil
			},
		})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (s *Service) likesOf(ctx context.Context, id ConversationID) (int64, error) {
	items, err := s.store.Items(ctx, ItemRange{Holder: ConversationHolder(id), Kind: itemLikes, Limit: 1})
	if err != nil {
		return 0, readError(err)
	}
	if len(items) == 0 {
		return 0, nil
	}
	return strconv.ParseInt(string(items[0].Body), 10, 64)
}
