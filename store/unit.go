package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// A Unit is a unit of work. It belongs to one call; its methods may still be
// used by several goroutines.
type Unit struct {
	store *Store

	mu       sync.Mutex
	finished bool
	err      error // an Emit or Schedule that cannot be kept; Commit says so

	reads map[Key]read
	scans []Seen

	pending map[shelf]map[string]*change
	undo    []undo

	outbox   []Record
	dues     []dueChange
	complete []Fence
	hooks    []func()
}

// A shelf is a table in a place.
type shelf struct {
	table string
	place Place
}

// A read is what the unit saw under a key.
type read struct {
	rev     uint64
	plain   *plain // nil when absent, or when only a scan saw it
	scanned bool   // seen by a scan only, whose own expectation covers it
}

// A change is what the unit wants under a key.
type change struct {
	plain *plain // nil: deleted
	old   []Entrance
}

type undo struct {
	shelf shelf
	id    string
	was   *change
}

type unitKey struct{}

// UnitOf returns the unit of work that ctx carries, nil outside one.
func UnitOf(ctx context.Context) *Unit {
	u, _ := ctx.Value(unitKey{}).(*Unit)
	return u
}

// Outside returns a context that does not see the unit of work: what is read with
// it is what others have committed, and the unit does not expect it to stay so.
// Nothing can be written with it.
func Outside(ctx context.Context) context.Context {
	return context.WithValue(ctx, unitKey{}, (*Unit)(nil))
}

func newUnit(s *Store) *Unit {
	return &Unit{store: s, reads: map[Key]read{}, pending: map[shelf]map[string]*change{}}
}

// unit returns the open unit of s in ctx, nil when there is none or it is finished:
// a hook that runs after the commit reads what is there.
func (s *Store) unit(ctx context.Context) *Unit {
	if u := UnitOf(ctx); u != nil && u.store == s && !u.done() {
		return u
	}
	return nil
}

// mustUnit returns the open unit in ctx. What has no error to return panics
// outside one, as aws.CallOf does: it is a bug, and losing an event silently is worse.
func mustUnit(ctx context.Context, what string) *Unit {
	u := UnitOf(ctx)
	if u == nil || u.done() {
		panic("store: " + what + " outside a unit of work")
	}
	return u
}

func (u *Unit) done() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.finished
}

// Empty reports whether the unit wants nothing written so far.
func (u *Unit) Empty() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.pending) == 0 && len(u.outbox) == 0 && len(u.dues) == 0 && len(u.complete) == 0 && u.err == nil
}

// A Savepoint is a moment in a unit of work.
type Savepoint struct {
	undo, outbox, dues, complete, hooks int
	err                                 error
}

// Savepoint remembers what the unit wants to write so far.
func (u *Unit) Savepoint() Savepoint {
	u.mu.Lock()
	defer u.mu.Unlock()
	return Savepoint{len(u.undo), len(u.outbox), len(u.dues), len(u.complete), len(u.hooks), u.err}
}

// Rollback forgets what was written, emitted, scheduled and hooked since sp.
// What was read stays an expectation: it decided what came after.
func (u *Unit) Rollback(sp Savepoint) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, step := range slices.Backward(u.undo[sp.undo:]) {
		if step.was == nil {
			delete(u.pending[step.shelf], step.id)
			continue
		}
		u.pending[step.shelf][step.id] = step.was
	}
	u.undo = u.undo[:sp.undo]
	u.outbox = u.outbox[:sp.outbox]
	u.dues = u.dues[:sp.dues]
	u.complete = u.complete[:sp.complete]
	u.hooks = u.hooks[:sp.hooks]
	u.err = sp.err
}

// Commit makes durable what the unit wrote, all of it or nothing, and then runs
// what AfterCommit was given. ErrConflict says that something the unit read has
// changed: nothing was written, and the work has to start again with a new unit.
// A unit that wrote nothing commits without looking at the backend. Either way
// the unit is finished.
func (u *Unit) Commit(ctx context.Context) error {
	b, hooks, err := u.close()
	if err != nil {
		return err
	}
	if b != nil {
		end := u.store.rows.begin(b.Writes)
		if err := u.store.commit(ctx, b); err != nil {
			end()
			u.store.rows.doubt(b.Expect)
			return fmt.Errorf("commit: %w", err)
		}
		u.store.committed(b)
		end()
	}
	for _, hook := range hooks {
		hook()
	}
	return nil
}

// AfterCommit has f run after the unit in ctx has committed, in order; never
// when it does not. It panics outside a unit.
func AfterCommit(ctx context.Context, f func()) {
	u := mustUnit(ctx, "AfterCommit")
	u.mu.Lock()
	defer u.mu.Unlock()
	u.hooks = append(u.hooks, f)
}

// close finishes the unit and returns what it asks of the backend, not sealed yet,
// nil for nothing.
func (u *Unit) close() (*Batch, []func(), error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.finished {
		return nil, nil, ErrFinished
	}
	u.finished = true
	if u.err != nil {
		return nil, nil, u.err
	}
	if len(u.pending)+len(u.outbox)+len(u.dues)+len(u.complete) == 0 {
		return nil, u.hooks, nil // a call that reads: most are
	}
	b := &Batch{Scans: u.scans, Outbox: u.outbox, Complete: u.complete}
	u.writes(b)
	u.scheduled(b)
	if len(b.Writes)+len(b.Outbox)+len(b.Complete)+len(b.Schedule)+len(b.Unschedule) == 0 {
		return nil, u.hooks, nil
	}
	for k, r := range u.reads {
		if !r.scanned {
			b.Expect = append(b.Expect, Expect{k, r.rev})
		}
	}
	if err := b.check(len(u.reads)); err != nil {
		return nil, nil, err
	}
	return b, u.hooks, nil
}

// writes puts what the unit wants into b, each row once.
func (u *Unit) writes(b *Batch) {
	for at, rows := range u.pending {
		for id, c := range rows {
			w := Write{Key: Key{at.table, at.place, id}}
			switch {
			case c.plain == nil:
				w.Drop = c.old
			default:
				w.Doc = c.plain.encode()
				w.Drop, w.Add = differ(c.old, c.plain.index)
			}
			b.Writes = append(b.Writes, w)
		}
	}
	slices.SortFunc(b.Writes, func(a, b Write) int { return compareKeys(a.Key, b.Key) })
}

func (b *Batch) check(reads int) error {
	if n := len(b.Writes) + len(b.Outbox) + len(b.Schedule) + len(b.Unschedule) + len(b.Complete); n > MaxWrites {
		return fmt.Errorf("%w: a unit of work writes %d things, at most %d are allowed", ErrTooLarge, n, MaxWrites)
	}
	if reads > MaxReads {
		return fmt.Errorf("%w: a unit of work has read %d rows, at most %d are allowed", ErrTooLarge, reads, MaxReads)
	}
	size := 0 // without what sealing adds
	for _, w := range b.Writes {
		size += len(w.Doc) + len(w.ID)
	}
	for _, r := range b.Outbox {
		size += len(r.Doc)
	}
	for _, d := range b.Schedule {
		size += len(d.Doc)
	}
	if size > MaxBatch {
		return fmt.Errorf("%w: a unit of work writes %d bytes, at most %d are allowed", ErrTooLarge, size, MaxBatch)
	}
	return nil
}

// differ returns what is only in was, and what is only in is.
func differ(was, is []Entrance) (drop, add []Entrance) {
	for _, e := range was {
		if !slices.Contains(is, e) {
			drop = append(drop, e)
		}
	}
	for _, e := range is {
		if !slices.Contains(was, e) {
			add = append(add, e)
		}
	}
	return drop, add
}

func compareKeys(a, b Key) int {
	return cmp.Or(
		strings.Compare(a.Table, b.Table),
		strings.Compare(string(a.Place.Account), string(b.Place.Account)),
		strings.Compare(string(a.Place.Region), string(b.Place.Region)),
		strings.Compare(a.ID, b.ID),
	)
}

// fail remembers the first thing that cannot be kept.
func (u *Unit) fail(err error) {
	if u.err == nil {
		u.err = err
	}
}
