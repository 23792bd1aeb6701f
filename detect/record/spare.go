package record

import "net/netip"

// A Spare keeps records that nobody looks at any more, to be filled anew: to make
// each in memory of its own costs more than to fill it. The zero Spare has none. It
// is not safe for concurrent use.
type Spare struct {
	flows, queries, calls []*Record
}

const (
	block    = 32   // records made at a time
	maxSpare = 4096 // records of a class that are kept
)

// Flow returns a record that is empty but for its class and an empty section for a
// flow.
func (s *Spare) Flow() *Record {
	if len(s.flows) == 0 {
		made := make([]struct {
			r Record
			f Flow
		}, block)
		for i := range made {
			made[i].r.Flow = &made[i].f
			s.flows = append(s.flows, &made[i].r)
		}
	}
	r := last(&s.flows)
	*r.Flow = Flow{}
	*r = Record{Class: NetworkActivity, Flow: r.Flow}
	return r
}

// Query returns a record that is empty but for its class and an empty section for a
// question, with room for some addresses.
func (s *Spare) Query() *Record {
	if len(s.queries) == 0 {
		made := make([]struct {
			r    Record
			d    DNS
			some [4]netip.Addr
		}, block)
		for i := range made {
			m := &made[i]
			m.r.DNS, m.d.Addresses = &m.d, m.some[:0]
			s.queries = append(s.queries, &m.r)
		}
	}
	r := last(&s.queries)
	*r.DNS = DNS{Addresses: r.DNS.Addresses[:0]}
	*r = Record{Class: DNSActivity, DNS: r.DNS}
	return r
}

// Call returns a record that is empty but for an empty section for a call.
func (s *Spare) Call() *Record {
	if len(s.calls) == 0 {
		made := make([]struct {
			r Record
			a API
		}, block)
		for i := range made {
			made[i].r.API = &made[i].a
			s.calls = append(s.calls, &made[i].r)
		}
	}
	r := last(&s.calls)
	*r.API = API{}
	*r = Record{API: r.API}
	return r
}

func last(all *[]*Record) *Record {
	n := len(*all) - 1
	r := (*all)[n]
	*all = (*all)[:n]
	return r
}

// Put takes back a record that nobody looks at any more.
func (s *Spare) Put(r *Record) {
	switch {
	case r.Flow != nil && len(s.flows) < maxSpare:
		s.flows = append(s.flows, r)
	case r.DNS != nil && len(s.queries) < maxSpare:
		s.queries = append(s.queries, r)
	case r.API != nil && len(s.calls) < maxSpare:
		s.calls = append(s.calls, r)
	}
}
