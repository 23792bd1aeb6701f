package storetest

import (
	"bytes"
	"context"
	"testing"

	"sumun.dev/store"
)

func indexPages(t *testing.T, w *world) {
	table := w.items()
	w.put(t, table,
		item{Name: "a", Tags: []string{"x", "y", "x"}}, item{Name: "b", Tags: []string{"x"}},
		item{Name: "c", Tags: []string{"y", ""}}, item{Name: "d", Tags: []string{"x"}}, item{Name: "e"})
	for _, c := range []struct {
		value string
		r     store.Range
		want  []string
	}{
		{"x", store.Range{}, []string{"a", "b", "d"}},
		{"x", store.Range{Limit: 2}, []string{"a", "b"}},
		{"x", store.Range{Limit: 2, After: "b"}, []string{"d"}},
		{"x", store.Range{Desc: true}, []string{"d", "b", "a"}},
		{"x", store.Range{Prefix: "b"}, []string{"b"}},
		{"y", store.Range{}, []string{"a", "c"}},
		{"", store.Range{}, []string{"c"}},
		{"none", store.Range{}, nil},
		{"\xff", store.Range{}, nil},
	} {
		page, err := table.PageBy(t.Context(), "tag", c.value, c.r)
		wantIDs(t, "tag "+c.value, page, err, c.want...)
	}
	if !panics(func() { _, _ = table.PageBy(t.Context(), "colour", "x", store.Range{}) }) {
		t.Error("an index that does not exist does not panic")
	}
}

func indexOwnWrites(t *testing.T, w *world) {
	table := w.items()
	w.put(t, table, item{Name: "a", Tags: []string{"x"}}, item{Name: "b", Tags: []string{"x"}}, item{Name: "c", Tags: []string{"x"}})
	w.do(t, func(ctx context.Context) error {
		must(t, table.Put(ctx, "a", &item{Name: "a", Tags: []string{"y"}})) // moves away
		must(t, table.Put(ctx, "d", &item{Name: "d", Tags: []string{"x"}}))
		must(t, table.Delete(ctx, "b"))
		page, err := table.PageBy(ctx, "tag", "x", store.Range{Limit: 2})
		wantIDs(t, "x", page, err, "c", "d")
		page, err = table.PageBy(ctx, "tag", "y", store.Range{})
		wantIDs(t, "y", page, err, "a")
		return nil
	})
	page, err := table.PageBy(t.Context(), "tag", "x", store.Range{})
	wantIDs(t, "x, committed", page, err, "c", "d")
}

func indexMoves(t *testing.T, w *world) {
	table := w.items()
	w.put(t, table, item{Name: "a", Tags: []string{"old", "both"}})
	w.do(t, func(ctx context.Context) error { // several puts of one unit count as one
		must(t, table.Put(ctx, "a", &item{Name: "a", Tags: []string{"passing"}}))
		return table.Put(ctx, "a", &item{Name: "a", Tags: []string{"both", "new"}})
	})
	for tag, want := range map[string][]string{"old": nil, "passing": nil, "both": {"a"}, "new": {"a"}} {
		page, err := table.PageBy(t.Context(), "tag", tag, store.Range{})
		wantIDs(t, tag, page, err, want...)
	}
	// The same table with another idea of what the index holds, as after an update.
	renamed := store.NewTable(w.Store, "test.items", store.Index("tag", func(i *item) []string { return []string{"v2"} })).In(here)
	w.put(t, renamed, item{Name: "a"})
	w.do(t, func(ctx context.Context) error {
		must(t, renamed.Delete(ctx, "a"))
		return table.Put(ctx, "a", &item{Name: "a"})
	})
	for _, tag := range []string{"both", "new", "v2"} {
		page, err := table.PageBy(t.Context(), "tag", tag, store.Range{})
		wantIDs(t, tag+" after the update", page, err)
	}
}

func rowsAreOpaque(t *testing.T, w *world) {
	w.do(t, func(ctx context.Context) error {
		store.Emit(ctx, event("topsecret-event"))
		store.Schedule(ctx, store.Due{Kind: "k", ID: "i", Place: here, At: never, Payload: []byte("topsecret")})
		return w.items().Put(ctx, "a", &item{Name: "topsecret"})
	})
	must(t, w.backend.Dump(t.Context(), func(i store.Item) error {
		var doc []byte
		switch {
		case i.Row != nil:
			doc = i.Row.Doc
		case i.Record != nil:
			doc = i.Record.Doc
		case i.Due != nil:
			doc = i.Due.Doc
		}
		if bytes.Contains(doc, []byte("topsecret")) {
			t.Errorf("in clear text: %+v", i)
		}
		return nil
	}))
}

func rowsCannotBeSwapped(t *testing.T, w *world) {
	table := w.items()
	w.put(t, table, item{Name: "a"}, item{Name: "b"})
	from := store.Key{Table: "test.items", Place: here, ID: "a"}
	row, err := w.backend.Get(t.Context(), from)
	must(t, err)
	for _, to := range []store.Key{
		{Table: "test.items", Place: here, ID: "b"},
		{Table: "test.items", Place: other, ID: "a"},
		{Table: "test.items", Place: there, ID: "a"},
		{Table: "test.plain", Place: here, ID: "a"},
	} {
		must(t, w.backend.Commit(t.Context(), &store.Batch{Writes: []store.Write{{Key: to, Doc: row.Doc}}}))
		_, err := store.NewTable[item](w.Store, to.Table).In(to.Place).Get(t.Context(), to.ID)
		wantErr(t, "moved to "+to.String(), err, store.ErrCorrupt)
	}
	// An index entry that leads to a row that knows nothing of it.
	lie := store.Write{Key: from, Doc: row.Doc, Add: []store.Entrance{{Index: "tag", Value: "forged"}}}
	must(t, w.backend.Commit(t.Context(), &store.Batch{Writes: []store.Write{lie}}))
	_, err = table.PageBy(t.Context(), "tag", "forged", store.Range{})
	wantErr(t, "a forged index entry", err, store.ErrCorrupt)
}

// flip is a sealer with another key than any other.
type flip struct{ store.Sealer }

func (f flip) Seal(plain, ad []byte) []byte { return f.Sealer.Seal(plain, append(ad, '!')) }
func (f flip) Open(b, ad []byte) ([]byte, error) {
	return f.Sealer.Open(b, append(bytes.Clone(ad), '!'))
}

func wrongKey(t *testing.T, w *world) {
	fresh, err := store.Fresh(t.Context(), w.backend)
	if err != nil || !fresh {
		t.Fatalf("an empty backend: fresh %t, %v", fresh, err)
	}
	must(t, w.CheckKey(t.Context()))
	must(t, w.CheckKey(t.Context()))
	if fresh, err := store.Fresh(t.Context(), w.backend); err != nil || fresh {
		t.Errorf("after the first start: fresh %t, %v", fresh, err)
	}
	err = store.Open(w.backend, flip{w.seal}).CheckKey(t.Context())
	wantErr(t, "another key", err, store.ErrWrongKey)

	bare := w.fresh(t)
	bare.put(t, bare.items(), item{Name: "a"})
	if fresh, err := store.Fresh(t.Context(), bare.backend); err != nil || fresh {
		t.Errorf("rows without a check value: fresh %t, %v", fresh, err)
	}
	wantErr(t, "rows without a check value", bare.CheckKey(t.Context()), store.ErrWrongKey)
}
