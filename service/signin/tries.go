package signin

import (
	"hash/maphash"
	"net/netip"
	"sync"
)

// triesMost is how many attempts are looked at in a minute from one address.
const triesMost = 30

// tries counts the attempts of each address in this minute, on this node. Addresses
// share counters, so that no number of them makes any forgotten.
type tries struct {
	mu     sync.Mutex
	minute int64
	seed   maphash.Seed
	counts [1 << 14]uint8
}

// may reports whether one more attempt is looked at, and counts it. A host has a whole
// /64 of IPv6's addresses.
func (t *tries) may(from netip.Addr, minute int64) bool {
	if from.Is6() && !from.Is4In6() {
		if p, err := from.Prefix(64); err == nil {
			from = p.Addr()
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if minute > t.minute {
		t.minute, t.seed, t.counts = minute, maphash.MakeSeed(), [len(t.counts)]uint8{}
	}
	n := &t.counts[maphash.Comparable(t.seed, from)%uint64(len(t.counts))]
	if *n >= triesMost {
		return false
	}
	*n++
	return true
}
