package client

import (
	"cmp"
	"slices"

	"github.com/linnet-im/linnet/wire"
)

type itemKey struct{ kind, key string }

// Items answers what is known of the user's own state of one kind, by key: friend,
// friend_request, block, draft, pinned, settings. It follows the user's other devices.
func (c *Client) Items(kind string) []wire.Item {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []wire.Item
	for _, it := range c.items {
		if it.Kind == kind {
			list = append(list, it)
		}
	}
	slices.SortFunc(list, func(a, b wire.Item) int { return cmp.Compare(a.Key, b.Key) })
	return list
}
