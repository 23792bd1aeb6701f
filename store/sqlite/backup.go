package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"

	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/store/internal/sqltext"
)

// Dump yields everything as of one instant: one read transaction, on a connection
// of its own.
func (b *Backend) Dump(ctx context.Context, yield func(store.Item) error) error {
	return dump(ctx, b.file, yield)
}

// A Reader dumps a folder, whether a process has it open or not.
type Reader struct{ dir string }

// Read returns a reader of a folder. It changes nothing.
func Read(dir string) Reader { return Reader{dir} }

// Dump yields everything as of one instant. The database must be there and have
// the newest schema, which any start of this program gives it.
func (r Reader) Dump(ctx context.Context, yield func(store.Item) error) error {
	file := filepath.Join(r.dir, File)
	if _, err := os.Stat(file); err != nil {
		return err
	}
	return dump(ctx, file, yield)
}

func dump(ctx context.Context, file string, yield func(store.Item) error) error {
	db, err := connect(file, "query_only(1)")
	if err != nil {
		return err
	}
	defer db.Close()
	if err := current(db); err != nil {
		return err
	}
	tx, err := db.BeginTx(background, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	each := func(text string, item func(scan func(...any) error) (store.Item, error)) error {
		rows, err := tx.Query(text)
		if err != nil {
			return err
		}
		return every(rows, func(rows *sql.Rows) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			i, err := item(rows.Scan)
			if err != nil {
				return err
			}
			return yield(i)
		})
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
		if err := each(part.text, part.item); err != nil {
			return err
		}
	}
	var last uint64
	if err := tx.QueryRow(sqltext.Last).Scan(&last); err != nil {
		return err
	}
	return yield(store.Item{Revision: last})
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
	var account, region string
	err := scan(&e.Table, &account, &region, &e.ID, &e.Index, &e.Value)
	e.Place = store.Place{Account: aws.Account(account), Region: aws.Region(region)}
	return store.Item{Entry: e}, err
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

// Load fills an empty database in one transaction.
func (b *Backend) Load(ctx context.Context, next func() (store.Item, error)) error {
	return b.writer.submit(ctx, true, func(w *writer) error {
		if used, err := w.uint(sqltext.Used); err != nil || used != 0 {
			return errors.Join(err, store.ErrNotEmpty)
		}
		for {
			item, err := next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := w.load(item); err != nil {
				return err
			}
		}
	})
}

func (w *writer) load(item store.Item) error {
	switch {
	case item.Row != nil:
		return w.exec(sqltext.Put, sqltext.Key(item.Row.Key, item.Row.Rev, item.Row.Doc)...)
	case item.Entry != nil:
		return w.exec(sqltext.AddEntry, sqltext.Entry(item.Entry.Key, item.Entry.Entrance)...)
	case item.Record != nil:
		return w.exec(sqltext.AddRecord, item.Record.Seq, item.Record.ID, item.Record.Doc)
	case item.Due != nil:
		return w.schedule(*item.Due, item.Due.Fence)
	case item.Fact != nil:
		return w.exec(sqltext.AddFact, item.Fact.Name, item.Fact.Value)
	}
	w.last = max(w.last, item.Revision)
	return nil
}
