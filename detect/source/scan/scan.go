// Package scan reads plain JSON as fast as logs come.
//
// It is for what most records look like. Whatever is not plain (an escaped name, a
// byte that is no UTF-8, nesting beyond what logs have) and whatever is no JSON at
// all, it declines, by a negative position: then a reader of all JSON looks at it.
// Positions are indices into the bytes that are read.
package scan

import (
	"encoding/binary"
	"math/bits"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// No is the position that says that something is not plain, no JSON, or ends
// beyond the bytes at hand.
const No = -1

// Space goes over white space.
func Space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// Bytes that end the quick way through a string.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// String goes over the string at i. ascii says that it holds neither escapes nor
// bytes beyond ASCII.
func String(b []byte, i int) (end int, ascii bool) {
	if i >= len(b) || b[i] != '"' {
		return No, false
	}
	i++
	ascii = true
	for {
		// Eight bytes at once, up to a quote, a backslash, a control character or
		// one beyond ASCII.
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			quote, slash := w^(ones*'"'), w^(ones*'\\')
			found := (w | (w - ones*0x20) | (quote - ones) | (slash - ones)) & highs
			// Where w has no high bits, what is found first is exact: what a
			// subtraction borrows spoils only the bytes above it.
			if found == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(found) / 8
			break
		}
		for {
			if i >= len(b) {
				return No, false
			}
			c := b[i]
			if c == '"' {
				return i + 1, ascii
			}
			if c == '\\' {
				ascii = false
				if i = escape(b, i); i < 0 {
					return No, false
				}
				break
			}
			if c < 0x20 {
				return No, false
			}
			if i++; c >= 0x80 {
				ascii = false
				break
			}
			if i+8 <= len(b) {
				break
			}
		}
	}
}

// escape goes over what follows a backslash.
func escape(b []byte, i int) int {
	if i+1 >= len(b) {
		return No
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if i+6 > len(b) {
			return No
		}
		for _, c := range b[i+2 : i+6] {
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return No
			}
		}
		return i + 6
	}
	return No
}

// Name goes over the name of a member and the colon behind it. One with escapes
// or beyond ASCII is declined.
func Name(b []byte, i int) (name []byte, end int) {
	end, ascii := String(b, i)
	if end < 0 || !ascii {
		return nil, No
	}
	name = b[i+1 : end-1]
	if end = Space(b, end); end >= len(b) || b[end] != ':' {
		return nil, No
	}
	return name, Space(b, end+1)
}

// Text reads a string; null is the empty one. It lies in b, or in memory of its own
// when it had escapes.
func Text(b []byte, i int) (text []byte, end int) {
	end, ascii := String(b, i)
	switch {
	case end < 0:
		return nil, Literal(b, i, "null")
	case ascii:
		return b[i+1 : end-1], end
	case !utf8.Valid(b[i:end]):
		return nil, No
	}
	text, err := jsontext.AppendUnquote(nil, b[i:end])
	if err != nil {
		return nil, No
	}
	return text, end
}

// Literal goes over a word: null, true or false.
func Literal(b []byte, i int, word string) int {
	if i < 0 || len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
		return No
	}
	return i + len(word)
}

// deepest is how far values may nest: what nests deeper is declined.
const deepest = 64

// Value goes over any value.
func Value(b []byte, i int) int {
	var objects uint64 // a bit for each level: whether it is an object
	depth := 0
	for {
		if i < 0 || i >= len(b) {
			return No
		}
		switch c := b[i]; c {
		case '"':
			i, _ = String(b, i)
		case '{', '[':
			if depth == deepest {
				return No
			}
			objects <<= 1
			depth++
			close := byte(']')
			if c == '{' {
				objects |= 1
				close = '}'
			}
			if i = Space(b, i+1); i >= len(b) {
				return No
			}
			if b[i] != close {
				if c == '{' {
					i = member(b, i)
				}
				continue
			}
			i++
			objects >>= 1
			depth--
		case 'n':
			i = Literal(b, i, "null")
		case 't':
			i = Literal(b, i, "true")
		case 'f':
			i = Literal(b, i, "false")
		default:
			i = number(b, i)
		}
		// A value is done; so may be what it stands in.
		for {
			if i < 0 || depth == 0 {
				return i
			}
			if i = Space(b, i); i >= len(b) {
				return No
			}
			if b[i] == ',' {
				if i = Space(b, i+1); objects&1 == 1 {
					i = member(b, i)
				}
				break
			}
			if close := byte(']' + objects&1*('}'-']')); b[i] != close {
				return No
			}
			i++
			objects >>= 1
			depth--
		}
	}
}

// member goes over a name, whatever it is, and its colon.
func member(b []byte, i int) int {
	i, _ = String(b, i)
	if i < 0 {
		return No
	}
	if i = Space(b, i); i >= len(b) || b[i] != ':' {
		return No
	}
	return Space(b, i+1)
}

// number goes over a number: RFC 8259, section 6. One at the very end of b may go
// on behind it.
func number(b []byte, i int) int {
	if i < len(b) && b[i] == '-' {
		i++
	}
	switch {
	case i >= len(b):
		return No
	case b[i] == '0':
		i++
	default:
		if i = digits(b, i); i < 0 {
			return No
		}
	}
	if i < len(b) && b[i] == '.' {
		if i = digits(b, i+1); i < 0 {
			return No
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if i = digits(b, i); i < 0 {
			return No
		}
	}
	return i
}

func digits(b []byte, i int) int {
	from := i
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	if i == from {
		return No
	}
	return i
}

// Time reads a time as logs write it, 2026-01-31T10:00:00Z. Other forms, and what
// is no time, it declines.
func Time(b []byte) (t time.Time, ok bool) {
	if len(b) != 20 || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' || b[19] != 'Z' {
		return t, false
	}
	year, ok1 := two(b, 0)
	year2, ok2 := two(b, 2)
	month, ok3 := two(b, 5)
	day, ok4 := two(b, 8)
	hour, ok5 := two(b, 11)
	minute, ok6 := two(b, 14)
	second, ok7 := two(b, 17)
	// Days that not every month has are left to others.
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && ok7) || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	t = time.Date(100*year+year2, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t, t.Day() == day
}

func two(b []byte, i int) (int, bool) {
	high, low := b[i]-'0', b[i+1]-'0'
	return int(high)*10 + int(low), high < 10 && low < 10
}
