package resolver

import (
	"context"
	"time"

	mdns "github.com/miekg/dns"

	"sumun.dev/engine/dns"
)

// local answers from zones. CNAMEs are followed, into other zones or upstream.
func (s *Server) local(ctx context.Context, d *desk, v *vpc, a arrival) (*dns.Answer, bool) {
	q := &d.query
	if found := v.packed.Get(q.Name(), q.Type, false, false, a.at); found != nil {
		return found, false
	}
	m := &mdns.Msg{
		MsgHdr:   mdns.MsgHdr{Response: true, Authoritative: true},
		Question: []mdns.Question{{Name: q.Name().String(), Qtype: q.Type, Qclass: mdns.ClassINET}},
	}
	if later := s.follow(ctx, d, v, a, m, q.Name()); later {
		return nil, true
	}
	found, err := dns.NewAnswer(m, time.Time{})
	if err != nil {
		return nil, false
	}
	if found.Authoritative && found.Rcode != dns.ServerFailure {
		v.packed.Put(dns.Key{Name: string(q.Name()), Type: q.Type}, found)
	}
	return found, false
}

// maxChain is how many CNAMEs are followed from zone to zone.
const maxChain = 16

// follow adds to m what is known of name, and of the names that its CNAMEs
// lead to. Where that cannot be found out, what was found stays: the asker
// sees the CNAME.
func (s *Server) follow(ctx context.Context, d *desk, v *vpc, a arrival, m *mdns.Msg, name dns.Name) (later bool) {
	q := &d.query
	for range maxChain {
		z := v.zone(name)
		if z == nil {
			return s.followUpstream(ctx, d, a, m, name)
		}
		found := z.Find(name, q.Type)
		m.Answer = append(m.Answer, found.Answer...)
		m.Ns = append(m.Ns, found.SOA...)
		m.Rcode = found.Rcode
		if found.Next == "" {
			return false
		}
		next, err := dns.ParseName(found.Next)
		if err != nil {
			m.Rcode = dns.ServerFailure
			return false
		}
		name = next
	}
	m.Rcode = dns.ServerFailure
	return false
}

func (s *Server) followUpstream(ctx context.Context, d *desk, a arrival, m *mdns.Msg, name dns.Name) (later bool) {
	q := &d.query
	key := dns.Key{Name: string(name), Type: q.Type, DO: q.DO, CD: q.CD()}
	found := s.cache.Get(name, key.Type, key.DO, key.CD, a.at)
	if found == nil {
		if !a.wait {
			return true
		}
		var err error
		if found, err = s.upstream(ctx, d, key); err != nil {
			m.Rcode = dns.ServerFailure
			return false
		}
	}
	m.Authoritative = false
	m.Rcode = found.Rcode
	left := found.Left(a.at)
	for _, rr := range found.Records(name) {
		rr.Header().Ttl = min(rr.Header().Ttl, left)
		m.Answer = append(m.Answer, rr)
	}
	return false
}

// override answers with the rule's CNAME, and with what it leads to.
func (s *Server) override(ctx context.Context, d *desk, v *vpc, r *rule, a arrival) (*dns.Answer, bool) {
	q := &d.query
	m := &mdns.Msg{
		MsgHdr:   mdns.MsgHdr{Response: true},
		Question: []mdns.Question{{Name: q.Name().String(), Qtype: q.Type, Qclass: mdns.ClassINET}},
		Answer:   r.answer.Records(q.Name()),
	}
	if later := s.follow(ctx, d, v, a, m, r.answer.Chain[0]); later {
		return nil, true
	}
	found, err := dns.NewAnswer(m, time.Time{})
	if err != nil || found.Rcode == dns.ServerFailure {
		return r.answer, false // the CNAME alone
	}
	return found, false
}
