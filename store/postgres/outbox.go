package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"sumun.dev/store"
)

// Nodes take records side by side: who finds one locked goes on to the next. It
// never asks for "those after the last", which would miss what commits late.
const claim = `UPDATE outbox o SET leased = $1
	FROM (SELECT seq, leased FROM outbox WHERE leased <= $2 ORDER BY seq LIMIT $3 FOR UPDATE SKIP LOCKED) free
	WHERE o.seq = free.seq RETURNING o.seq, o.event, o.doc, free.leased <> 0`

// A claim or a deletion that a crash of the server undoes does little harm: the event
// is published again. So neither waits for the disk.
const quick = `SET LOCAL synchronous_commit = off`

// ClaimOutbox returns records that nobody holds.
func (b *Backend) ClaimOutbox(ctx context.Context, n int, lease time.Duration) (records []store.Record, err error) {
	now := time.Now()
	var next *int64
	err = b.quickly(ctx, func(batch *pgx.Batch) {
		batch.Queue(claim, now.Add(lease).UnixNano(), now.UnixNano(), n).Query(func(rows pgx.Rows) error {
			records, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (rec store.Record, err error) {
				return rec, r.Scan(&rec.Seq, &rec.ID, &rec.Doc, &rec.Again)
			})
			return err
		})
		batch.Queue(`SELECT min(leased) FROM outbox`).QueryRow(func(r pgx.Row) error { return r.Scan(&next) })
	})
	if err != nil {
		return nil, err
	}
	if next != nil && len(records) < n {
		b.lease.at(nanos(*next)) // then another node's claims are free, if it has died
	}
	slices.SortFunc(records, func(a, b store.Record) int { return int(int64(a.Seq) - int64(b.Seq)) })
	return records, nil
}

// DoneOutbox deletes records.
func (b *Backend) DoneOutbox(ctx context.Context, seqs []uint64) error {
	return b.quickly(ctx, func(batch *pgx.Batch) { batch.Queue(`DELETE FROM outbox WHERE seq = ANY($1)`, signed(seqs)) })
}

// ReleaseOutbox gives records back, as claimed before: nobody knows whether the spine
// has them.
func (b *Backend) ReleaseOutbox(ctx context.Context, seqs []uint64) error {
	return b.quickly(ctx, func(batch *pgx.Batch) {
		batch.Queue(`UPDATE outbox SET leased = 1 WHERE seq = ANY($1)`, signed(seqs))
	})
}

func (b *Backend) quickly(ctx context.Context, queue func(*pgx.Batch)) error {
	return failure(pgx.BeginFunc(ctx, b.read, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(quick)
		queue(batch)
		return tx.SendBatch(ctx, batch).Close()
	}))
}

func signed(seqs []uint64) []int64 {
	n := make([]int64, len(seqs))
	for i, seq := range seqs {
		n[i] = int64(seq)
	}
	return n
}
