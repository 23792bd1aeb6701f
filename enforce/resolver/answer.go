package resolver

import (
	"context"
	"errors"
	"net/netip"
	"time"

	mdns "github.com/miekg/dns"

	"sumun.dev/engine/dns"
	"sumun.dev/engine/dns/forward"
)

// maxMessage is the longest message that TCP carries.
const maxMessage = 65535

// An arrival is how a query came in.
type arrival struct {
	from  netip.AddrPort
	tcp   bool
	limit int // octets that the reply may have; 0 for what the asker can receive by UDP
	at    time.Time
	wait  bool // whether answer may take its time
}

// A desk is what answering one query needs, used again for the next.
type desk struct {
	query dns.Query
	out   []byte
	tally *tally
}

func newDesk(s *stats) *desk { return &desk{out: make([]byte, 0, 2048), tally: s.tally()} }

// answer is the way of a query: read it, find who asks, let the firewall
// judge the name, answer from zones, cache or upstream, let the firewall judge
// where CNAMEs lead, log, reply. The reply is valid until the desk's next use;
// nil means none. later reports that the answer is not at hand and that
// a.wait was false: nothing has been done yet.
func (s *Server) answer(ctx context.Context, d *desk, a arrival, msg []byte) (reply []byte, later bool) {
	q := &d.query
	rcode, deserves := q.Parse(msg)
	if !deserves {
		d.tally.malformed.Add(1)
		return nil, false
	}
	if a.limit == 0 {
		a.limit = q.UDPLimit()
	}
	h := s.snapshot.Load().host(a.from.Addr())
	if h == nil {
		d.tally.refused.Add(1)
		return q.AppendEmpty(d.out[:0], dns.Refused), false
	}
	if rcode != dns.Success {
		d.tally.malformed.Add(1)
		return q.AppendEmpty(d.out[:0], rcode), false
	}
	if q.Class != dns.ClassIN || q.Type == dns.TypeAXFR || q.Type == dns.TypeIXFR || q.Type == dns.TypeOPT {
		d.tally.refused.Add(1)
		return q.AppendEmpty(d.out[:0], dns.Refused), false
	}
	name := q.Name()
	r := h.vpc.decide(name, q.Type, false)
	if r != nil && r.action == Block {
		return s.block(ctx, d, a, h, r)
	}
	found, later := s.find(ctx, d, h.vpc, a)
	if later {
		return nil, true
	}
	if found == nil {
		return s.fail(d, a, h, r, dns.ServerFailure), false
	}
	if found.Rcode == dns.Refused || found.Rcode == dns.ServerFailure {
		return s.fail(d, a, h, r, found.Rcode), false
	}
	if len(found.Chain) > 0 && len(h.vpc.rules) > 0 {
		r = h.vpc.decideChain(r, found.Chain, q.Type)
		if r != nil && r.action == Block {
			return s.block(ctx, d, a, h, r)
		}
	}
	d.tally.answered.Add(1)
	if r != nil && r.action == Alert {
		d.tally.alerted.Add(1)
	}
	s.tell(d, a, h, r, found, found.Rcode)
	return found.AppendTo(d.out[:0], q, a.limit, a.at), false
}

// block answers as a rule has it. An override leads to a name of the rule's
// author, which is resolved without being judged.
func (s *Server) block(ctx context.Context, d *desk, a arrival, h *host, r *rule) (reply []byte, later bool) {
	if r == unavailable {
		return s.fail(d, a, h, nil, dns.ServerFailure), false
	}
	found := r.answer
	if r.override != "" && d.query.Type != dns.TypeCNAME {
		found, later = s.override(ctx, d, h.vpc, r, a)
		if later {
			return nil, true
		}
	}
	d.tally.blocked.Add(1)
	s.tell(d, a, h, r, found, found.Rcode)
	return found.AppendTo(d.out[:0], &d.query, a.limit, a.at), false
}

// fail answers without records.
func (s *Server) fail(d *desk, a arrival, h *host, r *rule, rcode int) []byte {
	d.tally.failed.Add(1)
	s.tell(d, a, h, r, nil, rcode)
	return d.query.AppendEmpty(d.out[:0], rcode)
}

// refused answers what is not ours to answer.
var refused = &dns.Answer{Rcode: dns.Refused}

// minimal answers ANY.
var minimal = dns.NewMinimal()

// find answers the query from zones, cache or upstream; nil when it cannot.
func (s *Server) find(ctx context.Context, d *desk, v *vpc, a arrival) (found *dns.Answer, later bool) {
	q := &d.query
	if q.Type == dns.TypeANY {
		return minimal, false
	}
	if z := v.zone(q.Name()); z != nil {
		return s.local(ctx, d, v, a)
	}
	if !q.RD() {
		return refused, false // looking into the cache shows what others asked
	}
	if found = s.cache.Get(q.Name(), q.Type, q.DO, q.CD(), a.at); found != nil {
		d.tally.hits.Add(1)
		return found, false
	}
	if !a.wait {
		return nil, true
	}
	found, err := s.upstream(ctx, d, dns.Key{Name: string(q.Name()), Type: q.Type, DO: q.DO, CD: q.CD()})
	if err != nil {
		return nil, false
	}
	return found, false
}

// failureTTL is for how many seconds a question that failed is not asked
// again, lest many askers keep a broken server busy (RFC 9520, 3.2).
const failureTTL = 1

// upstream asks elsewhere, and keeps the answer.
func (s *Server) upstream(ctx context.Context, d *desk, key dns.Key) (*dns.Answer, error) {
	d.tally.misses.Add(1)
	found, err := s.forward.Ask(ctx, key, func(a *dns.Answer) { s.cache.Put(key, a) })
	if err != nil {
		if errors.Is(err, forward.ErrBusy) {
			d.tally.busy.Add(1)
		}
		s.config.Logger.Debug("dns query failed", "name", dns.Name(key.Name).String(), "error", err)
		if !errors.Is(err, forward.ErrBusy) && ctx.Err() == nil {
			s.cache.Put(key, dns.NewFailure(failureTTL, time.Now()))
		}
	}
	return found, err
}

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
