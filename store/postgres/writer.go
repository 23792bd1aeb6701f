package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sumun.dev/store"
)

const (
	maxGroup = 256              // units of one transaction
	patience = 60 * time.Second // with a server that does not answer
)

var errClosed = errors.New("postgres: the store is closed")

// writer is the one goroutine of this node that writes.
type writer struct {
	conn    *pgx.Conn
	dial    func(context.Context) (*pgx.Conn, error)
	channel string
	node    string

	jobs chan job
	quit chan struct{}
	done chan struct{}
}

// A job is a unit's batch, or something else that needs a transaction and its
// place in the order of commits.
type job struct {
	batch  *store.Batch
	alone  func(context.Context, *pgx.Conn) error // in a transaction; counts as a batch when nil
	answer chan error
}

func startWriter(conn *pgx.Conn, dial func(context.Context) (*pgx.Conn, error), channel, node string) *writer {
	w := &writer{
		conn: conn, dial: dial, channel: channel, node: node,
		jobs: make(chan job), quit: make(chan struct{}), done: make(chan struct{}),
	}
	go w.run()
	return w
}

// submit has a job done and returns when it is durable. Once the writer has it,
// the answer is waited for whatever ctx says: it must be known.
func (w *writer) submit(ctx context.Context, j job) error {
	j.answer = make(chan error, 1)
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
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return w.conn.Close(ctx)
}

func (w *writer) run() {
	defer close(w.done)
	for {
		select {
		case j := <-w.jobs:
			w.gather(j)
		case <-w.quit:
			return
		}
	}
}

// gather does a job together with all that wait by now.
func (w *writer) gather(first job) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	group := []job{}
	for j := first; ; {
		if j.alone != nil {
			w.together(ctx, group)
			w.single(ctx, j)
			return
		}
		group = append(group, j)
		if len(group) == maxGroup {
			break
		}
		select {
		case j = <-w.jobs:
			continue
		default:
		}
		break
	}
	w.together(ctx, group)
}

// together commits a group. Units that the group's earlier ones may have
// contradicted go into the next transaction. When the server has refused the
// transaction each is tried in its own; when it is not known what the server
// did, all are told so.
func (w *writer) together(ctx context.Context, group []job) {
	for len(group) > 0 {
		g := &batchGroup{jobs: group}
		err := w.transaction(ctx, g)
		var refused *pgconn.PgError
		switch {
		case err == nil:
			g.settle()
			group = g.later
			continue
		case errors.As(err, &refused) && len(group) > 1:
			for _, j := range group {
				w.together(ctx, []job{j})
			}
		default:
			for _, j := range group {
				j.answer <- err
			}
		}
		return
	}
}

func (w *writer) transaction(ctx context.Context, g *batchGroup) error {
	err := w.begin(ctx, g.look)
	if err == nil && !g.decide() {
		_, err = w.conn.Exec(ctx, "ROLLBACK")
		return err
	}
	if err == nil {
		err = w.send(ctx, func(b *pgx.Batch) {
			g.write(b)
			w.announce(b, g.news)
			b.Queue("COMMIT")
		})
	}
	if err != nil {
		w.rollback(ctx)
	}
	return err
}

// begin starts a transaction with what look asks. A connection that has died
// since it was last used is made anew, once: nothing has been written yet.
func (w *writer) begin(ctx context.Context, look func(*pgx.Batch)) error {
	first := func(b *pgx.Batch) {
		b.Queue("BEGIN")
		look(b)
	}
	err := w.send(ctx, first)
	if err == nil || !w.conn.IsClosed() {
		return err
	}
	conn, err := w.dial(ctx)
	if err != nil {
		return err
	}
	w.conn = conn
	return w.send(ctx, first)
}

func (w *writer) send(ctx context.Context, queue func(*pgx.Batch)) error {
	b := &pgx.Batch{}
	queue(b)
	return w.conn.SendBatch(ctx, b).Close()
}

func (w *writer) rollback(ctx context.Context) {
	if _, err := w.conn.Exec(ctx, "ROLLBACK"); err != nil {
		_ = w.conn.Close(ctx) // begin makes a new one
	}
}

// single does one job in a transaction of its own.
func (w *writer) single(ctx context.Context, j job) {
	err := w.begin(ctx, func(*pgx.Batch) {})
	if err == nil {
		err = j.alone(ctx, w.conn)
	}
	if err == nil {
		_, err = w.conn.Exec(ctx, "COMMIT")
	}
	if err != nil {
		w.rollback(ctx)
	}
	j.answer <- err
}

func conflict(what string, args ...any) error {
	return fmt.Errorf("%w: "+what, append([]any{store.ErrConflict}, args...)...)
}
