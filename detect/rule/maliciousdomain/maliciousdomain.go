// Package maliciousdomain finds instances that ask for a domain on the customer's own threat lists.
package maliciousdomain

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Rule reports names on a list of the account, else on a feed of malicious domains
// that the plane's owner has configured.
var Rule = rule.Rule{Name: "maliciousdomain", Types: []string{finding.MaliciousDomain}, Class: record.DNSActivity, See: see}

func see(s *rule.Scene, r *record.Record) {
	list, entry := s.Lists.Find(intel.Custom, r.DNS.Name)
	if list == nil {
		list, entry = s.Lists.Find(intel.Malicious, r.DNS.Name)
	}
	if list != nil {
		s.Report(rule.Query(finding.MaliciousDomain, r, rule.Listed(list, entry)))
	}
}
