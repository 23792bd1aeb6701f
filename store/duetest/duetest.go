// Package duetest does what is due, in tests of those who order it.
package duetest

import (
	"context"
	"testing"
	"time"

	"sumun.dev/store"
)

// Settle does all that is due, until nothing is: each by run, in a unit of work of its
// own under the context that in gives for it.
func Settle(t testing.TB, s *store.Store, in func(store.Due) context.Context, run func(context.Context, store.Due) error) {
	t.Helper()
	for {
		dues, err := s.ClaimDue(t.Context(), time.Now(), time.Minute, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(dues) == 0 {
			return
		}
		for _, d := range dues {
			err := s.Update(in(d), func(ctx context.Context) error {
				store.Complete(ctx, d)
				return run(ctx, d)
			})
			if err != nil {
				t.Fatalf("%s: %v", d.Kind, err)
			}
		}
	}
}
