package wire

import "sumun.dev/aws"

// Limits bound what a request may make the decoder do. The zero value of a
// field means its default.
type Limits struct {
	Depth    int   // nesting of structures, lists and maps; default 64
	Elements int   // list elements and map entries in all; default 100,000
	Memory   int64 // bytes that lists, maps and structures take up once decoded; default 64 MiB
}

const (
	defaultDepth    = 64
	defaultElements = 100_000
	defaultMemory   = 64 << 20
)

func (l Limits) orDefault() Limits {
	if l.Depth <= 0 {
		l.Depth = defaultDepth
	}
	if l.Elements <= 0 {
		l.Elements = defaultElements
	}
	if l.Memory <= 0 {
		l.Memory = defaultMemory
	}
	return l
}

// A state is what one decoding has used up, where it is, and which required
// scalars it has found missing. Required scalars are Go values, so that their
// absence cannot be seen afterwards.
type state struct {
	limits   Limits
	depth    int
	elements int
	memory   int64
	path     []step
	missing  map[string]bool
}

// A step leads from a value to one inside it.
type step struct {
	member string // of a structure
	index  int    // of a list, from 1
	key    string // of a map
}

func newState(l Limits) state { return state{limits: l.orDefault()} }

// tooMuch is what a body beyond the limits answers.
func tooMuch(what string) error {
	return &aws.Error{Code: codeSerialization, Message: "The request has " + what + "."}
}

func (s *state) enter() error {
	if s.depth++; s.depth > s.limits.Depth {
		return tooMuch("too many levels of nesting")
	}
	return nil
}

func (s *state) leave() { s.depth-- }

// grow accounts for one more element of the given size.
func (s *state) grow(size uintptr) error {
	s.elements++
	s.memory += int64(size) + 16
	if s.elements > s.limits.Elements {
		return tooMuch("too many elements")
	}
	if s.memory > s.limits.Memory {
		return tooMuch("too much content")
	}
	return nil
}

func (s *state) push(st step) { s.path = append(s.path, st) }
func (s *state) pop()         { s.path = s.path[:len(s.path)-1] }

// lacks notes the required scalars of p that are not among seen.
func (s *state) lacks(p *plan, seen uint64) {
	if seen&p.needs == p.needs {
		return
	}
	for _, f := range p.fields {
		if f.need == 0 || seen&f.need != 0 {
			continue
		}
		if s.missing == nil {
			s.missing = map[string]bool{}
		}
		s.missing[pathOf(append(s.path[:len(s.path):len(s.path)], step{member: f.member}))] = true
	}
}
