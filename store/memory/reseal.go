package memory

import (
	"bytes"
	"context"

	"sumun.dev/store"
)

// Sealed returns what of the cursor's part comes after it.
func (b *Backend) Sealed(_ context.Context, after store.Cursor, limit int) ([]store.Item, error) {
	s := b.now.Load()
	k := after.Last
	switch after.Part {
	case store.SealedRows:
		return behind(s.rows, rowKey(k), limit, func(r store.Row) store.Item { return store.Item{Row: &r} }), nil
	case store.SealedDues:
		key := dueKey(store.DueKey{Kind: k.Table, Place: k.Place, ID: k.ID})
		return behind(s.dues, key, limit, func(d store.DueRow) store.Item { return store.Item{Due: &d} }), nil
	case store.SealedOutbox:
		return behind(s.outbox, number(after.Seq), limit, func(r store.Record) store.Item { return store.Item{Record: &r} }), nil
	}
	var items []store.Item
	s.facts.ascend(k.ID, func(name string, v []byte) bool {
		if name != k.ID && len(items) < limit {
			items = append(items, store.Item{Fact: &store.Fact{Name: name, Value: v}})
		}
		return len(items) < limit
	})
	return items, nil
}

// behind returns up to limit items whose keys come after one.
func behind[V any](t tree[V], key string, limit int, item func(V) store.Item) (items []store.Item) {
	t.ascend(key, func(at string, v V) bool {
		if at != key && len(items) < limit {
			items = append(items, item(v))
		}
		return len(items) < limit
	})
	return items
}

// Swap puts new sealed forms in the place of those that are still there.
func (b *Backend) Swap(_ context.Context, check []byte, swaps []store.Swap) ([]bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := *b.now.Load()
	if now, _ := next.facts.get(store.KeyCheck); !bytes.Equal(check, now) {
		return nil, store.ErrRekeyed
	}
	made := make([]bool, len(swaps))
	for i, swap := range swaps {
		made[i] = next.swap(swap)
	}
	b.now.Store(&next)
	return made, nil
}

func (s *state) swap(swap store.Swap) (made bool) {
	switch {
	case swap.Item.Row != nil:
		key := rowKey(swap.Item.Row.Key)
		row, _ := s.rows.get(key)
		if made = bytes.Equal(row.Doc, swap.Item.Row.Doc); made {
			row.Doc = swap.New
			s.rows = s.rows.with(key, row)
		}
	case swap.Item.Due != nil:
		key := dueKey(swap.Item.Due.DueKey)
		due, _ := s.dues.get(key)
		if made = bytes.Equal(due.Doc, swap.Item.Due.Doc); made {
			due.Doc = swap.New
			s.dues = s.dues.with(key, due)
		}
	case swap.Item.Record != nil:
		key := number(swap.Item.Record.Seq)
		r, _ := s.outbox.get(key)
		if made = bytes.Equal(r.Doc, swap.Item.Record.Doc); made {
			r.Doc = swap.New
			s.outbox = s.outbox.with(key, r)
		}
	case swap.Item.Fact != nil:
		name := swap.Item.Fact.Name
		value, _ := s.facts.get(name)
		if made = bytes.Equal(value, swap.Item.Fact.Value); made {
			s.facts = s.facts.with(name, swap.New)
		}
	}
	return made
}
