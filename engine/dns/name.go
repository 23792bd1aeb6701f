// Package dns knows domain names as they are on the wire: read from questions, matched against lists of millions, carried in answers.
package dns

import (
	"bytes"
	"errors"
	"fmt"
)

// MaxName is the most octets that a name takes on the wire (RFC 1035, 2.3.4).
const MaxName = 255

// A Name is a domain name as on the wire: each label after its length, then
// the root's zero octet. Letters are lower case, so that names compare as
// bytes; a length octet (at most 63) is never taken for a letter. Nobody
// writes to a Name that is in use.
type Name []byte

var (
	errNameLength = errors.New("a domain name has at most 255 octets")
	errLabel      = errors.New("a label has 1 to 63 octets")
	errShort      = errors.New("the message ends within a name")
	errPointer    = errors.New("a question's name is not compressed")
)

// ParseName reads a host name in presentation form, such as "www.example.com",
// with or without the final dot. Escapes (\. and \DDD) are as RFC 1035, 5.1, has them.
func ParseName(s string) (Name, error) {
	if s == "." {
		return Name{0}, nil
	}
	n := make(Name, 1, len(s)+2) // n[start] awaits the label's length
	start := 0
	closeLabel := func() error {
		size := len(n) - start - 1
		if size < 1 || size > 63 {
			return errLabel
		}
		n[start] = byte(size)
		start = len(n)
		n = append(n, 0)
		return nil
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.':
			if err := closeLabel(); err != nil {
				return nil, fmt.Errorf("%q: %w", s, err)
			}
		case c == '\\':
			octet, used, err := unescape(s[i+1:])
			if err != nil {
				return nil, fmt.Errorf("%q: %w", s, err)
			}
			n = append(n, lower(octet))
			i += used
		default:
			n = append(n, lower(c))
		}
	}
	if len(n)-start > 1 {
		if err := closeLabel(); err != nil {
			return nil, fmt.Errorf("%q: %w", s, err)
		}
	}
	if len(n) == 1 {
		return nil, fmt.Errorf("%q: %w", s, errLabel)
	}
	if len(n) > MaxName {
		return nil, fmt.Errorf("%q: %w", s, errNameLength)
	}
	return n, nil
}

// unescape reads what follows a backslash, and says how many bytes it took.
func unescape(s string) (octet byte, used int, err error) {
	if s == "" {
		return 0, 0, errors.New("nothing follows the backslash")
	}
	if s[0] < '0' || s[0] > '9' {
		return s[0], 1, nil
	}
	if len(s) < 3 {
		return 0, 0, errors.New("an escape has three digits")
	}
	v := 0
	for _, d := range []byte(s[:3]) {
		if d < '0' || d > '9' {
			return 0, 0, errors.New("an escape has three digits")
		}
		v = 10*v + int(d-'0')
	}
	if v > 255 {
		return 0, 0, errors.New("an escape is at most 255")
	}
	return byte(v), 3, nil
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// Sum returns a hash of the name, the same on all machines: FNV-1a.
func (n Name) Sum() uint64 { return Sum(n) }

// Sum returns the hash of a name in whatever form.
func Sum[S string | Name](s S) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// String returns the presentation form with the final dot, as query logs have it. An
// octet of a label that is a dot is written \046, so that dots do nothing but separate:
// whoever cuts the text at dots, as the list of public suffixes does, finds the labels.
func (n Name) String() string {
	if len(n) <= 1 {
		return "."
	}
	var b [2 * MaxName]byte
	return string(n.AppendTo(b[:0]))
}

// AppendTo appends the presentation form with the final dot.
func (n Name) AppendTo(b []byte) []byte {
	if len(n) <= 1 {
		return append(b, '.')
	}
	for i := 0; i < len(n) && n[i] != 0; {
		size := int(n[i])
		for _, c := range n[i+1 : i+1+size] {
			switch {
			case c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z': // most are
				b = append(b, c)
			case c == '\\' || c == '"' || c == '(' || c == ')' || c == ';' || c == '@' || c == '$':
				b = append(b, '\\', c)
			case c == '.' || c <= ' ' || c > '~':
				b = fmt.Appendf(b, "\\%03d", c)
			default:
				b = append(b, c)
			}
		}
		b = append(b, '.')
		i += 1 + size
	}
	return b
}

// Parent returns the name without its first label; the root is its own parent.
func (n Name) Parent() Name {
	if len(n) <= 1 {
		return n
	}
	return n[1+n[0]:]
}

// Under reports whether n is zone or lies below it.
func (n Name) Under(zone Name) bool {
	for len(n) > len(zone) {
		n = n.Parent()
	}
	return bytes.Equal(n, zone)
}

// Last returns the name of the last count labels of n, or n if it has no more.
func (n Name) Last(count int) Name {
	for range n.Labels() - count {
		n = n.Parent()
	}
	return n
}

// Common counts the last labels that n and other have in common.
func (n Name) Common(other Name) (count int) {
	a, b := n, other
	for k := max(a.Labels(), b.Labels()); k > 0; k-- {
		a, b = a.Last(k), b.Last(k)
		if bytes.Equal(a, b) {
			return k
		}
	}
	return 0
}

// Labels counts the labels of n, the root not among them.
func (n Name) Labels() int {
	count := 0
	for i := 0; i < len(n) && n[i] != 0; i += 1 + int(n[i]) {
		count++
	}
	return count
}

// readName copies the uncompressed name at the start of b, in lower case, to
// the start of to, and returns its size on the wire.
func readName(to *[MaxName]byte, b []byte) (int, error) {
	i := 0
	for {
		if i >= len(b) {
			return 0, errShort
		}
		size := int(b[i])
		if size == 0 {
			break
		}
		if size > 63 {
			return 0, errPointer
		}
		if i += 1 + size; i >= MaxName {
			return 0, errNameLength
		}
	}
	i++
	for k, c := range b[:i] {
		to[k] = lower(c)
	}
	return i, nil
}
