package window

import (
	"container/list"
	"encoding/json"
	"fmt"
)

// A Keep remembers a value for each of a bounded number of keys. When there are
// too many, the one that was quiet longest is forgotten. Keys and values are such
// that JSON keeps them. It is not safe for concurrent use.
type Keep[K comparable, V any] struct {
	most  int
	keys  map[K]*list.Element // of *kept
	quiet *list.List          // the last one was quiet longest
}

type kept[K comparable, V any] struct {
	Key   K `json:"k"`
	Value V `json:"v"`
}

// NewKeep returns a Keep for at most most keys.
func NewKeep[K comparable, V any](most int) *Keep[K, V] {
	if most < 1 {
		panic(fmt.Sprintf("window: %d keys", most)) // a constant is wrong
	}
	return &Keep[K, V]{most: most, keys: map[K]*list.Element{}, quiet: list.New()}
}

// Find returns what is remembered of a key; nil when that is nothing.
func (k *Keep[K, V]) Find(key K) *V {
	el := k.keys[key]
	if el == nil {
		return nil
	}
	k.quiet.MoveToFront(el)
	return &el.Value.(*kept[K, V]).Value
}

// At returns what is remembered of a key, a zero value for a new one.
func (k *Keep[K, V]) At(key K) *V {
	if v := k.Find(key); v != nil {
		return v
	}
	if len(k.keys) >= k.most {
		last := k.quiet.Back()
		k.quiet.Remove(last)
		delete(k.keys, last.Value.(*kept[K, V]).Key)
	}
	n := &kept[K, V]{Key: key}
	k.keys[key] = k.quiet.PushFront(n)
	return &n.Value
}

// Expire drops the keys that were quiet longest, at most two, when what is remembered
// of them is of no use any more.
func (k *Keep[K, V]) Expire(useless func(*V) bool) {
	for range 2 {
		el := k.quiet.Back()
		if el == nil {
			return
		}
		old := el.Value.(*kept[K, V])
		if !useless(&old.Value) {
			return
		}
		k.quiet.Remove(el)
		delete(k.keys, old.Key)
	}
}

// Forget drops a key.
func (k *Keep[K, V]) Forget(key K) {
	if el := k.keys[key]; el != nil {
		k.quiet.Remove(el)
		delete(k.keys, key)
	}
}

// Len returns how many keys are known.
func (k *Keep[K, V]) Len() int { return len(k.keys) }

// MarshalBinary writes what is remembered.
func (k *Keep[K, V]) MarshalBinary() ([]byte, error) {
	all := make([]*kept[K, V], 0, len(k.keys))
	for el := k.quiet.Back(); el != nil; el = el.Prev() {
		all = append(all, el.Value.(*kept[K, V]))
	}
	return json.Marshal(all)
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (k *Keep[K, V]) UnmarshalBinary(b []byte) error {
	all, err := read[K, V](b)
	if err != nil {
		return err
	}
	k.keys, k.quiet = map[K]*list.Element{}, list.New()
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
