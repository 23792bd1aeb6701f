package memory

import "math/rand/v2"

// tree is an ordered map that never changes: with and without return another
// one, which shares all but the path to the key. So whoever holds a tree reads
// one instant, without a lock. It is a treap: random priorities keep it flat.
type tree[V any] struct{ root *node[V] }

type node[V any] struct {
	left, right *node[V]
	priority    uint32
	key         string
	value       V
}

// get returns the value under key.
func (t tree[V]) get(key string) (v V, ok bool) {
	for n := t.root; n != nil; {
		switch {
		case key < n.key:
			n = n.left
		case key > n.key:
			n = n.right
		default:
			return n.value, true
		}
	}
	return v, false
}

// with returns the tree with value under key.
func (t tree[V]) with(key string, value V) tree[V] {
	if _, ok := t.get(key); ok {
		return tree[V]{replace(t.root, key, value)}
	}
	return tree[V]{insert(t.root, &node[V]{priority: rand.Uint32(), key: key, value: value})}
}

// without returns the tree without key.
func (t tree[V]) without(key string) tree[V] {
	if _, ok := t.get(key); !ok {
		return t
	}
	return tree[V]{remove(t.root, key)}
}

// ascend yields keys from lo on, in order, until yield returns false.
func (t tree[V]) ascend(lo string, yield func(string, V) bool) { ascend(t.root, lo, yield) }

// descend yields keys before hi, last first, until yield returns false.
func (t tree[V]) descend(hi string, yield func(string, V) bool) { descend(t.root, hi, yield) }

func replace[V any](n *node[V], key string, value V) *node[V] {
	c := *n
	switch {
	case key < n.key:
		c.left = replace(n.left, key, value)
	case key > n.key:
		c.right = replace(n.right, key, value)
	default:
		c.value = value
	}
	return &c
}

func insert[V any](n, add *node[V]) *node[V] {
	if n == nil {
		return add
	}
	if add.priority > n.priority {
		add.left, add.right = split(n, add.key)
		return add
	}
	c := *n
	if add.key < n.key {
		c.left = insert(n.left, add)
	} else {
		c.right = insert(n.right, add)
	}
	return &c
}

// split parts n into what is before key and what is after.
func split[V any](n *node[V], key string) (before, after *node[V]) {
	if n == nil {
		return nil, nil
	}
	c := *n
	if n.key < key {
		c.right, after = split(n.right, key)
		return &c, after
	}
	before, c.left = split(n.left, key)
	return before, &c
}

func remove[V any](n *node[V], key string) *node[V] {
	c := *n
	switch {
	case key < n.key:
		c.left = remove(n.left, key)
	case key > n.key:
		c.right = remove(n.right, key)
	default:
		return join(n.left, n.right)
	}
	return &c
}

// join puts together two trees, all keys of a before those of b.
func join[V any](a, b *node[V]) *node[V] {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.priority > b.priority:
		c := *a
		c.right = join(a.right, b)
		return &c
	}
	c := *b
	c.left = join(a, b.left)
	return &c
}

func ascend[V any](n *node[V], lo string, yield func(string, V) bool) bool {
	if n == nil {
		return true
	}
	if n.key < lo {
		return ascend(n.right, lo, yield)
	}
	return ascend(n.left, lo, yield) && yield(n.key, n.value) && ascend(n.right, lo, yield)
}

func descend[V any](n *node[V], hi string, yield func(string, V) bool) bool {
	if n == nil {
		return true
	}
	if n.key >= hi {
		return descend(n.left, hi, yield)
	}
	return descend(n.right, hi, yield) && yield(n.key, n.value) && descend(n.left, hi, yield)
}
