package seal

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// A Root is a set of root keys, the newest first. It seals under the current one
// and opens what was sealed under any. A new key begins as one that only opens, so
// that all who share the data can have it before anybody seals under it.
//
// It is safe for concurrent use, and prints without its keys. Whoever seals or
// opens waits for nobody.
type Root struct {
	ring atomic.Pointer[ring]

	mu     sync.Mutex // of who changes the ring
	source Source     // nil: the keys are kept nowhere
}

// A Source is where root keys are kept. Its calls come one after the other.
type Source interface {
	// Read returns the keys, the newest first. ErrNone when there are none yet.
	Read(ctx context.Context) ([]Key, error)
	// Make returns a new key. It counts only when Keep has kept it. ErrFixed when
	// only the operator can.
	Make(ctx context.Context) (Key, error)
	// Keep replaces all keys, at once and durably. ErrFixed when only the operator
	// can.
	Keep(ctx context.Context, keys []Key) error
	// String names the source for messages: "/data/root.key".
	String() string
}

// What a Source, and a Root that uses one, answers.
var (
	ErrNone    = errors.New("seal: there is no root key")
	ErrFixed   = errors.New("seal: the root keys are given from outside and cannot be changed from here")
	ErrCurrent = errors.New("seal: the current root key cannot be dropped")
)

// ring is a set of keys that does not change. Ids in it differ.
type ring struct {
	keys    []Key // the newest first
	current *Key
}

func (r *ring) find(id [idSize]byte) *Key {
	for i := range r.keys {
		if r.keys[i].id == id {
			return &r.keys[i]
		}
	}
	return nil
}

func newRing(keys []Key, current [idSize]byte) *ring {
	r := &ring{keys: keys}
	r.current = r.find(current)
	return r
}

// NewRoot returns a root that seals under current and opens what was sealed
// under the earlier keys too. Its keys are kept nowhere.
func NewRoot(current Key, earlier ...Key) *Root {
	r := &Root{}
	r.ring.Store(newRing(append([]Key{current}, earlier...), current.id))
	return r
}

// Open returns the root of a source's keys, the newest of which is current until
// Use names another. When the source has none and the plane is fresh (no data
// exist) it makes one and keeps it; ErrNoKey when data exist.
func Open(ctx context.Context, source Source, fresh bool) (*Root, error) {
	keys, err := source.Read(ctx)
	switch {
	case errors.Is(err, ErrNone) && fresh:
		keys, err = first(ctx, source)
	case errors.Is(err, ErrNone):
		err = fmt.Errorf("%w: %s holds none", ErrNoKey, source)
	}
	if err != nil {
		return nil, err
	}
	if keys, err = distinct(keys); err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	r := NewRoot(keys[0], keys[1:]...)
	r.source = source
	return r, nil
}

// first makes a source's first key and keeps it.
func first(ctx context.Context, source Source) ([]Key, error) {
	key, err := source.Make(ctx)
	if err != nil {
		return nil, err
	}
	return []Key{key}, source.Keep(ctx, []Key{key})
}

// distinct refuses two keys of one id, and takes a key that is there twice once.
func distinct(keys []Key) ([]Key, error) {
	var out []Key
	for _, k := range keys {
		i := slices.IndexFunc(out, func(o Key) bool { return o.id == k.id })
		switch {
		case i < 0:
			out = append(out, k)
		case out[i].secret != k.secret:
			return nil, fmt.Errorf("%w; two different ones have the id %s", ErrKey, k.ID())
		}
	}
	if len(out) == 0 {
		return nil, ErrKey
	}
	return out, nil
}

func (r *Root) String() string { return "root key " + r.Current() }

// Format keeps the keys out of every print, %#v included.
func (r *Root) Format(f fmt.State, _ rune) { fmt.Fprint(f, r.String()) }

// Source names where the keys are kept, for messages.
func (r *Root) Source() string {
	if r.source == nil {
		return "memory"
	}
	return r.source.String()
}

// Current returns the id of the key that seals.
func (r *Root) Current() string { return r.ring.Load().current.ID() }

// Keys returns the ids of all keys, the newest first.
func (r *Root) Keys() []string {
	var ids []string
	for _, k := range r.ring.Load().keys {
		ids = append(ids, k.ID())
	}
	return ids
}

// Knows reports whether the root has the key of that id.
func (r *Root) Knows(id string) bool { return r.ring.Load().named(id) != nil }

// Lacks reports whether something was sealed under a key that the root does not have.
func (r *Root) Lacks(sealed []byte) bool {
	id := KeyOf(sealed)
	return id != "" && !r.Knows(id)
}

func (r *ring) named(id string) *Key {
	b, err := hex.DecodeString(id)
	if err != nil || len(b) != idSize {
		return nil
	}
	return r.find([idSize]byte(b))
}

// Use makes the key of that id the one that seals: ErrUnknownKey when the root has
// no such key.
func (r *Root) Use(id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.ring.Load()
	key := now.named(id)
	if key == nil {
		return fmt.Errorf("%w: %s", ErrUnknownKey, id)
	}
	r.ring.Store(newRing(now.keys, key.id))
	return nil
}

// Refresh reads the source again and takes the keys that are new there. It forgets
// none: who has a key may be in need of it.
func (r *Root) Refresh(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refresh(ctx)
}

func (r *Root) refresh(ctx context.Context) error {
	if r.source == nil {
		return nil
	}
	read, err := r.source.Read(ctx)
	if err != nil {
		return fmt.Errorf("read the root keys again: %w", err)
	}
	now := r.ring.Load()
	keys, err := distinct(append(read, now.keys...))
	if err != nil {
		return fmt.Errorf("read the root keys again: %s: %w", r.source, err)
	}
	r.ring.Store(newRing(keys, now.current.id))
	return nil
}

// Make makes a new key, keeps it in the source before anything else, and returns
// its id. The key opens; Use has it seal. Keys that have come to the source
// meanwhile stay there.
func (r *Root) Make(ctx context.Context) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refresh(ctx); err != nil {
		return "", err
	}
	now := r.ring.Load()
	key, err := r.make(ctx)
	for err == nil && now.find(key.id) != nil { // one in 2³²
		key, err = r.make(ctx)
	}
	if err != nil {
		return "", err
	}
	return key.ID(), r.replace(ctx, now, append([]Key{key}, now.keys...))
}

func (r *Root) make(ctx context.Context) (Key, error) {
	if r.source == nil {
		return GenerateKey(), nil
	}
	return r.source.Make(ctx)
}

// Drop takes a key out of the source and forgets it: what was sealed under it can
// be opened no more. ErrCurrent for the current key. Keys that have come to the
// source meanwhile stay there.
func (r *Root) Drop(ctx context.Context, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refresh(ctx); err != nil {
		return err
	}
	now := r.ring.Load()
	key := now.named(id)
	switch {
	case key == nil:
		return fmt.Errorf("%w: %s", ErrUnknownKey, id)
	case key == now.current:
		return fmt.Errorf("%w: %s", ErrCurrent, id)
	}
	return r.replace(ctx, now, slices.DeleteFunc(slices.Clone(now.keys), func(k Key) bool { return k.id == key.id }))
}

// replace keeps the keys in the source and then uses them.
func (r *Root) replace(ctx context.Context, now *ring, keys []Key) error {
	if r.source != nil {
		if err := r.source.Keep(ctx, keys); err != nil {
			return err
		}
	}
	r.ring.Store(newRing(keys, now.current.id))
	return nil
}
