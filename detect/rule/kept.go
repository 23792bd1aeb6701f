package rule

import (
	"container/list"
	"encoding/json"

	"sumun.dev/detect/record"
)

// A Kept holds a value for each of at most a number of keys; those that were quiet
// longest are forgotten. It is not safe for concurrent use.
type Kept[V any] struct {
	most  int
	keys  map[string]*list.Element // of *entry[V]
	quiet list.List                // the last one was quiet longest
}

type entry[V any] struct {
	Key   string `json:"k"`
	Value *V     `json:"v"`
}

// Keep returns a Kept for at most most keys.
func Keep[V any](most int) *Kept[V] {
	return &Kept[V]{most: most, keys: map[string]*list.Element{}}
}

// At returns the value of a key, the zero value when it is new.
func (k *Kept[V]) At(key string) *V {
	if el := k.keys[key]; el != nil {
		k.quiet.MoveToFront(el)
		return el.Value.(*entry[V]).Value
	}
	if len(k.keys) >= k.most {
		last := k.quiet.Back()
		k.quiet.Remove(last)
		delete(k.keys, last.Value.(*entry[V]).Key)
	}
	e := &entry[V]{key, new(V)}
	k.keys[key] = k.quiet.PushFront(e)
	return e.Value
}

// Len returns how many keys there are.
func (k *Kept[V]) Len() int { return len(k.keys) }

// MarshalBinary writes all values, and which was quiet how long.
func (k *Kept[V]) MarshalBinary() ([]byte, error) {
	all := make([]*entry[V], 0, len(k.keys))
	for el := k.quiet.Back(); el != nil; el = el.Prev() {
		all = append(all, el.Value.(*entry[V]))
	}
	return json.Marshal(all)
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (k *Kept[V]) UnmarshalBinary(b []byte) error {
	var all []entry[V]
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	k.keys = map[string]*list.Element{}
	k.quiet.Init()
	for _, e := range all {
		if e.Value != nil {
			*k.At(e.Key) = *e.Value
		}
	}
	return nil
}

// Asker names who asked a question, as far as the log tells.
func Asker(d *record.DNS) string {
	if d.Instance != "" {
		return d.Instance
	}
	return d.VPC + " " + d.Source.String()
}
