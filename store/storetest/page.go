package storetest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sumun.dev/store"
)

func pageOrder(t *testing.T, w *world) {
	table := w.items()
	w.put(t, table, item{Name: "a"}, item{Name: "b/1"}, item{Name: "b/2"}, item{Name: "b/3"}, item{Name: "c"})
	for _, c := range []struct {
		r    store.Range
		want string
	}{
		{store.Range{}, "a b/1 b/2 b/3 c"},
		{store.Range{Desc: true}, "c b/3 b/2 b/1 a"},
		{store.Range{Limit: 2}, "a b/1"},
		{store.Range{Limit: 2, After: "b/1"}, "b/2 b/3"},
		{store.Range{Limit: 2, After: "b/3"}, "c"},
		{store.Range{Limit: 2, Desc: true, After: "b/2"}, "b/1 a"},
		{store.Range{Prefix: "b/"}, "b/1 b/2 b/3"},
		{store.Range{Prefix: "b/", After: "b/1"}, "b/2 b/3"},
		{store.Range{Prefix: "b/", After: "a"}, "b/1 b/2 b/3"},
		{store.Range{Prefix: "b/", After: "c"}, ""},
		{store.Range{Prefix: "b/", After: "c", Desc: true}, "b/3 b/2 b/1"},
		{store.Range{Prefix: "b/", After: "b/3", Desc: true}, "b/2 b/1"},
		{store.Range{Prefix: "b/", After: "a", Desc: true}, ""},
		{store.Range{Prefix: "b/", Limit: 1, Desc: true}, "b/3"},
		{store.Range{After: "b/15"}, "b/2 b/3 c"},
		{store.Range{Prefix: "x"}, ""},
		{store.Range{Prefix: "\xff"}, ""},
	} {
		page, err := table.Page(t.Context(), c.r)
		wantIDs(t, fmt.Sprintf("%+v", c.r), page, err, strings.Fields(c.want)...)
		w.do(t, func(ctx context.Context) error {
			page, err := table.Page(ctx, c.r)
			wantIDs(t, fmt.Sprintf("in a unit, %+v", c.r), page, err, strings.Fields(c.want)...)
			return nil
		})
	}
}

func pageOwnWrites(t *testing.T, w *world) {
	table := w.items()
	w.put(t, table, item{Name: "b"}, item{Name: "d"}, item{Name: "f"}, item{Name: "h"})
	w.do(t, func(ctx context.Context) error {
		must(t, table.Insert(ctx, "a", &item{Name: "a"}))
		must(t, table.Insert(ctx, "e", &item{Name: "e"}))
		must(t, table.Insert(ctx, "z", &item{Name: "z"}))
		must(t, table.Put(ctx, "b", &item{Name: "b", Count: 7}))
		must(t, table.Delete(ctx, "d"))
		must(t, table.Delete(ctx, "f"))
		page, err := table.Page(ctx, store.Range{})
		wantIDs(t, "all", page, err, "a", "b", "e", "h", "z")
		if page[1].Value.Count != 7 {
			t.Error("the page shows a row without the unit's change")
		}
		for _, c := range []struct {
			r    store.Range
			want string
		}{
			{store.Range{Limit: 1}, "a"}, {store.Range{Limit: 2}, "a b"}, {store.Range{Limit: 3}, "a b e"},
			{store.Range{Limit: 2, After: "b"}, "e h"}, {store.Range{Limit: 3, After: "c"}, "e h z"},
			{store.Range{Limit: 1, After: "h"}, "z"}, {store.Range{After: "z"}, ""},
			{store.Range{Limit: 2, Desc: true}, "z h"}, {store.Range{Limit: 2, Desc: true, After: "h"}, "e b"},
		} {
			page, err := table.Page(ctx, c.r)
			wantIDs(t, fmt.Sprintf("%+v", c.r), page, err, strings.Fields(c.want)...)
		}
		return nil
	})
	page, err := table.Page(t.Context(), store.Range{})
	wantIDs(t, "committed", page, err, "a", "b", "e", "h", "z")
}

func everywhere(t *testing.T, w *world) {
	table := w.items()
	const each = 600 // more than one page
	for _, place := range []store.Place{here, there, other} {
		w.do(t, func(ctx context.Context) error {
			for i := range each {
				must(t, table.In(place).Put(ctx, name(i), &item{Name: name(i), Count: i}))
			}
			return nil
		})
	}
	w.put(t, w.plain(), item{Name: "of another table"})
	var got []string
	for e, err := range table.Everywhere(t.Context()) {
		must(t, err)
		got = append(got, e.Place.String()+"/"+e.ID)
		if e.Value.Name != e.ID {
			t.Fatalf("%s holds %v", e.ID, e.Value)
		}
	}
	if len(got) != 3*each || !slices.IsSorted(got) || len(slices.Compact(got)) != 3*each {
		t.Errorf("%d rows, sorted %t; want %d", len(got), slices.IsSorted(got), 3*each)
	}
	n := 0
	for _, err := range table.All(t.Context(), "item-") {
		must(t, err)
		n++
	}
	if n != each {
		t.Errorf("All returns %d rows, want %d", n, each)
	}
}

// againstModel does random work and compares with a map after each step.
func againstModel(t *testing.T, w *world) {
	table, rnd := w.items(), rand.New(rand.NewPCG(1, 2))
	model := map[string]item{}
	tags := []string{"r", "g", "b", "rg"}
	for range 60 {
		next := maps.Clone(model)
		keep := rnd.IntN(4) > 0
		ctx, u := w.Begin(t.Context())
		for range 1 + rnd.IntN(12) {
			id := name(rnd.IntN(40))
			if rnd.IntN(3) == 0 {
				err := table.Delete(ctx, id)
				if _, there := next[id]; there != (err == nil) {
					t.Fatalf("delete %s: %v", id, err)
				}
				delete(next, id)
				continue
			}
			v := item{Name: id, Count: rnd.Int(), Tags: tags[:rnd.IntN(len(tags)+1)]}
			must(t, table.Put(ctx, id, &v))
			next[id] = v
		}
		compare(t, ctx, table, next, rnd)
		if keep {
			must(t, u.Commit(ctx))
			model = next
		}
		compare(t, t.Context(), table, model, rnd)
	}
}

func compare(t *testing.T, ctx context.Context, table *store.Table[item], model map[string]item, rnd *rand.Rand) {
	t.Helper()
	desc, limit := rnd.IntN(2) == 0, 1+rnd.IntN(9)
	for _, tag := range []string{"", "r", "g", "rg", "none"} {
		var want []string
		for id, v := range model {
			if tag == "" || slices.Contains(v.Tags, tag) {
				want = append(want, id)
			}
		}
		slices.Sort(want)
		if desc {
			slices.Reverse(want)
		}
		var got []string
		r := store.Range{Limit: limit, Desc: desc, Prefix: "item"}
		for {
			page, err := table.Page(ctx, r)
			if tag != "" {
				page, err = table.PageBy(ctx, "tag", tag, r)
			}
			must(t, err)
			for _, e := range page {
				got = append(got, e.ID)
				if e.Value.Count != model[e.ID].Count {
					t.Fatalf("%s is an old one", e.ID)
				}
			}
			if len(page) < limit {
				break
			}
			r.After = page[len(page)-1].ID
		}
		if !slices.Equal(got, want) {
			t.Fatalf("tag %q, desc %t, limit %d: %v, want %v", tag, desc, limit, got, want)
		}
	}
}
