package pattern

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
	if len(m.chosen) < int(m.arrays) {
		m.chosen = make([]int32, m.arrays)
	}
	clear(m.chosen[:m.arrays])
	return m.choose(c, 0)
}

// choose meets the slots from i on, given the elements chosen so far.
func (m *matcher) choose(c *compiled, i int) bool {
	if i == len(c.slots) {
		return true
	}
	s := &m.core.slots[c.slots[i]]
	if m.fieldMark[s.field] != m.epoch {
		return s.absent && m.choose(c, i+1)
	}
	missing, last := true, int32(-1)
	for v := m.heads[s.field]; v >= 0; v = m.values[v].next {
		if m.budget--; m.budget < 0 {
			m.gaveUp = true
			return false
		}
		v := &m.values[v]
		if !m.agrees(v.scope) {
			continue
		}
		// Absence is judged against the elements chosen for the fields before,
		// in the order of their names, as Event Ruler does.
		missing = false
		if v.scope == last || !m.meets(s, v) {
			continue
		}
		last = v.scope
		undo := m.take(v.scope)
		if m.choose(c, i+1) {
			return true
		}
		m.undo(undo, v.scope)
		if v.scope == 0 && !c.absent {
			return false // nothing restricts less than the event itself
		}
	}
	return missing && s.absent && m.choose(c, i+1)
}

// agrees reports whether scope contradicts no element chosen so far.
func (m *matcher) agrees(scope int32) bool {
	for ; scope != 0; scope = m.scopes[scope].parent {
		if at := m.chosen[m.scopes[scope].array]; at != 0 && at != scope {
			return false
		}
	}
	return true
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
