package pattern

import (
	"bytes"
	"net/netip"
	"slices"
	"sort"
	"strings"
)

// A field turns a value of one path into the predicates that hold for it. All
// patterns that name the path share it. Predicates are numbered over all fields.
type field struct {
	exists   int32            // holds for every value; -1 when nobody asks
	exact    map[string]int32 // strings
	literal  map[string]int32 // numbers, true, false, null
	numbers  map[int64]int32
	ranges   intervals
	blocks   []blocks
	prefix   *trie
	suffix   *trie // backward
	folded   *trie // equals and prefix, over folded text
	foldTail *trie // suffix, backward over folded text
	wild     *trie
}

// blocks are the address blocks of one length.
type blocks struct {
	bits int
	v6   bool
	of   map[netip.Prefix]int32
}

// simplify replaces a wildcard by something cheaper that means the same.
func simplify(c condition) condition {
	if c.kind != kWildcard {
		return c
	}
	s, _ := wildcardSteps(c.text)
	stars := 0
	text := make([]byte, 0, len(s))
	for _, b := range s {
		if b == star {
			stars++
			continue
		}
		text = append(text, byte(b))
	}
	switch {
	case stars == 0:
		return condition{kind: kExact, text: string(text)}
	case stars == 1 && s[len(s)-1] == star:
		return condition{kind: kPrefix, text: string(text)}
	case stars == 1 && s[0] == star:
		return condition{kind: kSuffix, text: string(text)}
	}
	return c
}

// add makes the field recognise a condition that tests one value.
func (f *field) add(c condition, predicate int32) {
	switch c.kind {
	case kExists:
		f.exists = predicate
	case kExact:
		put(&f.exact, c.text, predicate)
	case kLiteral:
		put(&f.literal, c.text, predicate)
	case kNumber:
		put(&f.numbers, c.low, predicate)
	case kRange:
		f.ranges.all = append(f.ranges.all, interval{c.low, c.high, predicate})
	case kCIDR:
		f.addBlock(c.block, predicate)
	case kPrefix:
		n := grow(&f.prefix).add(steps(c.text, false, false))
		n.reached = append(n.reached, predicate)
	case kSuffix:
		n := grow(&f.suffix).add(steps(c.text, false, true))
		n.reached = append(n.reached, predicate)
	case kPrefixFold:
		n := grow(&f.folded).add(steps(c.text, true, false))
		n.reached = append(n.reached, predicate)
	case kEqualFold:
		n := grow(&f.folded).add(steps(c.text, true, false))
		n.ended = append(n.ended, predicate)
	case kSuffixFold:
		n := grow(&f.foldTail).add(steps(c.text, true, true))
		n.reached = append(n.reached, predicate)
	case kWildcard:
		s, _ := wildcardSteps(c.text)
		n := grow(&f.wild).add(s)
		n.ended = append(n.ended, predicate)
	}
}

func put[K comparable](m *map[K]int32, k K, predicate int32) {
	if *m == nil {
		*m = map[K]int32{}
	}
	(*m)[k] = predicate
}

func grow(t **trie) *trie {
	if *t == nil {
		*t = newTrie()
	}
	return *t
}

func (f *field) addBlock(b netip.Prefix, predicate int32) {
	i := slices.IndexFunc(f.blocks, func(x blocks) bool { return x.bits == b.Bits() && x.v6 == b.Addr().Is6() })
	if i < 0 {
		i = len(f.blocks)
		f.blocks = append(f.blocks, blocks{b.Bits(), b.Addr().Is6(), map[netip.Prefix]int32{}})
	}
	f.blocks[i].of[b] = predicate
}

// text appends the predicates that hold for a string.
func (f *field) text(v []byte, hits []int32, r *runner, fold *[]byte) []int32 {
	if f.exists >= 0 {
		hits = append(hits, f.exists)
	}
	if f.exact != nil {
		if p, ok := f.exact[string(v)]; ok {
			hits = append(hits, p)
		}
	}
	if f.blocks != nil {
		hits = f.address(v, hits)
	}
	if f.prefix != nil {
		hits = f.prefix.forward(v, hits)
	}
	if f.suffix != nil {
		hits = f.suffix.backward(v, hits)
	}
	if f.folded != nil || f.foldTail != nil {
		*fold = appendFold((*fold)[:0], v)
		if f.folded != nil {
			hits = f.folded.forward(*fold, hits)
		}
		if f.foldTail != nil {
			hits = f.foldTail.backward(*fold, hits)
		}
	}
	if f.wild != nil {
		hits = r.run(f.wild, v, hits)
	}
	return hits
}

func (f *field) address(v []byte, hits []int32) []int32 {
	a, ok := address(v)
	if !ok {
		return hits
	}
	for _, b := range f.blocks {
		if b.v6 != a.Addr().Is6() {
			continue
		}
		if p, ok := b.of[netip.PrefixFrom(a.Addr(), b.bits).Masked()]; ok {
			hits = append(hits, p)
		}
	}
	return hits
}

// plain appends the predicates that hold for a number, true, false or null.
func (f *field) plain(v []byte, hits []int32) []int32 {
	if f.exists >= 0 {
		hits = append(hits, f.exists)
	}
	if p, ok := f.literal[string(v)]; ok {
		hits = append(hits, p)
	}
	if f.numbers == nil && f.ranges.tree == nil || v[0] > '9' {
		return hits
	}
	n, _, ok := number(v)
	if !ok {
		return hits
	}
	if p, ok := f.numbers[n]; ok {
		hits = append(hits, p)
	}
	return f.ranges.stab(n, hits)
}

// intervals finds the intervals that hold a number, as a segment tree.
type intervals struct {
	all   []interval
	edges []int64
	tree  [][]int32
}

type interval struct {
	low, high int64 // both included
	predicate int32
}

func (s *intervals) build() {
	if len(s.all) == 0 {
		return
	}
	for _, i := range s.all {
		s.edges = append(s.edges, i.low, i.high+1)
	}
	slices.Sort(s.edges)
	s.edges = slices.Compact(s.edges)
	n := len(s.edges)
	s.tree = make([][]int32, 2*n)
	for _, i := range s.all {
		l, _ := slices.BinarySearch(s.edges, i.low)
		r, _ := slices.BinarySearch(s.edges, i.high+1)
		for l, r = l+n, r+n; l < r; l, r = l/2, r/2 {
			if l&1 == 1 {
				s.tree[l] = append(s.tree[l], i.predicate)
				l++
			}
			if r&1 == 1 {
				r--
				s.tree[r] = append(s.tree[r], i.predicate)
			}
		}
	}
	s.all = nil
}

func (s *intervals) stab(v int64, hits []int32) []int32 {
	if s.tree == nil || v < s.edges[0] {
		return hits
	}
	i := sort.Search(len(s.edges), func(i int) bool { return s.edges[i] > v }) - 1
	for i += len(s.edges); i > 0; i /= 2 {
		hits = append(hits, s.tree[i]...)
	}
	return hits
}

// A step is a node of the tree of all paths that patterns name.
type step struct {
	names []string // while they are few
	kids  []*step
	many  map[string]*step
	field int32 // -1 when no pattern tests values here
}

func (s *step) add(name string, field int32) {
	for part := range strings.SplitSeq(name, ".") {
		to := s.to([]byte(part))
		if to == nil {
			to = &step{field: -1}
			s.join(part, to)
		}
		s = to
	}
	s.field = field
}

func (s *step) join(part string, to *step) {
	if s.many != nil {
		s.many[part] = to
		return
	}
	s.names, s.kids = append(s.names, part), append(s.kids, to)
	if len(s.names) <= 12 {
		return
	}
	s.many = map[string]*step{}
	for i, name := range s.names {
		s.many[name] = s.kids[i]
	}
	s.names, s.kids = nil, nil
}

// to follows one step, to nil when no pattern goes there.
func (s *step) to(part []byte) *step {
	if s.many != nil {
		return s.many[string(part)]
	}
	for i, name := range s.names {
		if len(name) == len(part) && name == string(part) {
			return s.kids[i]
		}
	}
	return nil
}

// along follows a key of the event; dots in it count as nesting, since a
// pattern's path is its steps joined by dots.
func (s *step) along(key []byte) *step {
	for s != nil {
		i := bytes.IndexByte(key, '.')
		if i < 0 {
			return s.to(key)
		}
		s, key = s.to(key[:i]), key[i+1:]
	}
	return nil
}
