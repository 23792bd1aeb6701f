package forward

import (
	"errors"
	"fmt"
	"time"

	mdns "github.com/miekg/dns"

	"sumun.dev/engine/dns"
)

const (
	longestTTL  = 86400 // seconds; a wrong record should not outlive a day
	negativeTTL = 3600  // seconds; RFC 2308, 5, advises one to three hours
	maxChain    = 16    // CNAMEs followed
)

var (
	errChain = errors.New("CNAMEs run in a circle or too far")
	errLame  = errors.New("a referral instead of an answer: the server does not resolve for us")
)

// accept makes an answer of those records that the question leads to: those
// of the name asked for, and of the names that its CNAMEs lead to, one after
// the other; and for what does not exist, the SOA of a zone above the last
// name, with its proof when asked for. Everything else (other names' records,
// additional records) is left out: nobody asked for it, so it may be false.
func accept(key dns.Key, m *mdns.Msg, now time.Time) (*dns.Answer, error) {
	if m.Rcode != mdns.RcodeSuccess && m.Rcode != mdns.RcodeNameError {
		return nil, fmt.Errorf("response code %s", mdns.RcodeToString[m.Rcode])
	}
	asked := mdns.CanonicalName(m.Question[0].Name)
	out := &mdns.Msg{
		MsgHdr:   mdns.MsgHdr{Response: true, Rcode: m.Rcode},
		Question: []mdns.Question{{Name: asked, Qtype: key.Type, Qclass: mdns.ClassINET}},
	}
	last, complete, err := follow(out, asked, key, m.Answer)
	if err != nil {
		return nil, err
	}
	ttl := uint32(longestTTL)
	if !complete {
		soa := authority(out, last, key.DO, m.Ns)
		if soa == nil && referral(m) {
			return nil, errLame
		}
		ttl = 0 // without SOA a negative answer is not kept (RFC 2308, 5)
		if soa != nil {
			ttl = min(negativeTTL, soa.Hdr.Ttl, soa.Minttl)
		}
	}
	a, err := dns.NewAnswer(out, now)
	if err != nil {
		return nil, err
	}
	a.Limit(ttl)
	return a, nil
}

// follow copies to out the records that the question leads to. It returns the
// last name, and whether the records asked for were there.
func follow(out *mdns.Msg, name string, key dns.Key, answer []mdns.RR) (last string, complete bool, err error) {
	for range maxChain {
		next := ""
		for _, rr := range answer {
			h := rr.Header()
			if h.Class != mdns.ClassINET {
				continue
			}
			if d, ok := rr.(*mdns.DNAME); ok && key.Type != mdns.TypeDNAME && below(name, h.Name) {
				out.Answer = append(out.Answer, d)
				continue
			}
			if !sameName(h.Name, name) {
				continue
			}
			h.Name = name
			switch r := rr.(type) {
			case *mdns.RRSIG:
				if key.DO && (r.TypeCovered == key.Type || r.TypeCovered == mdns.TypeCNAME || key.Type == mdns.TypeRRSIG) {
					out.Answer = append(out.Answer, rr)
				}
			case *mdns.CNAME:
				if key.Type != mdns.TypeCNAME {
					next = mdns.CanonicalName(r.Target)
				} else {
					complete = true
				}
				out.Answer = append(out.Answer, rr)
			default:
				if h.Rrtype == key.Type {
					complete = true
					out.Answer = append(out.Answer, rr)
				}
			}
		}
		if complete || next == "" {
			return name, complete || key.Type == mdns.TypeRRSIG && len(out.Answer) > 0, nil
		}
		if _, err := dns.ParseName(next); err != nil {
			return "", false, err
		}
		name = next
	}
	return "", false, errChain
}

// authority copies to out the SOA of a zone that holds name, and with do its
// proof that the name or type does not exist.
func authority(out *mdns.Msg, name string, do bool, ns []mdns.RR) *mdns.SOA {
	var soa *mdns.SOA
	for _, rr := range ns {
		if s, ok := rr.(*mdns.SOA); ok && (sameName(s.Hdr.Name, name) || below(name, s.Hdr.Name)) {
			soa = s
			out.Ns = append(out.Ns, s)
			break
		}
	}
	if soa == nil || !do {
		return soa
	}
	for _, rr := range ns {
		h := rr.Header()
		inZone := sameName(h.Name, soa.Hdr.Name) || below(h.Name, soa.Hdr.Name)
		if inZone && (h.Rrtype == mdns.TypeNSEC || h.Rrtype == mdns.TypeNSEC3 || h.Rrtype == mdns.TypeRRSIG) {
			out.Ns = append(out.Ns, rr)
		}
	}
	return soa
}

func referral(m *mdns.Msg) bool {
	if m.Rcode != mdns.RcodeSuccess || len(m.Answer) > 0 {
		return false
	}
	for _, rr := range m.Ns {
		if rr.Header().Rrtype == mdns.TypeNS {
			return true
		}
	}
	return false
}

func sameName(a, b string) bool { return mdns.CanonicalName(a) == mdns.CanonicalName(b) }

// below reports whether name lies strictly below zone.
func below(name, zone string) bool { return !sameName(name, zone) && mdns.IsSubDomain(zone, name) }
