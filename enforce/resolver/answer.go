package resolver

import (
	"context"
	"errors"
	"net/netip"
	"time"

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
	query     dns.Query
	judgement judgement // for VPCs with Advanced rules
	out       []byte
	tally     *tally
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
	if h.vpc.advanced {
		d.judgement = judgement{firewall: s.advanced, host: h, from: a.from.Addr().Unmap(), name: name, qtype: q.Type, at: a.at}
	} else if d.judgement.host != nil {
		d.judgement = judgement{} // it holds the rules, with their lists, of when it was made
	}
	r := h.vpc.decide(name, q.Type, &d.judgement)
	if r != nil && r.action == Block {
		d.judgement.blocked(r)
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
	if h.vpc.advanced {
		d.judgement.answered(found)
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
	held := func() *dns.Answer { return s.cache.Get(dns.Name(key.Name), key.Type, key.DO, key.CD, time.Now()) }
	found, err := s.forward.Ask(ctx, key, held, func(a *dns.Answer) { s.cache.Put(key, a) })
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
