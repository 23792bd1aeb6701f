package tunnel

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// What of a zone is remembered.
const (
	Kept = 64 // distinct names
	span = 24 * time.Hour
	fast = 10 * time.Minute // what comes within it takes fewer names
)

// A Zone is what one client asked for below one registered domain: distinct names
// with data, of a day. The zero Zone is empty.
type Zone struct {
	Names     []Name   `json:"n"` // the oldest first
	Addresses []uint32 `json:"a,omitempty"`
	Numbers   []uint32 `json:"c,omitempty"` // that stood in the last name, by label
}

// A Name is one that carried data.
type Name struct {
	Hash   uint32 `json:"h"`
	At     int64  `json:"t"` // seconds
	Octets int    `json:"o"`
	Kind   Kind   `json:"k"`
	Own    bool   `json:"x,omitempty"` // was answered with an address that no other name had
	Data   uint32 `json:"d"`           // hash of all but numbers
	Shape  uint32 `json:"s"`           // hash of how long labels are
	Next   bool   `json:"i,omitempty"` // has a number that is a little higher than in the name before
	Type   uint32 `json:"y"`           // that was asked for first, by any number
	Twice  bool   `json:"w,omitempty"` // was asked for in another type, too

	answered bool // Watch knows what with
}

// Weight is what the lists take, in bytes.
func (z *Zone) Weight() int { return 56*len(z.Names) + 4*len(z.Addresses) + 4*len(z.Numbers) }

// Add remembers what stood before the registered domain, as Carried returns it, and
// reports whether it has new data. What is older than a day is forgotten, and the
// oldest name when there are too many. typ is what the type of the question is called,
// by any number.
func (z *Zone) Add(at time.Time, sub string, octets int, k Kind, typ uint32) bool {
	n := Name{Hash: HashOf([]byte(sub)), At: at.Unix(), Octets: octets, Kind: k, Type: typ}
	oldest := n.At - int64(span/time.Second)
	z.Names = slices.DeleteFunc(z.Names, func(o Name) bool { return o.At < oldest })
	var numbers [most]uint32
	var labels int
	n.Data, n.Shape, labels = looks(sub, &numbers)
	if k == Rare {
		n.Data = n.Hash
	}
	if i := slices.IndexFunc(z.Names, func(o Name) bool { return o.Data == n.Data }); i >= 0 {
		z.Names[i].Twice = z.Names[i].Twice || z.Names[i].Type != typ
		return false
	}
	if len(z.Names) == 0 {
		z.Addresses, z.Numbers = nil, nil
	}
	for i, last := range z.Numbers[:min(labels, len(z.Numbers))] {
		n.Next = n.Next || numbers[i] > last && numbers[i]-last <= stride
	}
	z.Numbers = append(z.Numbers[:0], numbers[:labels]...)
	if len(z.Names) >= Kept {
		z.Names = slices.Delete(z.Names, 0, 1)
	}
	z.Names = append(z.Names, n)
	return true
}

const (
	most   = 10 // labels that are looked at for numbers
	digits = 8  // of a number
	stride = 16 // a counter's next value is no further
)

// looks returns hashes of all labels but numbers, and of how long those are, and the
// numbers: labels, or what stands before a hyphen in one, of a few hexadecimal
// digits, as is what else is spelled so.
func looks(sub string, numbers *[most]uint32) (data, shape uint32, labels int) {
	data, shape = 2166136261, 2166136261
	for label := range strings.SplitSeq(sub, ".") {
		head, _, _ := strings.Cut(label, "-")
		v, number := value(head)
		if labels < most {
			numbers[labels] = v
			labels++
		}
		if number {
			shape = (shape ^ 1) * 16777619
			continue
		}
		for i := range len(label) {
			data = (data ^ uint32(label[i])) * 16777619
		}
		shape = (shape ^ uint32(len(label))) * 16777619
	}
	return
}

// value reads a number.
func value(s string) (v uint32, ok bool) {
	if s == "" || len(s) > digits {
		return 0, false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		switch {
		case s[i] >= '0' && s[i] <= '9':
			v = v<<4 | uint32(s[i]-'0')
		case c >= 'a' && c <= 'f':
			v = v<<4 | uint32(c-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
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
	slowNames, slowMean   int // of any type, of a day, when they are counted or of several shapes
}

// levels from Low on; measured in README.md.
var levels = [...]enough{
	{3, 5, 150, 10, 24, 4, 10, 45, 3, 100, 25, 20},
	{10, 15, 400, 30, 24, 5, 30, 45, 8, 100, 45, 20},
	{20, 25, 700, 40, 24, 6, 40, 45, 14, 100, 60, 20},
}

// Level says how sure it is that the names are a tunnel: that what they carry is
// more than what else names are for. It takes look-ups of long names for data, for
// whoever has to decide soon and knows of one client only.
func (z *Zone) Level() Level { return z.level(func() bool { return false }) }

// Tunnel reports whether the names are a tunnel, at Medium, and no look-ups.
func (z *Zone) Tunnel() bool { return z.level(z.lookups) >= Medium }

func (z *Zone) level(lookups func() bool) Level {
	if len(z.Names) == 0 {
		return None
	}
	var names, octets [3]int
	own, recent, all, day := 0, 0, 0, 0
	var sizes [Kept]int
	different := 0
	since := z.Names[len(z.Names)-1].At - int64(fast/time.Second)
	for i := range z.Names {
		n := &z.Names[i]
		day += n.Octets
		if n.At < since {
			continue
		}
		if !slices.Contains(sizes[:different], n.Octets) {
			sizes[different] = n.Octets
			different++
		}
		names[n.Kind]++
		octets[n.Kind] += n.Octets
		recent++
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
		case names[Wide] >= e.wideNames && octets[Wide] >= e.wideOctets && !lookups():
		case names[Host] >= e.hostNames && octets[Host] >= e.hostMean*names[Host] && own*2 >= names[Host] && different >= e.hostSizes && !lookups():
		case names[Host] >= e.sameNames && octets[Host] >= e.sameMean*names[Host] && !lookups():
		case recent >= e.fullNames && all >= e.fullMean*recent:
		case len(z.Names) >= e.slowNames && day >= e.slowMean*len(z.Names) && !z.lookups():
		default:
			return sure
		}
		sure = Low + Level(i)
	}
	return sure
}

// Of look-ups.
const (
	kinds        = 3   // shapes that those of one owner have
	majority     = 0.9 // of the names have them
	counted      = 0.7 // of the names have the next number, when they are counted
	mostLookedUp = 72  // octets in the mean that look-ups take: a digest, and little more
	twofold      = 0.1 // of names of hosts are asked for in two types, by those who look for addresses
	several      = 5   // addresses that names of hosts have at least
)

// lookups reports whether the names are as those of somebody who looks one thing after
// the other up: of few shapes, no longer than it takes to name something, and nothing
// in them counts.
func (z *Zone) lookups() bool {
	next, octets := 0, 0
	var shapes [Kept]struct {
		shape uint32
		names int
	}
	different := 0
	for i := range z.Names {
		n := &z.Names[i]
		octets += n.Octets
		if n.Next {
			next++
		}
		at := slices.IndexFunc(shapes[:different], func(s struct {
			shape uint32
			names int
		}) bool {
			return s.shape == n.Shape
		})
		if at < 0 {
			at = different
			shapes[at].shape = n.Shape
			different++
		}
		shapes[at].names++
	}
	if octets > mostLookedUp*len(z.Names) || float64(next) >= counted*float64(len(z.Names)-1) {
		return false
	}
	if z.machines() {
		return true
	}
	covered := 0
	for range min(kinds, different) {
		best := 0
		for i := range shapes[:different] {
			if shapes[i].names > shapes[best].names {
				best = i
			}
		}
		covered += shapes[best].names
		shapes[best].names = 0
	}
	return float64(covered) >= majority*float64(len(z.Names))
}

// machines reports whether the names are those of machines: clients ask for each of
// them in two types, and they have addresses of their own.
func (z *Zone) machines() bool {
	twice := 0
	for i := range z.Names {
		if z.Names[i].Twice {
			twice++
		}
	}
	return len(z.Addresses) >= several && float64(twice) >= twofold*float64(len(z.Names))
}

// Lookups reports whether as many names as are kept are nothing but look-ups. One
// client alone may carry data so; what several do below one domain is what that
// domain is for. Names that have addresses of their own are machines'.
func (z *Zone) Lookups() bool {
	octets, own := 0, 0
	for i := range z.Names {
		octets += z.Names[i].Octets
		if z.Names[i].Own {
			own++
		}
	}
	return len(z.Names) >= Kept && own*2 < len(z.Names) && !z.machines() && octets >= levels[1].slowMean*len(z.Names) && z.lookups()
}

// HashOf is FNV-1a.
func HashOf(b []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}
