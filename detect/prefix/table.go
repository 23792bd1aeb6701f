// Package prefix finds what is known of an address among many IP prefixes.
package prefix

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// An Entry is a prefix and what is known of the addresses in it.
type Entry[V any] struct {
	Prefix netip.Prefix
	Value  V
}

// A Table finds values by address. It never changes; looking up takes a binary
// search and allocates nothing. The zero Table has nothing.
type Table[V any] struct {
	starts []netip.Addr // of intervals that touch each other, in order
	four   []uint32     // the first of starts, those of IPv4, as numbers
	values []V
	known  []bool // whether anything is known of the interval
	n      int
}

// New makes a table. Where prefixes lie within each other, merge says what is
// known of addresses in both; nil: what the inner one says. Of equal prefixes the
// later is the inner one.
func New[V any](entries []Entry[V], merge func(outer, inner V) V) *Table[V] {
	t := &Table[V]{n: len(entries)}
	all := make([]Entry[V], 0, len(entries))
	for _, e := range entries {
		if a := e.Prefix.Addr(); a.Is4In6() && e.Prefix.Bits() >= 96 {
			e.Prefix = netip.PrefixFrom(a.Unmap(), e.Prefix.Bits()-96)
		}
		if e.Prefix = e.Prefix.Masked(); e.Prefix.IsValid() {
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b Entry[V]) int {
		if c := a.Prefix.Addr().Compare(b.Prefix.Addr()); c != 0 {
			return c
		}
		return a.Prefix.Bits() - b.Prefix.Bits()
	})
	type open struct {
		last  netip.Addr
		value V
	}
	var within []open
	// leave ends the prefixes that end before next; of an invalid one, all.
	leave := func(next netip.Addr) {
		for len(within) > 0 {
			top := within[len(within)-1]
			if next.IsValid() && !top.last.Less(next) {
				return
			}
			within = within[:len(within)-1]
			after := top.last.Next()
			if !after.IsValid() && top.last.Is4() {
				after = netip.IPv6Unspecified() // the order goes on there
			}
			switch {
			case !after.IsValid():
			case len(within) > 0 && !within[len(within)-1].last.Less(after):
				t.begin(after, within[len(within)-1].value, true)
			default:
				var none V
				t.begin(after, none, false)
			}
		}
	}
	for _, e := range all {
		first := e.Prefix.Addr()
		leave(first)
		if len(within) > 0 && merge != nil {
			e.Value = merge(within[len(within)-1].value, e.Value)
		}
		within = append(within, open{last(e.Prefix), e.Value})
		t.begin(first, e.Value, true)
	}
	leave(netip.Addr{})
	for _, a := range t.starts {
		if !a.Is4() {
			break
		}
		t.four = append(t.four, number(a))
	}
	return t
}

func number(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// begin starts an interval.
func (t *Table[V]) begin(at netip.Addr, v V, known bool) {
	if n := len(t.starts); n > 0 && t.starts[n-1] == at {
		t.values[n-1], t.known[n-1] = v, known
		return
	}
	t.starts, t.values, t.known = append(t.starts, at), append(t.values, v), append(t.known, known)
}

// last returns the last address of a prefix.
func last(p netip.Prefix) netip.Addr {
	if p.Addr().Is4() {
		b := p.Addr().As4()
		fill(b[:], p.Bits())
		return netip.AddrFrom4(b)
	}
	b := p.Addr().As16()
	fill(b[:], p.Bits())
	return netip.AddrFrom16(b)
}

// fill sets all bits from the given one on.
func fill(b []byte, from int) {
	for i := from; i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
}

// Len returns of how many prefixes the table was made.
func (t *Table[V]) Len() int {
	if t == nil {
		return 0
	}
	return t.n
}

// Find returns what is known of an address.
func (t *Table[V]) Find(a netip.Addr) (V, bool) {
	var none V
	if t == nil || len(t.starts) == 0 || !a.IsValid() {
		return none, false
	}
	if a.Is4In6() {
		a = a.Unmap()
	}
	low, high := 0, len(t.starts)
	if a.Is4() {
		for n, high := number(a), len(t.four); low < high; {
			if mid := int(uint(low+high) >> 1); n < t.four[mid] {
				high = mid
			} else {
				low = mid + 1
			}
		}
	} else {
		for a = a.WithZone(""); low < high; {
			if mid := int(uint(low+high) >> 1); a.Less(t.starts[mid]) {
				high = mid
			} else {
				low = mid + 1
			}
		}
	}
	i := low - 1
	if i < 0 || !t.known[i] {
		return none, false
	}
	return t.values[i], true
}
