// Package detect turns records of what happened into suspicions.
//
// source reads records, rule has one folder for each type of suspicion with its
// reasons and evidence, intel holds the lists that rules look up. This package is
// the list of all rules, and applies them.
package detect

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/rule/bitcointool"
	"sumun.dev/detect/rule/blackhole"
	"sumun.dev/detect/rule/ccactivity"
	"sumun.dev/detect/rule/maliciousdomain"
	"sumun.dev/detect/source/dns"
	"sumun.dev/finding"
)

// A DNSRule looks at one question to the resolver, and says which threat it
// shows, if any.
type DNSRule struct {
	Type string
	See  func(*dns.Record, intel.Lists) (finding.Threat, bool)
}

// DNSRules lists the rules on DNS queries.
func DNSRules() []DNSRule {
	return []DNSRule{
		{ccactivity.Type, ccactivity.See},
		{bitcointool.Type, bitcointool.See},
		{maliciousdomain.Type, maliciousdomain.See},
		{blackhole.Type, blackhole.See},
	}
}

// DNS yields what is suspicious about a question. A question of nobody known is
// not: there would be nothing to respond on. Nor is one for a trusted domain.
func DNS(rules []DNSRule, r *dns.Record, lists intel.Lists) []finding.Suspicion {
	if r.Instance == "" {
		return nil
	}
	var found []finding.Suspicion
	for _, rule := range rules {
		threat, ok := rule.See(r, lists)
		if !ok {
			continue
		}
		if lists.Trusts(r.Name) {
			return nil
		}
		found = append(found, finding.Suspicion{
			Type: rule.Type, At: r.Time, Threat: threat,
			Instance: finding.Instance{ID: r.Instance, VPC: r.VPC, Address: r.Source},
			DNS:      &finding.DNSRequest{Domain: r.Domain(), Protocol: r.Transport, Blocked: r.Blocked()},
		})
	}
	return found
}
