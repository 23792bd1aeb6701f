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

// loaded remembers which places' lists the book has, or is about to have, and what the
// sets were compiled to.
type loaded struct {
	mu       sync.Mutex
	places   map[store.Place]*compiling
	compiled map[store.Place]map[string]compiled // of whose sets, by the set's id
}

// A compiling is the compiling of a place's lists.
type compiling struct {
	of   store.Place   // whose sets they are: the administrator's for its members
	done chan struct{} // closed when the book has them, or err says why not
	err  error
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
	for place, r := range l.places {
		if place == c.Place || r.of == c.Place {
			delete(l.places, place)
		}
	}
}

// errRestless says that sets change again and again while they are read.
var errRestless = errors.New("guardduty: sets change faster than they can be read")

// maxReadings is how often sets are read that change meanwhile; the records that wait
// come again.
const maxReadings = 8

// have sees to it that a place's lists, as they are now, are in use: it compiles them,
// or waits for who does. What is compiled from sets that have changed meanwhile is not
// used.
func (l *loaded) have(place store.Place, compile func(*compiling) ([]*intel.List, error), use func([]*intel.List)) error {
	for range maxReadings {
		l.mu.Lock()
		r := l.places[place]
		if r != nil {
			l.mu.Unlock()
			if <-r.done; !errors.Is(r.err, errRestless) {
				return r.err
			}
			continue
		}
		r = &compiling{of: place, done: make(chan struct{}), err: errRestless}
		l.places[place] = r // what changes from now on is not missed
		l.mu.Unlock()
		if l.read(place, r, compile, use); !errors.Is(r.err, errRestless) {
			return r.err
		}
	}
	return errRestless
}

// read compiles once. Whatever becomes of it, nobody waits for ever.
func (l *loaded) read(place store.Place, r *compiling, compile func(*compiling) ([]*intel.List, error), use func([]*intel.List)) {
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if r.err != nil && l.places[place] == r {
			delete(l.places, place)
		}
		close(r.done)
	}()
	lists, err := compile(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		r.err = err
	case l.places[place] == r:
		use(lists)
		r.err = nil
	}
}

// compileTimeout ends reading a place's sets; the records that wait come again.
const compileTimeout = time.Minute

// listsOf returns what counts in a place. After a change it compiles the sets
// that are new before it answers, so that a change counts for the first record
// that comes after it.
func (s *Service) listsOf(place store.Place) (intel.Lists, error) {
	err := s.loaded.have(place,
		func(r *compiling) ([]*intel.List, error) { return s.compileFor(place, r) },
		func(lists []*intel.List) { s.book.Own(place, lists...) })
	if err != nil {
		return intel.Lists{}, err
	}
	return s.book.At(place), nil
}

// compileFor makes the lists that count in a place: the account's own, or those of
// the account that administers it. It reads outside of any unit of work: what
// records are judged by is no part of one.
func (s *Service) compileFor(place store.Place, r *compiling) ([]*intel.List, error) {
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
	r.of = of
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
