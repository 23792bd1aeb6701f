package scan

import "net/netip"

// IPv4 reads an address of IPv4 as netip does, and returns the place behind it. What a
// negative position has, is declined.
func IPv4(b []byte, i int) (a netip.Addr, end int) {
	if i < 0 {
		return a, No
	}
	var octets [4]byte
	for k := range octets {
		from, n := i, uint(0)
		for ; i < len(b) && i-from < 4; i++ {
			c := b[i] - '0'
			if c > 9 {
				break
			}
			n = n*10 + uint(c)
		}
		if i == from || n > 255 || b[from] == '0' && i-from > 1 {
			return a, No
		}
		octets[k] = byte(n)
		if k == 3 {
			break
		}
		if i >= len(b) || b[i] != '.' {
			return a, No
		}
		i++
	}
	return netip.AddrFrom4(octets), i
}
