package dns_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sumun.dev/engine/dns"
)

func name(t testing.TB, s string) dns.Name {
	t.Helper()
	n, err := dns.ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func list(t testing.TB, domains ...string) *dns.List {
	t.Helper()
	l, err := dns.NewList(slices.Values(domains))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		list  string
		match []string
		miss  []string
	}{
		{list: "example.com", match: []string{"example.com", "EXAMPLE.com.", "eXaMpLe.CoM"},
			miss: []string{"www.example.com", "com", "xexample.com", "example.com.net", "."}},
		{list: "Example.COM.", match: []string{"example.com"}},
		{list: "*.example.com", match: []string{"a.example.com", "a.b.c.example.com", "*.example.com"},
			miss: []string{"example.com", "xexample.com", "example.org"}},
		{list: "*.com", match: []string{"example.com", "a.example.com"}, miss: []string{"com", "example.org"}},
		{list: "*", match: []string{"example.com", "com", "."}},
		{list: "com", match: []string{"com"}, miss: []string{"example.com"}},
		{list: "example.com *.example.com", match: []string{"example.com", "a.example.com"}},
		{list: "_dmarc.example.com", match: []string{"_dmarc.example.com"}},
		// A dot within a label is not a border.
		{list: "*.example.com", miss: []string{`a\.example.com`}},
		{list: "a.example.com", miss: []string{`a\.example.com`}},
		{list: "", miss: []string{"example.com", "."}},
	} {
		l := list(t, strings.Fields(c.list)...)
		for _, n := range c.match {
			if !l.Match(name(t, n)) {
				t.Errorf("%q does not match %q", c.list, n)
			}
		}
		for _, n := range c.miss {
			if l.Match(name(t, n)) {
				t.Errorf("%q matches %q", c.list, n)
			}
		}
	}
}

func TestNilListIsEmpty(t *testing.T) {
	var l *dns.List
	if l.Len() != 0 || l.Match(name(t, "a")) || l.Match(nil) {
		t.Error("the nil list matches")
	}
	l, err := l.Update([]string{"a"}, nil)
	if err != nil || l.Len() != 1 || !l.Match(name(t, "a")) {
		t.Error("the nil list cannot be updated", err)
	}
}

func TestParseDomainRefuses(t *testing.T) {
	for _, s := range []string{"", ".", "*.", "*example.com", "a.*.com", "a..b", "exa mple.com", "exämple.com", `a\.b`,
		strings.Repeat("a", 64) + ".com", strings.Repeat("a.", 128) + "com", "a/b"} {
		if d, err := dns.ParseDomain(s); err == nil {
			t.Errorf("%q is taken for %v", s, d)
		}
	}
}

func TestUpdate(t *testing.T) {
	l := list(t, "a.com", "b.com", "*.c.com")
	next, err := l.Update([]string{"d.com", "a.com"}, []string{"b.com", "*.c.com", "never.com"})
	if err != nil {
		t.Fatal(err)
	}
	if next.Len() != 2 || !next.Match(name(t, "d.com")) || next.Match(name(t, "b.com")) || next.Match(name(t, "x.c.com")) {
		t.Errorf("the update has %d domains, or not the right ones", next.Len())
	}
	if l.Len() != 3 || !l.Match(name(t, "b.com")) || l.Match(name(t, "d.com")) {
		t.Error("the list that was updated has changed")
	}
	if _, err := l.Update([]string{"good.com", "not good"}, nil); err == nil {
		t.Error("a wrong domain was taken")
	}
}

// TestUpdatesAgainstModel makes many random updates, large enough for merging
// in the foreground and the background, and compares with a map.
func TestUpdatesAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	domain := func() string {
		s := fmt.Sprintf("n%d.zone%d.test", r.IntN(20000), r.IntN(3))
		if r.IntN(10) == 0 {
			return "*." + s
		}
		return s
	}
	model := map[string]bool{}
	l := list(t)
	var err error
	for step := range 200 {
		var add, remove []string
		for range r.IntN(1000) {
			remove = append(remove, domain())
		}
		for range r.IntN(2000) {
			add = append(add, domain())
		}
		for _, s := range remove {
			delete(model, s)
		}
		for _, s := range add {
			model[s] = true
		}
		if l, err = l.Update(add, remove); err != nil {
			t.Fatal(err)
		}
		if l.Len() != len(model) {
			t.Fatalf("step %d: %d domains, want %d", step, l.Len(), len(model))
		}
		for range 200 {
			s := domain()
			d, _ := dns.ParseDomain(s)
			if l.Contains(d) != model[s] {
				t.Fatalf("step %d: contains %s: %v", step, s, !model[s])
			}
			bare := strings.TrimPrefix(s, "*.")
			if got, want := l.Match(name(t, "x."+bare)), model["*."+bare]; got != want {
				t.Fatalf("step %d: x.%s matches: %v", step, bare, got)
			}
		}
	}
	seen := map[string]bool{}
	for d := range l.All() {
		if seen[d.String()] || !model[d.String()] {
			t.Fatalf("All yields %s, twice or wrongly", d)
		}
		seen[d.String()] = true
	}
	if len(seen) != len(model) {
		t.Fatalf("All yields %d domains, want %d", len(seen), len(model))
	}
}

func TestMatchWhileUpdating(t *testing.T) {
	l := list(t, "always.test")
	var current sync.Map
	current.Store(0, l)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			n := dns.Name("\x06always\x04test\x00")
			for {
				select {
				case <-stop:
					return
				default:
				}
				v, _ := current.Load(0)
				if !v.(*dns.List).Match(n) {
					t.Error("a domain is missing during an update")
					return
				}
			}
		})
	}
	for i := range 60 {
		var add []string
		for k := range 1000 {
			add = append(add, fmt.Sprintf("n%d.test", i*1000+k))
		}
		var err error
		if l, err = l.Update(add, nil); err != nil {
			t.Fatal(err)
		}
		current.Store(0, l)
	}
	close(stop)
	readers.Wait()
}

func TestMatchDoesNotAllocate(t *testing.T) {
	l := list(t, "a.example.com", "*.b.example.com", "*.c")
	for _, s := range []string{"a.example.com", "x.y.b.example.com", "not.there"} {
		n := name(t, s)
		if got := testing.AllocsPerRun(100, func() { l.Match(n) }); got != 0 {
			t.Errorf("%s: %v allocations", s, got)
		}
	}
}

func million(yield func(string) bool) {
	for i := range 1_000_000 {
		if !yield(fmt.Sprintf("host-%07d.bad%04d.example", i, i%7919)) {
			return
		}
	}
}

func BenchmarkListMemory(b *testing.B) {
	for b.Loop() {
		before := heap()
		l, err := dns.NewList(million)
		if err != nil {
			b.Fatal(err)
		}
		after := heap()
		b.ReportMetric(float64(after-before)/(1<<20), "MiB")
		b.ReportMetric(float64(after-before)/float64(l.Len()), "B/name")
		runtime.KeepAlive(l)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkMatch(b *testing.B) {
	l, err := dns.NewList(million)
	if err != nil {
		b.Fatal(err)
	}
	wild, err := l.Update([]string{"*.wild.test", "*.a.wild.example"}, nil)
	if err != nil {
		b.Fatal(err)
	}
	var hits, misses []dns.Name
	for i := range 10000 {
		k := i * 97
		hits = append(hits, name(b, fmt.Sprintf("host-%07d.bad%04d.example", k, k%7919)))
		misses = append(misses, name(b, fmt.Sprintf("www.good%d.example", k)))
	}
	run := func(l *dns.List, names []dns.Name, want bool) func(*testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if l.Match(names[i]) != want {
					b.Fatal("wrong")
				}
				if i++; i == len(names) {
					i = 0
				}
			}
		}
	}
	b.Run("hit", run(l, hits, true))
	b.Run("miss", run(l, misses, false))
	b.Run("miss with wildcards", run(wild, misses, false))
}

// BenchmarkUpdate adds and removes five names of a million: the longest pause is told.
func BenchmarkUpdate(b *testing.B) {
	l, err := dns.NewList(million)
	if err != nil {
		b.Fatal(err)
	}
	worst := time.Duration(0)
	i := 0
	for b.Loop() {
		var add, remove []string
		for range 5 {
			i++
			add = append(add, fmt.Sprintf("new%d.example", i))
			remove = append(remove, fmt.Sprintf("host-%07d.bad%04d.example", i%1_000_000, i%1_000_000%7919))
		}
		start := time.Now()
		if l, err = l.Update(add, remove); err != nil {
			b.Fatal(err)
		}
		worst = max(worst, time.Since(start))
	}
	b.ReportMetric(float64(worst.Microseconds()), "worst-µs")
}

// BenchmarkLoadInBatches fills a list by updates of a thousand, as UpdateFirewallDomains does.
func BenchmarkLoadInBatches(b *testing.B) {
	for b.Loop() {
		var l *dns.List
		var err error
		var batch []string
		worst := time.Duration(0)
		for s := range million {
			if batch = append(batch, s); len(batch) < 1000 {
				continue
			}
			start := time.Now()
			if l, err = l.Update(batch, nil); err != nil {
				b.Fatal(err)
			}
			worst = max(worst, time.Since(start))
			batch = batch[:0]
		}
		b.ReportMetric(float64(worst.Microseconds()), "worst-µs")
	}
}
