// Package bitcointool finds instances that ask for the domain of a mining pool.
package bitcointool

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Rule reports names on a list of such domains.
var Rule = rule.Rule{Name: "bitcointool", Types: []string{finding.BitcoinToolDNS}, Class: record.DNSActivity, See: see}

func see(s *rule.Scene, r *record.Record) {
	if list, entry := s.Lists.Find(intel.Mining, r.DNS.Name); list != nil {
		s.Report(rule.Query(finding.BitcoinToolDNS, r, rule.Listed(list, entry)))
	}
}
