package memory_test

import (
	"context"
	"errors"
	"testing"

	"sumun.dev/engine/seal"
	"sumun.dev/store"
	"sumun.dev/store/memory"
	"sumun.dev/store/storetest"
)

func TestBackend(t *testing.T) {
	storetest.Run(t, seal.NewRoot(seal.GenerateKey()), func(*testing.T) (store.Backend, func() store.Backend) {
		return memory.New(), nil
	})
}

func TestWipe(t *testing.T) {
	s := store.Open(memory.New(), seal.NewRoot(seal.GenerateKey()))
	table := store.NewTable[string](s, "test").In(store.Place{Account: "111122223333"})
	put := func(ctx context.Context) error { return table.Put(ctx, "a", new("x")) }
	if err := s.Update(t.Context(), put); err != nil {
		t.Fatal(err)
	}
	ctx, u := s.Begin(t.Context()) // a call that is under way
	if _, err := table.Get(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	heard := 0
	s.Watch("test", func(store.Change) { heard++ })
	if err := s.Wipe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := table.Get(t.Context(), "a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after the wipe: %v", err)
	}
	if heard != 1 {
		t.Errorf("watchers heard %d times", heard)
	}
	if err := s.Update(t.Context(), put); err != nil {
		t.Fatal(err)
	}
	if err := table.Put(ctx, "b", new("y")); err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(ctx); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a unit from before the wipe commits: %v", err)
	}
}
