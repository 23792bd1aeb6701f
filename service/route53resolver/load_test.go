package route53resolver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	api "sumun.dev/api/route53resolverapi"
	"sumun.dev/store"
)

func (w *world) load(text string) error {
	return w.service.LoadFile(w.ctx(), "feed", strings.NewReader(text))
}

func (w *world) fed() (id string, l *list) {
	w.t.Helper()
	for row, err := range w.service.lists.Everywhere(w.t.Context()) {
		if err != nil || id != "" {
			w.t.Fatalf("there is more than one list, %v", err)
		}
		id, l = row.ID, row.Value
	}
	return id, l
}

func TestFileIsTheList(t *testing.T) {
	w := newWorld(t)
	if err := w.load("# ours\nbad.test\n\n  Worse.TEST. # why\n*.c.test\nbad.test\n"); err != nil {
		t.Fatal(err)
	}
	id, l := w.fed()
	if got := w.stored(id); !slices.Equal(got, []string{"*.c.test", "bad.test", "worse.test"}) || l.Count != 3 || l.Name != "feed" {
		t.Errorf("loaded are %v, %+v", got, l)
	}
	if err := w.load("bad.test\nnew.test"); err != nil {
		t.Fatal(err)
	}
	if got := w.stored(id); !slices.Equal(got, []string{"bad.test", "new.test"}) {
		t.Errorf("a changed file leaves %v", got)
	}
	at := at{store.Place{Account: account, Region: "us-east-1"}, id}
	if got := names(w.service.mirror.lists[at].list); !slices.Equal(got, []string{"bad.test", "new.test"}) {
		t.Errorf("compiled are %v", got)
	}
	err := w.load("fine.test\na b\n")
	if err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
		t.Errorf("a wrong line: %v", err)
	}
	if got := w.stored(id); !slices.Equal(got, []string{"bad.test", "new.test"}) {
		t.Errorf("a wrong file leaves %v", got)
	}
}

func TestSameFileAgainWritesNothing(t *testing.T) {
	w := newWorld(t)
	text := strings.Join(many(2000), "\n")
	if err := w.load(text); err != nil {
		t.Fatal(err)
	}
	writes := 0
	for _, table := range []string{"route53resolver.lists", "route53resolver.domains"} {
		w.store.Watch(table, func(store.Change) { writes++ })
	}
	if err := w.load(text); err != nil || writes != 0 {
		t.Errorf("%d rows written, %v", writes, err)
	}
	again := w.node() // a restart
	if err := again.LoadFile(w.ctx(), "feed", strings.NewReader(text)); err != nil || writes != 0 {
		t.Errorf("after a restart: %d rows written, %v", writes, err)
	}
	// What somebody changed by the API, the file puts right.
	id, _ := w.fed()
	w.update(id, "REPLACE", "other.test")
	if err := w.load(text); err != nil {
		t.Fatal(err)
	}
	if got := w.stored(id); !slices.Equal(got, many(2000)) {
		t.Errorf("the file leaves %d domains", len(got))
	}
}

// BenchmarkAddToAMillion tells how long it takes until an added domain is stored
// and decides queries, in a list of a million.
func BenchmarkAddToAMillion(b *testing.B) {
	w := newWorld(b)
	if err := w.service.LoadFile(w.ctx(), "feed", strings.NewReader(strings.Join(many(1_000_000), "\n"))); err != nil {
		b.Fatal(err)
	}
	id, _ := w.fed()
	group := w.group("g")
	must(w, &api.CreateFirewallRule, block(group, id, 10))
	must(w, &api.AssociateFirewallRuleGroup, tie(group, vpc, 101))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		d := fmt.Sprintf("x%d.test", n)
		w.update(id, "ADD", d)
		if !rules(w.service)[0].List.Match(name(b, d)) {
			b.Fatalf("%s is not blocked", d)
		}
	}
}

func BenchmarkLoadAMillion(b *testing.B) {
	text := strings.Join(many(1_000_000), "\n")
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			w := newWorld(b)
			if err := w.load(text); err != nil {
				b.Fatal(err)
			}
		}
	})
	w := newWorld(b)
	if err := w.load(text); err != nil {
		b.Fatal(err)
	}
	b.Run("start", func(b *testing.B) {
		for b.Loop() {
			w.node()
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			if err := w.load(text); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// A list that fills every bucket is deleted and replaced within the bounds of a unit of work.
func TestWholeLargeList(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 50,000 domains")
	}
	w := newWorld(t)
	if err := w.load(strings.Join(many(50_000), "\n")); err != nil {
		t.Fatal(err)
	}
	id, l := w.fed()
	if l.Count != 50_000 {
		t.Errorf("%d domains are counted", l.Count)
	}
	w.update(id, "REPLACE", "one.test")
	if err := w.load(strings.Join(many(50_000), "\n")); err != nil {
		t.Fatal(err)
	}
	must(w, &api.DeleteFirewallDomainList, &api.DeleteFirewallDomainListRequest{FirewallDomainListId: id})
	err := w.store.Update(w.ctx(), func(ctx context.Context) error {
		rows, err := w.service.buckets.Page(ctx, store.Range{})
		if len(rows) > 0 {
			t.Errorf("%d buckets are left", len(rows))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
