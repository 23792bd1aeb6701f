// Package memory is the store's backend for tests and throw-away planes.
//
// All that is kept is one immutable state behind one pointer: readers take the
// pointer and never wait, a commit makes the next state and puts it there.
package memory

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sumun.dev/store"
)

// A Backend keeps everything in memory. The zero value is not usable; see New.
type Backend struct {
	now atomic.Pointer[state]

	mu      sync.Mutex // of who makes the next state
	claimed map[uint64]bool
}

// state is all that is kept at one instant. Keys are the parts of a name joined
// by NUL, which orders them part by part.
type state struct {
	revision uint64
	rows     tree[store.Row]
	entries  tree[store.IndexRow]
	outbox   tree[store.Record] // by sequence
	dues     tree[store.DueRow]
	ready    tree[string] // time and key → key in dues
	facts    tree[[]byte]
}

// New returns an empty backend.
func New() *Backend {
	b := &Backend{claimed: map[uint64]bool{}}
	b.now.Store(&state{})
	return b
}

// Wipe forgets everything but the last revision, so that none is used twice.
func (b *Backend) Wipe(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.claimed = map[uint64]bool{}
	b.now.Store(&state{revision: b.now.Load().revision})
	return nil
}

// Notify does nothing: there are no other processes.
func (b *Backend) Notify(func(store.News)) {}

// Close does nothing.
func (b *Backend) Close() error { return nil }

// Get returns the row under k.
func (b *Backend) Get(_ context.Context, k store.Key) (store.Row, error) {
	return b.now.Load().get(k), nil
}

func (s *state) get(k store.Key) store.Row {
	row, ok := s.rows.get(rowKey(k))
	if !ok {
		return store.Row{Key: k}
	}
	return row
}

// Scan returns rows of one place.
func (b *Backend) Scan(_ context.Context, sc store.Scan) ([]store.Row, error) {
	return b.now.Load().scan(sc), nil
}

func (s *state) scan(sc store.Scan) []store.Row {
	if sc.Index == "" {
		return walk(s.rows, join3(sc.Table, sc.Place), sc, func(row store.Row) store.Row { return row })
	}
	under := join3(sc.Table, sc.Place) + sc.Index + "\x00" + sc.Value + "\x00"
	return walk(s.entries, under, sc, func(e store.IndexRow) store.Row { return s.get(e.Key) })
}

// walk returns the rows of the keys under a prefix that the scan covers.
func walk[V any](t tree[V], under string, sc store.Scan, row func(V) store.Row) []store.Row {
	lo, open, hi := sc.Bounds()
	lo, hi = under+lo, under+hi
	var rows []store.Row
	take := func(key string, v V) bool {
		if key < lo || key >= hi || len(rows) == sc.Limit {
			return false
		}
		if !open || key != lo {
			rows = append(rows, row(v))
		}
		return true
	}
	if sc.Desc {
		t.descend(hi, take)
	} else {
		t.ascend(lo, take)
	}
	return rows
}

// ScanAll returns rows of a table in all places.
func (b *Backend) ScanAll(_ context.Context, table string, after store.Key, limit int) ([]store.Row, error) {
	lo := table + "\x00"
	if after.ID != "" {
		after.Table = table
		lo = rowKey(after) + "\x00"
	}
	var rows []store.Row
	b.now.Load().rows.ascend(lo, func(key string, row store.Row) bool {
		if !strings.HasPrefix(key, table+"\x00") || len(rows) == limit {
			return false
		}
		rows = append(rows, row)
		return true
	})
	return rows, nil
}

// Commit does all of the batch or nothing.
func (b *Backend) Commit(_ context.Context, batch *store.Batch) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := *b.now.Load()
	if err := next.expect(batch); err != nil {
		return err
	}
	next.revision++
	next.apply(batch)
	b.now.Store(&next)
	return nil
}

func (s *state) expect(batch *store.Batch) error {
	if check, _ := s.facts.get(store.KeyCheck); batch.Check != nil && !bytes.Equal(check, batch.Check) {
		return store.ErrRekeyed
	}
	for _, e := range batch.Expect {
		if s.get(e.Key).Rev != e.Rev {
			return fmt.Errorf("%w: %s", store.ErrConflict, e.Key)
		}
	}
	for _, seen := range batch.Scans {
		if !same(s.scan(seen.Scan), seen.Rows) {
			return fmt.Errorf("%w: rows of %s in %s", store.ErrConflict, seen.Table, seen.Place)
		}
	}
	for _, f := range batch.Complete {
		if d, ok := s.dues.get(dueKey(f.DueKey)); !ok || d.Fence != f.Fence {
			return fmt.Errorf("%w: %s", store.ErrLost, f.DueKey)
		}
	}
	return nil
}

func same(rows []store.Row, seen []store.SeenRow) bool {
	if len(rows) != len(seen) {
		return false
	}
	for i, row := range rows {
		if row.ID != seen[i].ID || row.Rev != seen[i].Rev {
			return false
		}
	}
	return true
}

func (s *state) apply(batch *store.Batch) {
	for _, w := range batch.Writes {
		s.write(w)
	}
	for _, f := range batch.Complete {
		s.unschedule(f.DueKey)
	}
	for _, k := range batch.Unschedule {
		s.unschedule(k)
	}
	for _, d := range batch.Schedule {
		s.unschedule(d.DueKey)
		s.revision++
		d.Fence = s.revision
		s.schedule(d)
	}
	for _, r := range batch.Outbox {
		s.revision++
		r.Seq = s.revision
		s.outbox = s.outbox.with(number(r.Seq), r)
	}
}

func (s *state) write(w store.Write) {
	for _, e := range w.Drop {
		s.entries = s.entries.without(entryKey(w.Key, e))
	}
	if w.Doc == nil {
		s.rows = s.rows.without(rowKey(w.Key))
		return
	}
	s.rows = s.rows.with(rowKey(w.Key), store.Row{Key: w.Key, Rev: s.revision, Doc: w.Doc})
	for _, e := range w.Add {
		s.entries = s.entries.with(entryKey(w.Key, e), store.IndexRow{Key: w.Key, Entrance: e})
	}
}

// Fact returns a named value.
func (b *Backend) Fact(_ context.Context, name string) ([]byte, error) {
	v, _ := b.now.Load().facts.get(name)
	return v, nil
}

// KeepFact keeps a named value unless there is one.
func (b *Backend) KeepFact(_ context.Context, name string, value []byte) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := *b.now.Load()
	if kept, ok := next.facts.get(name); ok {
		return kept, nil
	}
	next.facts = next.facts.with(name, value)
	b.now.Store(&next)
	return value, nil
}

func join3(table string, p store.Place) string {
	return table + "\x00" + string(p.Account) + "\x00" + string(p.Region) + "\x00"
}

func rowKey(k store.Key) string { return join3(k.Table, k.Place) + k.ID }

func entryKey(k store.Key, e store.Entrance) string {
	return join3(k.Table, k.Place) + e.Index + "\x00" + e.Value + "\x00" + k.ID
}

func dueKey(k store.DueKey) string { return join3(k.Kind, k.Place) + k.ID }

func readyKey(d store.DueRow) string {
	return number(uint64(d.Ready.UnixNano())) + dueKey(d.DueKey)
}

// number is n as a key that orders as n does.
func number(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

func (s *state) unschedule(k store.DueKey) {
	d, ok := s.dues.get(dueKey(k))
	if !ok {
		return
	}
	s.dues = s.dues.without(dueKey(k))
	s.ready = s.ready.without(readyKey(d))
}

func (s *state) schedule(d store.DueRow) {
	s.dues = s.dues.with(dueKey(d.DueKey), d)
	s.ready = s.ready.with(readyKey(d), dueKey(d.DueKey))
}

// NextDue returns when the next record can be claimed.
func (b *Backend) NextDue(context.Context) (next time.Time, ok bool, _ error) {
	b.now.Load().earliest(1, func(d store.DueRow) bool { next, ok = d.Ready, true; return true })
	return next, ok, nil
}

// earliest yields up to n due records in the order they are ready.
func (s *state) earliest(n int, yield func(store.DueRow) bool) {
	s.ready.ascend("", func(_, key string) bool {
		if n == 0 {
			return false
		}
		n--
		d, _ := s.dues.get(key)
		return yield(d)
	})
}

// ClaimDue returns records that are due at now.
func (b *Backend) ClaimDue(_ context.Context, now time.Time, lease time.Duration, n int) ([]store.DueRow, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := *b.now.Load()
	var due []store.DueRow
	next.earliest(n, func(d store.DueRow) bool {
		if d.Ready.After(now) {
			return false
		}
		due = append(due, d)
		return true
	})
	for i := range due {
		next.unschedule(due[i].DueKey)
		next.revision++
		due[i].Fence, due[i].Ready = next.revision, now.Add(lease)
		next.schedule(due[i])
	}
	b.now.Store(&next)
	return due, nil
}
