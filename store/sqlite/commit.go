package sqlite

import (
	"context"
	"fmt"

	"sumun.dev/store"
	"sumun.dev/store/internal/sqltext"
)

// Commit does all that the batch says, or nothing.
func (b *Backend) Commit(ctx context.Context, batch *store.Batch) error {
	return b.writer.submit(ctx, false, func(w *writer) error {
		if err := w.expect(batch); err != nil {
			return err
		}
		return w.apply(batch)
	})
}

// expect looks whether all is as the unit saw it, before anything is written.
func (w *writer) expect(batch *store.Batch) error {
	if batch.Check != nil {
		if err := w.checked(batch.Check); err != nil {
			return err
		}
	}
	for _, e := range batch.Expect {
		rev, err := w.uint(sqltext.Rev, sqltext.Key(e.Key)...)
		if err != nil {
			return err
		}
		if rev != e.Rev {
			return conflict("%s", e.Key)
		}
	}
	for _, f := range batch.Complete {
		fence, err := w.uint(sqltext.FenceOf, sqltext.Due(f.DueKey)...)
		if err != nil {
			return err
		}
		if fence != f.Fence {
			return refused{fmt.Errorf("%w: %s", store.ErrLost, f.DueKey)}
		}
	}
	for _, seen := range batch.Scans {
		same, err := w.same(seen)
		if err != nil {
			return err
		}
		if !same {
			return conflict("rows of %s in %s", seen.Table, seen.Place)
		}
	}
	return nil
}

// checked refuses what was sealed under another root key than the current one.
func (w *writer) checked(check []byte) error {
	is, err := w.uint(sqltext.FactIs, store.KeyCheck, check)
	if err == nil && is == 0 {
		return refused{store.ErrRekeyed}
	}
	return err
}

// same scans again and compares.
func (w *writer) same(seen store.Seen) (bool, error) {
	text, args := sqltext.Scan(seen.Scan, false)
	s, err := w.stmt(text)
	if err != nil {
		return false, err
	}
	rows, err := s.QueryContext(background, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var row store.SeenRow
		if err := rows.Scan(&row.ID, &row.Rev); err != nil {
			return false, err
		}
		if n >= len(seen.Rows) || row != seen.Rows[n] {
			return false, nil
		}
	}
	return n == len(seen.Rows), rows.Err()
}

func (w *writer) apply(batch *store.Batch) error {
	rev := w.number()
	for _, wr := range batch.Writes {
		if err := w.write(wr, rev); err != nil {
			return err
		}
	}
	for _, f := range batch.Complete {
		if err := w.exec(sqltext.DropDue, sqltext.Due(f.DueKey)...); err != nil {
			return err
		}
	}
	for _, k := range batch.Unschedule {
		if err := w.exec(sqltext.DropDue, sqltext.Due(k)...); err != nil {
			return err
		}
	}
	for _, d := range batch.Schedule {
		if err := w.schedule(d, w.number()); err != nil {
			return err
		}
	}
	for _, r := range batch.Outbox {
		if err := w.exec(sqltext.AddRecord, w.number(), r.ID, r.Doc); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) write(wr store.Write, rev uint64) error {
	for _, e := range wr.Drop {
		if err := w.exec(sqltext.DropEntry, sqltext.Entry(wr.Key, e)...); err != nil {
			return err
		}
	}
	if wr.Doc == nil {
		return w.exec(sqltext.Delete, sqltext.Key(wr.Key)...)
	}
	if err := w.exec(sqltext.Put, sqltext.Key(wr.Key, rev, wr.Doc)...); err != nil {
		return err
	}
	for _, e := range wr.Add {
		if err := w.exec(sqltext.AddEntry, sqltext.Entry(wr.Key, e)...); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) schedule(d store.DueRow, fence uint64) error {
	return w.exec(sqltext.Schedule, sqltext.Due(d.DueKey, d.At.UnixNano(), d.Ready.UnixNano(), fence, d.Doc)...)
}

// KeepFact keeps a named value unless there is one.
func (b *Backend) KeepFact(ctx context.Context, name string, value []byte) ([]byte, error) {
	err := b.writer.submit(ctx, false, func(w *writer) error { return w.exec(sqltext.AddFact, name, value) })
	if err != nil {
		return nil, err
	}
	return b.Fact(ctx, name)
}
