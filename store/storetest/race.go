package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"sumun.dev/store"
)

var errLimit = errors.New("no more")

// transfers moves amounts between rows from several goroutines: the sum stays.
func transfers(t *testing.T, w *world) {
	table := w.items()
	const accounts, callers, each = 8, 6, 40
	for i := range accounts {
		w.put(t, table, item{Name: name(i), Count: 100})
	}
	move := func(ctx context.Context, from, to string) error {
		a, err := table.Get(ctx, from)
		if err != nil {
			return err
		}
		b, err := table.Get(ctx, to)
		if err != nil {
			return err
		}
		a.Count--
		b.Count++
		return errors.Join(table.Put(ctx, from, a), table.Put(ctx, to, b))
	}
	var moved atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range each {
				from := rand.IntN(accounts)
				to := (from + 1 + rand.IntN(accounts-1)) % accounts
				err := w.Update(t.Context(), func(ctx context.Context) error { return move(ctx, name(from), name(to)) })
				switch {
				case err == nil:
					moved.Add(1)
				case !errors.Is(err, store.ErrConflict):
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for e, err := range table.All(t.Context(), "") {
		must(t, err)
		sum += e.Value.Count
	}
	if sum != accounts*100 {
		t.Errorf("the sum is %d, want %d", sum, accounts*100)
	}
	if moved.Load() < callers*each/2 {
		t.Errorf("only %d of %d transfers went through", moved.Load(), callers*each)
	}
}

// limit inserts as long as there are few, from several goroutines: what was
// counted must still be so at commit.
func limit(t *testing.T, w *world) {
	table := w.items()
	const most = 10
	var wg sync.WaitGroup
	for caller := range 6 {
		wg.Go(func() {
			for i := range 8 {
				err := w.Update(t.Context(), func(ctx context.Context) error {
					page, err := table.PageBy(ctx, "tag", "x", store.Range{})
					if err != nil {
						return err
					}
					if len(page) >= most {
						return errLimit
					}
					return table.Insert(ctx, name(caller*100+i), &item{Tags: []string{"x"}})
				})
				if err != nil && !errors.Is(err, errLimit) && !errors.Is(err, store.ErrConflict) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	page, err := table.PageBy(t.Context(), "tag", "x", store.Range{})
	if err != nil || len(page) != most {
		t.Errorf("%d rows, %v; want %d", len(page), err, most)
	}
}

// wholeUnits pages while units change all rows at once: no page may show half a
// unit.
func wholeUnits(t *testing.T, w *world) {
	table := w.items()
	const rows = 5
	write := func(n int) {
		w.do(t, func(ctx context.Context) error {
			for i := range rows {
				must(t, table.Put(ctx, name(i), &item{Count: n, Tags: []string{"x"}}))
			}
			return nil
		})
	}
	write(0)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for _, index := range []bool{false, true} {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				page, err := table.Page(t.Context(), store.Range{})
				if index {
					page, err = table.PageBy(t.Context(), "tag", "x", store.Range{})
				}
				if err != nil || len(page) != rows {
					t.Errorf("%d rows, %v", len(page), err)
					return
				}
				for _, e := range page {
					if e.Value.Count != page[0].Value.Count {
						t.Errorf("%s is of unit %d, %s of unit %d", e.ID, e.Value.Count, page[0].ID, page[0].Value.Count)
					}
				}
			}
		})
	}
	for n := range 60 {
		write(n)
	}
	close(done)
	wg.Wait()
}
