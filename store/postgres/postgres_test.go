package postgres_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"sumun.dev/engine/seal"
	"sumun.dev/store"
	"sumun.dev/store/memory"
	"sumun.dev/store/postgres"
	"sumun.dev/store/postgres/postgrestest"
	"sumun.dev/store/sqlite"
	"sumun.dev/store/storetest"
)

func TestBackend(t *testing.T) {
	postgrestest.Schema(t) // says why when there is no server
	storetest.Run(t, seal.NewRoot(seal.GenerateKey()), func(t *testing.T) (store.Backend, func() store.Backend) {
		url := postgrestest.Schema(t)
		b := open(t, url)
		now := b
		t.Cleanup(func() { now.Close() })
		return b, func() store.Backend {
			if err := now.Close(); err != nil {
				t.Fatal(err)
			}
			now = open(t, url)
			return now
		}
	})
}

func BenchmarkBackend(b *testing.B) {
	storetest.Bench(b, seal.NewRoot(seal.GenerateKey()), func(b *testing.B) store.Backend {
		s := open(b, postgrestest.Schema(b))
		b.Cleanup(func() { s.Close() })
		return s
	})
}

func open(t testing.TB, url string) *postgres.Backend {
	t.Helper()
	b, err := postgres.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBackupsAreAlikeEverywhere carries a backup from one backend to the next:
// the bytes stay the same.
func TestBackupsAreAlikeEverywhere(t *testing.T) {
	root := seal.NewRoot(seal.GenerateKey())
	first := memory.New()
	s := store.Open(first, root)
	if err := s.CheckKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := s.Update(t.Context(), func(ctx context.Context) error {
		for _, id := range []string{"Z", "a", "é", "~", "a/b", "a b", "\x01"} { // which databases like to order in their own ways
			if err := docs(s).Put(ctx, id, &doc{len(id)}); err != nil {
				return err
			}
			if err := docs(s).In(store.Place{Account: "444455556666"}).Put(ctx, id, &doc{1}); err != nil {
				return err
			}
			store.Emit(ctx, event(id))
			store.Schedule(ctx, store.Due{Kind: "k", ID: id, Place: place, At: time.Unix(2000000000, 1), Payload: []byte(id)})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	lite, err := sqlite.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer lite.Close()
	pg := open(t, postgrestest.Schema(t))
	defer pg.Close()
	var want bytes.Buffer
	if err := store.Dump(t.Context(), first, &want); err != nil {
		t.Fatal(err)
	}
	file := want.Bytes()
	for _, to := range []struct {
		name string
		b    store.Backend
	}{{"sqlite", lite}, {"postgres", pg}, {"memory", memory.New()}} {
		if err := store.Restore(t.Context(), to.b, root, bytes.NewReader(file)); err != nil {
			t.Fatalf("%s: %v", to.name, err)
		}
		var got bytes.Buffer
		if err := store.Dump(t.Context(), to.b, &got); err != nil {
			t.Fatalf("%s: %v", to.name, err)
		}
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("%s gives back another backup: %d bytes, not %d", to.name, got.Len(), want.Len())
		}
		file = got.Bytes()
	}
}
