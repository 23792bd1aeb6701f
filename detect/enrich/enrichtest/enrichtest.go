// Package enrichtest writes the files of address books that tests look places up in.
package enrichtest

import (
	"encoding/binary"
	"math"
	"net/netip"
	"slices"
)

// MMDB writes a file of IPv6 addresses in MaxMind's format, of the specification
// "MaxMind DB File Format" 2.0; addresses of IPv4 stand below ::/96.
func MMDB(entries map[string]map[string]any) []byte {
	type node [2]int // 0: nothing; > 0: the node; < 0: the data, from 1
	nodes := []node{{}}
	var data []byte
	for _, text := range slices.Sorted(func(yield func(string) bool) {
		for k := range entries {
			if !yield(k) {
				return
			}
		}
	}) {
		p := netip.MustParsePrefix(text)
		bits, a := p.Bits(), p.Addr().As16()
		if p.Addr().Is4() {
			four := p.Addr().As4()
			a, bits = [16]byte{}, bits+96
			copy(a[12:], four[:])
		}
		at := 0
		for i := range bits {
			side := int(a[i/8] >> (7 - i%8) & 1)
			if i == bits-1 {
				nodes[at][side] = -1 - len(data)
				break
			}
			if nodes[at][side] == 0 {
				nodes = append(nodes, node{})
				nodes[at][side] = len(nodes) - 1
			}
			at = nodes[at][side]
		}
		data = append(data, value(entries[text])...)
	}
	var out []byte
	for _, n := range nodes {
		for _, side := range n {
			switch {
			case side == 0:
				side = len(nodes)
			case side < 0:
				side = len(nodes) + 16 - 1 - side
			}
			out = append(out, byte(side>>16), byte(side>>8), byte(side))
		}
	}
	out = append(append(out, make([]byte, 16)...), data...)
	out = append(out, "\xab\xcd\xefMaxMind.com"...)
	return append(out, value(map[string]any{
		"binary_format_major_version": uint16(2), "binary_format_minor_version": uint16(0), "build_epoch": uint64(1767261600),
		"database_type": "Test", "description": map[string]any{"en": "test"}, "ip_version": uint16(6), "node_count": uint32(len(nodes)), "record_size": uint16(24), "languages": []any{"en"},
	})...)
}

func value(v any) []byte {
	number := func(typ byte, n uint64) []byte {
		var b []byte
		for ; n > 0; n >>= 8 {
			b = append([]byte{byte(n)}, b...)
		}
		if typ > 7 {
			return append([]byte{byte(len(b)), typ - 7}, b...)
		}
		return append([]byte{typ<<5 | byte(len(b))}, b...)
	}
	switch v := v.(type) {
	case string:
		if len(v) > 28 {
			return append([]byte{2<<5 | 29, byte(len(v) - 29)}, v...)
		}
		return append([]byte{2<<5 | byte(len(v))}, v...)
	case float64:
		return binary.BigEndian.AppendUint64([]byte{3<<5 | 8}, math.Float64bits(v))
	case uint16:
		return number(5, uint64(v))
	case uint32:
		return number(6, uint64(v))
	case uint64:
		return number(9, v)
	case bool:
		if v {
			return []byte{1, 14 - 7}
		}
		return []byte{0, 14 - 7}
	case []any:
		b := []byte{byte(len(v)), 11 - 7}
		for _, e := range v {
			b = append(b, value(e)...)
		}
		return b
	case map[string]any:
		b := []byte{7<<5 | byte(len(v))}
		for _, k := range slices.Sorted(func(yield func(string) bool) {
			for k := range v {
				if !yield(k) {
					return
				}
			}
		}) {
			b = append(append(b, value(k)...), value(v[k])...)
		}
		return b
	}
	panic("no such value")
}
