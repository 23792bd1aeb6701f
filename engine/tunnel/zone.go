package tunnel

import (
	"net/netip"
	"slices"
	"time"
)

// What of a zone is remembered.
const (
	Kept = 64 // distinct names
	span = 10 * time.Minute
)

// A Zone is what one client asked for below one registered domain: distinct names
// with data, of ten minutes. The zero Zone is empty.
type Zone struct {
	Names     []Name   `json:"n"` // the oldest first
	Addresses []uint32 `json:"a,omitempty"`
}

// A Name is one that carried data.
type Name struct {
	Hash   uint32 `json:"h"`
	At     int64  `json:"t"` // seconds
	Octets int    `json:"o"`
	Kind   Kind   `json:"k"`
	Own    bool   `json:"x,omitempty"` // was answered with an address that no other name had

	answered bool // Watch knows what with
}

// Weight is what the lists take, in bytes.
func (z *Zone) Weight() int { return 32*len(z.Names) + 4*len(z.Addresses) }

// Add remembers what stood before the registered domain, as Carried returns it, and
// reports whether it is new. What is older than ten minutes is forgotten, and the
// oldest name when there are too many.
func (z *Zone) Add(at time.Time, sub string, octets int, k Kind) bool {
	n := Name{Hash: HashOf([]byte(sub)), At: at.Unix(), Octets: octets, Kind: k}
	oldest := n.At - int64(span/time.Second)
	z.Names = slices.DeleteFunc(z.Names, func(o Name) bool { return o.At < oldest })
	if slices.ContainsFunc(z.Names, func(o Name) bool { return o.Hash == n.Hash }) {
		return false
	}
	if len(z.Names) == 0 {
		z.Addresses = nil
	}
	if len(z.Names) >= Kept {
		z.Names = slices.Delete(z.Names, 0, 1)
	}
	z.Names = append(z.Names, n)
	return true
}

// Answered tells the address that a name was answered with.
func (z *Zone) Answered(hash uint32, address netip.Addr) {
	i := z.find(hash)
	if i < 0 || z.Names[i].Kind != Host {
		return
	}
	as16 := address.As16()
	a := HashOf(as16[:])
	if slices.Contains(z.Addresses, a) {
		return
	}
	z.Names[i].Own = true
	if len(z.Addresses) < Kept {
		z.Addresses = append(z.Addresses, a)
	}
}

// find returns where a name stands, the last ones first; -1 for nowhere.
func (z *Zone) find(hash uint32) int {
	for i := len(z.Names) - 1; i >= 0; i-- {
		if z.Names[i].Hash == hash {
			return i
		}
	}
	return -1
}

// A Level is how sure it is that names are a tunnel: DNS Firewall's confidence.
type Level uint8

// The levels. Medium is what detection takes for enough.
const (
	None Level = iota
	Low
	Medium
	High
)

// enough is what a level takes, of distinct names and of octets of data in them.
type enough struct {
	rareNames             int // of types that only tunnels ask for
	wideNames, wideOctets int // of types whose answers take data: TXT, CNAME, MX …
	hostNames, hostMean   int // of addresses, when each name has its own: octets in the mean
	hostSizes             int // of as many different lengths: names of machines have one
	sameNames, sameMean   int // of addresses, when names share them as on a content network
	fullNames, fullMean   int // of any type: names that are filled up
}

// levels from Low on; measured in README.md.
var levels = [...]enough{
	{3, 5, 150, 10, 24, 4, 10, 45, 3, 100},
	{10, 15, 400, 30, 24, 5, 30, 45, 8, 100},
	{20, 25, 700, 40, 24, 6, 40, 45, 14, 100},
}

// Level says how sure it is that the names are a tunnel: that what they carry is
// more than what else names are for.
func (z *Zone) Level() Level {
	var names, octets [3]int
	own, all := 0, 0
	var sizes [Kept]int
	different := 0
	for i := range z.Names {
		n := &z.Names[i]
		if !slices.Contains(sizes[:different], n.Octets) {
			sizes[different] = n.Octets
			different++
		}
		names[n.Kind]++
		octets[n.Kind] += n.Octets
		all += n.Octets
		if n.Own {
			own++
		}
	}
	sure := None
	for i := range levels {
		e := &levels[i]
		switch {
		case names[Rare] >= e.rareNames:
		case names[Wide] >= e.wideNames && octets[Wide] >= e.wideOctets:
		case names[Host] >= e.hostNames && octets[Host] >= e.hostMean*names[Host] && own*2 >= names[Host] && different >= e.hostSizes:
		case names[Host] >= e.sameNames && octets[Host] >= e.sameMean*names[Host]:
		case len(z.Names) >= e.fullNames && all >= e.fullMean*len(z.Names):
		default:
			return sure
		}
		sure = Low + Level(i)
	}
	return sure
}

// HashOf is FNV-1a.
func HashOf(b []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}
