package pattern

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// A core is the automaton of many patterns. It is immutable. Rules are numbers.
type core struct {
	root   *step
	fields []*field // in the order of their names
	posts  [][]int32
	slots  []slot
	tree   []junction
	all    []compiled
	rules  int
	idle   sync.Pool // of *matcher
}

// A slot is what a pattern demands of one field; equal demands share a slot.
type slot struct {
	field  int32
	any    []int32   // one of these predicates holds, or
	not    [][]int32 // none of these holds for some value, or
	absent bool      // there is no value
}

// lazy tells that whether the slot is satisfied does not follow from a
// predicate alone, so it is asked for only where a pattern needs it.
func (s *slot) lazy() bool { return s.absent || len(s.not) > 0 }

// compiled is a conjunction: its slots by field, and whom it belongs to.
type compiled struct {
	rule   int32
	slots  []int32
	absent bool
}

// A junction is a node of the tree of all conjunctions: each leads from the root
// along its slots, the eager ones first, so that patterns which begin alike
// share the way, and an event only goes where all slots so far are satisfied.
type junction struct {
	ends []int32 // conjunctions that are complete here
	kids map[int32]int32
	lazy []turn
	few  []turn // kids again, when they are few
}

type turn struct{ slot, to int32 }

// build compiles the patterns; the number of each is its rule.
func build(patterns []*Pattern) *core {
	b := builder{core: &core{root: &step{field: -1}, tree: make([]junction, 1), rules: len(patterns)},
		fields: map[string]int32{}, predicates: map[string]int32{}, slots: map[string]int32{}}
	b.fieldsOf(patterns)
	for rule, p := range patterns {
		for _, c := range p.all {
			b.conjunction(int32(rule), c)
		}
	}
	return b.finish()
}

type builder struct {
	core       *core
	fields     map[string]int32
	predicates map[string]int32
	slots      map[string]int32
}

func (b *builder) fieldsOf(patterns []*Pattern) {
	var names []string
	for _, p := range patterns {
		for _, c := range p.all {
			for _, f := range c {
				if _, ok := b.fields[f.name]; !ok {
					b.fields[f.name] = 0
					names = append(names, f.name)
				}
			}
		}
	}
	slices.Sort(names)
	for i, name := range names {
		b.fields[name] = int32(i)
		b.core.fields = append(b.core.fields, &field{exists: -1})
		b.core.root.add(name, int32(i))
	}
}

func (b *builder) conjunction(rule int32, c conjunction) {
	whole := compiled{rule: rule}
	for _, f := range c {
		id := b.slot(b.fields[f.name], f.any)
		whole.slots = append(whole.slots, id)
		whole.absent = whole.absent || b.core.slots[id].absent
	}
	b.core.all = append(b.core.all, whole)
	at := int32(0)
	for _, lazy := range []bool{false, true} {
		for _, id := range whole.slots {
			if b.core.slots[id].lazy() == lazy {
				at = b.turn(at, id, lazy)
			}
		}
	}
	end := &b.core.tree[at]
	end.ends = append(end.ends, int32(len(b.core.all)-1))
}

// turn returns the junction behind slot id, made when it is new.
func (b *builder) turn(at, id int32, lazy bool) int32 {
	t := b.core.tree
	// Lazy turns stand in kids too while the tree grows, to be found again.
	if to, ok := t[at].kids[id]; ok {
		return to
	}
	to := int32(len(t))
	b.core.tree = append(t, junction{})
	j := &b.core.tree[at]
	if j.kids == nil {
		j.kids = map[int32]int32{}
	}
	j.kids[id] = to
	if lazy {
		j.lazy = append(j.lazy, turn{id, to})
	}
	return to
}

// slot returns the slot that demands one of the conditions of a field.
func (b *builder) slot(field int32, any []condition) int32 {
	s := slot{field: field}
	for _, c := range any {
		switch c.kind {
		case kAbsent:
			s.absent = true
		case kAnythingBut:
			not := make([]int32, 0, len(c.not))
			for _, n := range c.not {
				not = append(not, b.predicate(field, n))
			}
			s.not = append(s.not, sorted(not))
		default:
			s.any = append(s.any, b.predicate(field, c))
		}
	}
	s.any = sorted(s.any)
	slices.SortFunc(s.not, slices.Compare[[]int32])
	key := fmt.Sprint(s)
	if id, ok := b.slots[key]; ok {
		return id
	}
	id := int32(len(b.core.slots))
	b.slots[key] = id
	b.core.slots = append(b.core.slots, s)
	if !s.lazy() {
		for _, p := range s.any {
			b.core.posts[p] = append(b.core.posts[p], id)
		}
	}
	return id
}

func sorted(p []int32) []int32 {
	slices.Sort(p)
	return slices.Compact(p)
}

func (b *builder) predicate(field int32, c condition) int32 {
	c = simplify(c)
	var key strings.Builder
	fmt.Fprintf(&key, "%d ", field)
	c.writeKey(&key)
	if p, ok := b.predicates[key.String()]; ok {
		return p
	}
	p := int32(len(b.core.posts))
	b.predicates[key.String()] = p
	b.core.posts = append(b.core.posts, nil)
	b.core.fields[field].add(c, p)
	return p
}

// finish makes what only a complete automaton can have.
func (b *builder) finish() *core {
	for _, f := range b.core.fields {
		f.ranges.build()
	}
	for i := range b.core.tree {
		j := &b.core.tree[i]
		for _, l := range j.lazy {
			delete(j.kids, l.slot)
		}
		if len(j.kids) > 8 {
			continue
		}
		for id, to := range j.kids {
			j.few = append(j.few, turn{id, to})
		}
		j.kids = nil
	}
	return b.core
}

// match calls found with each rule that the event matches.
func (c *core) match(event []byte, found func(rule int32)) error {
	m, ok := c.idle.Get().(*matcher)
	if !ok {
		m = newMatcher(c)
	}
	defer c.idle.Put(m)
	defer m.end()
	m.begin()
	m.core = c
	if !m.scan(event) {
		return ErrEvent
	}
	m.walk(0, found)
	if m.gaveUp {
		return ErrArrays
	}
	return nil
}

// walk visits the junctions whose slots are all satisfied. Where a junction has
// more ways than the event has satisfied slots, the slots are looked up in it.
func (m *matcher) walk(at int32, found func(rule int32)) {
	j := &m.core.tree[at]
	for _, id := range j.ends {
		c := &m.core.all[id]
		if m.ruleMark[c.rule] != m.epoch && m.fits(c) {
			m.ruleMark[c.rule] = m.epoch
			found(c.rule)
		}
	}
	for _, t := range j.few {
		if m.slotMark[t.slot] == m.epoch {
			m.walk(t.to, found)
		}
	}
	switch {
	case len(j.kids) == 0:
	case len(j.kids) < len(m.slots):
		for id, to := range j.kids {
			if m.slotMark[id] == m.epoch {
				m.walk(to, found)
			}
		}
	default:
		for _, id := range m.slots {
			if to, ok := j.kids[id]; ok {
				m.walk(to, found)
			}
		}
	}
	for _, t := range j.lazy {
		if m.satisfied(t.slot) {
			m.walk(t.to, found)
		}
	}
}
