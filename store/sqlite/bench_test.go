package sqlite_test

import (
	"testing"

	"sumun.dev/engine/seal"
	"sumun.dev/store"
	"sumun.dev/store/sqlite"
	"sumun.dev/store/storetest"
)

func BenchmarkBackend(b *testing.B) {
	storetest.Bench(b, seal.NewRoot(seal.GenerateKey()), func(b *testing.B) store.Backend {
		s := open(b, b.TempDir())
		b.Cleanup(func() { s.Close() })
		return s
	})
}

// BenchmarkOpen is what the store adds to the plane's cold start.
func BenchmarkOpen(b *testing.B) {
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			start(b, b.TempDir())
		}
	})
	b.Run("again", func(b *testing.B) {
		dir := b.TempDir()
		start(b, dir)
		for b.Loop() {
			start(b, dir)
		}
	})
}

func start(b *testing.B, dir string) {
	s, err := sqlite.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := store.Fresh(b.Context(), s); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
