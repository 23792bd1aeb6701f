package postgres

import (
	"context"
	"errors"
	"io"

	"github.com/jackc/pgx/v5"

	"sumun.dev/store"
	"sumun.dev/store/internal/sqltext"
)

// Dump yields everything as of one instant: one read transaction.
func (b *Backend) Dump(ctx context.Context, yield func(store.Item) error) error {
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return pgx.BeginTxFunc(ctx, b.read, snapshot, func(tx pgx.Tx) error {
		// Large tables, and writers of files that are slow, take as long as they take.
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0`); err != nil {
			return err
		}
		for _, part := range []struct {
			text string
			item func(scan func(...any) error) (store.Item, error)
		}{
			{sqltext.DumpFacts, factItem},
			{sqltext.DumpRows, rowItem},
			{sqltext.DumpEntries, entryItem},
			{sqltext.DumpOutbox, recordItem},
			{sqltext.DumpDues, dueItem},
		} {
			if err := dump(ctx, tx, part.text, part.item, yield); err != nil {
				return err
			}
		}
		var last uint64
		if err := tx.QueryRow(ctx, sqltext.Last).Scan(&last); err != nil {
			return err
		}
		return yield(store.Item{Revision: last})
	})
}

func dump(ctx context.Context, tx pgx.Tx, text string, item func(func(...any) error) (store.Item, error), yield func(store.Item) error) error {
	rows, err := tx.Query(ctx, text)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		i, err := item(rows.Scan)
		if err != nil {
			return err
		}
		if err := yield(i); err != nil {
			return err
		}
	}
	return rows.Err()
}

func factItem(scan func(...any) error) (store.Item, error) {
	f := &store.Fact{}
	return store.Item{Fact: f}, scan(&f.Name, &f.Value)
}

func rowItem(scan func(...any) error) (store.Item, error) {
	r := &store.Row{}
	return store.Item{Row: r}, scan(&r.Table, &r.Place.Account, &r.Place.Region, &r.ID, &r.Rev, &r.Doc)
}

func entryItem(scan func(...any) error) (store.Item, error) {
	e := &store.IndexRow{}
	return store.Item{Entry: e}, scan(&e.Table, &e.Place.Account, &e.Place.Region, &e.ID, &e.Index, &e.Value)
}

func recordItem(scan func(...any) error) (store.Item, error) {
	r := &store.Record{}
	return store.Item{Record: r}, scan(&r.Seq, &r.ID, &r.Doc)
}

func dueItem(scan func(...any) error) (store.Item, error) {
	var fence uint64
	d, err := readDue(scan, &fence)
	d.Fence = fence
	return store.Item{Due: &d}, err
}

// Load fills an empty schema in one transaction, some hundred items at a time.
func (b *Backend) Load(ctx context.Context, next func() (store.Item, error)) error {
	return pgx.BeginFunc(ctx, b.read, func(tx pgx.Tx) error {
		// The counter's row keeps every node from writing meanwhile.
		if _, err := tx.Exec(ctx, sqltext.Take, 0); err != nil {
			return err
		}
		var used bool
		if err := tx.QueryRow(ctx, sqltext.Used).Scan(&used); err != nil {
			return err
		}
		if used {
			return store.ErrNotEmpty
		}
		for {
			batch := &pgx.Batch{}
			err := gather(batch, next)
			if err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			if sent := tx.SendBatch(ctx, batch).Close(); sent != nil {
				return failure(sent)
			}
			if err != nil {
				return nil
			}
		}
	})
}

// gather queues items until there are many, or io.EOF.
func gather(b *pgx.Batch, next func() (store.Item, error)) error {
	for size := 0; b.Len() < 500 && size < 4<<20; {
		item, err := next()
		if err != nil {
			return err
		}
		switch {
		case item.Row != nil:
			size += len(item.Row.Doc)
			b.Queue(sqltext.Put, sqltext.Key(item.Row.Key, item.Row.Rev, item.Row.Doc)...)
		case item.Entry != nil:
			b.Queue(sqltext.AddEntry, sqltext.Entry(item.Entry.Key, item.Entry.Entrance)...)
		case item.Record != nil:
			size += len(item.Record.Doc)
			b.Queue(sqltext.AddRecord, item.Record.Seq, item.Record.ID, item.Record.Doc)
		case item.Due != nil:
			schedule(b, *item.Due, item.Due.Fence)
		case item.Fact != nil:
			b.Queue(sqltext.AddFact, item.Fact.Name, item.Fact.Value)
		default:
			b.Queue(`UPDATE counter SET n = greatest(n, $1) WHERE name = 'revision'`, item.Revision)
		}
	}
	return nil
}
