// Package store keeps the plane's state, scoped by account and region.
//
// Work is done in units. A [Unit] buffers what is written, remembers the
// revision of everything that was read, and commits as one atomic batch: rows,
// index entries, events for the spine and due records together, or nothing.
// When something read has changed meanwhile the commit fails with
// [ErrConflict] and the caller starts again. No database transaction is open
// while a service thinks.
//
// Reading order: Store here, Unit in unit.go, Table in table.go; then
// outbox.go, due.go, watch.go, token.go, dump.go; for the root keys rootkey.go,
// rekey.go, reseal.go. What a database must be able
// to do is the interface in backend.go; the suite storetest holds all to it.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"sumun.dev/aws"
)

// What can go wrong, besides the database's own errors.
var (
	ErrNotFound = errors.New("store: not found")
	ErrExists   = errors.New("store: already exists")
	ErrConflict = errors.New("store: something read has changed meanwhile")
	ErrNoUnit   = errors.New("store: written outside a unit of work")
	ErrFinished = errors.New("store: the unit of work is finished")
	ErrTooLarge = errors.New("store: too large")
	ErrFull     = errors.New("store: no space left for writing")
	ErrToken    = errors.New("store: the page token is not valid here")
	ErrBadID    = errors.New("store: not usable as an id")
	ErrCorrupt  = errors.New("store: stored data cannot be read")
	ErrWrongKey = errors.New("store: the root key is not the one the data was sealed with")
	ErrNoKey    = errors.New("store: this process does not have the root key")
	ErrInUse    = errors.New("store: the data folder is in use by another process")
	ErrNotEmpty = errors.New("store: not empty")
	ErrDurable  = errors.New("store: a durable store is not wiped")
	ErrStale    = errors.New("store: nothing was heard of the other nodes for too long")
	ErrNewer    = errors.New("store: the data was written by a newer version")
)

// ErrLost is the ErrConflict of a unit that completes a due record which is not
// its any more: it was claimed again after the lease, or replaced. To try again
// is of no use, so Update does not.
var ErrLost = fmt.Errorf("%w: the due record was claimed again or replaced", ErrConflict)

// Bounds of what is kept.
const (
	MaxRow       = 1 << 20  // bytes of a row's JSON
	MaxID        = 2 << 10  // bytes of an id, index value or due id
	MaxPage      = 5000     // rows of one page
	MaxBatch     = 64 << 20 // bytes of one unit's writes
	MaxWrites    = 50_000   // rows, events and due records of one unit
	MaxReads     = 200_000  // rows that one unit may read and still commit
	maxAttempts  = 12       // of Update
	maxTableName = 128
)

// A Place is where state lives: an account, and a region within it. Region is
// empty for services without regions, such as IAM.
type Place struct {
	Account aws.Account
	Region  aws.Region
}

func (p Place) String() string { return string(p.Account) + "/" + string(p.Region) }

// A Sealer encrypts rows before a backend sees them, under one of the root keys
// that it has. The same associated data must be given to Open. engine/seal
// implements it.
type Sealer interface {
	Seal(plain, ad []byte) []byte
	SealUnder(id string, plain, ad []byte) ([]byte, error)
	Open(sealed, ad []byte) ([]byte, error)

	// KeyOf names the key under which something says to be sealed; empty when it is
	// not in a sealed form.
	KeyOf(sealed []byte) string
	// Current names the key that seals, Knows reports whether one is there, and Use
	// makes one current.
	Current() string
	Knows(id string) bool
	Use(id string) error
	// Refresh looks for keys that have come since.
	Refresh(ctx context.Context) error
}

// A Store is the plane's state. It is safe for concurrent use.
type Store struct {
	Log *slog.Logger // of damage that is met; nil: slog.Default. Set before the store is used

	backend  Backend
	confirms Confirmer // nil: nobody else writes
	seal     Sealer
	keys     keys
	rows     rows // in memory
	watch    watchers
	outbox   chan struct{}
	due      chan struct{}
}

// Open returns the store kept in b, with rows sealed by seal.
func Open(b Backend, seal Sealer) *Store {
	s := &Store{backend: b, seal: seal, outbox: make(chan struct{}, 1), due: make(chan struct{}, 1)}
	wake(s.outbox) // what an earlier process left
	wake(s.due)
	s.confirms, _ = b.(Confirmer)
	b.Notify(s.heard)
	return s
}

// Close closes the backend. No unit may be open.
func (s *Store) Close() error { return s.backend.Close() }

// Backend returns what the store is kept in, for Dump.
func (s *Store) Backend() Backend { return s.backend }

// Begin starts a unit of work and returns a context that carries it. A context
// that carries one already makes it panic: inner work joins the unit by Update
// or by a savepoint. A unit that is not committed needs no cleaning up.
func (s *Store) Begin(ctx context.Context) (context.Context, *Unit) {
	if u := UnitOf(ctx); u != nil && u.store == s && !u.done() {
		panic("store: Begin within a unit of work; use Update or a savepoint")
	}
	u := newUnit(s)
	return context.WithValue(ctx, unitKey{}, u), u
}

// Update runs fn in a unit of work and commits it, from the start again when
// something read has changed meanwhile; so fn must have no effects but those in
// the unit. Within a unit it joins that one: an error of fn then undoes what fn
// wrote, and the outer unit commits the rest.
func (s *Store) Update(ctx context.Context, fn func(ctx context.Context) error) error {
	if u := UnitOf(ctx); u != nil && u.store == s && !u.done() {
		sp := u.Savepoint()
		if err := fn(ctx); err != nil {
			u.Rollback(sp)
			return err
		}
		return nil
	}
	for attempt := 1; ; attempt++ {
		err := s.once(ctx, fn)
		if !errors.Is(err, ErrConflict) || errors.Is(err, ErrLost) || attempt == maxAttempts {
			return err
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

func (s *Store) once(ctx context.Context, fn func(ctx context.Context) error) error {
	in, u := s.Begin(ctx)
	if err := fn(in); err != nil {
		return err
	}
	return u.Commit(ctx)
}

// pause waits a little, longer and more at random with each attempt, so that
// units that fight over a row do not meet again.
func pause(ctx context.Context, attempt int) error {
	if attempt < 3 {
		return ctx.Err()
	}
	t := time.NewTimer(rand.N(100 * time.Microsecond << attempt))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Wipe empties a store in memory, so that test suites can isolate their cases.
// Every watcher hears of it. Other stores answer ErrDurable.
func (s *Store) Wipe(ctx context.Context) error {
	w, ok := s.backend.(Wiper)
	if !ok {
		return ErrDurable
	}
	if err := w.Wipe(ctx); err != nil {
		return fmt.Errorf("wipe the store: %w", err)
	}
	s.watch.all()
	return nil
}

// wake makes a signal of one waiting value: a waker never waits, a waiter
// misses nothing.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
