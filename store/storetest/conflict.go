package storetest

import (
	"context"
	"testing"

	"sumun.dev/store"
)

// between runs read in a unit, then meanwhile outside it, lets the unit write
// something else, and returns what its commit says.
func between(t *testing.T, w *world, read func(context.Context), meanwhile func()) error {
	t.Helper()
	ctx, u := w.Begin(t.Context())
	read(ctx)
	meanwhile()
	must(t, w.plain().Put(ctx, "written", &item{Name: "written"}))
	store.Emit(ctx, event("written"))
	return u.Commit(ctx)
}

func changedRow(t *testing.T, w *world) {
	table := w.items()
	w.put(t, table, item{Name: "a"}, item{Name: "b"})
	read := func(ctx context.Context) { _, _ = table.Get(ctx, "a") }
	err := between(t, w, read, func() { w.put(t, table, item{Name: "a", Count: 1}) })
	wantErr(t, "a row that was read has changed", err, store.ErrConflict)
	err = between(t, w, read, func() { w.put(t, table, item{Name: "b", Count: 1}) })
	wantErr(t, "another row has changed", err, nil)
	err = between(t, w, read, func() {
		w.do(t, func(ctx context.Context) error { return table.Delete(ctx, "a") })
	})
	wantErr(t, "a row that was read is gone", err, store.ErrConflict)
}

func absentRow(t *testing.T, w *world) {
	table := w.items()
	err := between(t, w, func(ctx context.Context) { _, _ = table.Get(ctx, "a") },
		func() { w.put(t, table, item{Name: "a"}) })
	wantErr(t, "a row that was not there is", err, store.ErrConflict)

	ctx, u := w.Begin(t.Context())
	must(t, table.Insert(ctx, "b", &item{Name: "mine"}))
	w.put(t, table, item{Name: "b"})
	wantErr(t, "two insert the same", u.Commit(ctx), store.ErrConflict)
	if got, err := table.Get(t.Context(), "b"); err != nil || got.Name != "b" {
		t.Errorf("the first stays: %v, %v", got, err)
	}
}

func deletedAndMadeAgain(t *testing.T, w *world) {
	table := w.items()
	w.put(t, table, item{Name: "a"})
	err := between(t, w, func(ctx context.Context) { _, _ = table.Get(ctx, "a") }, func() {
		w.do(t, func(ctx context.Context) error { return table.Delete(ctx, "a") })
		w.put(t, table, item{Name: "a"})
	})
	wantErr(t, "the same value, deleted and made again", err, store.ErrConflict)
}

func phantom(t *testing.T, w *world) {
	table := w.items()
	w.put(t, table, item{Name: "b", Tags: []string{"x"}}, item{Name: "m", Tags: []string{"y"}})
	page := func(ctx context.Context) { _, err := table.Page(ctx, store.Range{}); must(t, err) }
	byX := func(ctx context.Context) { _, err := table.PageBy(ctx, "tag", "x", store.Range{}); must(t, err) }
	first := func(ctx context.Context) { _, err := table.Page(ctx, store.Range{Limit: 1}); must(t, err) }
	for _, c := range []struct {
		name string
		read func(context.Context)
		add  item
		want error
	}{
		{"a row was added to a page", page, item{Name: "c"}, store.ErrConflict},
		{"a row in a page has changed", page, item{Name: "m", Count: 2}, store.ErrConflict},
		{"a row was added to an index", byX, item{Name: "d", Tags: []string{"x"}}, store.ErrConflict},
		{"a row was added elsewhere in the index", byX, item{Name: "e", Tags: []string{"y"}}, nil},
		{"a row was added behind the page", first, item{Name: "z"}, nil},
		{"a row was added before the page's end", first, item{Name: "a"}, store.ErrConflict},
	} {
		err := between(t, w, c.read, func() { w.put(t, table, c.add) })
		wantErr(t, c.name, err, c.want)
	}
	err := between(t, w, page, func() {
		w.do(t, func(ctx context.Context) error { return table.Delete(ctx, "c") })
	})
	wantErr(t, "a row was deleted from a page", err, store.ErrConflict)
}

func reread(t *testing.T, w *world) {
	table := w.items()
	w.put(t, table, item{Name: "a", Count: 1})
	ctx, u := w.Begin(t.Context())
	one, err := table.Get(ctx, "a")
	must(t, err)
	w.put(t, table, item{Name: "a", Count: 2})
	two, err := table.Get(ctx, "a")
	if err != nil || two.Count != one.Count {
		t.Errorf("read %d, then %v, %v", one.Count, two, err)
	}
	_, err = table.Page(ctx, store.Range{})
	wantErr(t, "a page that shows the change", err, store.ErrConflict)
	must(t, w.plain().Put(ctx, "x", &item{}))
	wantErr(t, "commit", u.Commit(ctx), store.ErrConflict)
}

func nothingIsWritten(t *testing.T, w *world) {
	table := w.items()
	ctx, u := w.Begin(t.Context())
	_, _ = table.Get(ctx, "a")
	must(t, table.Put(ctx, "new", &item{Name: "new", Tags: []string{"x"}}))
	store.Emit(ctx, event("never"))
	store.Schedule(ctx, store.Due{Kind: "k", ID: "i", Place: here, At: never})
	store.AfterCommit(ctx, func() { t.Error("a hook ran after a conflict") })
	w.put(t, table, item{Name: "a"})
	wantErr(t, "commit", u.Commit(ctx), store.ErrConflict)
	page, err := table.Page(t.Context(), store.Range{})
	wantIDs(t, "rows", page, err, "a")
	page, err = table.PageBy(t.Context(), "tag", "x", store.Range{})
	wantIDs(t, "index", page, err)
	if got := claimed(t, w, 10); len(got) > 0 {
		t.Errorf("events: %v", got)
	}
	if _, some, err := w.NextDue(t.Context()); some || err != nil {
		t.Errorf("a due record was kept, %v", err)
	}
}

func updateRetries(t *testing.T, w *world) {
	table, tries := w.items(), 0
	w.put(t, table, item{Name: "a"})
	w.do(t, func(ctx context.Context) error {
		tries++
		v, err := table.Get(ctx, "a")
		if err != nil {
			return err
		}
		if tries < 4 {
			w.put(t, table, item{Name: "a", Count: v.Count + 1})
		}
		v.Count += 10
		return table.Put(ctx, "a", v)
	})
	if got, err := table.Get(t.Context(), "a"); err != nil || got.Count != 13 || tries != 4 {
		t.Errorf("%v, %v after %d tries; want 13 after 4", got, err, tries)
	}
	err := w.Update(t.Context(), func(ctx context.Context) error {
		v, err := table.Get(ctx, "a")
		if err != nil {
			return err
		}
		w.put(t, table, item{Name: "a", Count: v.Count + 1})
		return table.Put(ctx, "a", v)
	})
	wantErr(t, "always in conflict", err, store.ErrConflict)
}
