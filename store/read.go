package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// get returns the row under k as the unit sees it; nil when there is none.
func (u *Unit) get(ctx context.Context, k Key) (*plain, error) {
	if p, known, err := u.known(k); known || err != nil {
		return p, err
	}
	r, err := u.store.fetch(ctx, k)
	if err != nil {
		return nil, err
	}
	return u.note(k, r.rev, r.plain)
}

// known returns what the unit has written or read under k before.
func (u *Unit) known(k Key) (*plain, bool, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.finished {
		return nil, false, ErrFinished
	}
	if c, ok := u.pending[shelf{k.Table, k.Place}][k.ID]; ok {
		return c.plain, true, nil
	}
	if r, ok := u.reads[k]; ok && !r.scanned {
		return r.plain, true, nil
	}
	return nil, false, nil
}

// note remembers a read. Who reads again what has changed since is told at once:
// the unit cannot commit any more.
func (u *Unit) note(k Key, rev uint64, p *plain) (*plain, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	was, again := u.reads[k]
	switch {
	case again && was.rev != rev:
		u.store.rows.doubt([]Expect{{Key: k}})
		return nil, fmt.Errorf("%w: %s", ErrConflict, k)
	case again && !was.scanned: // another goroutine of the unit was faster
		return was.plain, nil
	}
	u.reads[k] = read{rev: rev, plain: p}
	return p, nil
}

// A found row is one in a page.
type found struct {
	id    string
	plain *plain
}

// scan returns a page as the unit sees it: what is stored, with the unit's own
// writes laid over it.
func (u *Unit) scan(ctx context.Context, s Scan) ([]found, error) {
	over, err := u.overlay(s)
	if err != nil {
		return nil, err
	}
	want := s.Limit
	var page []found
	take := func(f found) {
		if f.plain != nil && len(page) < want {
			page = append(page, f)
		}
	}
	for len(page) < want {
		change := u.store.rows.now()
		rows, err := u.store.backend.Scan(ctx, s)
		if err != nil {
			return nil, err
		}
		if err := u.saw(s, rows); err != nil {
			return nil, err
		}
		for _, row := range rows {
			for len(over) > 0 && before(over[0].id, row.ID, s.Desc) {
				take(over[0])
				over = over[1:]
			}
			if len(over) > 0 && over[0].id == row.ID {
				take(over[0])
				over = over[1:]
				continue
			}
			p, err := u.store.openFound(ctx, row, s, change)
			if err != nil {
				return nil, err
			}
			take(found{row.ID, p})
		}
		if len(rows) < s.Limit {
			break
		}
		s.After = rows[len(rows)-1].ID
	}
	for _, f := range over {
		take(f)
	}
	return page, nil
}

// overlay returns the unit's writes within the scan, in its order. A row that
// was deleted, or that does not have the index value, hides the stored one.
func (u *Unit) overlay(s Scan) ([]found, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.finished {
		return nil, ErrFinished
	}
	lo, open, hi := s.Bounds()
	var over []found
	for id, c := range u.pending[shelf{s.Table, s.Place}] {
		if id < lo || open && id == lo || id >= hi {
			continue
		}
		f := found{id: id, plain: c.plain}
		if s.Index != "" && f.plain != nil && !slices.Contains(f.plain.index, Entrance{s.Index, s.Value}) {
			f.plain = nil
		}
		over = append(over, f)
	}
	slices.SortFunc(over, func(a, b found) int {
		if s.Desc {
			a, b = b, a
		}
		return strings.Compare(a.id, b.id)
	})
	return over, nil
}

// saw remembers what a scan gave, so that the commit can tell whether it would
// give the same again.
func (u *Unit) saw(s Scan, rows []Row) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	seen := Seen{Scan: s, Rows: make([]SeenRow, len(rows))}
	for i, row := range rows {
		seen.Rows[i] = SeenRow{row.ID, row.Rev}
		was, again := u.reads[row.Key]
		if again && was.rev != row.Rev {
			u.store.rows.doubt([]Expect{{Key: row.Key}})
			return fmt.Errorf("%w: %s", ErrConflict, row.Key)
		}
		if !again {
			u.reads[row.Key] = read{rev: row.Rev, scanned: true}
		}
	}
	u.scans = append(u.scans, seen)
	return nil
}

func before(a, b string, desc bool) bool {
	if desc {
		return a > b
	}
	return a < b
}

// put lays p over the row under k; nil deletes it. old are the index entries of
// the stored row.
func (u *Unit) put(k Key, p *plain, old []Entrance) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.finished {
		return ErrFinished
	}
	at := shelf{k.Table, k.Place}
	was := u.pending[at][k.ID]
	if was != nil {
		old = was.old
	}
	if u.pending[at] == nil {
		u.pending[at] = map[string]*change{}
	}
	u.undo = append(u.undo, undo{at, k.ID, was})
	u.pending[at][k.ID] = &change{p, old}
	return nil
}
