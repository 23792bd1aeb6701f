// Package blackhole finds instances that ask for a domain whose traffic is silently dropped.
package blackhole

import (
	"net/netip"

	"golang.org/x/net/publicsuffix"

	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// discard is the prefix that routers drop traffic to: RFC 6666.
var discard = netip.MustParsePrefix("100::/64")

// Rule reports names on a list of blackholed domains, and those that were answered
// with an address that exists to drop traffic. What our own firewall answered
// instead of the domain's owner tells nothing about the domain.
var Rule = rule.Rule{Name: "blackhole", Types: []string{finding.BlackholeTrafficDNS}, Class: record.DNSActivity, See: see}

func see(s *rule.Scene, r *record.Record) {
	if list, entry := s.Lists.Find(intel.Blackhole, r.DNS.Name); list != nil {
		s.Report(rule.Query(finding.BlackholeTrafficDNS, r, rule.Listed(list, entry)))
		return
	}
	if r.DNS.Blocked() {
		return
	}
	for _, a := range r.DNS.Addresses {
		if discard.Contains(a) {
			s.Report(rule.Query(finding.BlackholeTrafficDNS, r, finding.Threat{List: "Discard-only addresses", Entry: registered(r.DNS.Domain())}))
			return
		}
	}
}

// registered keeps questions for many names below one domain together.
func registered(domain string) string {
	name, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return domain
	}
	return name
}
