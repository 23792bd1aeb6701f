package sqlite

import (
	"context"
	"database/sql"

	"sumun.dev/store"
	"sumun.dev/store/internal/sqltext"
)

// sealedItem reads the columns of a part.
var sealedItem = map[store.Part]func(scan func(...any) error) (store.Item, error){
	store.SealedRows: rowItem, store.SealedDues: dueItem, store.SealedOutbox: recordItem, store.SealedFacts: factItem,
}

// Sealed returns what of the cursor's part comes after it.
func (b *Backend) Sealed(ctx context.Context, after store.Cursor, limit int) (items []store.Item, err error) {
	text, args := sqltext.Sealed(after, limit)
	err = b.read.each(ctx, text, args, func(rows *sql.Rows) error {
		i, err := sealedItem[after.Part](rows.Scan)
		items = append(items, i)
		return err
	})
	return items, err
}

const swapRecord = `UPDATE outbox SET doc = $1 WHERE doc = $2 AND seq = $3`

// Swap puts new sealed forms in the place of those that are still there.
func (b *Backend) Swap(ctx context.Context, check []byte, swaps []store.Swap) ([]bool, error) {
	made := make([]bool, len(swaps))
	err := b.writer.submit(ctx, false, func(w *writer) error {
		if err := w.checked(check); err != nil {
			return err
		}
		for i, swap := range swaps {
			text, args := sqltext.Swap(swap, swapRecord)
			n, err := w.changed(text, args...)
			if err != nil {
				return err
			}
			made[i] = n == 1
		}
		return nil
	})
	return made, err
}
