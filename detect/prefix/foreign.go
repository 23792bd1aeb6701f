package prefix

import "net/netip"

// notForeign are ranges that Addr.IsGlobalUnicast takes for those of the Internet:
// carriers' own, and all of IPv4 within IPv6.
var notForeign = [...]netip.Prefix{netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("::/96"), netip.MustParsePrefix("2002::/16")}

// Foreign reports whether the addresses of a prefix are of the Internet, and not of
// half of it.
func Foreign(p netip.Prefix) bool {
	a := p.Addr()
	if !a.IsGlobalUnicast() || a.IsPrivate() || Wide(p) {
		return false
	}
	for _, q := range notForeign {
		if q.Overlaps(p) {
			return false
		}
	}
	return true
}

// Wide reports whether a prefix is wider than /8, of IPv6 than /20, or not written as
// what it is: a list that has such a one by a mistake would count everywhere.
func Wide(p netip.Prefix) bool {
	a := p.Addr()
	return a.Is4In6() || a.Is4() && p.Bits() < 8 || a.Is6() && p.Bits() < 20
}
