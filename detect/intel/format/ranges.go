package format

import (
	"fmt"
	"math/bits"
	"net/netip"
	"strings"
)

// blocks returns the fewest CIDR blocks that cover the addresses from first to
// last: 62 at most.
func blocks(first, last string) ([]string, error) {
	lo, okLo := number(first)
	hi, okHi := number(last)
	if !okLo || !okHi || lo > hi {
		return nil, fmt.Errorf("%.40q to %.40q is no range of IPv4 addresses", first, last)
	}
	var all []string
	for at := uint64(lo); at <= uint64(hi); {
		size := min(bits.TrailingZeros64(at|1<<32), bits.Len64(uint64(hi)-at+1)-1)
		a := netip.AddrFrom4([4]byte{byte(at >> 24), byte(at >> 16), byte(at >> 8), byte(at)})
		all = append(all, netip.PrefixFrom(a, 32-size).String())
		at += 1 << size
	}
	return all, nil
}

func number(s string) (uint32, bool) {
	a, err := netip.ParseAddr(strings.TrimSpace(s))
	if err != nil || !a.Is4() {
		return 0, false
	}
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]), true
}
