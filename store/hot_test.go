package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sumun.dev/engine/seal"
	"sumun.dev/store"
	"sumun.dev/store/memory"
)

// watched is a backend that tells when it is asked for a row, after it has read it.
type watched struct {
	store.Backend
	asked int
	read  func()
}

func (w *watched) Get(ctx context.Context, k store.Key) (store.Row, error) {
	row, err := w.Backend.Get(ctx, k)
	w.asked++
	if f := w.read; f != nil {
		w.read = nil
		f()
	}
	return row, err
}

// shared is a backend that other processes write to as well.
type shared struct{ store.Backend }

func (shared) Silence() time.Duration { return 0 }

func hot(t *testing.T, b store.Backend, root *seal.Root) (*store.Store, *store.Table[user]) {
	t.Helper()
	s := store.Open(b, root)
	return s, store.NewTable(s, "users", store.Hot[user]()).In(store.Place{Account: "111122223333"})
}

func put(t *testing.T, s *store.Store, users *store.Table[user], id, name string) {
	t.Helper()
	if err := s.Update(t.Context(), func(ctx context.Context) error { return users.Put(ctx, id, &user{name}) }); err != nil {
		t.Fatal(err)
	}
}

func named(t *testing.T, users *store.Table[user], id string) string {
	t.Helper()
	u, err := users.Get(t.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return u.Name
}

func TestHotRowsAreReadOnce(t *testing.T) {
	b := &watched{Backend: memory.New()}
	s, users := hot(t, b, seal.NewRoot(seal.GenerateKey()))
	put(t, s, users, "a", "ann")
	for range 3 {
		if got := named(t, users, "a"); got != "ann" {
			t.Errorf("got %q", got)
		}
	}
	if b.asked != 1 {
		t.Errorf("the backend was asked %d times", b.asked)
	}
	put(t, s, users, "a", "anna")
	if got := named(t, users, "a"); got != "anna" || b.asked != 2 {
		t.Errorf("got %q after the change, the backend was asked %d times", got, b.asked)
	}
	err := s.Update(t.Context(), func(ctx context.Context) error {
		u, err := users.Get(ctx, "a")
		if err != nil {
			return err
		}
		u.Name = "changed by who read it"
		return nil
	})
	if got := named(t, users, "a"); err != nil || got != "anna" {
		t.Errorf("%v; got %q", err, got)
	}
	if err := s.Update(t.Context(), func(ctx context.Context) error { return users.Delete(ctx, "a") }); err != nil {
		t.Fatal(err)
	}
	if got := named(t, users, "a"); got != "" {
		t.Errorf("after its deletion there is %q", got)
	}
}

// Whoever reads a row while it changes must not leave the old one behind in memory.
func TestHotRowsDoNotOutliveAChange(t *testing.T) {
	b := &watched{Backend: memory.New()}
	s, users := hot(t, b, seal.NewRoot(seal.GenerateKey()))
	put(t, s, users, "a", "old")
	b.read = func() { put(t, s, users, "a", "new") }
	if got := named(t, users, "a"); got != "old" {
		t.Fatalf("the read that came before the change gave %q", got)
	}
	if got := named(t, users, "a"); got != "new" {
		t.Errorf("after the change a read gives %q", got)
	}
}

// committing is a backend that tells when it has committed, before it answers.
type committing struct {
	store.Backend
	done func()
}

func (c *committing) Commit(ctx context.Context, b *store.Batch) error {
	if f := c.done; f != nil { // whoever reads before the commit gets what was there
		f()
	}
	err := c.Backend.Commit(ctx, b)
	if f := c.done; f != nil && err == nil {
		f()
	}
	return err
}

// What is committed is seen by everybody at once: not only when whoever made the
// commit has heard that it has. A due record that comes with a row may be taken up
// before that.
func TestHotRowsAreNeverOlderThanACommit(t *testing.T) {
	b := &committing{Backend: memory.New()}
	s, users := hot(t, b, seal.NewRoot(seal.GenerateKey()))
	put(t, s, users, "a", "old")
	if got := named(t, users, "a"); got != "old" {
		t.Fatalf("got %q", got)
	}
	var seen []string
	b.done = func() { seen = append(seen, named(t, users, "a")) }
	put(t, s, users, "a", "new")
	b.done = nil
	if fmt.Sprint(seen) != "[old new]" {
		t.Errorf("before and after the commit: %v", seen)
	}
	if got := named(t, users, "a"); got != "new" {
		t.Errorf("then: %q", got)
	}
}

// What another process commits is seen at once, whether somebody has told or not.
func TestHotRowsOfASharedStore(t *testing.T) {
	b, root := memory.New(), seal.NewRoot(seal.GenerateKey())
	s, users := hot(t, shared{b}, root)
	other, theirs := hot(t, shared{b}, root)
	put(t, s, users, "a", "ann")
	for _, name := range []string{"ben", "cas"} {
		if got := named(t, users, "a"); got == "" {
			t.Error("there is nobody")
		}
		put(t, other, theirs, "a", name)
		if got := named(t, users, "a"); got != name {
			t.Errorf("got %q, want %q", got, name)
		}
	}
}

// A row that changed without a word must not fail its writers for ever.
func TestHotRowsThatChangedSilently(t *testing.T) {
	b, root := memory.New(), seal.NewRoot(seal.GenerateKey())
	s, users := hot(t, b, root)
	other, theirs := hot(t, b, root)
	put(t, s, users, "a", "ann")
	named(t, users, "a")
	put(t, other, theirs, "a", "ben")
	tries := 0
	err := s.Update(t.Context(), func(ctx context.Context) error {
		tries++
		u, err := users.Get(ctx, "a")
		if err != nil {
			return err
		}
		u.Name += "jamin"
		return users.Put(ctx, "a", u)
	})
	if got := named(t, users, "a"); err != nil || got != "benjamin" || tries != 2 {
		t.Errorf("%v after %d tries; got %q", err, tries, got)
	}
}

func TestHotRowsAreWiped(t *testing.T) {
	s, users := hot(t, memory.New(), seal.NewRoot(seal.GenerateKey()))
	put(t, s, users, "a", "ann")
	named(t, users, "a")
	if err := s.Wipe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := named(t, users, "a"); got != "" {
		t.Errorf("after the wipe there is %q", got)
	}
}

// The rows in memory are bounded, and those that are read all the time stay.
func TestHotRowsAreBounded(t *testing.T) {
	b := &watched{Backend: memory.New()}
	s, users := hot(t, b, seal.NewRoot(seal.GenerateKey()))
	const many = 500
	long := strings.Repeat("x", 60_000)
	err := s.Update(t.Context(), func(ctx context.Context) error {
		for i := range many {
			if err := users.Put(ctx, fmt.Sprint(i), &user{long}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range many {
		named(t, users, fmt.Sprint(i))
		named(t, users, "0")
	}
	if b.asked != many {
		t.Errorf("the backend was asked %d times for %d rows, one of them read all the time", b.asked, many)
	}
	named(t, users, "1")
	if b.asked != many+1 {
		t.Error("30 MB are kept in memory")
	}
}
