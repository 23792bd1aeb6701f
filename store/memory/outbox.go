package memory

import (
	"context"
	"time"

	"sumun.dev/store"
)

// ClaimOutbox returns records that nobody holds. There is one process only, so
// its claims end with it.
func (b *Backend) ClaimOutbox(_ context.Context, n int, _ time.Duration) ([]store.Record, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var records []store.Record
	b.now.Load().outbox.ascend("", func(_ string, r store.Record) bool {
		if len(records) == n {
			return false
		}
		if !b.claimed[r.Seq] {
			b.claimed[r.Seq] = true
			records = append(records, r)
		}
		return true
	})
	return records, nil
}

// DoneOutbox deletes records.
func (b *Backend) DoneOutbox(_ context.Context, seqs []uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := *b.now.Load()
	for _, seq := range seqs {
		next.outbox = next.outbox.without(number(seq))
		delete(b.claimed, seq)
	}
	b.now.Store(&next)
	return nil
}

// ReleaseOutbox gives records back.
func (b *Backend) ReleaseOutbox(_ context.Context, seqs []uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, seq := range seqs {
		delete(b.claimed, seq)
	}
	return nil
}
