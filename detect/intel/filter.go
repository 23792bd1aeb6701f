package intel

import (
	"slices"

	"sumun.dev/engine/dns"
)

// A Look is a name that is looked up in many lists: what it lies below, hashed once.
// The zero Look is ready. It is not safe for concurrent use.
type Look struct {
	name   dns.Name
	hashes [128]uint64 // of the name and of what it lies below, the top-level domain first
	n      int
	kinds  []Kind // of lists that may have something for the name
}

// take begins to look a name up.
func (k *Look) take(n dns.Name) {
	k.name, k.n, k.kinds = n, 0, k.kinds[:0]
	var starts [128]uint8
	labels := 0
	for i := 0; i < len(n) && n[i] > 0 && labels < len(starts); i += int(n[i]) + 1 {
		starts[labels] = uint8(i)
		labels++
	}
	h := uint64(14695981039346656037)
	for i := labels - 1; i >= 0; i-- {
		from := int(starts[i])
		for _, c := range n[from : from+int(n[from])+1] {
			h = (h ^ uint64(c)) * 1099511628211
		}
		k.hashes[k.n] = h
		k.n++
	}
}

// is reports whether it is n that is looked up.
func (k *Look) is(n dns.Name) bool {
	return k != nil && len(n) > 0 && len(k.name) == len(n) && &k.name[0] == &n[0]
}

// A filter tells quickly that neither a name nor anything that it lies below is in a
// list; it may be wrong when it says otherwise.
type filter []uint64

// newFilter makes the filter of a list: 16 bits a domain.
func newFilter(l *dns.List) filter {
	words := 16
	for words*4 < l.Len() {
		words *= 2
	}
	f := make(filter, words)
	var k Look
	for d := range l.All() {
		k.take(d.Name)
		if k.n == 0 {
			return nil // the root: everything lies below it
		}
		word, bits := f.at(k.hashes[k.n-1])
		f[word] |= bits
	}
	return f
}

// at returns the bits of a hash, all in one word.
func (f filter) at(h uint64) (word int, bits uint64) {
	h ^= h >> 32
	h *= 0x9e3779b97f4a7c15
	return int(h >> 20 & uint64(len(f)-1)), 1<<(h>>58) | 1<<(h>>52&63)
}

// may reports whether the list may have something for the name.
func (f filter) may(k *Look) bool {
	if f == nil {
		return true
	}
	for _, h := range k.hashes[:k.n] {
		if word, bits := f.at(h); f[word]&bits == bits {
			return true
		}
	}
	return false
}

// ask notes which kinds of list may have something for the name.
func (k *Look) ask(lists []*List) {
	for _, l := range lists {
		if l.domains != nil && l.quick.may(k) && !slices.Contains(k.kinds, l.Kind) {
			k.kinds = append(k.kinds, l.Kind)
		}
	}
}
