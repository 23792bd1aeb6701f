package dns

import (
	"errors"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
)

// A List is an immutable set of domains, compiled for matching: about 35
// octets a name, no allocation and one or two cache misses for a look-up.
// Update makes a new list that shares what did not change. Lists are safe for
// concurrent use. The nil List is empty.
type List struct {
	// layers, oldest first. What the list contains never changes; how it is
	// laid out does, once, when compaction in the background ends.
	layers atomic.Pointer[[]*layer]
	count  int
	line   *lineage
}

// A lineage is what a list and its updates share: one compaction at a time,
// done for the newest.
type lineage struct {
	mu     sync.Mutex
	newest *List
	frozen int // how many of the oldest layers are being joined; 0 when none are
}

// Merging this few entries takes about a millisecond, so that Update does it
// itself; more is left to the background.
const quickMerge = 1 << 13

// NewList compiles domain specifications (see ParseDomain). Repeated ones count
// once. It fails on the first one that is wrong.
func NewList(domains iter.Seq[string]) (*List, error) {
	b := newBuilder()
	for s := range domains {
		if err := b.put(s, 0); err != nil {
			return nil, err
		}
	}
	return listOf(b.layer()), nil
}

func listOf(l *layer) *List {
	list := &List{count: l.size, line: &lineage{}}
	list.layers.Store(&[]*layer{l})
	list.line.newest = list
	return list
}

// Len returns how many domains the list has.
func (l *List) Len() int {
	if l == nil {
		return 0
	}
	return l.count
}

// Match reports whether a domain of the list matches n: n itself, or a wildcard above it.
func (l *List) Match(n Name) bool {
	if l == nil || l.count == 0 || len(n) == 0 {
		return false
	}
	layers := *l.layers.Load()
	if has(layers, n, 0) {
		return true
	}
	var wildAt [2]uint64
	for _, y := range layers {
		wildAt[0] |= y.wildAt[0]
		wildAt[1] |= y.wildAt[1]
	}
	if wildAt == [2]uint64{} {
		return false
	}
	if wildAt[0]&1 != 0 && has(layers, rootName, wildFlag) {
		return true
	}
	k := n.Labels()
	for suffix := n; len(suffix) > 1; {
		suffix = suffix.Parent()
		k--
		if wildAt[k/64&1]&(1<<(k%64)) != 0 && has(layers, suffix, wildFlag) {
			return true
		}
	}
	return false
}

var rootName = Name{0}

// Contains reports whether d itself stands in the list.
func (l *List) Contains(d Domain) bool {
	if l == nil || len(d.Name) == 0 {
		return false
	}
	return has(*l.layers.Load(), d.Name, flagsOf(d))
}

func flagsOf(d Domain) uint32 {
	if d.Wildcard {
		return wildFlag
	}
	return 0
}

func has(layers []*layer, n Name, wild uint32) bool {
	h := hashOf(n)
	for i := len(layers) - 1; i >= 0; i-- {
		if s := layers[i].find(h, n, wild); s != 0 {
			return s&goneFlag == 0
		}
	}
	return false
}

// All yields the domains in no particular order.
func (l *List) All() iter.Seq[Domain] {
	return func(yield func(Domain) bool) {
		if l == nil {
			return
		}
		layers := *l.layers.Load()
		for i, y := range layers {
			for n, flags := range y.entries() {
				if flags&goneFlag != 0 || hidden(layers[i+1:], n, flags&wildFlag) {
					continue
				}
				if !yield(Domain{n, flags&wildFlag != 0}) {
					return
				}
			}
		}
	}
}

// Update returns the list without the domains of remove and with those of add;
// a domain in both is added. Its cost depends on what changes, not on the size
// of the list: the change lies over what was there as a further layer, and a
// goroutine of its own joins the layers when they have become many. Removing
// what is not there is no error.
func (l *List) Update(add, remove []string) (*List, error) {
	if l == nil {
		l = listOf(layerOf(nothing, 0, 0))
	}
	b := newBuilder()
	for _, s := range remove {
		if err := b.put(s, goneFlag); err != nil {
			return nil, err
		}
	}
	for _, s := range add {
		if err := b.put(s, 0); err != nil {
			return nil, err
		}
	}
	line := l.line
	line.mu.Lock()
	defer line.mu.Unlock()
	layers := *l.layers.Load()
	change, grown := b.change(layers)
	if change.size == 0 {
		return l, nil
	}
	layers = append(layers[:len(layers):len(layers)], change)
	for len(layers) > max(2, line.frozen+1) {
		a, b := layers[len(layers)-2], layers[len(layers)-1]
		if a.size+b.size > quickMerge || a.size > 2*b.size {
			break
		}
		layers = append(layers[:len(layers)-2:len(layers)-2], merge(layers[len(layers)-2:], false))
	}
	next := &List{count: l.count + grown, line: line}
	next.layers.Store(&layers)
	line.newest = next
	line.compact(layers)
	return next, nil
}

func nothing(func(Name, uint32) bool) {}

// manyLayers is how many layers a look-up may have to ask before some are joined.
const manyLayers = 8

// compact starts joining layers: all of them when what lies over the bottom
// has grown to a quarter of it, else the upper ones when there are many. The
// caller holds the lock.
func (g *lineage) compact(layers []*layer) {
	if g.frozen > 0 {
		return
	}
	over, from := 0, len(layers)
	for i, y := range slices.Backward(layers[1:]) {
		if y.size <= 2*over+quickMerge {
			from = i + 1
		}
		over += y.size
	}
	switch {
	case over >= quickMerge && over >= layers[0].size/4:
		from = 0
	case len(layers)-from < manyLayers:
		return
	}
	g.frozen = len(layers)
	go func() {
		joined := merge(layers[from:], from == 0)
		g.mu.Lock()
		defer g.mu.Unlock()
		g.frozen = 0
		now := *g.newest.layers.Load()
		if len(now) >= len(layers) && slices.Equal(now[:len(layers)], layers) {
			now = slices.Concat(layers[:from], []*layer{joined}, now[len(layers):])
			g.newest.layers.Store(&now)
		} // else the newest was made from another list meanwhile
		g.compact(now)
	}()
}

// A builder gathers entries of one layer; the last word on a domain counts.
type builder struct {
	arena   []byte // for each entry its flags, then its name
	entries int
}

func newBuilder() *builder { return &builder{} }

var errListSize = errors.New("a domain list holds at most 4 GiB of names")

func (b *builder) put(s string, flags uint32) error {
	d, err := ParseDomain(s)
	if err != nil {
		return err
	}
	if uint64(len(b.arena)) > maxArena {
		return errListSize
	}
	b.arena = append(append(b.arena, byte(flags|flagsOf(d))), d.Name...)
	b.entries++
	return nil
}

func (b *builder) each(yield func(Name, uint32) bool) {
	for i := 0; i < len(b.arena); {
		n := nameAt(b.arena, i+1)
		if !yield(n, uint32(b.arena[i])) {
			return
		}
		i += 1 + len(n)
	}
}

// layer builds a bottom layer.
func (b *builder) layer() *layer {
	l := &layer{arena: make([]byte, 1, 1+len(b.arena)-b.entries), slots: make([]uint64, b.entries+b.entries/3+1)}
	for n, flags := range b.each {
		if l.find(hashOf(n), n, flags) == 0 {
			l.insert(n, flags)
		}
	}
	return l
}

// change builds the layer of what differs from layers, and says by how much
// the list grows.
func (b *builder) change(layers []*layer) (*layer, int) {
	last := map[string]uint32{} // flags and name to what was last said of it
	for n, flags := range b.each {
		last[string(byte(flags&wildFlag))+string(n)] = flags
	}
	grown, octets := 0, 0
	for key, flags := range last {
		there := has(layers, Name(key[1:]), flags&wildFlag)
		switch gone := flags&goneFlag != 0; {
		case there == !gone:
			delete(last, key)
			continue
		case gone:
			grown--
		default:
			grown++
		}
		octets += len(key) - 1
	}
	return layerOf(func(yield func(Name, uint32) bool) {
		for key, flags := range last {
			if !yield(Name(key[1:]), flags) {
				return
			}
		}
	}, len(last), octets), grown
}
