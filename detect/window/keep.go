package window

import (
	"encoding/json"
	"fmt"
	"iter"
)

// A Keep remembers a value for each of a bounded number of keys. When there are
// too many, the one that was quiet longest is forgotten. Keys and values are such
// that JSON keeps them. It is not safe for concurrent use.
type Keep[K comparable, V any] struct {
	most   int
	keys   map[K]*kept[K, V]
	busy   *kept[K, V] // what was found last; what follows was quiet longer
	quiet  *kept[K, V] // what was quiet longest
	uneven bool        // values are Weighers
	held   int         // the weights of all keys
	last   *kept[K, V] // found last: its value may have changed since it was weighed
}

type kept[K comparable, V any] struct {
	Key   K `json:"k"`
	Value V `json:"v"`

	weight        int
	before, after *kept[K, V] // in the order of how long they were quiet
}

// perKey is what a key is taken to weigh: the bytes, roughly, that it takes with its
// places in the map and in the list. It is the same on all machines.
const perKey = 256

// A Weigher is a value that may take much more memory than others of its type: what
// its lists take, in bytes, roughly. It depends on nothing that is not written down.
type Weigher interface{ Weight() int }

// NewKeep returns a Keep for at most most keys.
func NewKeep[K comparable, V any](most int) *Keep[K, V] {
	if most < 1 {
		panic(fmt.Sprintf("window: %d keys", most)) // a constant is wrong
	}
	_, uneven := any((*V)(nil)).(Weigher)
	return &Keep[K, V]{most: most, uneven: uneven, keys: map[K]*kept[K, V]{}}
}

// Find returns what is remembered of a key; nil when that is nothing.
func (k *Keep[K, V]) Find(key K) *V {
	if len(k.keys) == 0 {
		return nil
	}
	n := k.keys[key]
	if n == nil {
		return nil
	}
	if n != k.busy {
		k.unlink(n)
		k.link(n)
	}
	return k.found(n)
}

// Again is Find for the key that was found last; nil for any other.
func (k *Keep[K, V]) Again(key K) *V {
	if k.busy == nil || k.busy.Key != key {
		return nil
	}
	return k.found(k.busy)
}

func (k *Keep[K, V]) found(n *kept[K, V]) *V {
	k.settle()
	k.last = n
	return &n.Value
}

// At returns what is remembered of a key, a zero value for a new one.
func (k *Keep[K, V]) At(key K) *V {
	if v := k.Find(key); v != nil {
		return v
	}
	if len(k.keys) >= k.most {
		k.drop(k.quiet)
	}
	n := &kept[K, V]{Key: key}
	k.keys[key] = n
	k.link(n)
	return k.found(n)
}

// link puts n before all that were quiet longer.
func (k *Keep[K, V]) link(n *kept[K, V]) {
	n.before, n.after = nil, k.busy
	if k.busy != nil {
		k.busy.before = n
	} else {
		k.quiet = n
	}
	k.busy = n
}

func (k *Keep[K, V]) unlink(n *kept[K, V]) {
	if n.before != nil {
		n.before.after = n.after
	} else {
		k.busy = n.after
	}
	if n.after != nil {
		n.after.before = n.before
	} else {
		k.quiet = n.before
	}
}

// settle weighs what was found last.
func (k *Keep[K, V]) settle() {
	if k.last != nil {
		k.weigh(k.last)
		k.last = nil
	}
}

func (k *Keep[K, V]) weigh(n *kept[K, V]) {
	k.held -= n.weight
	n.weight = perKey
	if k.uneven {
		n.weight += any(&n.Value).(Weigher).Weight()
	}
	k.held += n.weight
}

func (k *Keep[K, V]) drop(n *kept[K, V]) {
	k.settle()
	k.held -= n.weight
	k.unlink(n)
	delete(k.keys, n.Key)
}

// Held returns how many bytes of memory is taken, roughly. Values that were found
// before do not change after it, until they are found again.
func (k *Keep[K, V]) Held() int {
	k.settle()
	return k.held
}

// Shed drops an eighth of the keys, and at least one: those that were quiet longest.
func (k *Keep[K, V]) Shed() {
	for range (len(k.keys) + 7) / 8 {
		k.drop(k.quiet)
	}
}

// Weigh weighs anew what is remembered of a key, which was changed without asking
// for it.
func (k *Keep[K, V]) Weigh(key K) {
	if n := k.keys[key]; n != nil {
		k.weigh(n)
	}
}

// All goes over what is remembered, what was quiet longest first.
func (k *Keep[K, V]) All() iter.Seq2[K, *V] {
	return func(yield func(K, *V) bool) {
		for n := k.quiet; n != nil; n = n.before {
			if !yield(n.Key, &n.Value) {
				return
			}
		}
	}
}

// Expire drops the keys that were quiet longest, at most two, when what is remembered
// of them is of no use any more.
func (k *Keep[K, V]) Expire(useless func(*V) bool) {
	for range 2 {
		if k.quiet == nil || !useless(&k.quiet.Value) {
			return
		}
		k.drop(k.quiet)
	}
}

// Forget drops a key.
func (k *Keep[K, V]) Forget(key K) {
	if n := k.keys[key]; n != nil {
		k.drop(n)
	}
}

// Len returns how many keys are known.
func (k *Keep[K, V]) Len() int { return len(k.keys) }

// MarshalBinary writes what is remembered.
func (k *Keep[K, V]) MarshalBinary() ([]byte, error) {
	all := make([]*kept[K, V], 0, len(k.keys))
	for n := k.quiet; n != nil; n = n.before {
		all = append(all, n)
	}
	return json.Marshal(all)
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (k *Keep[K, V]) UnmarshalBinary(b []byte) error {
	all, err := read[K, V](b)
	if err != nil {
		return err
	}
	k.keys, k.busy, k.quiet, k.held, k.last = map[K]*kept[K, V]{}, nil, nil, 0, nil
	for _, e := range all {
		*k.At(e.Key) = e.Value
	}
	return nil
}

// read reads what is written down of a Keep.
func read[K comparable, V any](b []byte) (all []kept[K, V], err error) {
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("window: %w", err)
	}
	return all, nil
}
