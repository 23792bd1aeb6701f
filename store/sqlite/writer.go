package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"sumun.dev/store"
	"sumun.dev/store/internal/sqltext"
)

// maxGroup bounds the units of one transaction, and so how long the first waits
// for the last.
const maxGroup = 256

var errClosed = errors.New("sqlite: the store is closed")

// writer is the one goroutine that writes.
type writer struct {
	db   *sql.DB
	conn *sql.Conn
	made map[string]*sql.Stmt
	last uint64 // number given last

	jobs chan job
	quit chan struct{}
	done chan struct{}
}

// A job is something to be done in a transaction. One that answers a refusal has
// written nothing; after any other error the transaction cannot be used.
type job struct {
	do     func(*writer) error
	alone  bool // cannot be done twice
	answer chan error
}

// refused marks an error of a job that has written nothing.
type refused struct{ error }

func (r refused) Unwrap() error { return r.error }

func startWriter(db *sql.DB) (*writer, error) {
	conn, err := db.Conn(background)
	if err != nil {
		return nil, err
	}
	if err := migrate(conn, migrations); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	w := &writer{
		db: db, conn: conn, made: map[string]*sql.Stmt{},
		jobs: make(chan job), quit: make(chan struct{}), done: make(chan struct{}),
	}
	if err := conn.QueryRowContext(background, sqltext.Last).Scan(&w.last); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	// The folder has one owner: whoever held leases has ended, and its work need
	// not wait until they do.
	if _, err := conn.ExecContext(background, sqltext.EndLeases); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	go w.run()
	return w, nil
}

// submit has f done and returns when it is durable. Once the writer has it, the
// answer is waited for whatever ctx says: it must be known.
func (w *writer) submit(ctx context.Context, alone bool, f func(*writer) error) error {
	j := job{f, alone, make(chan error, 1)}
	select {
	case w.jobs <- j:
		return failure(<-j.answer)
	case <-ctx.Done():
		return ctx.Err()
	case <-w.quit:
		return errClosed
	}
}

func (w *writer) close() error {
	close(w.quit)
	<-w.done
	var errs []error
	for _, stmt := range w.made {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, w.conn.Close(), w.db.Close())...)
}

func (w *writer) run() {
	defer close(w.done)
	for {
		select {
		case j := <-w.jobs:
			w.group(j)
		case <-w.quit:
			return
		}
	}
}

// group does a job together with all that wait by now. They wait because the
// last fsync took a while: the busier it is, the more share one.
func (w *writer) group(first job) {
	group := append(make([]job, 0, 16), first)
	for !first.alone && len(group) < maxGroup {
		select {
		case j := <-w.jobs:
			if j.alone {
				w.together(group)
				group = []job{j}
				first = j
				continue
			}
			group = append(group, j)
			continue
		default:
		}
		break
	}
	w.together(group)
}

// together does jobs in one transaction. One that is refused fails alone. When
// the transaction fails, each is tried in its own, so that one that is too large
// for the disk does not take the others with it.
func (w *writer) together(group []job) {
	answers := make([]error, len(group))
	err := w.transaction(func() error {
		for i, j := range group {
			err := j.do(w)
			if err != nil && !errors.As(err, new(refused)) {
				return err
			}
			answers[i] = err
		}
		return nil
	})
	if err != nil && len(group) > 1 {
		for _, j := range group {
			w.together([]job{j})
		}
		return
	}
	for i, j := range group {
		if err != nil {
			answers[i] = err
		}
		j.answer <- answers[i]
	}
}

func (w *writer) transaction(f func() error) error {
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	first := w.last
	err := f()
	if err == nil && w.last != first {
		err = w.exec(sqltext.Set, w.last)
	}
	if err == nil {
		err = w.exec("COMMIT")
	}
	if err != nil {
		_ = w.exec("ROLLBACK") // fails when SQLite has rolled back by itself
	}
	return err
}

// number returns one that was never used: the next, and those of a transaction
// that failed are left out.
func (w *writer) number() uint64 {
	w.last++
	return w.last
}

func (w *writer) stmt(text string) (*sql.Stmt, error) {
	if s, ok := w.made[text]; ok {
		return s, nil
	}
	s, err := w.conn.PrepareContext(background, text)
	if err != nil {
		return nil, err
	}
	w.made[text] = s
	return s, nil
}

func (w *writer) exec(text string, args ...any) error {
	s, err := w.stmt(text)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(background, args...)
	return err
}

// changed is exec that returns how many rows it has changed.
func (w *writer) changed(text string, args ...any) (int64, error) {
	s, err := w.stmt(text)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(background, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// uint returns the number that a statement finds, 0 when it finds nothing.
func (w *writer) uint(text string, args ...any) (n uint64, err error) {
	s, err := w.stmt(text)
	if err != nil {
		return 0, err
	}
	err = s.QueryRowContext(background, args...).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

func conflict(what string, args ...any) error {
	return refused{fmt.Errorf("%w: "+what, append([]any{store.ErrConflict}, args...)...)}
}
