package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sumun.dev/store"
	"sumun.dev/store/internal/sqltext"
)

// sealedItem reads the columns of a part.
var sealedItem = map[store.Part]func(scan func(...any) error) (store.Item, error){
	store.SealedRows: rowItem, store.SealedDues: dueItem, store.SealedOutbox: recordItem, store.SealedFacts: factItem,
}

// Sealed returns what of the cursor's part comes after it.
func (b *Backend) Sealed(ctx context.Context, after store.Cursor, limit int) ([]store.Item, error) {
	text, args := sqltext.Sealed(after, limit)
	rows, err := b.read.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (store.Item, error) { return sealedItem[after.Part](r.Scan) })
}

// Relays lock outbox records in an order of their own and outside the order of
// commits. So that nobody waits for each other, a swap leaves those that are locked.
const swapRecord = `UPDATE outbox SET doc = $1
	WHERE seq = (SELECT seq FROM outbox WHERE doc = $2 AND seq = $3 FOR UPDATE SKIP LOCKED)`

// Swap puts new sealed forms in the place of those that are still there.
func (b *Backend) Swap(ctx context.Context, check []byte, swaps []store.Swap) ([]bool, error) {
	made := make([]bool, len(swaps))
	err := b.writer.submit(ctx, job{alone: func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, sqltext.Take, 0); err != nil {
			return err
		}
		var is int
		if err := conn.QueryRow(ctx, sqltext.FactIs, store.KeyCheck, check).Scan(&is); err != nil {
			return err
		}
		if is == 0 {
			return store.ErrRekeyed
		}
		batch := &pgx.Batch{}
		for i, swap := range swaps {
			text, args := sqltext.Swap(swap, swapRecord)
			batch.Queue(text, args...).Exec(func(tag pgconn.CommandTag) error {
				made[i] = tag.RowsAffected() == 1
				return nil
			})
		}
		return conn.SendBatch(ctx, batch).Close()
	}})
	return made, err
}
