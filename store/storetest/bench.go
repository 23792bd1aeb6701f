package storetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"sumun.dev/store"
)

// Bench measures a backend: durable units of one changed row and one event, by
// one caller and by sixteen, and reads.
func Bench(b *testing.B, seal store.Sealer, open func(b *testing.B) store.Backend) {
	s := store.Open(open(b), seal)
	table := store.NewTable[item](s, "bench.items").In(here)
	const rows = 1000
	err := s.Update(b.Context(), func(ctx context.Context) error {
		for i := range rows {
			if err := table.Put(ctx, name(i), &item{Name: fmt.Sprintf("%400d", i)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	var n atomic.Int64
	unit := func() error {
		id := name(int(n.Add(1)) % rows)
		return s.Update(b.Context(), func(ctx context.Context) error {
			v, err := table.Get(ctx, id)
			if err != nil {
				return err
			}
			v.Count++
			store.Emit(ctx, event(id))
			return table.Put(ctx, id, v)
		})
	}
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("unit/callers=%d", callers), func(b *testing.B) {
			left := atomic.Int64{}
			left.Store(int64(b.N))
			done := make(chan error, callers)
			for range callers {
				go func() {
					var err error
					for err == nil && left.Add(-1) >= 0 {
						err = unit()
					}
					done <- err
				}()
			}
			for range callers {
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "units/s")
		})
	}
	b.Run("get", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := table.Get(b.Context(), name(i%rows)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("get/parallel", func(b *testing.B) {
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				if _, err := table.Get(b.Context(), name(int(n.Add(1))%rows)); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("page=100", func(b *testing.B) {
		for b.Loop() {
			if _, err := table.Page(b.Context(), store.Range{Limit: 100}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
