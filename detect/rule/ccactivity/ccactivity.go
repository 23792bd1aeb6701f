// Package ccactivity finds instances that ask for the domain of a command and control server.
package ccactivity

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Rule reports names on a list of such domains.
var Rule = rule.Rule{Name: "ccactivity", Types: []string{finding.CommandAndControlDNS}, Class: record.DNSActivity, See: see}

func see(s *rule.Scene, r *record.Record) {
	if list, entry := s.Lists.Find(intel.CommandAndControl, r.DNS.Name); list != nil {
		s.Report(rule.Query(finding.CommandAndControlDNS, r, rule.Listed(list, entry)))
	}
}
