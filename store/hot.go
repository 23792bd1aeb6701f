package store

import (
	"context"
	"sync"
)

// Hot keeps the table's rows in memory as they were read, opened, until they change:
// those that were read lately, within hotBytes for all tables together. A store that
// no other process writes to reads them without asking its backend; others ask it
// for the row all the same, so that a unit sees what is committed, and save opening
// it. Not for tables that hold key material.
func Hot[T any]() Option[T] { return func(t *Table[T]) { t.hot = true } }

const (
	hotBytes = 24 << 20 // of rows in memory
	hotRow   = 64 << 10 // larger ones are not kept
	hotExtra = 300      // what a row takes beside its bytes, about
)

// rows are the hot rows in memory. A row is among the young ones when it was read
// lately. When they are half of what is allowed they become the old ones, and the old
// ones are forgotten.
type rows struct {
	mu         sync.RWMutex
	tables     map[string]bool
	young, old map[Key]read
	bytes      int         // of the young ones
	writing    map[Key]int // rows that units which commit now write: how many do
	changes    uint64      // grows with each change, so that what was read before it is not kept
}

// heat makes a table hot, and has its rows forgotten when they change. The watcher is
// there before any of the table's users', who read again what they are told of.
func (s *Store) heat(table string) {
	s.rows.mu.Lock()
	defer s.rows.mu.Unlock()
	if s.rows.tables[table] {
		return
	}
	if s.rows.tables == nil {
		s.rows.tables, s.rows.young, s.rows.writing = map[string]bool{}, map[Key]read{}, map[Key]int{}
	}
	s.rows.tables[table] = true
	s.Watch(table, s.rows.forget)
}

// fetch returns the row under k as it is committed, nil when there is none.
func (s *Store) fetch(ctx context.Context, k Key) (read, error) {
	r, change, hot := s.rows.recall(k)
	if r.plain != nil && s.confirms == nil {
		return r, nil
	}
	row, err := s.backend.Get(ctx, k)
	if err != nil {
		return read{}, err
	}
	return s.opened(ctx, row, r, change, hot)
}

// opened opens a row, unless it is the one that is remembered.
func (s *Store) opened(ctx context.Context, row Row, was read, change uint64, hot bool) (read, error) {
	if was.plain != nil && was.rev == row.Rev {
		return was, nil
	}
	p, err := s.openRow(ctx, row)
	if err != nil {
		return read{}, err
	}
	r := read{rev: row.Rev, plain: p}
	if hot && p != nil {
		s.rows.keep(row.Key, r, change)
	}
	return r, nil
}

// recall returns what is remembered of the row, whether its table is hot, and how many
// changes there had been by then.
func (m *rows) recall(k Key) (r read, change uint64, hot bool) {
	m.mu.RLock()
	hot, change = m.tables[k.Table], m.changes
	r, young := m.young[k]
	if !young {
		r = m.old[k]
	}
	m.mu.RUnlock()
	if !young && r.plain != nil {
		m.keep(k, r, change) // it stays among those that are read
	}
	return r, change, hot
}

// now returns how many changes there have been.
func (m *rows) now() uint64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.changes
}

// size is about how many bytes a row takes in memory.
func (r read) size(k Key) int {
	n := hotExtra + len(k.ID) + len(r.plain.json)
	for _, e := range r.plain.index {
		n += 2 * (len(e.Index) + len(e.Value)) // as they stand before the JSON, and as texts
	}
	return n
}

// keep remembers a row, if nothing has changed since recall or now told change.
func (m *rows) keep(k Key, r read, change uint64) {
	size := r.size(k)
	if size > hotRow {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.changes != change || m.writing[k] > 0 {
		return
	}
	if _, there := m.young[k]; there {
		return
	}
	if m.bytes+size > hotBytes/2 {
		m.old, m.young, m.bytes = m.young, map[Key]read{}, 0
	}
	m.young[k] = r
	m.bytes += size
}

// begin says that the rows in writes are about to change. From here until end none of
// them is remembered: another goroutine may see the commit before the one that made
// it hears that it has, such as who takes up the due record that came with it.
func (m *rows) begin(writes []Write) (end func()) {
	var keys []Key
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range writes {
		if m.tables[w.Table] {
			keys = append(keys, w.Key)
			m.writing[w.Key]++
			m.drop(w.Key)
		}
	}
	if keys == nil {
		return func() {}
	}
	m.changes++
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, k := range keys {
			if m.writing[k]--; m.writing[k] == 0 {
				delete(m.writing, k)
			}
		}
		m.changes++
	}
}

// forget is told of changes.
func (m *rows) forget(c Change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changes++
	if c.ID == "" {
		clear(m.young)
		clear(m.old)
		m.bytes = 0
		return
	}
	m.drop(Key(c))
}

func (m *rows) drop(k Key) {
	if r, there := m.young[k]; there {
		m.bytes -= r.size(k)
		delete(m.young, k)
	}
	delete(m.old, k)
}

// doubt forgets what a unit had read that could not commit. A row that has changed
// without anybody telling, such as by hand, would fail it for ever.
func (m *rows) doubt(expected []Expect) {
	for _, e := range expected {
		m.mu.RLock()
		hot := m.tables[e.Table]
		m.mu.RUnlock()
		if hot {
			m.forget(Change{e.Table, e.Place, e.ID})
		}
	}
}
