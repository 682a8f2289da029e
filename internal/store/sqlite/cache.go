package sqlite

import "container/list"

// lru keeps the n values used last. It is not safe for concurrent use.
type lru[K comparable, V any] struct {
	n     int
	order *list.List // of entry[K, V], the one used last in front
	byKey map[K]*list.Element
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

func newLRU[K comparable, V any](n int) *lru[K, V] {
	return &lru[K, V]{n: n, order: list.New(), byKey: make(map[K]*list.Element)}
}

func (c *lru[K, V]) get(key K) (value V, ok bool) {
	e := c.byKey[key]
	if e == nil {
		return value, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*entry[K, V]).value, true
}

func (c *lru[K, V]) put(key K, value V) {
	if e := c.byKey[key]; e != nil {
		e.Value.(*entry[K, V]).value = value
		c.order.MoveToFront(e)
		return
	}
	c.byKey[key] = c.order.PushFront(&entry[K, V]{key, value})
	if c.order.Len() > c.n {
		c.removeOldest()
	}
}

// removeOldest removes the value that was not used longest. There must be one.
func (c *lru[K, V]) removeOldest() (K, V) {
	last := c.order.Back()
	c.order.Remove(last)
	e := last.Value.(*entry[K, V])
	delete(c.byKey, e.key)
	return e.key, e.value
}
