package pattern

import (
	"cmp"
	"slices"
	"sort"
)

// maxSteps bounds the search for a consistent choice of array elements over all
// patterns of one event. Whether one exists is as hard as satisfying a Boolean
// formula when the event has many arrays.
const maxSteps = 1 << 21

// fits reports whether the satisfied slots of c can be met by values that agree
// on the element of every array they stand in: EventBridge does not match one
// field in one element and the next field in another ("Arrays in event
// patterns"; Event Ruler, "JSON Array Matching").
func (m *matcher) fits(c *compiled) bool {
	inner := 0
	for _, id := range c.slots {
		if m.innerMark[m.core.slots[id].field] == m.epoch {
			inner++
		}
	}
	if inner == 0 || inner == 1 && !c.absent {
		return true
	}
	if len(m.chosen) < len(m.ends) {
		m.chosen = make([]int32, len(m.ends))
	}
	return m.choose(c, 0)
}

// choose meets the slots from i on, given the elements chosen so far, and
// leaves those as they were.
func (m *matcher) choose(c *compiled, i int) bool {
	if i == len(c.slots) {
		return true
	}
	s := &m.core.slots[c.slots[i]]
	if m.fieldMark[s.field] != m.epoch {
		return s.absent && m.choose(c, i+1)
	}
	missing, last := true, int32(-1)
	values := m.byScope(s.field)
	for n := 0; n < len(values); {
		if m.budget--; m.budget < 0 {
			m.gaveUp = true
			return false
		}
		v := &m.values[values[n]]
		if from := m.contradicts(v.scope); from != 0 {
			n += sort.Search(len(values)-n, func(k int) bool { return m.values[values[n+k]].scope >= from })
			continue
		}
		n++
		// Absence is judged against the elements chosen for the fields before,
		// in the order of their names, as Event Ruler does.
		missing = false
		if v.scope == last || !m.meets(s, v) {
			continue
		}
		last = v.scope
		undo := m.take(v.scope)
		ok := m.choose(c, i+1)
		m.undo(undo, v.scope)
		if ok {
			return true
		}
		if v.scope == 0 && !c.absent {
			return false // nothing restricts less than the event itself
		}
	}
	return missing && s.absent && m.choose(c, i+1)
}

// byScope returns the values of a field in the order of their scopes.
func (m *matcher) byScope(field int32) []int32 {
	if m.sortedMark[field] == m.epoch {
		return m.sorted[field]
	}
	all := m.sorted[field][:0]
	for v := m.heads[field]; v >= 0; v = m.values[v].next {
		all = append(all, v)
	}
	slices.SortStableFunc(all, func(a, b int32) int { return cmp.Compare(m.values[a].scope, m.values[b].scope) })
	m.sorted[field], m.sortedMark[field] = all, m.epoch
	return all
}

// contradicts returns 0 when scope lies in no other element than those chosen
// so far. Otherwise it returns the next scope that may not: the element chosen
// of that array, or what follows the array.
func (m *matcher) contradicts(scope int32) (from int32) {
	for s := scope; s != 0; s = m.scopes[s].parent {
		array := m.scopes[s].array
		switch at := m.chosen[array]; {
		case at == 0 || at == s:
		case scope < at:
			from = at
		default:
			from = m.ends[array]
		}
	}
	return from
}

// take chooses scope and the elements around it, and returns the outermost
// scope that was already chosen, where undo stops.
func (m *matcher) take(scope int32) int32 {
	for ; scope != 0; scope = m.scopes[scope].parent {
		at := &m.chosen[m.scopes[scope].array]
		if *at != 0 {
			return scope
		}
		*at = scope
	}
	return 0
}

func (m *matcher) undo(until, scope int32) {
	for ; scope != until; scope = m.scopes[scope].parent {
		m.chosen[m.scopes[scope].array] = 0
	}
}
