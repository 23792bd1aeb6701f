package memory

import (
	"context"
	"errors"
	"io"

	"sumun.dev/store"
)

// Dump yields everything as of now.
func (b *Backend) Dump(_ context.Context, yield func(store.Item) error) error {
	s := b.now.Load()
	var err error
	each := func(item store.Item) bool {
		err = yield(item)
		return err == nil
	}
	s.facts.ascend("", func(name string, v []byte) bool {
		return each(store.Item{Fact: &store.Fact{Name: name, Value: v}})
	})
	if err != nil {
		return err
	}
	s.rows.ascend("", func(_ string, row store.Row) bool { return each(store.Item{Row: &row}) })
	if err != nil {
		return err
	}
	s.entries.ascend("", func(_ string, e store.IndexRow) bool { return each(store.Item{Entry: &e}) })
	if err != nil {
		return err
	}
	s.outbox.ascend("", func(_ string, r store.Record) bool { return each(store.Item{Record: &r}) })
	if err != nil {
		return err
	}
	s.dues.ascend("", func(_ string, d store.DueRow) bool { return each(store.Item{Due: &d}) })
	if err != nil {
		return err
	}
	return yield(store.Item{Revision: s.revision})
}

// Load fills an empty backend.
func (b *Backend) Load(_ context.Context, next func() (store.Item, error)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.now.Load()
	if old.rows.root != nil || old.outbox.root != nil || old.dues.root != nil || old.facts.root != nil {
		return store.ErrNotEmpty
	}
	s := *old
	for {
		item, err := next()
		if errors.Is(err, io.EOF) {
			b.now.Store(&s)
			return nil
		}
		if err != nil {
			return err
		}
		s.load(item)
	}
}

func (s *state) load(item store.Item) {
	switch {
	case item.Row != nil:
		s.rows = s.rows.with(rowKey(item.Row.Key), *item.Row)
	case item.Entry != nil:
		s.entries = s.entries.with(entryKey(item.Entry.Key, item.Entry.Entrance), *item.Entry)
	case item.Record != nil:
		s.outbox = s.outbox.with(number(item.Record.Seq), *item.Record)
	case item.Due != nil:
		s.schedule(*item.Due)
	case item.Fact != nil:
		s.facts = s.facts.with(item.Fact.Name, item.Fact.Value)
	default:
		s.revision = max(s.revision, item.Revision)
	}
}
