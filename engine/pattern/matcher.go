package pattern

import (
	"slices"
	"unicode/utf8"
)

// A matcher is the memory for matching one event; it is used again and again.
// A mark equal to epoch means "in this event".
type matcher struct {
	core  *core
	event []byte
	at    int
	text  []byte // an unescaped string
	fold  []byte // a folded string
	run   runner

	epoch     uint32
	values    []value
	hits      []int32  // predicates, by value
	heads     []int32  // by field: its first value
	tails     []int32  // by field: its last value
	fieldMark []uint32 // the field has a value
	innerMark []uint32 // the field has a value inside an array element
	predMark  []uint32 // the predicate holds for some value
	slotMark  []uint32 // the slot is satisfied
	ruleMark  []uint32 // the rule matches
	slots     []int32  // the eager slots that are satisfied

	scopes     []scope   // in the order of the event: what is in an element follows it
	ends       []int32   // by array: the first scope behind it
	chosen     []int32   // by array: the element chosen, as scope
	sorted     [][]int32 // by field: its values by scope
	sortedMark []uint32
	budget     int
	gaveUp     bool
}

// A value is one scalar of the event at a path that patterns name.
type value struct {
	field, scope int32
	from, to     int32 // its predicates in hits
	next         int32 // the field's next value, -1 at the end
}

// A scope is an element of an array; scope 0 is the event itself.
type scope struct{ parent, array int32 }

func newMatcher(c *core) *matcher {
	return &matcher{
		core: c, heads: make([]int32, len(c.fields)), tails: make([]int32, len(c.fields)),
		fieldMark: make([]uint32, len(c.fields)), innerMark: make([]uint32, len(c.fields)),
		sorted: make([][]int32, len(c.fields)), sortedMark: make([]uint32, len(c.fields)),
		predMark: make([]uint32, len(c.posts)), slotMark: make([]uint32, len(c.slots)), ruleMark: make([]uint32, c.rules),
	}
}

// begin forgets the last event.
func (m *matcher) begin() {
	m.epoch++
	if m.epoch == 0 {
		for _, marks := range [][]uint32{m.fieldMark, m.innerMark, m.sortedMark, m.predMark, m.slotMark, m.ruleMark} {
			clear(marks)
		}
		m.epoch = 1
	}
	m.values, m.hits, m.slots, m.ends = m.values[:0], m.hits[:0], m.slots[:0], m.ends[:0]
	m.scopes = append(m.scopes[:0], scope{})
	m.budget, m.gaveUp = maxSteps, false
}

// end lets go of the event, and of memory that only a huge one needed.
func (m *matcher) end() {
	const keep = 1 << 16
	m.event = nil
	if cap(m.values) > keep {
		m.values = nil
		clear(m.sorted)
	}
	if cap(m.hits) > keep {
		m.hits = nil
	}
	if cap(m.scopes) > keep {
		m.scopes, m.ends, m.chosen = nil, nil, nil
	}
	if cap(m.text) > keep {
		m.text = nil
	}
	if cap(m.fold) > keep {
		m.fold = nil
	}
}

func (m *matcher) enter(parent, array int32) int32 {
	m.scopes = append(m.scopes, scope{parent, array})
	return int32(len(m.scopes) - 1)
}

// note records a value and marks what it satisfies.
func (m *matcher) note(field, scope int32, v []byte, isText bool) {
	f := m.core.fields[field]
	from := len(m.hits)
	if isText {
		m.hits = f.text(v, m.hits, &m.run, &m.fold)
	} else {
		m.hits = f.plain(v, m.hits)
	}
	at := int32(len(m.values))
	if m.fieldMark[field] != m.epoch {
		m.fieldMark[field], m.heads[field] = m.epoch, at
	} else {
		m.values[m.tails[field]].next = at
	}
	m.tails[field] = at
	m.values = append(m.values, value{field, scope, int32(from), int32(len(m.hits)), -1})
	if scope != 0 {
		m.innerMark[field] = m.epoch
	}
	for _, p := range m.hits[from:] {
		if m.predMark[p] == m.epoch {
			continue
		}
		m.predMark[p] = m.epoch
		for _, s := range m.core.posts[p] {
			if m.slotMark[s] != m.epoch {
				m.slotMark[s] = m.epoch
				m.slots = append(m.slots, s)
			}
		}
	}
}

// satisfied reports whether some value meets the slot. Where array elements
// decide, absence is left to fits.
func (m *matcher) satisfied(id int32) bool {
	if m.slotMark[id] == m.epoch {
		return true
	}
	s := &m.core.slots[id]
	if !s.lazy() {
		return false
	}
	ok := s.absent && (m.fieldMark[s.field] != m.epoch || m.innerMark[s.field] == m.epoch)
	for _, p := range s.any {
		ok = ok || m.predMark[p] == m.epoch
	}
	if !ok && m.fieldMark[s.field] == m.epoch {
		for v := m.heads[s.field]; v >= 0 && !ok; v = m.values[v].next {
			ok = m.meets(s, &m.values[v])
		}
	}
	if ok {
		m.slotMark[id] = m.epoch
	}
	return ok
}

// meets reports whether one value meets the slot.
func (m *matcher) meets(s *slot, v *value) bool {
	hits := m.hits[v.from:v.to]
	if slices.ContainsFunc(hits, func(p int32) bool { return slices.Contains(s.any, p) }) {
		return true
	}
	return slices.ContainsFunc(s.not, func(not []int32) bool {
		return !slices.ContainsFunc(hits, func(p int32) bool { return slices.Contains(not, p) })
	})
}

func appendRune(b []byte, r rune) []byte { return utf8.AppendRune(b, r) }
