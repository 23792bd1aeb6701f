package dns

import (
	"hash/maphash"
	"iter"
	"math/bits"
)

// seed makes the places of names unpredictable: a hostile feed cannot choose
// names that all fall on one place. It is fixed for the process, so that all
// lists agree on a name's hash.
var seed = maphash.MakeSeed()

func hashOf(n Name) uint64 { return maphash.Bytes(seed, n) }

// A layer is a set of domains, each added or removed, that never changes once
// built: an open-addressed table of 8-octet slots over an arena of names.
// A slot holds where the name stands (32 bits), a fingerprint (30 bits),
// whether it is a wildcard, and whether it is a removal; 0 is empty. Only a
// matching fingerprint makes a look-up touch the arena.
type layer struct {
	slots []uint64
	arena []byte // octet 0 unused, so that no slot of an entry is 0; then the names
	size  int    // entries, removals included
	gone  int    // removals
	// wildAt has a bit for each number of labels that some wildcard has, so
	// that a look-up tries only the suffixes that could match.
	wildAt [2]uint64
}

const (
	goneFlag = 1
	wildFlag = 2
)

// find returns the slot of an entry, or 0.
func (l *layer) find(h uint64, n Name, wild uint32) uint64 {
	if len(l.slots) == 0 {
		return 0
	}
	at, _ := bits.Mul64(h, uint64(len(l.slots)))
	want := uint32(h)<<2 | wild
	for i := int(at); ; {
		s := l.slots[i]
		if s == 0 {
			return 0
		}
		if uint32(s)&^goneFlag == want {
			// Wire names end with a zero octet, hence none is the beginning of another.
			if off := int(s >> 32); len(l.arena)-off >= len(n) && string(l.arena[off:off+len(n)]) == string(n) {
				return s
			}
		}
		if i++; i == len(l.slots) {
			i = 0
		}
	}
}

// entries yields each entry with its flags.
func (l *layer) entries() iter.Seq2[Name, uint32] {
	return func(yield func(Name, uint32) bool) {
		for _, s := range l.slots {
			if s == 0 {
				continue
			}
			if !yield(nameAt(l.arena, int(s>>32)), uint32(s)&(goneFlag|wildFlag)) {
				return
			}
		}
	}
}

func nameAt(arena []byte, off int) Name {
	end := off
	for arena[end] != 0 {
		end += 1 + int(arena[end])
	}
	return Name(arena[off : end+1 : end+1])
}

// maxArena keeps offsets within 32 bits.
const maxArena = 1<<32 - 2*MaxName

// layerOf builds a layer of distinct entries. size and octets are what they
// take, so that nothing is grown.
func layerOf(entries iter.Seq2[Name, uint32], size, octets int) *layer {
	l := &layer{arena: make([]byte, 1, 1+octets)}
	if size > 0 {
		l.slots = make([]uint64, size+size/3+1)
	}
	for n, flags := range entries {
		l.insert(n, flags)
	}
	return l
}

// insert adds an entry that is not there yet. There is always a free slot.
func (l *layer) insert(n Name, flags uint32) {
	h := hashOf(n)
	at, _ := bits.Mul64(h, uint64(len(l.slots)))
	i := int(at)
	for l.slots[i] != 0 {
		if i++; i == len(l.slots) {
			i = 0
		}
	}
	l.slots[i] = uint64(len(l.arena))<<32 | uint64(uint32(h)<<2|flags)
	l.arena = append(l.arena, n...)
	l.size++
	if flags&goneFlag != 0 {
		l.gone++
		return
	}
	if flags&wildFlag != 0 {
		k := n.Labels()
		l.wildAt[k/64] |= 1 << (k % 64)
	}
}

// merge joins layers, oldest first: the newest entry of a domain counts. When
// the oldest is the bottom, removals have nothing left to hide and go too.
func merge(layers []*layer, bottom bool) *layer {
	entries := func(yield func(Name, uint32) bool) {
		for i, l := range layers {
			for n, flags := range l.entries() {
				if bottom && flags&goneFlag != 0 || hidden(layers[i+1:], n, flags&wildFlag) {
					continue
				}
				if !yield(n, flags) {
					return
				}
			}
		}
	}
	size, octets := 0, 0
	for n := range entries {
		size++
		octets += len(n)
	}
	return layerOf(entries, size, octets)
}

// hidden reports whether a newer layer speaks of the domain.
func hidden(newer []*layer, n Name, wild uint32) bool {
	if len(newer) == 0 {
		return false
	}
	h := hashOf(n)
	for _, l := range newer {
		if l.find(h, n, wild) != 0 {
			return true
		}
	}
	return false
}
