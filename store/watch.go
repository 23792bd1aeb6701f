package store

import (
	"slices"
	"sync"
	"time"
)

// A Change says that a row is not what it was. With an empty ID anything in the
// table can have changed.
type Change struct {
	Table string
	Place Place
	ID    string
}

// Watch has f called after each commit that wrote rows of the table: before
// Commit returns for this process's own, so that whoever made a change sees it
// applied; soon after for those of other nodes. f reads again what it needs; it
// must return fast, and may be called by several goroutines at once.
func (s *Store) Watch(table string, f func(Change)) {
	s.watch.add(table, f)
}

// MaxSilence is how long a process may go without confirmation that it has heard
// of all that others have committed. What is remembered counts no longer then: a
// key may be inactive, a role gone.
const MaxSilence = 5 * time.Second

// InTouch returns ErrStale while what watchers were told may be older than
// MaxSilence, and ErrNoKey while the current root key is not here.
func (s *Store) InTouch() error {
	if err := s.lacking(); err != nil {
		return err
	}
	if s.confirms != nil && s.confirms.Silence() > MaxSilence {
		return ErrStale
	}
	return nil
}

type watchers struct {
	mu sync.RWMutex
	by map[string][]func(Change)
}

func (w *watchers) add(table string, f func(Change)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by == nil {
		w.by = map[string][]func(Change){}
	}
	w.by[table] = append(slices.Clip(w.by[table]), f)
}

func (w *watchers) of(table string) []func(Change) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.by[table]
}

func (w *watchers) tell(c Change) {
	for _, f := range w.of(c.Table) {
		f(c)
	}
}

// all tells every watcher that anything can have changed.
func (w *watchers) all() {
	w.mu.RLock()
	tables := make([]string, 0, len(w.by))
	for table := range w.by {
		tables = append(tables, table)
	}
	w.mu.RUnlock()
	for _, table := range tables {
		w.tell(Change{Table: table})
	}
}

// committed tells this process what b has changed.
func (s *Store) committed(b *Batch) {
	for _, w := range b.Writes {
		s.watch.tell(Change{w.Table, w.Place, w.ID})
	}
	if len(b.Outbox) > 0 {
		wake(s.outbox)
	}
	if len(b.Schedule) > 0 {
		wake(s.due)
	}
}

// heard passes on what other nodes have committed.
func (s *Store) heard(n News) {
	if n.Lost {
		s.watch.all()
	}
	for _, c := range n.Changes {
		s.watch.tell(c)
	}
	if n.Outbox || n.Lost {
		wake(s.outbox)
	}
	if n.Due || n.Lost {
		wake(s.due)
	}
}
