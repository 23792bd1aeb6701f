package resolver

import (
	"hash/maphash"
	"math/bits"
	"net/netip"
	"sync"

	"sumun.dev/engine/dns"
)

// seen remembers what was logged while its answer lasts: AWS logs a name that
// a host asks for again within the TTL once (Route 53 Developer Guide,
// "Resolver query logging"). Its memory is bounded; what it forgets is logged
// once more.
type seen struct {
	seed  maphash.Seed
	locks [64]sync.Mutex
	slots []memory // in sets of setSize
}

// A memory is the 64-bit mark of a query, and the Unix second when it is over.
// Two queries with one mark would hide each other: with the marks' seed
// unknown that happens once in 2^64.
type memory struct {
	mark uint64
	over int64
}

const (
	setSize  = 4
	seenSets = 1 << 16 // of 64 octets: 4 MiB
)

func newSeen() *seen {
	return &seen{seed: maphash.MakeSeed(), slots: make([]memory, seenSets*setSize)}
}

// mark joins who asked for what, and what came of it: when a rule begins to
// block a name, that is logged at once.
func (s *seen) mark(from netip.Addr, name dns.Name, qtype uint16, rcode int, r *rule) uint64 {
	m := maphash.Bytes(s.seed, name)
	ip := from.As16()
	m = mix(m, maphash.Bytes(s.seed, ip[:]))
	m = mix(m, uint64(qtype)<<16|uint64(rcode))
	if r != nil && r.action != Allow {
		m = mix(m, r.mark)
	}
	return m
}

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xd1b54a32d192ed03)
	return hi ^ lo ^ bits.RotateLeft64(a, 23)
}

// first reports whether the mark is new, and remembers it for ttl seconds.
func (s *seen) first(mark uint64, now int64, ttl uint32) bool {
	if ttl == 0 {
		return true
	}
	at, _ := bits.Mul64(mark, seenSets)
	lock := &s.locks[at%uint64(len(s.locks))]
	lock.Lock()
	defer lock.Unlock()
	set := s.slots[at*setSize : (at+1)*setSize]
	oldest := 0
	for i := range set {
		if set[i].mark == mark && now < set[i].over {
			return false
		}
		if set[i].over < set[oldest].over {
			oldest = i
		}
	}
	set[oldest] = memory{mark, now + int64(ttl)}
	return true
}
