package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"sumun.dev/aws"
	"sumun.dev/store"
)

func getPutDelete(t *testing.T, w *world) {
	for _, table := range []*store.Table[item]{w.items(), w.plain()} {
		_, err := table.Get(t.Context(), "a")
		wantErr(t, "get what is not there", err, store.ErrNotFound)
		w.do(t, func(ctx context.Context) error {
			wantErr(t, "delete what is not there", table.Delete(ctx, "a"), store.ErrNotFound)
			if err := table.Insert(ctx, "a", &item{Name: "a", Count: 1}); err != nil {
				return err
			}
			wantErr(t, "insert twice", table.Insert(ctx, "a", &item{}), store.ErrExists)
			got, err := table.Get(ctx, "a")
			if err != nil || got.Count != 1 {
				t.Errorf("a unit sees its own write: %v, %v", got, err)
			}
			_, err = table.Get(t.Context(), "a")
			wantErr(t, "others do not see it before the commit", err, store.ErrNotFound)
			return nil
		})
		got, err := table.Get(t.Context(), "a")
		if err != nil || got.Count != 1 {
			t.Fatalf("after the commit: %v, %v", got, err)
		}
		w.put(t, table, item{Name: "a", Count: 2})
		if got, err := table.Get(t.Context(), "a"); err != nil || got.Count != 2 {
			t.Errorf("after the second put: %v, %v", got, err)
		}
		w.do(t, func(ctx context.Context) error {
			if err := table.Delete(ctx, "a"); err != nil {
				return err
			}
			_, err := table.Get(ctx, "a")
			wantErr(t, "a unit sees its own delete", err, store.ErrNotFound)
			return nil
		})
		_, err = table.Get(t.Context(), "a")
		wantErr(t, "after the delete", err, store.ErrNotFound)
	}
}

func placesAreApart(t *testing.T, w *world) {
	table := w.items()
	w.put(t, table, item{Name: "a", Count: 1, Tags: []string{"x"}})
	w.put(t, table.In(there), item{Name: "a", Count: 2, Tags: []string{"x"}})
	w.put(t, table.In(other), item{Name: "b", Count: 3})
	for place, want := range map[store.Place]int{here: 1, there: 2} {
		if got, err := table.In(place).Get(t.Context(), "a"); err != nil || got.Count != want {
			t.Errorf("in %s: %v, %v; want %d", place, got, err, want)
		}
		page, err := table.In(place).PageBy(t.Context(), "tag", "x", store.Range{})
		wantIDs(t, "by tag in "+place.String(), page, err, "a")
	}
	_, err := table.In(other).Get(t.Context(), "a")
	wantErr(t, "in another account", err, store.ErrNotFound)
	page, err := table.In(other).Page(t.Context(), store.Range{})
	wantIDs(t, "page of another account", page, err, "b")

	global := store.NewTable(w.Store, "test.global", store.Global[item]())
	w.put(t, global.In(here), item{Name: "g"})
	if _, err := global.In(there).Get(t.Context(), "g"); err != nil {
		t.Errorf("a global table is the same in each region: %v", err)
	}
	_, err = global.In(other).Get(t.Context(), "g")
	wantErr(t, "a global table of another account", err, store.ErrNotFound)
}

func privateCopies(t *testing.T, w *world) {
	table := w.items()
	w.do(t, func(ctx context.Context) error {
		v := &item{Name: "a", Tags: []string{"x"}}
		if err := table.Put(ctx, "a", v); err != nil {
			return err
		}
		v.Tags[0] = "changed after the put"
		one, err := table.Get(ctx, "a")
		if err != nil {
			return err
		}
		one.Tags[0] = "changed by a reader"
		two, err := table.Get(ctx, "a")
		if err != nil || two.Tags[0] != "x" {
			t.Errorf("got %v, %v; want tag x", two, err)
		}
		return nil
	})
}

func writesNeedAUnit(t *testing.T, w *world) {
	ctx := t.Context()
	wantErr(t, "put", w.items().Put(ctx, "a", &item{}), store.ErrNoUnit)
	wantErr(t, "insert", w.items().Insert(ctx, "a", &item{}), store.ErrNoUnit)
	wantErr(t, "delete", w.items().Delete(ctx, "a"), store.ErrNoUnit)
	for what, f := range map[string]func(){
		"Emit":        func() { store.Emit(ctx, event("e")) },
		"Schedule":    func() { store.Schedule(ctx, store.Due{Kind: "k", ID: "i", Place: here}) },
		"AfterCommit": func() { store.AfterCommit(ctx, func() {}) },
	} {
		if !panics(f) {
			t.Errorf("%s outside a unit does not panic", what)
		}
	}
	in, _ := w.Begin(ctx)
	if !panics(func() { w.Begin(in) }) {
		t.Error("Begin within a unit does not panic")
	}
}

func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}

func finishedUnits(t *testing.T, w *world) {
	table := w.items()
	ctx, u := w.Begin(t.Context())
	if err := table.Put(ctx, "a", &item{Name: "a"}); err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "commit twice", u.Commit(ctx), store.ErrFinished)
	wantErr(t, "write after the commit", table.Put(ctx, "a", &item{}), store.ErrFinished)
	if _, err := table.Get(ctx, "a"); err != nil {
		t.Errorf("read after the commit: %v", err)
	}
	page, err := table.Page(ctx, store.Range{})
	wantIDs(t, "page after the commit", page, err, "a")
}

func savepoints(t *testing.T, w *world) {
	table := w.items()
	w.put(t, table, item{Name: "stored", Count: 1})
	var ran []string
	w.do(t, func(ctx context.Context) error {
		u := store.UnitOf(ctx)
		must(t, table.Put(ctx, "kept", &item{Name: "kept", Count: 1}))
		must(t, table.Put(ctx, "stored", &item{Name: "stored", Count: 2}))
		sp := u.Savepoint()
		must(t, table.Put(ctx, "kept", &item{Name: "kept", Count: 9}))
		must(t, table.Put(ctx, "dropped", &item{Name: "dropped"}))
		must(t, table.Delete(ctx, "stored"))
		store.Emit(ctx, event("dropped"))
		store.Schedule(ctx, store.Due{Kind: "dropped", ID: "d", Place: here, At: never})
		store.AfterCommit(ctx, func() { ran = append(ran, "dropped") })
		u.Rollback(sp)
		store.Emit(ctx, event("kept"))
		store.AfterCommit(ctx, func() { ran = append(ran, "kept") })
		page, err := table.Page(ctx, store.Range{})
		wantIDs(t, "after the rollback", page, err, "kept", "stored")
		return nil
	})
	if got, err := table.Get(t.Context(), "kept"); err != nil || got.Count != 1 {
		t.Errorf("kept: %v, %v; want 1", got, err)
	}
	if got, err := table.Get(t.Context(), "stored"); err != nil || got.Count != 2 {
		t.Errorf("stored: %v, %v; want 2", got, err)
	}
	_, err := table.Get(t.Context(), "dropped")
	wantErr(t, "dropped", err, store.ErrNotFound)
	if !slices.Equal(ran, []string{"kept"}) {
		t.Errorf("hooks ran: %v, want kept only", ran)
	}
	if got := claimed(t, w, 10); !slices.Equal(got, []string{"kept"}) {
		t.Errorf("events: %v, want kept only", got)
	}
	if _, some, err := w.NextDue(t.Context()); some || err != nil {
		t.Errorf("a dropped due record is there, %v", err)
	}
}

func updateJoins(t *testing.T, w *world) {
	table, oops := w.items(), errors.New("oops")
	w.do(t, func(ctx context.Context) error {
		must(t, table.Put(ctx, "outer", &item{Name: "outer"}))
		err := w.Update(ctx, func(ctx context.Context) error {
			must(t, table.Put(ctx, "failed", &item{Name: "failed"}))
			return oops
		})
		wantErr(t, "inner work's own error", err, oops)
		return w.Update(ctx, func(ctx context.Context) error {
			return table.Put(ctx, "inner", &item{Name: "inner"})
		})
	})
	page, err := table.Page(t.Context(), store.Range{})
	wantIDs(t, "committed", page, err, "inner", "outer")

	err = w.Update(t.Context(), func(ctx context.Context) error {
		must(t, table.Put(ctx, "never", &item{}))
		return oops
	})
	wantErr(t, "a failed unit", err, oops)
	_, err = table.Get(t.Context(), "never")
	wantErr(t, "what a failed unit wrote", err, store.ErrNotFound)
}

func hooks(t *testing.T, w *world) {
	var ran []int
	w.do(t, func(ctx context.Context) error {
		for i := range 3 {
			store.AfterCommit(ctx, func() { ran = append(ran, i) })
		}
		if len(ran) > 0 {
			t.Error("a hook ran before the commit")
		}
		return w.items().Put(ctx, "a", &item{Name: "a"})
	})
	if !slices.Equal(ran, []int{0, 1, 2}) {
		t.Errorf("hooks ran: %v", ran)
	}
}

func bounds(t *testing.T, w *world) {
	err := w.Update(t.Context(), func(ctx context.Context) error {
		return w.items().Put(ctx, "a", &item{Name: strings.Repeat("x", store.MaxRow)})
	})
	wantErr(t, "a row over 1 MiB", err, store.ErrTooLarge)
	big := item{Name: "big", Tags: []string{"t"}, Count: 1}
	big.Name = strings.Repeat("x", store.MaxRow-100)
	w.do(t, func(ctx context.Context) error { return w.items().Put(ctx, "big", &big) })
	if got, err := w.items().Get(t.Context(), "big"); err != nil || got.Name != big.Name {
		t.Errorf("a row of nearly 1 MiB: %v", err)
	}
	_, err = w.items().Page(t.Context(), store.Range{Limit: store.MaxPage + 1})
	wantErr(t, "a page over the limit", err, store.ErrTooLarge)
	err = w.Update(t.Context(), func(ctx context.Context) error {
		e := event("big")
		e.Data = make([]byte, aws.MaxEvent)
		store.Emit(ctx, e)
		return nil
	})
	wantErr(t, "an event that is too large", err, store.ErrTooLarge)
}

func ids(t *testing.T, w *world) {
	table := w.items()
	good := []string{" ", "a", "a\x01", "a b", "a/b", "aa", "a~", "ä", "é/中文", "\U0001F600", strings.Repeat("z", store.MaxID)}
	slices.Sort(good)
	w.do(t, func(ctx context.Context) error {
		for _, id := range good {
			must(t, table.Insert(ctx, id, &item{Name: id}))
		}
		return nil
	})
	for _, id := range good {
		if got, err := table.Get(t.Context(), id); err != nil || got.Name != id {
			t.Errorf("id %.20q: %v", id, err)
		}
	}
	page, err := table.Page(t.Context(), store.Range{})
	wantIDs(t, "in the order of their bytes", page, err, good...)
	page, err = table.Page(t.Context(), store.Range{Prefix: "a"})
	wantIDs(t, "by prefix", page, err, "a", "a\x01", "a b", "a/b", "aa", "a~")

	w.do(t, func(ctx context.Context) error {
		for _, id := range []string{"", "a\x00b", "\xff", strings.Repeat("z", store.MaxID+1), "\U0010FFFF"} {
			wantErr(t, "put a bad id", table.Put(ctx, id, &item{}), store.ErrBadID)
			_, err := table.Get(ctx, id)
			wantErr(t, "get a bad id", err, store.ErrNotFound)
		}
		return nil
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
