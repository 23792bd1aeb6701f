package prefix

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

func TestTheInnermostPrefixCounts(t *testing.T) {
	var entries []Entry[string]
	for _, s := range []string{"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "10.1.255.255/32", "255.255.255.0/24", "2001:db8::/32", "::ffff:192.0.2.0/120", "10.255.255.255/32"} {
		entries = append(entries, Entry[string]{netip.MustParsePrefix(s), s})
	}
	table := New(entries, nil)
	for addr, want := range map[string]string{
		"9.255.255.255": "", "10.0.0.0": "10.0.0.0/8", "10.1.0.0": "10.1.0.0/16", "10.1.2.3": "10.1.2.3/32", "10.1.2.4": "10.1.0.0/16",
		"10.1.255.255": "10.1.255.255/32", "10.2.0.0": "10.0.0.0/8", "10.255.255.255": "10.255.255.255/32", "11.0.0.0": "",
		"255.255.255.255": "255.255.255.0/24", "::": "", "2001:db8::1": "2001:db8::/32", "2001:db9::": "", "192.0.2.7": "::ffff:192.0.2.0/120", "::ffff:10.1.2.3": "10.1.2.3/32",
	} {
		if got, ok := table.Find(netip.MustParseAddr(addr)); got != want || ok != (want != "") {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
	}
	if _, ok := (*Table[string])(nil).Find(netip.MustParseAddr("::1")); ok || table.Len() != 8 {
		t.Error("a table that is not there knows something, or this one has too many")
	}
}

// Against looking at every prefix one after the other.
func TestAgainstASearchThroughAll(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	address := func() netip.Addr {
		return netip.AddrFrom4([4]byte{byte(r.IntN(3)), byte(r.IntN(2)), 0, byte(r.IntN(256))})
	}
	for range 200 {
		var entries []Entry[int]
		for i := range r.IntN(30) {
			entries = append(entries, Entry[int]{netip.PrefixFrom(address(), r.IntN(33)), 1 << i})
		}
		table := New(entries, func(outer, inner int) int { return outer | inner })
		for range 100 {
			a, want := address(), 0
			for _, e := range entries {
				if e.Prefix.Contains(a) {
					want |= e.Value
				}
			}
			if got, ok := table.Find(a); got != want || ok != (want != 0) {
				t.Fatalf("%s among %v: %b, want %b", a, entries, got, want)
			}
		}
	}
}
