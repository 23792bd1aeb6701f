package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"sumun.dev/store"
	"sumun.dev/store/internal/sqltext"
)

// Commit does all that the batch says, or nothing.
func (b *Backend) Commit(ctx context.Context, batch *store.Batch) error {
	return b.writer.submit(ctx, job{batch: batch})
}

// Get returns the row under k.
func (b *Backend) Get(ctx context.Context, k store.Key) (store.Row, error) {
	row := store.Row{Key: k}
	err := b.read.QueryRow(ctx, sqltext.Get, sqltext.Key(k)...).Scan(&row.Rev, &row.Doc)
	if errors.Is(err, pgx.ErrNoRows) {
		return row, nil
	}
	return row, err
}

// Scan returns rows of one place.
func (b *Backend) Scan(ctx context.Context, s store.Scan) ([]store.Row, error) {
	text, args := sqltext.Scan(s, true)
	rows, err := b.read.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (store.Row, error) {
		row := store.Row{Key: store.Key{Table: s.Table, Place: s.Place}}
		return row, r.Scan(&row.ID, &row.Rev, &row.Doc)
	})
}

// ScanAll returns rows of a table in all places.
func (b *Backend) ScanAll(ctx context.Context, table string, after store.Key, limit int) ([]store.Row, error) {
	after.Table = table
	rows, err := b.read.Query(ctx, sqltext.All, sqltext.Key(after, limit)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (store.Row, error) {
		row := store.Row{Key: store.Key{Table: table}}
		return row, r.Scan(&row.Place.Account, &row.Place.Region, &row.ID, &row.Rev, &row.Doc)
	})
}

// Fact returns a named value.
func (b *Backend) Fact(ctx context.Context, name string) (value []byte, err error) {
	err = b.read.QueryRow(ctx, sqltext.Fact, name).Scan(&value)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return value, err
}

// KeepFact keeps a named value unless there is one.
func (b *Backend) KeepFact(ctx context.Context, name string, value []byte) ([]byte, error) {
	if _, err := b.read.Exec(ctx, sqltext.AddFact, name, value); err != nil {
		return nil, failure(err)
	}
	return b.Fact(ctx, name)
}

// NextDue returns when the next record can be claimed.
func (b *Backend) NextDue(ctx context.Context) (time.Time, bool, error) {
	var next *int64
	if err := b.read.QueryRow(ctx, sqltext.NextDue).Scan(&next); err != nil || next == nil {
		return time.Time{}, false, err
	}
	return nanos(*next), true, nil
}

// ClaimDue returns records that are due at now. Claims stand in the order of
// commits like units, so no two nodes get the same.
func (b *Backend) ClaimDue(ctx context.Context, now time.Time, lease time.Duration, n int) (due []store.DueRow, err error) {
	err = b.writer.submit(ctx, job{alone: func(ctx context.Context, conn *pgx.Conn) error {
		var last uint64
		if err := conn.QueryRow(ctx, sqltext.Take, n).Scan(&last); err != nil {
			return err
		}
		rows, err := conn.Query(ctx, sqltext.DueNow, now.UnixNano(), n)
		if err != nil {
			return err
		}
		due, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (store.DueRow, error) { return readDue(r.Scan) })
		if err != nil {
			return err
		}
		batch := &pgx.Batch{}
		for i := range due {
			due[i].Ready, due[i].Fence = now.Add(lease), last-uint64(i)
			args := []any{due[i].Ready.UnixNano(), due[i].Fence}
			batch.Queue(sqltext.Lease, append(args, sqltext.Due(due[i].DueKey)...)...)
		}
		return conn.SendBatch(ctx, batch).Close()
	}})
	if err != nil {
		return nil, err
	}
	return due, nil
}

// readDue reads kind, account, region, id, at, more columns, and doc.
func readDue(scan func(...any) error, more ...any) (d store.DueRow, err error) {
	var at int64
	into := append([]any{&d.Kind, &d.Place.Account, &d.Place.Region, &d.ID, &at}, more...)
	err = scan(append(into, &d.Doc)...)
	d.At = nanos(at)
	d.Ready = d.At
	return d, err
}
