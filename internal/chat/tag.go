package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

const (
	tagKind    ItemKind = "tag"    // unseen, by the tag
	taggedKind ItemKind = "tagged" // of a tag, by the user

	maxTags        = 100 // of a user
	maxTagsPerCall = 20
	tagStep        = 50 // users whose tags one operation changes
)

// tagHolder holds whom a tag is on.
func tagHolder(tag string) Holder { return Holder("t:" + tag) }

// TagUsers puts labels of the server's on users, who are not told, and takes others off
// them. It is the back end's, for sending to all who have one.
func (s *Service) TagUsers(ctx context.Context, a Actor, users []UserID, add, remove []string) error {
	if !a.Server {
		return forbidden("only a server key puts tags on users")
	}
	if len(users) == 0 || len(add)+len(remove) == 0 {
		return invalid("users", "users and tags: at least one of each")
	}
	if limit := s.cfg.Limits.MembersPerCall; limit > 0 && len(users) > limit {
		return invalid("users", "users: one call names at most %d users", limit)
	}
	if err := checkTags("add", add, maxTagsPerCall); err != nil {
		return err
	}
	if err := checkTags("remove", remove, maxTagsPerCall); err != nil {
		return err
	}
	for _, u := range users {
		if err := CheckUserID(u); err != nil {
			return paramError("users", err)
		}
	}
	for some := range slices.Chunk(users, tagStep) { // so that senders hardly wait for it
		_, err := s.await(ctx, &operation{
			keys: func(k *Keys) {
				for _, u := range some {
					k.Items = append(k.Items, countKey(u, tagKind))
					for _, t := range slices.Concat(add, remove) {
						k.Items = append(k.Items, ItemKey{unseenHolder(u), tagKind, t})
					}
				}
			},
			decide: func(b *batch) (Place, error) {
				for _, u := range some {
					if n := b.counted(u, tagKind) + len(add); n > maxTags {
						return Place{}, forbidden(fmt.Sprintf("a user has at most %d tags: too many for %s", maxTags, u))
					}
				}
				for _, u := range some {
					for _, t := range add {
						b.tag(u, t, true)
					}
					for _, t := range remove {
						b.tag(u, t, false)
					}
				}
				return Place{}, nil
			},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) tag(u UserID, tag string, on bool) {
	key, back := ItemKey{unseenHolder(u), tagKind, tag}, ItemKey{tagHolder(tag), taggedKind, string(u)}
	switch has := b.item(key) != nil; {
	case on && !has:
		b.count(u, tagKind, 1, maxTags)
		b.putItem(&Item{ItemKey: key, Body: json.RawMessage("{}")})
		b.putItem(&Item{ItemKey: back, Body: json.RawMessage("{}")})
	case !on && has:
		b.count(u, tagKind, -1, 0)
		b.forgetItem(key)
		b.forgetItem(back)
	}
}

// Tagged answers the users who have a tag, by id, and whether there are more.
func (s *Service) Tagged(ctx context.Context, tag string, after UserID, limit int) ([]UserID, bool, error) {
	if err := checkTags("tag", []string{tag}, 1); err != nil {
		return nil, false, err
	}
	items, err := s.store.Items(ctx, ItemRange{Holder: tagHolder(tag), Kind: taggedKind, After: string(after), Limit: limit + 1})
	if err != nil {
		return nil, false, readError(err)
	}
	more := len(items) > limit
	var users []UserID
	for _, it := range items[:min(limit, len(items))] {
		users = append(users, UserID(it.Key))
	}
	return users, more, nil
}

// TagsOf answers a user's tags.
func (s *Service) TagsOf(ctx context.Context, u UserID) ([]string, error) {
	items, err := s.store.Items(ctx, ItemRange{Holder: unseenHolder(u), Kind: tagKind, Limit: maxTags})
	if err != nil {
		return nil, readError(err)
	}
	tags := []string{}
	for _, it := range items {
		tags = append(tags, it.Key)
	}
	return tags, nil
}
