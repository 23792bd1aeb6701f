package pattern

import "maps"

// A Set matches events against many patterns at once. It is immutable and may
// be used by many goroutines; With and Without make new sets that share most of
// the old one.
type Set[ID comparable] struct {
	base *part[ID]
	gone map[ID]bool // patterns of base that were removed or replaced
	late *part[ID]   // patterns added since base was built
}

// A part is an automaton with the names of its patterns.
type part[ID comparable] struct {
	core     *core
	ids      []ID
	patterns map[ID]*Pattern
}

func newPart[ID comparable](patterns map[ID]*Pattern) *part[ID] {
	p := &part[ID]{patterns: patterns}
	all := make([]*Pattern, 0, len(patterns))
	for id, one := range patterns {
		p.ids = append(p.ids, id)
		all = append(all, one)
	}
	p.core = build(all)
	return p
}

// NewSet builds the automaton of the patterns.
func NewSet[ID comparable](patterns map[ID]*Pattern) *Set[ID] {
	return &Set[ID]{base: newPart(maps.Clone(patterns))}
}

// Len returns the number of patterns.
func (s *Set[ID]) Len() int {
	n := len(s.base.ids) - len(s.gone)
	if s.late != nil {
		n += len(s.late.ids)
	}
	return n
}

// Match appends the names of the patterns that the event matches to dst, in no
// particular order. The error is ErrEvent, and nothing matches, or ErrArrays.
func (s *Set[ID]) Match(event []byte, dst []ID) ([]ID, error) {
	err := s.base.core.match(event, func(rule int32) {
		if id := s.base.ids[rule]; !s.gone[id] {
			dst = append(dst, id)
		}
	})
	if s.late == nil || err == ErrEvent {
		return dst, err
	}
	if lateErr := s.late.core.match(event, func(rule int32) { dst = append(dst, s.late.ids[rule]) }); lateErr != nil {
		err = lateErr
	}
	return dst, err
}

// With returns a set that also has the pattern, in place of one of that name.
func (s *Set[ID]) With(id ID, p *Pattern) *Set[ID] {
	late, gone := s.lately(), s.gone
	late[id] = p
	if s.base.patterns[id] != nil && !gone[id] {
		gone = withKey(gone, id)
	}
	return s.changed(late, gone)
}

// Without returns a set that lacks the pattern.
func (s *Set[ID]) Without(id ID) *Set[ID] {
	late, gone := s.lately(), s.gone
	delete(late, id)
	if s.base.patterns[id] != nil && !gone[id] {
		gone = withKey(gone, id)
	}
	return s.changed(late, gone)
}

func (s *Set[ID]) lately() map[ID]*Pattern {
	late := map[ID]*Pattern{}
	if s.late != nil {
		maps.Copy(late, s.late.patterns)
	}
	return late
}

func withKey[ID comparable](m map[ID]bool, id ID) map[ID]bool {
	all := map[ID]bool{id: true}
	maps.Copy(all, m)
	return all
}

// maxLate is how many changes a set takes before it is built anew: few enough
// that a change costs little, many enough that building is rare.
const maxLate = 128

func (s *Set[ID]) changed(late map[ID]*Pattern, gone map[ID]bool) *Set[ID] {
	if len(late)+len(gone) <= min(maxLate, len(s.base.ids)/2) {
		c := &Set[ID]{base: s.base, gone: gone}
		if len(late) > 0 {
			c.late = newPart(late)
		}
		return c
	}
	all := map[ID]*Pattern{}
	maps.Copy(all, s.base.patterns)
	for id := range gone {
		delete(all, id)
	}
	maps.Copy(all, late)
	return &Set[ID]{base: newPart(all)}
}
