package sqlite

import (
	"context"
	"database/sql"
	"slices"
	"sync"
	"time"

	"sumun.dev/store"
	"sumun.dev/store/internal/sqltext"
)

const claimable = `SELECT seq, event, doc FROM outbox WHERE seq > $1 ORDER BY seq LIMIT $2`
const released = `SELECT seq, event, doc FROM outbox WHERE seq = $1`

// claims says which records are on their way. There is one process, so this
// needs no durable lease: it ends with the process. Commits are in the order of
// their numbers, so nothing can appear before the last that was claimed.
type claims struct {
	mu   sync.Mutex
	last uint64
	held map[uint64]bool
	back []uint64 // released, sorted
}

// ClaimOutbox returns records that nobody holds.
func (b *Backend) ClaimOutbox(ctx context.Context, n int, _ time.Duration) ([]store.Record, error) {
	c := &b.outbox
	c.mu.Lock()
	defer c.mu.Unlock()
	var records []store.Record
	take := func(rows *sql.Rows) error {
		var r store.Record
		err := rows.Scan(&r.Seq, &r.ID, &r.Doc)
		records = append(records, r)
		return err
	}
	again := min(n, len(c.back))
	for _, seq := range c.back[:again] {
		if err := b.read.each(ctx, released, []any{seq}, take); err != nil {
			return nil, err
		}
	}
	if err := b.read.each(ctx, claimable, []any{c.last, n - again}, take); err != nil {
		return nil, err
	}
	c.back = slices.Delete(c.back, 0, again)
	for _, r := range records {
		c.held[r.Seq] = true
		c.last = max(c.last, r.Seq)
	}
	return records, nil
}

// DoneOutbox deletes records.
func (b *Backend) DoneOutbox(ctx context.Context, seqs []uint64) error {
	err := b.writer.submit(ctx, false, func(w *writer) error {
		for _, seq := range seqs {
			if err := w.exec(sqltext.DropRecord, seq); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.outbox.mu.Lock()
	defer b.outbox.mu.Unlock()
	for _, seq := range seqs {
		delete(b.outbox.held, seq)
	}
	return nil
}

// ReleaseOutbox gives records back.
func (b *Backend) ReleaseOutbox(_ context.Context, seqs []uint64) error {
	c := &b.outbox
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, seq := range seqs {
		if c.held[seq] {
			delete(c.held, seq)
			c.back = append(c.back, seq)
		}
	}
	slices.Sort(c.back)
	return nil
}
