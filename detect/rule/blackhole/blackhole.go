// Package blackhole finds instances that ask for a domain whose traffic is silently dropped.
package blackhole

import (
	"net/netip"

	"golang.org/x/net/publicsuffix"

	"sumun.dev/detect/intel"
	"sumun.dev/detect/source/dns"
	"sumun.dev/finding"
)

// Type is what the rule finds.
const Type = finding.BlackholeTrafficDNS

// discard is the prefix that routers drop traffic to: RFC 6666.
var discard = netip.MustParsePrefix("100::/64")

// See reports whether the name asked for is on a list of blackholed domains, or
// was answered with an address that exists to drop traffic. What our own firewall
// answered instead of the domain's owner tells nothing about the domain.
func See(r *dns.Record, lists intel.Lists) (finding.Threat, bool) {
	if list, entry := lists.Find(intel.Blackhole, r.Name); list != nil {
		return finding.Threat{List: list.Name, Entry: entry, Names: list.Threats}, true
	}
	if r.Blocked() {
		return finding.Threat{}, false
	}
	for _, a := range r.Addresses {
		if discard.Contains(a) {
			return finding.Threat{List: "Discard-only addresses", Entry: registered(r.Domain())}, true
		}
	}
	return finding.Threat{}, false
}

// registered keeps questions for many names below one domain together.
func registered(domain string) string {
	name, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return domain
	}
	return name
}
