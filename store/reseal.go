package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sumun.dev/aws"
)

// A Cursor stands behind something sealed. The zero one is before all.
type Cursor struct {
	Part Part
	Last Key    // the last row; a due record's kind is its Table, a fact's name its ID
	Seq  uint64 // the last outbox record
}

// A Part is a kind of sealed things.
type Part int

// The parts, in the order in which they are gone through: what a record set aside
// becomes comes after records.
const (
	SealedRows Part = iota
	SealedDues
	SealedOutbox
	SealedFacts
	sealedEnd
)

// A Swap is a sealed thing as it was found, one of row, record, due record or fact,
// and its new sealed form.
type Swap struct {
	Item Item
	New  []byte
}

// resealBatch bounds what one transaction of a reseal reads, and about resealBytes
// what it writes: so long the commits of others wait.
const (
	resealBatch = 100
	resealBytes = 4 << 20
)

// Reseal seals some of what stands under other root keys again under the current
// one, and reports whether all is. It is called until it is: how far it has come is
// kept, so any process can go on, after any end of the one before. Others write
// meanwhile; since nothing new is sealed under an old key, one way through is enough.
// It goes past things only when it finds nothing to do there. What no key opens is
// damaged and stays as it is (see Tally). ErrNoKey when a key is not here under which
// something may stand that is not.
func (s *Store) Reseal(ctx context.Context) (bool, error) {
	if err := s.Follow(ctx); err != nil {
		return false, err
	}
	done, err := s.reseal(ctx, *s.keys.check.Load())
	if errors.Is(err, ErrRekeyed) {
		return false, nil // the next call begins with the new key
	}
	return done, err
}

// reseal is Reseal under the key of check: ErrRekeyed when another becomes current
// meanwhile. Without that, one that has not heard of it would undo what others seal
// under the new key, and the change of the key itself.
func (s *Store) reseal(ctx context.Context, check []byte) (bool, error) {
	n, _, err := s.keyNote(ctx)
	if err != nil {
		return false, err
	}
	if current := s.seal.KeyOf(check); n.Key != current {
		n = n.to(current)
	}
	if !n.Resealed.IsZero() {
		return true, nil
	}
	for n.Cursor.Part < sealedEnd {
		swaps, next, err := s.resealable(ctx, n)
		if err != nil {
			return false, err
		}
		if len(swaps) > 0 {
			return false, s.progress(ctx, check, n, swaps)
		}
		n.Cursor = next
	}
	n.Resealed = time.Now().UTC()
	err = s.progress(ctx, check, n, nil)
	return err == nil, err
}

// resealable returns what of the next things is to be swapped, and where they end.
func (s *Store) resealable(ctx context.Context, n keyNote) ([]Swap, Cursor, error) {
	at := n.Cursor
	items, err := s.backend.Sealed(ctx, at, resealBatch)
	if err != nil {
		return nil, at, fmt.Errorf("read what is to be sealed again: %w", err)
	}
	if len(items) == 0 {
		return nil, Cursor{Part: at.Part + 1}, nil
	}
	var swaps []Swap
	size := 0
	for i := range items {
		if size > resealBytes {
			break
		}
		at = at.behind(&items[i])
		if f := items[i].Fact; f != nil && f.Name == KeyCheck {
			continue // it says which key is current: Rekey alone changes it
		}
		if err := s.missing(ctx, n.From, &items[i]); err != nil {
			return nil, at, err
		}
		if again, changed := resealed(s.seal, &items[i]); changed {
			swaps = append(swaps, Swap{items[i], again})
			size += len(again)
		}
	}
	return swaps, at, nil
}

// missing returns ErrNoKey when an item is under one of the keys from that is not
// here: it may be as good as any. What names any other key was not sealed here, or was
// damaged already when all was sealed again.
func (s *Store) missing(ctx context.Context, from []string, i *Item) error {
	doc, _ := i.sealed()
	if doc == nil {
		return nil
	}
	id := s.seal.KeyOf(*doc)
	if !slices.Contains(from, id) || s.seal.Knows(id) {
		return nil
	}
	if s.refresh(ctx); s.seal.Knows(id) {
		return nil
	}
	return fmt.Errorf("seal again under the current root key: %w %s, under which there are still things", ErrNoKey, id)
}

// resealed returns what is sealed of an item under the current key; false when it
// is already, or when no key opens it.
func resealed(seal Sealer, i *Item) ([]byte, bool) {
	doc, ad := i.sealed()
	if doc == nil {
		return nil, false
	}
	id := seal.KeyOf(*doc)
	if id == "" || id == seal.Current() {
		return nil, false
	}
	plain, err := seal.Open(*doc, ad)
	if err != nil {
		return nil, false
	}
	defer clear(plain)
	return seal.Seal(plain, ad), true
}

// behind returns the cursor that stands behind an item of its part.
func (c Cursor) behind(i *Item) Cursor {
	switch {
	case i.Row != nil:
		c.Last = i.Row.Key
	case i.Due != nil:
		c.Last = Key{i.Due.Kind, i.Due.Place, i.Due.ID}
	case i.Record != nil:
		c.Seq = i.Record.Seq
	case i.Fact != nil:
		c.Last = Key{ID: i.Fact.Name}
	}
	return c
}

// sealed returns what of an item is sealed, and what it is bound to; nil when
// nothing is.
func (i *Item) sealed() (doc *[]byte, ad []byte) {
	switch {
	case i.Row != nil:
		return &i.Row.Doc, rowData(i.Row.Key)
	case i.Due != nil:
		return &i.Due.Doc, dueData(i.Due.DueKey)
	case i.Record != nil:
		return &i.Record.Doc, eventData(i.Record.ID)
	case i.Fact == nil:
		return nil, nil
	case i.Fact.Name == KeyCheck || i.Fact.Name == keyNoteName:
		return &i.Fact.Value, binding(i.Fact.Name)
	}
	if what, ok := strings.CutPrefix(i.Fact.Name, aside); ok {
		return &i.Fact.Value, asideData(what)
	}
	return nil, nil
}

// asideData is what a record that was set aside is bound to, by the name it was
// given; nil when it was not given one.
func asideData(what string) []byte {
	part, rest, _ := strings.Cut(what, "/")
	number, id, _ := strings.Cut(rest, "/")
	if _, err := strconv.ParseUint(number, 10, 64); err != nil {
		return nil
	}
	if part == "outbox" {
		return eventData(id)
	}
	kind, rest, _ := strings.Cut(id, " ")
	place := strings.SplitN(rest, "/", 3)
	if part != "due" || len(place) != 3 {
		return nil
	}
	return dueData(DueKey{kind, Place{aws.Account(place[0]), aws.Region(place[1])}, place[2]})
}

// Held is how much is sealed under one root key.
type Held struct {
	Rows, Events, Due int
	Notes             int // set aside, or kept of the root keys themselves
	Damaged           int // of what names the key, though it does not open it: nothing needs the key for that
}

// Readable is how much needs the key.
func (h Held) Readable() int { return h.Rows + h.Events + h.Due + h.Notes }

// Tally counts what is sealed under each root key, by its id. What has the form of
// nothing sealed is counted as damaged under no id. It reads all, and opens what is
// not under the current key, to tell what is damaged.
func (s *Store) Tally(ctx context.Context) (map[string]Held, error) {
	if err := s.Follow(ctx); err != nil {
		return nil, err
	}
	tally := map[string]Held{}
	for at := (Cursor{}); at.Part < sealedEnd; {
		items, err := s.backend.Sealed(ctx, at, resealBatch)
		if err != nil {
			return nil, fmt.Errorf("count what is sealed: %w", err)
		}
		if len(items) == 0 {
			at = Cursor{Part: at.Part + 1}
		}
		for i := range items {
			at = at.behind(&items[i])
			s.count(tally, &items[i])
		}
	}
	return tally, nil
}

func (s *Store) count(tally map[string]Held, i *Item) {
	doc, ad := i.sealed()
	if doc == nil {
		return
	}
	id := s.seal.KeyOf(*doc)
	h := tally[id]
	defer func() { tally[id] = h }()
	if id == "" {
		h.Damaged++
		return
	}
	if id != s.seal.Current() && s.seal.Knows(id) {
		if _, err := s.seal.Open(*doc, ad); err != nil {
			h.Damaged++
			return
		}
	}
	switch {
	case i.Row != nil:
		h.Rows++
	case i.Record != nil:
		h.Events++
	case i.Due != nil:
		h.Due++
	default:
		h.Notes++
	}
}
