package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// KeyCheck names the fact by which root keys are recognised. What it holds is
// sealed under the current one: whoever changes it changes the current root key, for
// every process at one moment in the order of commits.
const KeyCheck = "key-check"

// ErrRekeyed says that another root key is current than the one that a batch was
// sealed under. The store then seals it again.
var ErrRekeyed = errors.New("store: another root key is current by now")

// keys is what a store knows of the root keys.
type keys struct {
	check atomic.Pointer[[]byte] // KeyCheck as it was last seen; nil: nobody has looked
	lacks atomic.Pointer[string] // the current key, when the sealer does not have it

	mu      sync.Mutex // of who follows
	looked  time.Time  // when the sealer was last refreshed for something that was read
	waiting map[uint64]bool
}

// refreshEvery bounds how often something that names an unknown key has the
// sealer look for new ones.
const refreshEvery = 200 * time.Millisecond

// Follow makes the root key current here that is current in the backend: ErrNoKey
// when this process does not have it. Then nothing is read or written, InTouch says
// so, and whoever calls Follow again goes on once the key is there.
func (s *Store) Follow(ctx context.Context) error {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	if err := s.follow(ctx); err != nil {
		return err
	}
	if len(s.keys.waiting) == 0 {
		return nil
	}
	var again []uint64
	for seq := range s.keys.waiting {
		again = append(again, seq)
	}
	if err := s.backend.ReleaseOutbox(ctx, again); err != nil {
		return err
	}
	s.keys.waiting = nil
	wake(s.outbox)
	return nil
}

func (s *Store) follow(ctx context.Context) error {
	check, err := s.backend.Fact(ctx, KeyCheck)
	if err != nil {
		return fmt.Errorf("look for the current root key: %w", err)
	}
	if check == nil {
		return fmt.Errorf("%w: there is nothing to check the key by", ErrWrongKey)
	}
	id := s.seal.KeyOf(check)
	var missed error
	if !s.seal.Knows(id) {
		missed = s.seal.Refresh(ctx)
	}
	if !s.seal.Knows(id) {
		s.keys.lacks.Store(&id)
		return errors.Join(fmt.Errorf("%w %s, which is current", ErrNoKey, id), missed)
	}
	if err := opens(s.seal, check); err != nil {
		return err
	}
	if err := s.seal.Use(id); err != nil {
		return err
	}
	s.keys.check.Store(&check)
	if s.keys.lacks.Swap(nil) != nil {
		wake(s.outbox)
		wake(s.due)
	}
	return nil
}

// lacking returns ErrNoKey while this process does not have the current root key.
func (s *Store) lacking() error {
	if id := s.keys.lacks.Load(); id != nil {
		return fmt.Errorf("%w %s, which is current", ErrNoKey, *id)
	}
	return nil
}

// open opens what is sealed: ErrNoKey when it was sealed under a key that is not
// here, which says nothing against it.
func (s *Store) open(ctx context.Context, sealed, ad []byte) ([]byte, error) {
	plain, err := s.seal.Open(sealed, ad)
	if err == nil {
		return plain, nil
	}
	id := s.seal.KeyOf(sealed)
	if id == "" {
		return nil, err
	}
	if !s.seal.Knows(id) {
		s.refresh(ctx)
	}
	if !s.seal.Knows(id) {
		return nil, fmt.Errorf("%w %s", ErrNoKey, id)
	}
	return s.seal.Open(sealed, ad)
}

func (s *Store) refresh(ctx context.Context) {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	if time.Since(s.keys.looked) < refreshEvery {
		return
	}
	s.keys.looked = time.Now()
	if err := s.seal.Refresh(ctx); err != nil {
		s.logger().ErrorContext(ctx, "the root keys cannot be read again", "error", err)
	}
}

// wait leaves an outbox record claimed until Follow gives it back.
func (s *Store) wait(ctx context.Context, r Record, cause error) {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	if s.keys.waiting == nil {
		s.keys.waiting = map[uint64]bool{}
	}
	s.keys.waiting[r.Seq] = true
	s.logger().ErrorContext(ctx, "an event waits for a root key", "event", r.ID, "cause", cause)
}

// maxRekeys bounds how often a commit seals again.
const maxRekeys = 4

// commit seals what a unit wants under the current root key, and has it done. The
// backend refuses it when another key has become current meanwhile, so nothing is
// ever written under a key after that key's time.
func (s *Store) commit(ctx context.Context, plain *Batch) error {
	for attempt := 1; ; attempt++ {
		if err := s.lacking(); err != nil {
			return err
		}
		err := s.backend.Commit(ctx, s.sealed(plain))
		if !errors.Is(err, ErrRekeyed) || attempt == maxRekeys {
			return err
		}
		if err := s.Follow(ctx); err != nil {
			return err
		}
	}
}

func (s *Store) sealed(plain *Batch) *Batch {
	b := *plain
	// Before anything is sealed: a key that becomes current in between is refused.
	if check := s.keys.check.Load(); check != nil {
		b.Check = *check
	}
	b.Writes = make([]Write, len(plain.Writes))
	for i, w := range plain.Writes {
		if w.Doc != nil {
			w.Doc = s.seal.Seal(w.Doc, rowData(w.Key))
		}
		b.Writes[i] = w
	}
	b.Outbox = make([]Record, len(plain.Outbox))
	for i, r := range plain.Outbox {
		r.Doc = s.seal.Seal(r.Doc, eventData(r.ID))
		b.Outbox[i] = r
	}
	b.Schedule = make([]DueRow, len(plain.Schedule))
	for i, d := range plain.Schedule {
		d.Doc = s.seal.Seal(d.Doc, dueData(d.DueKey))
		b.Schedule[i] = d
	}
	return &b
}

// RootKeys is what is kept of the root keys besides themselves.
type RootKeys struct {
	Current  string               // what everything is sealed under from now on
	Since    map[string]time.Time // when each key became current, as far as that was seen
	Resealed time.Time            // when all was sealed under the current one; zero: not all is
}

// RootKeys says which root key is current, and how far its change has come.
func (s *Store) RootKeys(ctx context.Context) (RootKeys, error) {
	if err := s.Follow(ctx); err != nil {
		return RootKeys{}, err
	}
	n, _, err := s.keyNote(ctx)
	if err != nil {
		return RootKeys{}, err
	}
	k := RootKeys{Current: s.seal.KeyOf(*s.keys.check.Load()), Since: n.Since}
	if n.Key == k.Current {
		k.Resealed = n.Resealed
	}
	return k, nil
}

// Rekey makes a root key current, from the next commit of any process on. Each must
// have the key by then, since one that has not can do nothing more (ErrNoKey). What
// was sealed before stays as it is until Reseal.
func (s *Store) Rekey(ctx context.Context, id string) error {
	if err := s.Follow(ctx); err != nil {
		return err
	}
	was := *s.keys.check.Load()
	if s.seal.KeyOf(was) == id {
		return nil
	}
	check, err := s.seal.SealUnder(id, []byte(KeyCheck), binding(KeyCheck))
	if err != nil {
		return fmt.Errorf("%w %s", ErrNoKey, id)
	}
	made, err := s.backend.Swap(ctx, was, []Swap{{Item{Fact: &Fact{KeyCheck, was}}, check}})
	if errors.Is(err, ErrRekeyed) || err == nil && !made[0] {
		return fmt.Errorf("change the root key: %w", ErrConflict) // somebody else changes it too
	}
	if err != nil {
		return fmt.Errorf("change the root key: %w", err)
	}
	if err := s.Follow(ctx); err != nil {
		return err
	}
	return s.progress(ctx, check, keyNote{Key: id}, nil)
}

// keyNoteName names the fact that says how far the last change of the root key has
// come. It is sealed too.
const keyNoteName = "root-keys"

// A keyNote is what that fact holds.
type keyNote struct {
	Since    map[string]time.Time
	Key      string    // to which the rest belongs
	From     []string  // the keys under which things may stand until all is
	Cursor   Cursor    // what stands before it is sealed under Key
	Resealed time.Time // when all was
}

// to returns the note as it is when a change to key begins.
func (n keyNote) to(key string) keyNote {
	next := keyNote{Since: n.Since, Key: key}
	if n.Resealed.IsZero() {
		next.From = n.From
	}
	if n.Key != "" {
		next.From = append(slices.Clone(next.From), n.Key)
	}
	return next
}

// sealed returns the note in its sealed form, under its key, whose time begins now
// when it has not yet.
func (n keyNote) sealed(seal Sealer) ([]byte, error) {
	n.Since = maps.Clone(n.Since)
	if n.Since == nil {
		n.Since = map[string]time.Time{}
	}
	if _, known := n.Since[n.Key]; !known {
		n.Since[n.Key] = time.Now().UTC()
	}
	text, err := json.Marshal(n)
	if err != nil {
		return nil, err
	}
	return seal.SealUnder(n.Key, text, binding(keyNoteName))
}

// keyNote returns the note, and the sealed form in which it was found: nil when
// there is none. One that cannot be read says nothing: at worst all is looked at
// again.
func (s *Store) keyNote(ctx context.Context) (n keyNote, found []byte, err error) {
	found, err = s.backend.Fact(ctx, keyNoteName)
	if err != nil || found == nil {
		return n, nil, err
	}
	b, err := s.open(ctx, found, binding(keyNoteName))
	if err == nil {
		err = json.Unmarshal(b, &n)
	}
	if err != nil {
		s.logger().ErrorContext(ctx, "what is noted of the root keys cannot be read", "error", err)
		return keyNote{}, found, nil
	}
	return n, found, nil
}

// progress makes swaps, writes down with them how far the change to the key of check
// has come: ErrRekeyed, and nothing made, when another is current by now. Of two
// processes that reseal at once the note of one remains: what it says is true.
func (s *Store) progress(ctx context.Context, check []byte, n keyNote, swaps []Swap) error {
	was, found, err := s.keyNote(ctx)
	if err != nil {
		return err
	}
	if was.Key != n.Key {
		was = was.to(n.Key)
	}
	n.Since, n.From = was.Since, was.From
	note, err := n.sealed(s.seal)
	if err != nil {
		return err
	}
	if found == nil {
		if found, err = s.backend.KeepFact(ctx, keyNoteName, note); err != nil {
			return err
		}
	}
	_, err = s.backend.Swap(ctx, check, append(swaps, Swap{Item{Fact: &Fact{keyNoteName, found}}, note}))
	return err
}
