// Package sqlite is the store's backend in a folder of one machine.
//
// The database is SQLite in WAL mode with synchronous=FULL: a commit is on the
// disk before it is answered. One goroutine writes, and puts all units that wait
// into one transaction, so that they share its fsync; readers have connections
// of their own and are never blocked.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	driver "modernc.org/sqlite"

	"sumun.dev/store"
)

// File is the database's name in the data folder.
const File = "state.db"

const readers = 4

// A Backend keeps the store in a folder.
type Backend struct {
	lock   *os.File
	file   string
	writer *writer
	read   *pool
	outbox claims

	closing sync.Once
	closed  error
}

// Open opens or creates the database in a folder, which only its owner may
// enter: store.ErrInUse when another process has it open, store.ErrNewer when a
// newer version has written it.
func Open(dir string) (*Backend, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	b := &Backend{lock: lock, file: filepath.Join(dir, File)}
	if err := b.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", b.file, err), b.Close())
	}
	return b, nil
}

func (b *Backend) open() error {
	// SQLite gives the files beside it the same mode.
	f, err := os.OpenFile(b.file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	db, err := connect(b.file, "journal_mode(WAL)", "synchronous(FULL)", "journal_size_limit(67108864)")
	if err != nil {
		return err
	}
	if b.writer, err = startWriter(db); err != nil {
		return errors.Join(err, db.Close())
	}
	db, err = connect(b.file, "query_only(1)")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(readers)
	db.SetMaxIdleConns(readers)
	b.read = &pool{db: db, made: map[string]*sql.Stmt{}}
	b.outbox.held = map[uint64]bool{}
	return nil
}

// connect returns a handle on the file with the pragmas set on each connection.
func connect(file string, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_pragma": append([]string{"busy_timeout(10000)", "trusted_schema(0)", "temp_store(2)"}, pragmas...)}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(file)}).EscapedPath(), RawQuery: q.Encode()}
	c, err := driver.NewConnector(u.String())
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

// Close waits for the writer and lets go of the folder. Twice is once.
func (b *Backend) Close() error {
	b.closing.Do(func() { b.closed = b.close() })
	return b.closed
}

func (b *Backend) close() error {
	var errs []error
	if b.read != nil {
		errs = append(errs, b.read.close())
	}
	if b.writer != nil {
		errs = append(errs, b.writer.close())
	}
	return errors.Join(append(errs, b.lock.Close())...)
}

// Notify does nothing: no other process has the folder open.
func (b *Backend) Notify(func(store.News)) {}

// failure gives SQLite's errors the store's names.
func failure(err error) error {
	var e *driver.Error
	if errors.As(err, &e) && e.Code()&0xff == codeFull {
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return err
}

// codeFull is SQLITE_FULL: no space on the disk, or over max_page_count.
// https://sqlite.org/rescode.html#full
const codeFull = 13

// background is the context of all statements: the driver starts a goroutine for
// one that can end, and ours take microseconds.
var background = context.Background()
