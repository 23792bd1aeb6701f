// Package enrich says where an address is: its country and network, and whether it is known as a cloud's, Tor's or an anonymiser's.
package enrich

import (
	"net/netip"
	"sync/atomic"

	"github.com/oschwald/maxminddb-golang/v2"

	"sumun.dev/detect/prefix"
)

// A Place is what is known of an address. The zero Place knows nothing.
type Place struct {
	Country, City       string // ISO 3166 code; name
	Latitude, Longitude float64
	ASN                 uint32
	ASOrg               string
	Cloud               string // AWS, GCP, Azure …: whose published ranges it is in
	CloudRegion         string
	Tor, VPN, Proxy     bool
}

// Anonymous reports whether people use the address to hide theirs.
func (p *Place) Anonymous() bool { return p.Tor || p.VPN || p.Proxy }

// A Net answers where addresses are. The zero Net knows nothing of any. What it
// knows never changes; it is safe for concurrent use.
type Net struct {
	books  []book
	ranges *prefix.Table[*Place] // of clouds and anonymisers
	clouds map[string]bool       // whose ranges are among them
}

// A book is a file in MaxMind's format.
type book struct {
	file *maxminddb.Reader
	// kept are entries that were read before, by where they stand in the file, so
	// that the same is not put together again. Entries whose places fall together
	// push each other out.
	kept *[keep]atomic.Pointer[entry]
}

const keep = 1 << 13

func newBook(file *maxminddb.Reader) book { return book{file, new([keep]atomic.Pointer[entry])} }

// An entry is what a file says of a network, as far as anybody looks: the GeoIP2
// and GeoLite2 databases of countries, cities, networks and anonymous addresses.
type entry struct {
	at      uintptr
	Country struct {
		Code string `maxminddb:"iso_code"`
	} `maxminddb:"country"`
	City struct {
		Names struct {
			English string `maxminddb:"en"`
		} `maxminddb:"names"`
	} `maxminddb:"city"`
	Location struct {
		Latitude  float64 `maxminddb:"latitude"`
		Longitude float64 `maxminddb:"longitude"`
	} `maxminddb:"location"`
	ASN   uint32 `maxminddb:"autonomous_system_number"`
	ASOrg string `maxminddb:"autonomous_system_organization"`
	Tor   bool   `maxminddb:"is_tor_exit_node"`
	VPN   bool   `maxminddb:"is_anonymous_vpn"`
	Proxy bool   `maxminddb:"is_public_proxy"`
}

// Knows reports whether the ranges of a cloud are known: that what is in none of
// them is not the cloud's.
func (n *Net) Knows(cloud string) bool { return n.clouds[cloud] }

// Look says what is known of an address. Once a network has been seen it
// allocates nothing.
func (n *Net) Look(a netip.Addr) Place {
	var p Place
	if !a.IsValid() || len(n.books) == 0 && n.ranges == nil {
		return p
	}
	a = a.Unmap()
	if known, ok := n.ranges.Find(a); ok {
		p = *known
	}
	for i := range n.books {
		e := n.books[i].look(a)
		if e == nil {
			continue
		}
		if e.Country.Code != "" {
			p.Country = e.Country.Code
		}
		if e.City.Names.English != "" {
			p.City = e.City.Names.English
		}
		if e.Location.Latitude != 0 || e.Location.Longitude != 0 {
			p.Latitude, p.Longitude = e.Location.Latitude, e.Location.Longitude
		}
		if e.ASN != 0 {
			p.ASN, p.ASOrg = e.ASN, e.ASOrg
		}
		p.Tor, p.VPN, p.Proxy = p.Tor || e.Tor, p.VPN || e.VPN, p.Proxy || e.Proxy
	}
	return p
}

// look returns what a file says of an address; nil when that is nothing, or when
// the file is broken there.
func (b *book) look(a netip.Addr) *entry {
	if a.Is6() && b.file.Metadata.IPVersion == 4 {
		return nil
	}
	found := b.file.Lookup(a)
	if !found.Found() {
		return nil
	}
	at := found.Offset()
	slot := &b.kept[at*2654435761>>7%keep]
	if e := slot.Load(); e != nil && e.at == at {
		return e
	}
	e := &entry{}
	if found.Decode(e) != nil {
		return nil
	}
	e.at = at
	slot.Store(e)
	return e
}
