package postgres

import (
	"bytes"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sumun.dev/store"
	"sumun.dev/store/internal/sqltext"
)

// batchGroup is the units of one transaction.
type batchGroup struct {
	jobs  []job
	last  uint64 // the highest of the numbers that the transaction has taken
	revs  map[store.Key]uint64
	fence map[store.DueKey]uint64
	seen  map[int][]seenNow // by job
	check []byte            // the key check

	accepted []int
	answers  []error
	later    []job
	news     news
}

type seenNow struct {
	want store.Seen
	rows []store.SeenRow
}

// look asks for numbers, which locks out other nodes until the commit, and then
// for all that the units have seen. Statements see what was committed before they
// began, so these see all that came before the lock.
func (g *batchGroup) look(b *pgx.Batch) {
	g.revs = map[store.Key]uint64{}
	g.fence = map[store.DueKey]uint64{}
	g.seen = map[int][]seenNow{}
	var numbers uint64
	for _, j := range g.jobs {
		numbers += needs(j.batch)
	}
	b.Queue(sqltext.Take, numbers).QueryRow(func(row pgx.Row) error { return row.Scan(&g.last) })
	b.Queue(sqltext.Fact, store.KeyCheck).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := rows.Scan(&g.check); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	for i, j := range g.jobs {
		for _, e := range j.batch.Expect {
			if _, asked := g.revs[e.Key]; asked {
				continue
			}
			g.revs[e.Key] = 0
			b.Queue(sqltext.Rev, sqltext.Key(e.Key)...).Query(one(func(n uint64) { g.revs[e.Key] = n }))
		}
		for _, f := range j.batch.Complete {
			g.fence[f.DueKey] = 0
			b.Queue(sqltext.FenceOf, sqltext.Due(f.DueKey)...).Query(one(func(n uint64) { g.fence[f.DueKey] = n }))
		}
		g.seen[i] = make([]seenNow, len(j.batch.Scans))
		for s, scan := range j.batch.Scans {
			now := &g.seen[i][s]
			now.want = scan
			text, args := sqltext.Scan(scan.Scan, false)
			b.Queue(text, args...).Query(func(rows pgx.Rows) error {
				for rows.Next() {
					var row store.SeenRow
					if err := rows.Scan(&row.ID, &row.Rev); err != nil {
						return err
					}
					now.rows = append(now.rows, row)
				}
				return rows.Err()
			})
		}
	}
}

// one reads the number that a statement may find.
func one(found func(uint64)) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		for rows.Next() {
			var n uint64
			if err := rows.Scan(&n); err != nil {
				return err
			}
			found(n)
		}
		return rows.Err()
	}
}

// needs is how many numbers a batch uses: one revision, and one for each due
// record and event.
func needs(b *store.Batch) uint64 { return uint64(1 + len(b.Schedule) + len(b.Outbox)) }

type shelf struct {
	table string
	place store.Place
}

// decide says which units go through, one after the other as if each were
// alone, and reports whether any does.
func (g *batchGroup) decide() bool {
	next := g.last
	for _, j := range g.jobs {
		next -= needs(j.batch)
	}
	changed := map[shelf]bool{}
	g.answers = make([]error, len(g.jobs))
	for i, j := range g.jobs {
		rev := next + 1
		next += needs(j.batch)
		if overtaken(j.batch, changed) {
			g.later = append(g.later, j)
			continue
		}
		if g.answers[i] = g.holds(i, j.batch); g.answers[i] != nil {
			continue
		}
		g.accepted = append(g.accepted, i)
		g.assume(j.batch, rev, changed)
	}
	return len(g.accepted) > 0
}

// overtaken reports whether an earlier unit of the group wrote where the batch
// has scanned: what the scan would give now was not asked.
func overtaken(b *store.Batch, changed map[shelf]bool) bool {
	for _, s := range b.Scans {
		if changed[shelf{s.Table, s.Place}] {
			return true
		}
	}
	return false
}

func (g *batchGroup) holds(i int, b *store.Batch) error {
	if b.Check != nil && !bytes.Equal(b.Check, g.check) {
		return store.ErrRekeyed
	}
	for _, e := range b.Expect {
		if g.revs[e.Key] != e.Rev {
			return conflict("%s", e.Key)
		}
	}
	for _, f := range b.Complete {
		if g.fence[f.DueKey] != f.Fence {
			return fmt.Errorf("%w: %s", store.ErrLost, f.DueKey)
		}
	}
	for _, s := range g.seen[i] {
		if !same(s.rows, s.want.Rows) {
			return conflict("rows of %s in %s", s.want.Table, s.want.Place)
		}
	}
	return nil
}

func same(a, b []store.SeenRow) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// assume remembers what an accepted batch changes, for those after it.
func (g *batchGroup) assume(b *store.Batch, rev uint64, changed map[shelf]bool) {
	for _, w := range b.Writes {
		changed[shelf{w.Table, w.Place}] = true
		if w.Doc == nil {
			g.revs[w.Key] = 0
			continue
		}
		g.revs[w.Key] = rev
	}
	for _, f := range b.Complete {
		g.fence[f.DueKey] = 0
	}
	for _, k := range b.Unschedule {
		g.fence[k] = 0
	}
	for n, d := range b.Schedule {
		g.fence[d.DueKey] = rev + 1 + uint64(n)
	}
}

// write queues what the accepted units write, and what others are told of it.
func (g *batchGroup) write(b *pgx.Batch) {
	next := g.last
	for _, j := range g.jobs {
		next -= needs(j.batch)
	}
	accepted := g.accepted
	for i, j := range g.jobs {
		rev := next + 1
		next += needs(j.batch)
		if len(accepted) == 0 || accepted[0] != i {
			continue
		}
		accepted = accepted[1:]
		queue(b, j.batch, rev)
		g.news.add(j.batch)
	}
}

func queue(b *pgx.Batch, batch *store.Batch, rev uint64) {
	for _, w := range batch.Writes {
		for _, e := range w.Drop {
			b.Queue(sqltext.DropEntry, sqltext.Entry(w.Key, e)...)
		}
		if w.Doc == nil {
			b.Queue(sqltext.Delete, sqltext.Key(w.Key)...)
			continue
		}
		b.Queue(sqltext.Put, sqltext.Key(w.Key, rev, w.Doc)...)
		for _, e := range w.Add {
			b.Queue(sqltext.AddEntry, sqltext.Entry(w.Key, e)...)
		}
	}
	for _, f := range batch.Complete {
		b.Queue(sqltext.DropDue, sqltext.Due(f.DueKey)...)
	}
	for _, k := range batch.Unschedule {
		b.Queue(sqltext.DropDue, sqltext.Due(k)...)
	}
	number := rev
	for _, d := range batch.Schedule {
		number++
		schedule(b, d, number)
	}
	for _, r := range batch.Outbox {
		number++
		b.Queue(sqltext.AddRecord, number, r.ID, r.Doc)
	}
}

func schedule(b *pgx.Batch, d store.DueRow, fence uint64) {
	b.Queue(sqltext.Schedule, sqltext.Due(d.DueKey, d.At.UnixNano(), d.Ready.UnixNano(), fence, d.Doc)...)
}

// settle answers those that were decided.
func (g *batchGroup) settle() {
	wait := map[chan error]bool{}
	for _, j := range g.later {
		wait[j.answer] = true
	}
	for i, j := range g.jobs {
		if !wait[j.answer] {
			j.answer <- g.answers[i]
		}
	}
}
