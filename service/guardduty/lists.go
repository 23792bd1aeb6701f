package guardduty

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"sumun.dev/detect/intel"
	"sumun.dev/store"
)

// loaded remembers which places' lists the book has, and what the sets were
// compiled to.
type loaded struct {
	mu       sync.Mutex
	places   map[store.Place]store.Place         // whose sets the book has for a place: the administrator's for its members
	compiled map[store.Place]map[string]compiled // of whose sets, by the set's id
}

type compiled struct {
	version int
	name    string
	list    *intel.List
}

// changed notes that the sets of a place, or whose they are, are not what the book
// says. It is called after commits here and on other nodes.
func (l *loaded) changed(c store.Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.Place == (store.Place{}) {
		clear(l.places)
		return
	}
	for place, of := range l.places {
		if place == c.Place || of == c.Place {
			delete(l.places, place)
		}
	}
}

// compileTimeout ends reading a place's sets; the records that wait come again.
const compileTimeout = time.Minute

// listsOf returns what counts in a place. After a change it compiles the sets
// that are new before it answers, so that a change counts for the first record
// that comes after it.
func (s *Service) listsOf(place store.Place) (intel.Lists, error) {
	l := &s.loaded
	l.mu.Lock()
	_, done := l.places[place]
	if !done {
		l.places[place] = place // what changes from now on is not missed
	}
	l.mu.Unlock()
	if done {
		return s.book.At(place), nil
	}
	lists, err := s.compileFor(place)
	if err != nil {
		l.changed(store.Change{Place: place})
		return intel.Lists{}, err
	}
	s.book.Own(place, lists...)
	return s.book.At(place), nil
}

// compileFor makes the lists that count in a place: the account's own, or those of
// the account that administers it. It reads outside of any unit of work: what
// records are judged by is no part of one.
func (s *Service) compileFor(place store.Place) ([]*intel.List, error) {
	ctx, cancel := context.WithTimeout(context.Background(), compileTimeout)
	defer cancel()
	h, err := s.heads.In(place).Get(ctx, headKey)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return s.compile(ctx, place)
	case err != nil:
		return nil, err
	}
	of := store.Place{Account: h.Administrator, Region: place.Region}
	s.loaded.mu.Lock()
	if _, still := s.loaded.places[place]; still {
		s.loaded.places[place] = of
	}
	s.loaded.mu.Unlock()
	return s.compile(ctx, of)
}

// compile makes the lists of a place's active sets, as committed.
func (s *Service) compile(ctx context.Context, place store.Place) ([]*intel.List, error) {
	var lists []*intel.List
	s.loaded.mu.Lock()
	was, is := s.loaded.compiled[place], map[string]compiled{}
	s.loaded.mu.Unlock()
	for _, k := range setKinds() {
		for e, err := range s.sets.In(place).All(ctx, k.path+":") {
			if err != nil {
				return nil, err
			}
			if !e.Value.Active || e.Value.Problem != "" {
				continue
			}
			c, ok := was[e.Value.ID]
			if !ok || c.version != e.Value.Version || c.name != e.Value.Name {
				list, err := s.compileSet(ctx, place, k, e.Value)
				if err != nil {
					return nil, err
				}
				c = compiled{e.Value.Version, e.Value.Name, list}
			}
			is[e.Value.ID] = c
			lists = append(lists, c.list)
		}
	}
	s.loaded.mu.Lock()
	defer s.loaded.mu.Unlock()
	s.loaded.compiled[place] = is
	return lists, nil
}

func (s *Service) compileSet(ctx context.Context, place store.Place, k setKind, x *set) (*intel.List, error) {
	var failure error
	var addresses []netip.Prefix
	list, err := intel.Exact(x.Name, k.counts, func(yield func(string) bool) {
		for n := range x.Pieces {
			p, err := s.pieces.In(place).Get(ctx, pieceKey(x.ID, n))
			if err != nil {
				failure = err
				return
			}
			for _, a := range p.Addresses {
				block, err := netip.ParsePrefix(a)
				if err != nil {
					failure = err
					return
				}
				addresses = append(addresses, block)
			}
			for _, d := range p.Domains {
				if !yield(d) {
					return
				}
			}
		}
	})
	if failure != nil {
		return nil, fmt.Errorf("read set %s: %w", x.ID, failure)
	}
	if err != nil || len(addresses) == 0 {
		return list, err
	}
	return list.With(addresses), nil
}
