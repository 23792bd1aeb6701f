package kms

import (
	"maps"
	"strings"
	"sync"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// What is held ready: keys, keys with their grants, and grantees of one key. A full
// map is begun anew, as what is used all the time is soon there again.
const (
	knownMost    = 20_000
	granteesMost = 2_000
)

// A spot is where a key is: its place and "key/ID".
type spot struct {
	place    store.Place
	resource string
}

func spotOf(arn aws.ARN) spot {
	return spot{store.Place{Account: arn.Account, Region: arn.Region}, arn.Resource}
}

// known is what of keys and grants is in memory, until the store tells that it has
// changed, on this node or another.
type known struct {
	mu      sync.RWMutex
	keys    map[spot]*ready
	aliases map[spot]string // ids of keys
	grants  map[spot]*keyGrants
	version uint64 // grows with every change, so that what was read before it is not kept
}

func newKnown(s *store.Store) *known {
	k := &known{keys: map[spot]*ready{}, aliases: map[spot]string{}, grants: map[spot]*keyGrants{}}
	s.Watch("kms.keys", func(c store.Change) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.version++
		if c.ID == "" {
			clear(k.keys)
			return
		}
		delete(k.keys, spot{c.Place, "key/" + c.ID})
	})
	// A key's conditions tell its aliases, and a change does not tell whose the alias
	// was. Aliases change rarely, so all of the place begins anew.
	s.Watch("kms.aliases", func(c store.Change) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.version++
		maps.DeleteFunc(k.aliases, func(at spot, _ string) bool { return c.ID == "" || at.place == c.Place })
		maps.DeleteFunc(k.keys, func(at spot, _ *ready) bool { return c.ID == "" || at.place == c.Place })
	})
	s.Watch("kms.grants", func(c store.Change) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.version++
		if c.ID == "" {
			clear(k.grants)
			return
		}
		id, _, _ := strings.Cut(c.ID, "/")
		delete(k.grants, spot{c.Place, "key/" + id})
	})
	return k
}

// recall returns what one of k's maps has at a spot, and the version at which that
// was asked.
func recall[T any](k *known, from map[spot]T, at spot) (T, uint64) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return from[at], k.version
}

// remember puts into one of k's maps what was read after recall told version, unless
// something has changed since.
func remember[T any](k *known, into map[spot]T, version uint64, at spot, v T) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.version != version {
		return
	}
	if len(into) >= knownMost {
		clear(into)
	}
	into[at] = v
}
