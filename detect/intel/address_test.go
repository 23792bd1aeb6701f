package intel

import (
	"net/netip"
	"slices"
	"testing"

	"sumun.dev/store"
)

func TestAddresses(t *testing.T) {
	both, err := Exact("entities", Custom, slices.Values([]string{"evil.example"}))
	if err != nil {
		t.Fatal(err)
	}
	both = both.With([]netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("198.51.100.7/32")})
	here := store.Place{Account: "111122223333", Region: "us-east-1"}
	book := NewBook(Addresses("tor", Tor, []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}))
	book.Own(here, both, Addresses("ours", Trusted, []netip.Prefix{netip.MustParsePrefix("203.0.113.9/32")}))
	lists := book.At(here)
	for _, c := range []struct {
		kind      Kind
		addr, got string
	}{
		{Custom, "198.51.100.8", "198.51.100.0/24"}, {Custom, "198.51.100.7", "198.51.100.7"}, {Custom, "::ffff:198.51.100.7", "198.51.100.7"},
		{Custom, "198.51.101.7", ""}, {Tor, "198.51.100.8", ""}, {Tor, "2001:db8::7", "2001:db8::/32"},
	} {
		if l, entry := lists.FindAddr(c.kind, netip.MustParseAddr(c.addr)); entry != c.got || (l == nil) != (c.got == "") {
			t.Errorf("%s %s: %q", c.kind, c.addr, entry)
		}
	}
	if !lists.TrustsAddr(netip.MustParseAddr("203.0.113.9")) || lists.TrustsAddr(netip.MustParseAddr("203.0.113.8")) || lists.TrustsAddr(netip.Addr{}) {
		t.Error("the wrong addresses are trusted")
	}
	if l, _ := lists.Find(Custom, name(t, "evil.example")); l == nil || l.Len() != 3 {
		t.Error("the domains are lost")
	}
	if l, _ := lists.Find(Tor, name(t, "evil.example")); l != nil {
		t.Error("a list without domains has one")
	}
}
