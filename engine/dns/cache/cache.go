// Package cache keeps answers while their TTL lasts, in bounded memory.
package cache

import (
	"hash/maphash"
	"sync"
	"time"

	"sumun.dev/engine/dns"
)

const shards = 32

// A Cache is safe for concurrent use.
type Cache struct {
	seed  maphash.Seed
	shard [shards]shard
}

type shard struct {
	mu     sync.Mutex
	items  map[dns.Key]*item
	ring   []*item // for the clock: a hand passes, and takes what was not used since it last passed
	hand   int
	octets int
	bound  int
}

type item struct {
	key    dns.Key
	answer *dns.Answer
	place  int // in ring
	used   bool
}

// New returns a cache that holds about octets of answers.
func New(octets int) *Cache {
	c := &Cache{seed: maphash.MakeSeed()}
	for i := range c.shard {
		c.shard[i] = shard{items: map[dns.Key]*item{}, bound: octets / shards}
	}
	return c
}

// Get returns the answer to the question, or nil.
func (c *Cache) Get(name dns.Name, qtype uint16, do, cd bool, now time.Time) *dns.Answer {
	s := &c.shard[maphash.Bytes(c.seed, name)%shards]
	s.mu.Lock()
	it := s.items[dns.Key{Name: string(name), Type: qtype, DO: do, CD: cd}]
	if it == nil {
		s.mu.Unlock()
		return nil
	}
	it.used = true
	answer := it.answer
	s.mu.Unlock()
	if answer.Left(now) == 0 {
		return nil // the next Put replaces it, or the clock takes it
	}
	return answer
}

// Put keeps the answer while its TTL lasts. What was asked least recently
// makes room. An answer with TTL 0, or too big for the bound, is not kept.
func (c *Cache) Put(key dns.Key, a *dns.Answer) {
	s := &c.shard[maphash.String(c.seed, key.Name)%shards]
	size := octets(key, a)
	if a.TTL == 0 || size > s.bound {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.items[key]; old != nil {
		s.remove(old)
	}
	for s.octets+size > s.bound {
		s.evict()
	}
	it := &item{key: key, answer: a, place: len(s.ring)}
	s.items[key] = it
	s.ring = append(s.ring, it)
	s.octets += size
}

// octets is what an entry costs: answer, key, item, and its share of map and ring.
func octets(key dns.Key, a *dns.Answer) int { return a.Octets() + len(key.Name) + 160 }

func (s *shard) evict() {
	for {
		if s.hand >= len(s.ring) {
			s.hand = 0
		}
		it := s.ring[s.hand]
		if !it.used {
			s.remove(it)
			return
		}
		it.used = false
		s.hand++
	}
}

func (s *shard) remove(it *item) {
	last := len(s.ring) - 1
	s.ring[it.place] = s.ring[last]
	s.ring[it.place].place = it.place
	s.ring[last] = nil
	s.ring = s.ring[:last]
	delete(s.items, it.key)
	s.octets -= octets(it.key, it.answer)
}

// Len returns how many answers are held, those that are over included.
func (c *Cache) Len() int {
	n := 0
	for i := range c.shard {
		s := &c.shard[i]
		s.mu.Lock()
		n += len(s.items)
		s.mu.Unlock()
	}
	return n
}

// Clear forgets all answers.
func (c *Cache) Clear() {
	for i := range c.shard {
		s := &c.shard[i]
		s.mu.Lock()
		s.items, s.ring, s.hand, s.octets = map[dns.Key]*item{}, nil, 0, 0
		s.mu.Unlock()
	}
}
