package rule

import (
	"bytes"
	"strings"

	"sumun.dev/detect/record"
	"sumun.dev/engine/dga"
	"sumun.dev/engine/dns"
)

// A Name is what a name that was asked for tells by itself, whoever asked.
type Name struct {
	name dns.Name

	// Registered is a hash of the domain that was registered; 0 when it is none to
	// judge: a suffix, or a private one.
	Registered uint64
	Length     int      // of the label that was registered
	Score      float32  // how likely an algorithm made that, as dga has it
	Carried    *Carried // nil: nobody has looked
}

// A Carried is what a name may carry besides asking, as the first rule to look has
// found out.
type Carried struct {
	Registered string // the domain
	Sub        string // what stands before it
	Octets     int    // of data in that
}

// maxNames is how many names are remembered. Those whose places fall together push
// each other out.
const maxNames = 1 << 13

// Name returns what the name of a question tells. It is worked out once for names that
// come again, whatever the account, and good until the next record.
func (s *Scene) Name(d *record.DNS) *Name {
	if n, ok := s.Shared.(*Name); ok {
		return n
	}
	if s.names == nil {
		s.names = new([maxNames]Name)
	}
	sum := d.Sum
	if sum == 0 {
		sum = d.Name.Sum()
	}
	n := &s.names[(sum^sum>>32)%maxNames]
	if !bytes.Equal(n.name, d.Name) {
		*n = Name{name: d.Name}
		domain := strings.TrimSuffix(d.Name.String(), ".")
		if registered, label := dga.Registered(domain); registered != "" && !dga.Private(domain) {
			n.Registered, n.Length, n.Score = max(1, dns.Sum(registered)), len(label), float32(dga.Default().Score(label))
		}
	}
	s.Shared = n
	return n
}
