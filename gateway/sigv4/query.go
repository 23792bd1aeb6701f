package sigv4

import (
	"slices"
	"strings"
)

// eachParameter calls f with each raw name and value of a query, until f returns
// false. As in an HTML form, empty parts say nothing.
func eachParameter(query string, f func(name, value string) bool) {
	for query != "" {
		var part string
		part, query, _ = strings.Cut(query, "&")
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		if !f(name, value) {
			return
		}
	}
}

// decoded undoes the escapes of a query's name or value. A plus is a space, as the
// services read it: were it taken literally here, "%2B" could be replaced by
// "+" without breaking the signature.
func decoded(s string) (string, bool) {
	if !strings.ContainsAny(s, "%+") {
		return s, true
	}
	b, ok := appendDecoded(make([]byte, 0, len(s)), s)
	return string(b), ok
}

func appendDecoded(b []byte, s string) ([]byte, bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '+':
			b = append(b, ' ')
		case '%':
			c, ok := escaped(s, i)
			if !ok {
				return b, false
			}
			b = append(b, c)
			i += 2
		default:
			b = append(b, s[i])
		}
	}
	return b, true
}

// escaped reads the escape at s[i].
func escaped(s string, i int) (byte, bool) {
	if i+2 >= len(s) {
		return 0, false
	}
	high, ok1 := unhex(s[i+1])
	low, ok2 := unhex(s[i+2])
	return high<<4 | low, ok1 && ok2
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

const upperhex = "0123456789ABCDEF"

// unreserved are the bytes that stand for themselves in a canonical request.
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~'
}

func appendByte(b []byte, c byte) []byte {
	if unreserved(c) {
		return append(b, c)
	}
	return append(b, '%', upperhex[c>>4], upperhex[c&15])
}

// span is a parameter within scratch.pairs: its canonical name and value.
type span struct{ start, equals, end int }

// appendQuery appends the canonical query: each name and value decoded and
// encoded anew, in order of the encoded names, then of the encoded values.
func (s *scratch) appendQuery(b []byte, query string, leaveOut func(name []byte) bool) []byte {
	s.pairs, s.spans = s.pairs[:0], s.spans[:0]
	eachParameter(query, func(name, value string) bool {
		start := len(s.pairs)
		s.pairs = appendEncoded(s.pairs, name)
		equals := len(s.pairs)
		if leaveOut != nil && leaveOut(s.pairs[start:equals]) {
			s.pairs = s.pairs[:start]
			return true
		}
		s.pairs = append(s.pairs, '=')
		s.pairs = appendEncoded(s.pairs, value)
		s.spans = append(s.spans, span{start, equals, len(s.pairs)})
		return true
	})
	slices.SortFunc(s.spans, func(x, y span) int {
		if c := slices.Compare(s.pairs[x.start:x.equals], s.pairs[y.start:y.equals]); c != 0 {
			return c
		}
		return slices.Compare(s.pairs[x.equals:x.end], s.pairs[y.equals:y.end])
	})
	for i, p := range s.spans {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, s.pairs[p.start:p.end]...)
	}
	return b
}

// appendEncoded decodes and encodes anew. Parse has refused broken escapes.
func appendEncoded(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch c {
		case '+':
			c = ' '
		case '%':
			c, _ = escaped(s, i)
			i += 2
		}
		b = appendByte(b, c)
	}
	return b
}
