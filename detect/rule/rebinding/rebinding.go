// Package rebinding finds instances that ask for a name which leads to their own metadata service.
package rebinding

import (
	"net/netip"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/engine/dga"
	"sumun.dev/finding"
)

// metadata are the addresses of the instance metadata service: EC2 User Guide,
// "Access instance metadata for an EC2 instance".
var metadata = [...]netip.Addr{netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("fd00:ec2::254")}

// Rule reports answers with the address of the metadata service, to names that
// somebody outside can have made.
var Rule = rule.Rule{Name: "rebinding", Types: []string{finding.MetadataRebind}, Class: record.DNSActivity, See: see}

func see(s *rule.Scene, r *record.Record) {
	if r.DNS.Blocked() {
		return // the firewall's answer, not the domain owner's
	}
	for _, a := range r.DNS.Addresses {
		if a = a.Unmap(); a != metadata[0] && a != metadata[1] {
			continue
		}
		// instance-data.ec2.internal is AWS's own name for it.
		domain := r.DNS.Domain()
		if registered, _ := dga.Registered(domain); registered != "" && !dga.Private(domain) {
			s.Report(rule.Query(finding.MetadataRebind, r, finding.Threat{Entry: registered}))
		}
		return
	}
}
