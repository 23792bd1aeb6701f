package pattern

import (
	"encoding/binary"
	"math/bits"
)

// scan reads an event and notes the values of the fields that patterns name,
// each with the predicates that hold for it. It reports whether the event is a
// JSON object within the limits.
func (m *matcher) scan(event []byte) bool {
	if len(event) > MaxEvent {
		return false
	}
	m.event, m.at = event, 0
	m.space()
	if m.at == len(event) || event[m.at] != '{' || !m.value(m.core.root, 0, 0) {
		return false
	}
	m.space()
	return m.at == len(event)
}

func (m *matcher) space() {
	for m.at < len(m.event) {
		switch m.event[m.at] {
		case ' ', '\t', '\r', '\n':
			m.at++
		default:
			return
		}
	}
}

// peek returns the next byte behind white space, 0 at the end.
func (m *matcher) peek() byte {
	m.space()
	if m.at == len(m.event) {
		return 0
	}
	return m.event[m.at]
}

// value reads a value that stands at step s, nil when no pattern looks there.
func (m *matcher) value(s *step, scope int32, depth int) bool {
	if depth > MaxDepth {
		return false
	}
	switch c := m.peek(); {
	case c == '{':
		return m.object(s, scope, depth)
	case c == '[':
		return m.array(s, scope, depth)
	case c == '"':
		v, ok := m.string()
		if ok && s != nil && s.field >= 0 {
			m.note(s.field, scope, v, true)
		}
		return ok
	default:
		v := m.event[m.at : m.at+m.plainLen(c)]
		m.at += len(v)
		if len(v) > 0 && s != nil && s.field >= 0 {
			m.note(s.field, scope, v, false)
		}
		return len(v) > 0
	}
}

// plainLen returns the length of the number, true, false or null here.
func (m *matcher) plainLen(c byte) int {
	word := ""
	switch c {
	case 't':
		word = "true"
	case 'f':
		word = "false"
	case 'n':
		word = "null"
	default:
		return numberLen(m.event[m.at:])
	}
	rest := m.event[m.at:]
	if len(rest) < len(word) || string(rest[:len(word)]) != word {
		return 0
	}
	return len(word)
}

func (m *matcher) object(s *step, scope int32, depth int) bool {
	m.at++
	if m.peek() == '}' {
		m.at++
		return true
	}
	for {
		if m.peek() != '"' {
			return false
		}
		key, ok := m.string()
		if !ok {
			return false
		}
		to := s.along(key)
		if m.peek() != ':' {
			return false
		}
		m.at++
		if !m.value(to, scope, depth+1) {
			return false
		}
		switch m.peek() {
		case ',':
			m.at++
		case '}':
			m.at++
			return true
		default:
			return false
		}
	}
}

func (m *matcher) array(s *step, scope int32, depth int) bool {
	m.at++
	if m.peek() == ']' {
		m.at++
		return true
	}
	if s == nil {
		return m.elements(nil, scope, 0, depth)
	}
	array := int32(len(m.ends))
	m.ends = append(m.ends, 0)
	ok := m.elements(s, scope, array, depth)
	m.ends[array] = int32(len(m.scopes))
	return ok
}

func (m *matcher) elements(s *step, scope, array int32, depth int) bool {
	for {
		in := scope
		if c := m.peek(); s != nil && (c == '{' || c == '[') {
			// What stands in this element may only be matched together with
			// what stands in the same one.
			in = m.enter(scope, array)
		}
		if !m.value(s, in, depth+1) {
			return false
		}
		switch m.peek() {
		case ',':
			m.at++
		case ']':
			m.at++
			return true
		default:
			return false
		}
	}
}

// string reads a string; the result is valid until the next call.
func (m *matcher) string() ([]byte, bool) {
	m.at++
	b, from := m.event, m.at
	for i := plainPrefix(b, from); i < len(b); i++ {
		c := b[i]
		if c == '"' {
			m.at = i + 1
			return b[from:i], true
		}
		if c == '\\' {
			return m.escaped(from, i)
		}
		if c < ' ' {
			return nil, false
		}
	}
	return nil, false
}

// plainPrefix skips, eight bytes at a time, what needs no attention in a string:
// no quote, backslash or control character. It returns where to look closer.
func plainPrefix(b []byte, i int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, slash := w^('"'*ones), w^('\\'*ones)
		if special := ((w - ' '*ones) &^ w) | ((quote - ones) &^ quote) | ((slash - ones) &^ slash); special&tops != 0 {
			return i + bits.TrailingZeros64(special&tops)/8
		}
	}
	return i
}

func (m *matcher) escaped(from, i int) ([]byte, bool) {
	b := m.event
	m.text = append(m.text[:0], b[from:i]...)
	for i < len(b) {
		switch c := b[i]; {
		case c == '"':
			m.at = i + 1
			return m.text, true
		case c == '\\':
			r, n := unescape(b[i:])
			if n == 0 {
				return nil, false
			}
			m.text = appendRune(m.text, r)
			i += n
		case c < ' ':
			return nil, false
		default:
			m.text = append(m.text, c)
			i++
		}
	}
	return nil, false
}
