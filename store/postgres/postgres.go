// Package postgres is the store's backend for several nodes over one database.
//
// Each node has one goroutine that writes. It puts all units that wait into one
// transaction of two round trips: the first takes the counter's row, which puts
// the transactions of all nodes in order, and looks whether all is as the units
// saw it; the second writes and commits. So there is one lock, no deadlock, and
// revisions and events stand in the order of their commits.
package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"sumun.dev/store"
)

// How long a node may hold or wait for others, in milliseconds. A node that
// hangs in a transaction is cut off, so that the others can go on.
const (
	idleInTransaction = "10000"
	statementTimeout  = "30000"
)

// A Backend keeps the store in the schema that the connection's search_path names.
type Backend struct {
	read   *pgxpool.Pool
	writer *writer
	node   string // this process, among those that listen
	ears   *ears
	lease  wake

	closing sync.Once
	closed  error
}

// Open connects to a database by URL (postgres://user@host/db?search_path=s) and
// brings its schema to the newest version: store.ErrNewer when a newer program
// has been there.
func Open(ctx context.Context, url string) (*Backend, error) {
	b, err := open(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("open the PostgreSQL store: %w", err)
	}
	return b, nil
}

func open(ctx context.Context, url string) (*Backend, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	params := config.ConnConfig.RuntimeParams
	if params["application_name"] == "" {
		params["application_name"] = "sumun"
	}
	params["idle_in_transaction_session_timeout"] = idleInTransaction
	params["statement_timeout"] = statementTimeout
	params["synchronous_commit"] = "on"
	b := &Backend{node: rand.Text()}
	single := func(ctx context.Context) (*pgx.Conn, error) {
		return pgx.ConnectConfig(ctx, config.ConnConfig.Copy())
	}
	conn, err := single(ctx)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, conn, migrations); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	channel, err := channelOf(ctx, conn)
	if err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	if b.read, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	b.writer = startWriter(conn, single, channel, b.node)
	b.ears = &ears{dial: single, beat: b.beat, channel: channel, node: b.node, began: time.Now()}
	return b, nil
}

// channelOf names the channel of this schema; channels belong to the database.
func channelOf(ctx context.Context, conn *pgx.Conn) (string, error) {
	var schema string
	if err := conn.QueryRow(ctx, "SELECT coalesce(current_schema(), '')").Scan(&schema); err != nil {
		return "", err
	}
	if schema == "" {
		return "", errors.New("the schema that search_path names does not exist")
	}
	return fmt.Sprintf("sumun_%016x", hash(schema)), nil
}

func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// Close waits for the writer and closes all connections. Twice is once.
func (b *Backend) Close() error {
	b.closing.Do(func() {
		b.lease.stop()
		b.ears.close()
		b.closed = b.writer.close()
		b.read.Close()
	})
	return b.closed
}

// Notify sets who is told what other nodes commit, and begins to listen.
func (b *Backend) Notify(heard func(store.News)) {
	b.lease.set(func() { heard(store.News{Outbox: true}) })
	b.ears.listen(heard)
}

// Silence returns how long ago this node last heard its own voice on the channel
// of the news: what was committed before that, it has heard of.
func (b *Backend) Silence() time.Duration { return b.ears.silence() }

// beat says something on the channel.
func (b *Backend) beat(ctx context.Context, payload string) error {
	_, err := b.read.Exec(ctx, `SELECT pg_notify($1, $2)`, b.ears.channel, payload)
	return err
}

// failure gives PostgreSQL's errors the store's names.
// PostgreSQL documentation, appendix A: 53100 is disk_full.
func failure(err error) error {
	var e *pgconn.PgError
	if errors.As(err, &e) && e.Code == "53100" {
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return err
}

func nanos(n int64) time.Time { return time.Unix(0, n) }
