package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/store/internal/sqltext"
)

// pool is the readers' connections with their statements.
type pool struct {
	db   *sql.DB
	mu   sync.RWMutex
	made map[string]*sql.Stmt
}

func (p *pool) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.mu.RLock()
	s, ok := p.made[text]
	p.mu.RUnlock()
	if ok {
		return s, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s, ok := p.made[text]; ok {
		return s, nil
	}
	s, err := p.db.PrepareContext(background, text)
	if err != nil {
		return nil, err
	}
	p.made[text] = s
	return s, nil
}

func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, s := range p.made {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, p.db.Close())...)
}

// one scans the one row that a statement finds; false when there is none.
func (p *pool) one(ctx context.Context, text string, args []any, into ...any) (bool, error) {
	s, err := p.stmt(ctx, text)
	if err != nil {
		return false, err
	}
	err = s.QueryRowContext(background, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// each calls f for each row that a statement finds.
func (p *pool) each(ctx context.Context, text string, args []any, f func(*sql.Rows) error) error {
	s, err := p.stmt(ctx, text)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(background, args...)
	if err != nil {
		return err
	}
	return every(rows, f)
}

func every(rows *sql.Rows, f func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Get returns the row under k.
func (b *Backend) Get(ctx context.Context, k store.Key) (store.Row, error) {
	row := store.Row{Key: k}
	_, err := b.read.one(ctx, sqltext.Get, sqltext.Key(k), &row.Rev, &row.Doc)
	return row, err
}

// Scan returns rows of one place.
func (b *Backend) Scan(ctx context.Context, s store.Scan) (found []store.Row, err error) {
	text, args := sqltext.Scan(s, true)
	err = b.read.each(ctx, text, args, func(rows *sql.Rows) error {
		row := store.Row{Key: store.Key{Table: s.Table, Place: s.Place}}
		err := rows.Scan(&row.ID, &row.Rev, &row.Doc)
		found = append(found, row)
		return err
	})
	return found, err
}

// ScanAll returns rows of a table in all places.
func (b *Backend) ScanAll(ctx context.Context, table string, after store.Key, limit int) (found []store.Row, err error) {
	after.Table = table
	err = b.read.each(ctx, sqltext.All, sqltext.Key(after, limit), func(rows *sql.Rows) error {
		row := store.Row{Key: store.Key{Table: table}}
		err := rows.Scan(&row.Place.Account, &row.Place.Region, &row.ID, &row.Rev, &row.Doc)
		found = append(found, row)
		return err
	})
	return found, err
}

// Fact returns a named value.
func (b *Backend) Fact(ctx context.Context, name string) (value []byte, err error) {
	_, err = b.read.one(ctx, sqltext.Fact, []any{name}, &value)
	return value, err
}

// NextDue returns when the next record can be claimed.
func (b *Backend) NextDue(ctx context.Context) (time.Time, bool, error) {
	var next sql.NullInt64
	if _, err := b.read.one(ctx, sqltext.NextDue, nil, &next); err != nil || !next.Valid {
		return time.Time{}, false, err
	}
	return time.Unix(0, next.Int64), true, nil
}

// ClaimDue returns records that are due at now.
func (b *Backend) ClaimDue(ctx context.Context, now time.Time, lease time.Duration, n int) (due []store.DueRow, err error) {
	err = b.writer.submit(ctx, false, func(w *writer) error {
		due, err = w.dueAt(now, n)
		if err != nil {
			return err
		}
		ready := now.Add(lease)
		for i := range due {
			due[i].Ready, due[i].Fence = ready, w.number()
			args := append([]any{ready.UnixNano(), due[i].Fence}, sqltext.Due(due[i].DueKey)...)
			if err := w.exec(sqltext.Lease, args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return due, nil
}

func (w *writer) dueAt(now time.Time, n int) (due []store.DueRow, err error) {
	s, err := w.stmt(sqltext.DueNow)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(background, now.UnixNano(), n)
	if err != nil {
		return nil, err
	}
	return due, every(rows, func(rows *sql.Rows) error {
		d, err := readDue(rows.Scan)
		due = append(due, d)
		return err
	})
}

// readDue reads kind, account, region, id, at, more columns, and doc.
func readDue(scan func(...any) error, more ...any) (d store.DueRow, err error) {
	var at int64
	var account, region string
	into := append([]any{&d.Kind, &account, &region, &d.ID, &at}, more...)
	err = scan(append(into, &d.Doc)...)
	d.Place = store.Place{Account: aws.Account(account), Region: aws.Region(region)}
	d.At = time.Unix(0, at)
	d.Ready = d.At
	return d, err
}
