package resolver

import (
	"net/netip"
	"sync"
)

// shares keep one address from taking all there is.
type shares struct {
	mu    sync.Mutex
	taken map[netip.Addr]int
	all   int
	bound int // for all together
	each  int // for one address
}

func newShares(bound, each int) *shares {
	return &shares{taken: map[netip.Addr]int{}, bound: bound, each: max(1, each)}
}

// take reports whether the address may have one more; then give must follow.
func (s *shares) take(a netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= s.bound || s.taken[a] >= s.each {
		return false
	}
	s.all++
	s.taken[a]++
	return true
}

func (s *shares) give(a netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.taken[a]--; s.taken[a] == 0 {
		delete(s.taken, a)
	}
}
