package store

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"sumun.dev/aws"
)

// A Table keeps values of one type under ids, each place for itself. The place
// is the account and region of the call in the context. Ids and index values
// stand in clear text in the database: never make them of secrets.
type Table[T any] struct {
	store   *Store
	name    string
	global  bool
	hot     bool
	indexes []index[T]
	place   *Place
}

type index[T any] struct {
	name   string
	values func(*T) []string
}

// An Option is a property of a table.
type Option[T any] func(*Table[T])

// Global makes a table of a service without regions: rows belong to an account.
func Global[T any]() Option[T] { return func(t *Table[T]) { t.global = true } }

// Index adds a secondary index: PageBy finds the rows whose values contain one.
// An index that is added to a table that has rows already holds those that are
// put from then on.
func Index[T any](name string, values func(*T) []string) Option[T] {
	return func(t *Table[T]) { t.indexes = append(t.indexes, index[T]{name, values}) }
}

// NewTable returns the table of that name, which should begin with the
// service's: "iam.users". A name is used for one type only.
func NewTable[T any](s *Store, name string, opts ...Option[T]) *Table[T] {
	if name == "" || len(name) > maxTableName || checkID("table name", name) != nil {
		panic("store: bad table name " + name)
	}
	t := &Table[T]{store: s, name: name}
	for _, opt := range opts {
		opt(t)
	}
	if t.hot {
		s.heat(name)
	}
	return t
}

// In returns the table as seen from p, whatever the call's place is.
func (t *Table[T]) In(p Place) *Table[T] {
	in := *t
	if t.global {
		p.Region = ""
	}
	in.place = &p
	return &in
}

// At returns the table as seen from the account and region of arn.
func (t *Table[T]) At(arn aws.ARN) *Table[T] { return t.In(Place{arn.Account, arn.Region}) }

// An Entry is a row in a page.
type Entry[T any] struct {
	ID    string
	Value *T
	Place Place
}

// A Range says which rows of a table to return.
type Range struct {
	Prefix string // of the ids
	After  string // the last id of the page before
	Limit  int    // at most MaxPage; 0 means MaxPage
	Desc   bool   // from the last id to the first
}

// Get returns the value under id, a copy of the caller's own, or ErrNotFound.
// Within a unit it returns the same until the unit writes it.
func (t *Table[T]) Get(ctx context.Context, id string) (*T, error) {
	k, err := t.key(ctx, id)
	if err != nil {
		return nil, err
	}
	p, err := t.read(ctx, k)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, k)
	}
	return t.decode(k, p)
}

// Insert puts a value under an id that must be free: ErrExists when the unit
// sees one there; ErrConflict at commit when someone else was faster.
func (t *Table[T]) Insert(ctx context.Context, id string, v *T) error {
	k, u, err := t.writing(ctx, id)
	if err != nil {
		return err
	}
	p, err := u.get(ctx, k)
	if err != nil {
		return err
	}
	if p != nil {
		return fmt.Errorf("%w: %s", ErrExists, k)
	}
	return t.put(u, k, v, nil)
}

// Put puts a value under id, whether there was one or not. A row that the unit
// has not read, of a table without indexes, is replaced whatever it holds.
func (t *Table[T]) Put(ctx context.Context, id string, v *T) error {
	k, u, err := t.writing(ctx, id)
	if err != nil {
		return err
	}
	if len(t.indexes) == 0 {
		return t.put(u, k, v, nil)
	}
	p, err := u.get(ctx, k)
	if err != nil {
		return err
	}
	return t.put(u, k, v, p)
}

// Delete takes away the value under id, or answers ErrNotFound.
func (t *Table[T]) Delete(ctx context.Context, id string) error {
	k, u, err := t.writing(ctx, id)
	if err != nil {
		return err
	}
	p, err := u.get(ctx, k)
	if err != nil {
		return err
	}
	if p == nil {
		return fmt.Errorf("%w: %s", ErrNotFound, k)
	}
	return u.put(k, nil, p.index)
}

// Page returns rows in the order of their ids, the unit's own writes among them.
// A shorter page than the limit is the last one. A unit that commits relies on
// the page: when a row in it was changed, added or deleted meanwhile, the commit
// answers ErrConflict.
func (t *Table[T]) Page(ctx context.Context, r Range) ([]Entry[T], error) {
	return t.page(ctx, Scan{}, r)
}

// PageBy returns the rows that have value in the index, as Page does.
func (t *Table[T]) PageBy(ctx context.Context, index, value string, r Range) ([]Entry[T], error) {
	if !t.hasIndex(index) {
		panic("store: table " + t.name + " has no index " + index)
	}
	if err := checkID("index value", value); err != nil {
		return nil, nil // nothing can be kept under it
	}
	return t.page(ctx, Scan{Index: index, Value: value}, r)
}

// All returns every row whose id begins with prefix.
func (t *Table[T]) All(ctx context.Context, prefix string) iter.Seq2[Entry[T], error] {
	return func(yield func(Entry[T], error) bool) {
		r := Range{Prefix: prefix, Limit: 500}
		for {
			page, err := t.Page(ctx, r)
			if err != nil {
				yield(Entry[T]{}, err)
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			if len(page) < r.Limit {
				return
			}
			r.After = page[len(page)-1].ID
		}
	}
}

// Everywhere returns the rows of all accounts and regions, as committed, for
// snapshots at start-up. It is no part of a unit and needs no call.
func (t *Table[T]) Everywhere(ctx context.Context) iter.Seq2[Entry[T], error] {
	return func(yield func(Entry[T], error) bool) {
		const limit = 500
		var after Key
		for {
			rows, err := t.store.backend.ScanAll(ctx, t.name, after, limit)
			if err != nil {
				yield(Entry[T]{}, err)
				return
			}
			for _, row := range rows {
				e, err := t.entry(ctx, row)
				if !yield(e, err) || err != nil {
					return
				}
			}
			if len(rows) < limit {
				return
			}
			after = rows[len(rows)-1].Key
		}
	}
}

func (t *Table[T]) entry(ctx context.Context, row Row) (Entry[T], error) {
	p, err := t.store.openRow(ctx, row)
	if err != nil {
		return Entry[T]{}, err
	}
	v, err := t.decode(row.Key, p)
	return Entry[T]{row.ID, v, row.Place}, err
}

func (t *Table[T]) page(ctx context.Context, s Scan, r Range) ([]Entry[T], error) {
	if r.Limit < 0 || r.Limit > MaxPage {
		return nil, fmt.Errorf("%w: a page of %d rows, at most %d are allowed", ErrTooLarge, r.Limit, MaxPage)
	}
	if r.Limit == 0 {
		r.Limit = MaxPage
	}
	if checkID("prefix", r.Prefix) != nil || checkID("id", r.After) != nil {
		return nil, nil // comes from a client; no row is there
	}
	s.Table, s.Place = t.name, t.where(ctx)
	s.Prefix, s.After, s.Limit, s.Desc = r.Prefix, r.After, r.Limit, r.Desc
	rows, err := t.store.scan(ctx, s)
	if err != nil {
		return nil, err
	}
	page := make([]Entry[T], 0, len(rows))
	for _, row := range rows {
		v, err := t.decode(Key{s.Table, s.Place, row.id}, row.plain)
		if err != nil {
			return nil, err
		}
		page = append(page, Entry[T]{row.id, v, s.Place})
	}
	return page, nil
}

// scan reads a page, through the unit if there is one.
func (s *Store) scan(ctx context.Context, sc Scan) ([]found, error) {
	if u := s.unit(ctx); u != nil {
		return u.scan(ctx, sc)
	}
	change := s.rows.now()
	rows, err := s.backend.Scan(ctx, sc)
	if err != nil {
		return nil, err
	}
	page := make([]found, 0, len(rows))
	for _, row := range rows {
		p, err := s.openFound(ctx, row, sc, change)
		if err != nil {
			return nil, err
		}
		page = append(page, found{row.ID, p})
	}
	return page, nil
}

func (t *Table[T]) read(ctx context.Context, k Key) (*plain, error) {
	if u := t.store.unit(ctx); u != nil {
		return u.get(ctx, k)
	}
	r, err := t.store.fetch(ctx, k)
	return r.plain, err
}

// put encodes v; was is the row that the unit sees there, if it looked.
func (t *Table[T]) put(u *Unit, k Key, v *T, was *plain) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", k, err)
	}
	if len(b) > MaxRow {
		return fmt.Errorf("%w: %s has %d bytes, at most %d are allowed", ErrTooLarge, k, len(b), MaxRow)
	}
	p := &plain{json: b}
	for _, ix := range t.indexes {
		for _, value := range ix.values(v) {
			if err := checkID("index value", value); err != nil {
				return err
			}
			if e := (Entrance{ix.name, value}); !slices.Contains(p.index, e) {
				p.index = append(p.index, e)
			}
		}
	}
	var old []Entrance
	if was != nil {
		old = was.index
	}
	return u.put(k, p, old)
}

func (t *Table[T]) decode(k Key, p *plain) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(p.json, v); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrCorrupt, k, err)
	}
	return v, nil
}

// key names a row. An id that cannot be kept is one that is not there, since
// most come from clients.
func (t *Table[T]) key(ctx context.Context, id string) (Key, error) {
	k := Key{t.name, t.where(ctx), id}
	if id == "" {
		return k, fmt.Errorf("%w: %s: empty id", ErrNotFound, t.name)
	}
	if err := checkID("id", id); err != nil {
		return k, fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return k, nil
}

func (t *Table[T]) writing(ctx context.Context, id string) (Key, *Unit, error) {
	k := Key{t.name, t.where(ctx), id}
	if id == "" {
		return k, nil, badID("id", id, "is empty")
	}
	if err := checkID("id", id); err != nil {
		return k, nil, err
	}
	u := UnitOf(ctx)
	switch {
	case u == nil || u.store != t.store:
		return k, nil, fmt.Errorf("%w: %s", ErrNoUnit, k)
	case u.done():
		return k, nil, ErrFinished
	}
	return k, u, nil
}

func (t *Table[T]) where(ctx context.Context) Place {
	if t.place != nil {
		return *t.place
	}
	call := aws.CallOf(ctx)
	if t.global {
		return Place{Account: call.Account}
	}
	return Place{call.Account, call.Region}
}

func (t *Table[T]) hasIndex(name string) bool {
	return slices.ContainsFunc(t.indexes, func(ix index[T]) bool { return ix.name == name })
}
