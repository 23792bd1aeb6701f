package pattern

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
)

// A kind is a way to test one value.
type kind uint8

const (
	kExact       kind = iota // a string, equal
	kLiteral                 // a number, true, false or null, spelled the same
	kNumber                  // a number, equal
	kRange                   // a number between low and high
	kPrefix                  // a string that begins with text
	kPrefixFold              // … whatever its case
	kSuffix                  // a string that ends with text
	kSuffixFold              // … whatever its case
	kEqualFold               // a string, equal whatever its case
	kWildcard                // a string that fits the wildcard
	kCIDR                    // a string that is an address in the block
	kExists                  // any value
	kAbsent                  // no value
	kAnythingBut             // any value that meets none of not
)

// A condition is one alternative in the array of a field.
type condition struct {
	kind      kind
	text      string
	low, high int64 // kNumber, kRange: bounds, both included; see number
	block     netip.Prefix
	not       []condition
}

// A fieldTest says that one of the conditions must hold for a value of a field.
type fieldTest struct {
	name string // steps joined by dots
	any  []condition
}

// A conjunction is a pattern without $or: every field test must hold. It is
// sorted by field name, the order in which absence is decided.
type conjunction []fieldTest

func (f fieldTest) wild() bool {
	return slices.ContainsFunc(f.any, func(c condition) bool {
		return c.kind == kWildcard || slices.ContainsFunc(c.not, func(n condition) bool { return n.kind == kWildcard })
	})
}

// key identifies a condition: equal keys mean equal conditions.
func (c condition) key() string {
	var b strings.Builder
	c.writeKey(&b)
	return b.String()
}

func (c condition) writeKey(b *strings.Builder) {
	var n [8]byte
	number := func(v int64) {
		binary.BigEndian.PutUint64(n[:], uint64(v))
		b.Write(n[:])
	}
	b.WriteByte(byte(c.kind))
	switch c.kind {
	case kNumber, kRange:
		number(c.low)
		number(c.high)
	case kCIDR:
		b.WriteString(c.block.String())
		b.WriteByte(0)
	case kAnythingBut:
		keys := make([]string, len(c.not))
		for i, n := range c.not {
			keys[i] = n.key()
		}
		slices.Sort(keys)
		number(int64(len(keys)))
		for _, k := range keys {
			b.WriteString(k)
		}
	default:
		number(int64(len(c.text)))
		b.WriteString(c.text)
	}
}
