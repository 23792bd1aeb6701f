package intel

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"sumun.dev/engine/dns"
	"sumun.dev/store"
)

// A Book says which lists count in which account and region. It is safe for
// concurrent use; those who read never wait for those who write.
type Book struct {
	mu   sync.Mutex // of those who write
	page atomic.Pointer[page]
}

// A page is one state of a book. It never changes.
type page struct {
	shared []*List
	own    map[store.Place][]*List
}

// NewBook returns a book with lists that count everywhere.
func NewBook(shared ...*List) *Book {
	b := &Book{}
	b.page.Store(&page{shared: shared, own: map[store.Place][]*List{}})
	return b
}

// Share puts lists that count everywhere in the place of those with the same
// name and kind.
func (b *Book) Share(lists ...*List) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.page.Load()
	next := slices.DeleteFunc(slices.Clone(now.shared), func(old *List) bool {
		return slices.ContainsFunc(lists, func(l *List) bool { return l.Name == old.Name && l.Kind == old.Kind })
	})
	b.page.Store(&page{shared: append(next, lists...), own: now.own})
}

// Own says which lists an account has in a region; they replace those it had.
func (b *Book) Own(at store.Place, lists ...*List) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.page.Load()
	own := maps.Clone(now.own)
	own[at] = lists
	if len(lists) == 0 {
		delete(own, at)
	}
	b.page.Store(&page{shared: now.shared, own: own})
}

// At returns what counts in a place now. Take it once for a batch of records.
func (b *Book) At(place store.Place) Lists {
	p := b.page.Load()
	if len(p.own) == 0 {
		return Lists{shared: p.shared}
	}
	return Lists{shared: p.shared, own: p.own[place]}
}

// Lists are what counts in one place. The zero Lists are empty.
type Lists struct {
	shared, own []*List
	look        *Look // a name that will be looked up often, or nil
}

// For returns the same lists, in which n is found faster; look is good until
// it is given again.
func (l Lists) For(n dns.Name, look *Look) Lists {
	look.take(n)
	look.ask(l.own)
	look.ask(l.shared)
	l.look = look
	return l
}

// Find returns the first list of a kind that has n, and its entry for it.
func (l Lists) Find(kind Kind, n dns.Name) (*List, string) {
	if l.look.is(n) && !slices.Contains(l.look.kinds, kind) {
		return nil, ""
	}
	for _, lists := range [2][]*List{l.own, l.shared} {
		for _, list := range lists {
			if list.Kind != kind {
				continue
			}
			if entry, ok := list.Find(n); ok {
				return list, entry
			}
		}
	}
	return nil, ""
}

// Trusts reports whether the account says that n is no threat. Trust counts more
// than threat: User Guide, "Customizing threat detection with entity lists and IP
// address lists".
func (l Lists) Trusts(n dns.Name) bool {
	list, _ := l.Find(Trusted, n)
	return list != nil
}

// FindAddr returns the first list of a kind that has an address, and its entry
// for it: the address, or the block that it lies in.
func (l Lists) FindAddr(kind Kind, a netip.Addr) (*List, string) {
	for _, lists := range [2][]*List{l.own, l.shared} {
		for _, list := range lists {
			if list.Kind != kind {
				continue
			}
			if p, ok := list.FindAddr(a); ok {
				return list, Match{list, p}.Entry()
			}
		}
	}
	return nil, ""
}

// A Match is a list that has an address, and its entry for it.
type Match struct {
	List   *List
	Prefix netip.Prefix
}

// Entry writes the address or block that the list has.
func (m Match) Entry() string {
	if m.Prefix.IsSingleIP() {
		return m.Prefix.Addr().String()
	}
	return m.Prefix.String()
}

// AppendAddr appends all lists that have an address, those of the account first.
func (l Lists) AppendAddr(to []Match, a netip.Addr) []Match {
	for _, lists := range [2][]*List{l.own, l.shared} {
		for _, list := range lists {
			if list.addresses == nil {
				continue
			}
			if p, ok := list.addresses.Find(a); ok {
				to = append(to, Match{list, p})
			}
		}
	}
	return to
}

// TrustsAddr reports whether the account says that an address is no threat.
func (l Lists) TrustsAddr(a netip.Addr) bool {
	list, _ := l.FindAddr(Trusted, a)
	return list != nil
}
