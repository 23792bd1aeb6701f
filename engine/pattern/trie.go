package pattern

import (
	"unicode"
	"unicode/utf8"
)

// A trie is an automaton over bytes: from each node a byte leads on, and a star
// leads to a node that stays active whatever comes. Without stars it is
// deterministic.
type trie struct {
	nodes []node
	stars bool
}

type node struct {
	keys    []byte
	kids    []int32
	table   []int32 // for nodes with many kids: by byte, 0 for none
	star    int32   // 0 for none
	loops   bool    // reached by a star
	reached []int32 // predicates that hold once a value comes here
	ended   []int32 // predicates that hold when a value ends here
}

func newTrie() *trie { return &trie{nodes: make([]node, 1)} }

// add makes the path of the steps and returns its last node.
func (t *trie) add(steps []int16) *node {
	at := int32(0)
	for _, s := range steps {
		if s == star {
			at = t.addStar(at)
			continue
		}
		at = t.addByte(at, byte(s))
	}
	return &t.nodes[at]
}

func (t *trie) addStar(at int32) int32 {
	if t.nodes[at].star == 0 {
		t.stars = true
		t.nodes = append(t.nodes, node{loops: true})
		t.nodes[at].star = int32(len(t.nodes) - 1)
	}
	return t.nodes[at].star
}

func (t *trie) addByte(at int32, c byte) int32 {
	if to := t.nodes[at].next(c); to != 0 {
		return to
	}
	t.nodes = append(t.nodes, node{})
	to := int32(len(t.nodes) - 1)
	n := &t.nodes[at]
	if n.table != nil {
		n.table[c] = to
		return to
	}
	n.keys, n.kids = append(n.keys, c), append(n.kids, to)
	if len(n.keys) > 8 {
		n.table = make([]int32, 256)
		for i, k := range n.keys {
			n.table[k] = n.kids[i]
		}
		n.keys, n.kids = nil, nil
	}
	return to
}

func (n *node) next(c byte) int32 {
	if n.table != nil {
		return n.table[c]
	}
	for i, k := range n.keys {
		if k == c {
			return n.kids[i]
		}
	}
	return 0
}

// steps turns text into the steps of a trie.
func steps(text string, fold, backward bool) []int16 {
	b := []byte(text)
	if fold {
		b = appendFold(nil, b)
	}
	s := make([]int16, len(b))
	for i, c := range b {
		if backward {
			i = len(b) - 1 - i
		}
		s[i] = int16(c)
	}
	return s
}

// foldRune gives one rune for both cases. Only true pairs fold together, as in
// Event Ruler, which accepts the upper and the lower case of each character.
func foldRune(r rune) rune {
	if low := unicode.ToLower(r); low != r && unicode.ToUpper(low) == r {
		return low
	}
	return r
}

func appendFold(dst, b []byte) []byte {
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, c)
		} else {
			dst = utf8.AppendRune(dst, foldRune(r))
		}
		i += n
	}
	return dst
}

// forward runs a trie without stars over v and appends what holds.
func (t *trie) forward(v []byte, hits []int32) []int32 {
	n := &t.nodes[0]
	hits = append(hits, n.reached...)
	for _, c := range v {
		to := n.next(c)
		if to == 0 {
			return hits
		}
		n = &t.nodes[to]
		hits = append(hits, n.reached...)
	}
	return append(hits, n.ended...)
}

// backward is forward from the end of v.
func (t *trie) backward(v []byte, hits []int32) []int32 {
	n := &t.nodes[0]
	hits = append(hits, n.reached...)
	for i := len(v) - 1; i >= 0; i-- {
		to := n.next(v[i])
		if to == 0 {
			return hits
		}
		n = &t.nodes[to]
		hits = append(hits, n.reached...)
	}
	return append(hits, n.ended...)
}

// A runner is the memory for running a trie with stars.
type runner struct {
	active, coming []int32
	mark           []uint32 // by node: the tick at which it became active
	tick           uint32
}

// run runs a trie with stars over v and appends what holds at its end.
func (r *runner) run(t *trie, v []byte, hits []int32) []int32 {
	if len(r.mark) < len(t.nodes) {
		r.mark, r.tick = make([]uint32, len(t.nodes)), 0
	}
	r.active = r.active[:0]
	r.step()
	r.active = r.enter(t, r.active, 0)
	for _, c := range v {
		if len(r.active) == 0 {
			return hits
		}
		r.step()
		r.coming = r.coming[:0]
		for _, at := range r.active {
			n := &t.nodes[at]
			if n.loops {
				r.coming = r.enter(t, r.coming, at)
			}
			if to := n.next(c); to != 0 {
				r.coming = r.enter(t, r.coming, to)
			}
		}
		r.active, r.coming = r.coming, r.active
	}
	for _, at := range r.active {
		hits = append(hits, t.nodes[at].ended...)
	}
	return hits
}

func (r *runner) step() {
	r.tick++
	if r.tick == 0 {
		clear(r.mark)
		r.tick = 1
	}
}

// enter makes a node active, and the one behind its star.
func (r *runner) enter(t *trie, to []int32, at int32) []int32 {
	for r.mark[at] != r.tick {
		r.mark[at] = r.tick
		to = append(to, at)
		if t.nodes[at].star == 0 {
			break
		}
		at = t.nodes[at].star
	}
	return to
}
