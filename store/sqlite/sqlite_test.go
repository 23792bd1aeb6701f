package sqlite_test

import (
	"testing"

	"sumun.dev/engine/seal"
	"sumun.dev/store"
	"sumun.dev/store/sqlite"
	"sumun.dev/store/storetest"
)

func TestBackend(t *testing.T) {
	storetest.Run(t, seal.NewRoot(seal.GenerateKey()), func(t *testing.T) (store.Backend, func() store.Backend) {
		dir := t.TempDir()
		b := open(t, dir)
		now := b
		t.Cleanup(func() { now.Close() })
		return b, func() store.Backend {
			if err := now.Close(); err != nil {
				t.Fatal(err)
			}
			now = open(t, dir)
			return now
		}
	})
}

func open(t testing.TB, dir string) *sqlite.Backend {
	t.Helper()
	b, err := sqlite.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
