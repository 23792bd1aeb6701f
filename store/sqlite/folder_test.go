package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/engine/seal"
	"sumun.dev/store"
	"sumun.dev/store/sqlite"
)

type doc struct{ Text string }

var place = store.Place{Account: "111122223333", Region: "eu-central-1"}

func docs(s *store.Store) *store.Table[doc] { return store.NewTable[doc](s, "docs").In(place) }

func put(t testing.TB, s *store.Store, id, text string) error {
	return s.Update(t.Context(), func(ctx context.Context) error { return docs(s).Put(ctx, id, &doc{text}) })
}

func TestOnlyTheOwnerMayRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new ?mode=ro#%41 é", "data")
	b := open(t, dir)
	defer b.Close()
	if err := put(t, store.Open(b, seal.NewRoot(seal.GenerateKey())), "a", "x"); err != nil {
		t.Fatal(err)
	}
	seen := 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %04o, want %04o", name, info.Mode().Perm(), want)
		}
		seen++
		return nil
	})
	if err != nil || seen < 5 { // folder, database, -wal, -shm, lock
		t.Errorf("%d files, %v", seen, err)
	}
}

func TestOneProcessOwnsTheFolder(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	_, err := sqlite.Open(dir)
	if !errors.Is(err, store.ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("opened twice: %v, want ErrInUse with the folder", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir).Close()
}

// TestDumpWhileAnotherHasIt dumps a folder that is open, as "sumun backup" does
// beside a running plane.
func TestDumpWhileAnotherHasIt(t *testing.T) {
	dir := t.TempDir()
	if err := store.Dump(t.Context(), sqlite.Read(dir), io.Discard); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
	b := open(t, dir)
	defer b.Close()
	s := store.Open(b, seal.NewRoot(seal.GenerateKey()))
	if err := put(t, s, "a", "x"); err != nil {
		t.Fatal(err)
	}
	var file, same bytes.Buffer
	if err := store.Dump(t.Context(), sqlite.Read(dir), &file); err != nil {
		t.Fatal(err)
	}
	if err := store.Dump(t.Context(), b, &same); err != nil || !bytes.Equal(file.Bytes(), same.Bytes()) {
		t.Errorf("from outside %d bytes, from inside %d, %v", file.Len(), same.Len(), err)
	}
	if err := put(t, s, "b", "x"); err != nil {
		t.Errorf("after the dump: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := store.Dump(t.Context(), sqlite.Read(dir), io.Discard); err != nil {
		t.Errorf("when nobody has it open: %v", err)
	}
}

func TestClosedStoreSaysSo(t *testing.T) {
	b := open(t, t.TempDir())
	s := store.Open(b, seal.NewRoot(seal.GenerateKey()))
	for range 2 {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(t, s, "a", "x"); err == nil {
		t.Error("a closed store takes a unit")
	}
	if _, err := docs(s).Get(t.Context(), "a"); err == nil || errors.Is(err, store.ErrNotFound) {
		t.Errorf("a closed store answers %v", err)
	}
}

func TestNothingInClearText(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	s := store.Open(b, seal.NewRoot(seal.GenerateKey()))
	if err := put(t, s, "id", "topsecret"); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "topsecret") {
			t.Errorf("%s holds the row in clear text", name)
		}
		found = found || strings.Contains(string(text), "docs111122223333")
	}
	if !found {
		t.Error("the row is in no file: the test looks in the wrong place")
	}
	b.Close()
}

// TestUnitsWaitTogether has many callers at once: all go through, and they share
// transactions, which shows in how far the counter's row was written.
func TestUnitsWaitTogether(t *testing.T) {
	b := open(t, t.TempDir())
	defer b.Close()
	s := store.Open(b, seal.NewRoot(seal.GenerateKey()))
	if err := put(t, s, "shared", "0"); err != nil {
		t.Fatal(err)
	}
	const callers = 64
	var conflicts atomic.Int64
	done := make(chan error, callers)
	for i := range callers {
		go func() {
			ctx, u := s.Begin(t.Context())
			if i%2 == 0 { // every other one fights for the same row
				if _, err := docs(s).Get(ctx, "shared"); err != nil {
					done <- err
					return
				}
				if err := docs(s).Put(ctx, "shared", &doc{"x"}); err != nil {
					done <- err
					return
				}
			}
			if err := docs(s).Put(ctx, string(rune('A'+i)), &doc{"own"}); err != nil {
				done <- err
				return
			}
			err := u.Commit(ctx)
			if errors.Is(err, store.ErrConflict) {
				conflicts.Add(1)
				err = nil
			}
			done <- err
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	page, err := docs(s).Page(t.Context(), store.Range{})
	if err != nil || len(page) != 1+callers-int(conflicts.Load()) {
		t.Errorf("%d rows after %d conflicts, %v", len(page), conflicts.Load(), err)
	}
}

// TestBubble runs the backend in a synctest bubble, as scenarios do.
func TestBubble(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := open(t, dir)
		s := store.Open(b, seal.NewRoot(seal.GenerateKey()))
		done := make(chan error)
		for _, id := range []string{"a", "b", "c"} {
			go func() { done <- put(t, s, id, id) }()
		}
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		page, err := docs(s).Page(t.Context(), store.Range{})
		if err != nil || len(page) != 3 {
			t.Errorf("%d rows, %v", len(page), err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Work that a process was doing when it was killed is there for the next one at
// once: nobody else can hold its lease.
func TestLeasesEndWithTheirProcess(t *testing.T) {
	dir, key := t.TempDir(), seal.GenerateKey()
	now := time.Now()
	b := open(t, dir)
	s := store.Open(b, seal.NewRoot(key))
	err := s.Update(t.Context(), func(ctx context.Context) error {
		store.Schedule(ctx, store.Due{Kind: "k", ID: "due", At: now, Place: place})
		store.Schedule(ctx, store.Due{Kind: "k", ID: "later", At: now.Add(time.Hour), Place: place})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	held, err := s.ClaimDue(t.Context(), now, time.Hour, 10)
	if err != nil || len(held) != 1 {
		t.Fatalf("%v, %v", held, err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, dir)
	defer b.Close()
	again, err := store.Open(b, seal.NewRoot(key)).ClaimDue(t.Context(), now, time.Minute, 10)
	if err != nil || len(again) != 1 || again[0].ID != "due" {
		t.Errorf("%v, %v", again, err)
	}
}
