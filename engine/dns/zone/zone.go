// Package zone answers from records that are our own.
package zone

import (
	"fmt"
	"strconv"
	"strings"

	mdns "github.com/miekg/dns"

	"sumun.dev/engine/dns"
)

// A Record is one record set. Values are in the form of zone files:
// "192.0.2.1" for A, "10 mail.example.com." for MX, a quoted string for TXT.
// Names in values are absolute, with or without the final dot.
type Record struct {
	Name   string // absolute; its first label may be "*"
	Type   string // "A", "TXT" …
	TTL    uint32 // seconds
	Values []string
}

// A Zone is immutable.
type Zone struct {
	Origin dns.Name
	soa    *mdns.SOA
	names  map[string]map[uint16][]mdns.RR // by wire name; an empty map is a name with something below it only
}

// negativeTTL is for how many seconds absence may be believed when the zone
// has no SOA record of its own. Short, since records come and go in rehearsals.
const negativeTTL = 60

// New makes the zone of origin. A zone without SOA gets one. Delegations (NS
// below the origin) are refused: the zone answers for all of its names.
func New(origin string, records []Record) (*Zone, error) {
	o, err := dns.ParseName(origin)
	if err != nil {
		return nil, fmt.Errorf("zone %w", err)
	}
	z := &Zone{Origin: o, names: map[string]map[uint16][]mdns.RR{}}
	z.node(o)
	for _, r := range records {
		if err := z.add(r); err != nil {
			return nil, fmt.Errorf("zone %s: record %s %s: %w", o, r.Name, r.Type, err)
		}
	}
	z.addSOA()
	for name, node := range z.names {
		if len(node[mdns.TypeCNAME]) > 0 && len(node) > 1 || len(node[mdns.TypeCNAME]) > 1 {
			return nil, fmt.Errorf("zone %s: %s has a CNAME besides other records", o, dns.Name(name))
		}
	}
	return z, nil
}

// addSOA makes the SOA record unless there is one.
func (z *Zone) addSOA() {
	node := z.node(z.Origin)
	if set := node[mdns.TypeSOA]; len(set) > 0 {
		z.soa = set[0].(*mdns.SOA)
		return
	}
	o := z.Origin.String()
	z.soa = &mdns.SOA{
		Hdr: mdns.RR_Header{Name: o, Rrtype: mdns.TypeSOA, Class: mdns.ClassINET, Ttl: negativeTTL},
		Ns:  o, Mbox: "nobody.invalid.", Serial: 1, Refresh: 7200, Retry: 900, Expire: 1209600, Minttl: negativeTTL,
	}
	node[mdns.TypeSOA] = []mdns.RR{z.soa}
}

// node returns the records of a name, and makes it and the names above it exist.
func (z *Zone) node(n dns.Name) map[uint16][]mdns.RR {
	if node, ok := z.names[string(n)]; ok {
		return node
	}
	z.names[string(n)] = map[uint16][]mdns.RR{}
	if len(n) > len(z.Origin) {
		z.node(n.Parent())
	}
	return z.names[string(n)]
}

func (z *Zone) add(r Record) error {
	n, err := dns.ParseName(r.Name)
	if err != nil {
		return err
	}
	if !n.Under(z.Origin) {
		return fmt.Errorf("lies outside the zone")
	}
	qtype, err := ParseType(r.Type)
	if err != nil {
		return err
	}
	if atOrigin := len(n) == len(z.Origin); !atOrigin && (qtype == mdns.TypeNS || qtype == mdns.TypeSOA) {
		return fmt.Errorf("%s stands at the zone's origin only", r.Type)
	}
	if len(r.Values) == 0 {
		return fmt.Errorf("has no value")
	}
	node := z.node(n)
	for _, v := range r.Values {
		if v = strings.TrimSpace(v); v == "" || v[0] == ';' || strings.ContainsAny(v, "\n\r") {
			return fmt.Errorf("%q is no value", v)
		}
		rr, err := mdns.NewRR(n.String() + " " + strconv.FormatUint(uint64(r.TTL), 10) + " IN " + mdns.Type(qtype).String() + " " + v)
		if err != nil {
			return err
		}
		if rr == nil || rr.Header().Rrtype != qtype {
			return fmt.Errorf("%q is no value of the type", v)
		}
		node[qtype] = append(node[qtype], rr)
	}
	if qtype == mdns.TypeSOA && len(node[qtype]) > 1 {
		return fmt.Errorf("a zone has one SOA")
	}
	return nil
}

// A Finding is what a zone has for a question.
type Finding struct {
	Answer []mdns.RR
	SOA    []mdns.RR // when there is none of what was asked for
	Rcode  int
	Next   string // where a CNAME leads: ask on there
}

// Find looks a name of the zone up. Below "*" stands for names that do not
// exist (RFC 4592).
func (z *Zone) Find(name dns.Name, qtype uint16) Finding {
	node, ok := z.names[string(name)]
	if !ok {
		node, ok = z.wildcard(name)
	}
	if !ok {
		return Finding{SOA: []mdns.RR{z.soa}, Rcode: mdns.RcodeNameError}
	}
	if set := node[qtype]; len(set) > 0 {
		return Finding{Answer: owned(set, name)}
	}
	if set := node[mdns.TypeCNAME]; len(set) > 0 {
		return Finding{Answer: owned(set, name), Next: set[0].(*mdns.CNAME).Target}
	}
	return Finding{SOA: []mdns.RR{z.soa}}
}

// wildcard finds "*" at the closest name above that exists.
func (z *Zone) wildcard(name dns.Name) (map[uint16][]mdns.RR, bool) {
	for above := name; len(above) > len(z.Origin); {
		above = above.Parent()
		if _, ok := z.names[string(above)]; ok {
			node, ok := z.names["\x01*"+string(above)]
			return node, ok
		}
	}
	return nil, false
}

// owned copies records under the name asked for.
func owned(set []mdns.RR, name dns.Name) []mdns.RR {
	out := make([]mdns.RR, len(set))
	owner := name.String()
	for i, rr := range set {
		out[i] = mdns.Copy(rr)
		out[i].Header().Name = owner
	}
	return out
}

// ParseType reads a record type: "A", or "TYPE28" by its number.
func ParseType(s string) (uint16, error) {
	if t, ok := mdns.StringToType[s]; ok && t != mdns.TypeNone {
		return t, nil
	}
	if digits, ok := strings.CutPrefix(s, "TYPE"); ok {
		if t, err := strconv.ParseUint(digits, 10, 16); err == nil && t > 0 {
			return uint16(t), nil
		}
	}
	return 0, fmt.Errorf("%q is not a record type", s)
}
