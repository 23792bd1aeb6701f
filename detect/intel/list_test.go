package intel

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"sumun.dev/engine/dns"
	"sumun.dev/store"
)

func name(t testing.TB, s string) dns.Name {
	t.Helper()
	n, err := dns.ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFind(t *testing.T) {
	below, err := Below("feed", Malicious, slices.Values([]string{"evil.example", "deep.bad.example"}))
	if err != nil {
		t.Fatal(err)
	}
	exact, err := Exact("own", Custom, slices.Values([]string{"evil.example", "*.bad.example"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ asked, below, exact string }{
		{"evil.example.", "evil.example", "evil.example"},
		{"EVIL.example.", "evil.example", "evil.example"},
		{"www.evil.example.", "evil.example", ""},
		{"a.b.c.evil.example.", "evil.example", ""},
		{"notevil.example.", "", ""},
		{"example.", "", ""},
		{".", "", ""},
		{"bad.example.", "", ""},
		{"x.bad.example.", "", "*.bad.example"},
		{"x.deep.bad.example.", "deep.bad.example", "*.bad.example"},
		{"evil.example.com.", "", ""},
	} {
		if got, ok := below.Find(name(t, c.asked)); got != c.below || ok != (c.below != "") {
			t.Errorf("below %s: %q", c.asked, got)
		}
		if got, ok := exact.Find(name(t, c.asked)); got != c.exact || ok != (c.exact != "") {
			t.Errorf("exact %s: %q", c.asked, got)
		}
	}
}

func TestBook(t *testing.T) {
	make := func(label string, kind Kind, domain string) *List {
		l, err := Below(label, kind, slices.Values([]string{domain}))
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	here, there := store.Place{Account: "111122223333", Region: "us-east-1"}, store.Place{Account: "444455556666", Region: "us-east-1"}
	b := NewBook(make("f", Mining, "pool.example"))
	b.Own(here, make("mine", Custom, "evil.example"), make("ours", Trusted, "good.example"))
	before := b.At(here)
	find := func(l Lists, kind Kind, n string) string { _, e := l.Find(kind, name(t, n)); return e }
	for _, c := range []struct {
		at   store.Place
		kind Kind
		name string
		want string
	}{
		{here, Mining, "pool.example", "pool.example"}, {there, Mining, "pool.example", "pool.example"},
		{here, Custom, "evil.example", "evil.example"}, {there, Custom, "evil.example", ""},
		{here, Mining, "evil.example", ""},
	} {
		if got := find(b.At(c.at), c.kind, c.name); got != c.want {
			t.Errorf("%v %s %s: %q", c.at, c.kind, c.name, got)
		}
	}
	if !b.At(here).Trusts(name(t, "good.example")) || b.At(there).Trusts(name(t, "good.example")) {
		t.Error("trust crosses accounts, or is not there")
	}
	b.Share(make("f", Mining, "other.example"))
	b.Own(here)
	if find(b.At(here), Mining, "pool.example") != "" || find(b.At(here), Mining, "other.example") == "" || find(b.At(here), Custom, "evil.example") != "" {
		t.Error("the old lists are still there")
	}
	if find(before, Custom, "evil.example") == "" {
		t.Error("what was taken before has changed")
	}
}

// Whoever looks up meanwhile sees the old list or the new one, never none.
func TestSwapsWithoutAPause(t *testing.T) {
	b := NewBook()
	swap := func(i int) {
		l, err := Below("feed", Mining, slices.Values([]string{"pool.example", fmt.Sprintf("pool%d.example", i)}))
		if err != nil {
			t.Error(err)
			return
		}
		b.Share(l)
	}
	swap(0)
	asked := name(t, "eu.pool.example")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 500 {
			swap(i)
			b.Own(store.Place{Account: "111122223333", Region: "us-east-1"})
		}
	}()
	for {
		if l, _ := b.At(store.Place{}).Find(Mining, asked); l == nil {
			t.Fatal("no list")
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

func TestBuiltinDomains(t *testing.T) {
	b := NewBook(Builtin()...)
	for kind, n := range map[Kind]string{CommandAndControl: "guarddutyc2activityb.com", Mining: "xmr.pool.minergate.com"} {
		if l, _ := b.At(store.Place{}).Find(kind, name(t, n)); l == nil {
			t.Errorf("%s is not there", n)
		}
	}
}

const million = 1_000_000

func millionNames(yield func(string) bool) {
	for i := range million {
		if !yield(fmt.Sprintf("host%d.malware%d.example", i, i%5000)) {
			return
		}
	}
}

// BenchmarkMillion states what a list of a million domains costs.
func BenchmarkMillion(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	l, err := Below("feed", Malicious, millionNames)
	if err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	mib := float64(after.HeapAlloc-before.HeapAlloc) / (1 << 20)
	for _, c := range []struct{ label, asked string }{
		{"hit", "host123456.malware3456.example"}, {"hit_below", "a.b.host123456.malware3456.example"}, {"miss", "www.amazon.com"}, {"miss_deep", "a.b.c.d.e.f.g.h.example.com"},
	} {
		n := name(b, c.asked)
		b.Run(c.label, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l.Find(n)
			}
			b.ReportMetric(mib, "MiB")
		})
	}
	b.Run("swap", func(b *testing.B) {
		book := NewBook(l)
		for b.Loop() {
			book.Share(l)
		}
	})
	runtime.KeepAlive(l)
}

// A list answers the same about a name that it was told of before.
func TestFasterLookUpAnswersTheSame(t *testing.T) {
	var domains []string
	for i := range 300 {
		domains = append(domains, fmt.Sprintf("d%d.example%d.com", i, i%7), fmt.Sprintf("*.w%d.net", i))
	}
	lists := func(more ...string) Lists {
		exact, err := Exact("exact", Custom, slices.Values(append(domains, more...)))
		if err != nil {
			t.Fatal(err)
		}
		below, err := Below("below", Mining, slices.Values([]string{"pool.test", "a.b.c.d.e.org", "x"}))
		if err != nil {
			t.Fatal(err)
		}
		return NewBook(exact, below).At(store.Place{})
	}
	var look Look
	for _, l := range []Lists{lists(), lists("*")} {
		for i := range 400 {
			for _, s := range []string{fmt.Sprintf("d%d.example%d.com", i, i%7), fmt.Sprintf("a.b.w%d.net", i), fmt.Sprintf("w%d.net", i), "eu.pool.test", "test", "a.b.c.d.e.org", "z.b.c.d.e.org", "y.x", "."} {
				n, err := dns.ParseName(s)
				if err != nil {
					t.Fatal(err)
				}
				fast := l.For(n, &look)
				for _, kind := range []Kind{Custom, Mining, Trusted} {
					list, entry := l.Find(kind, n)
					if again, found := fast.Find(kind, n); again != list || found != entry {
						t.Fatalf("%s of %s: %q, faster %q", s, kind, entry, found)
					}
				}
			}
		}
	}
}
