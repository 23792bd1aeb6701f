package rule

import (
	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
)

// Domains returns the rule that reports questions for names on lists of a kind.
func Domains(name, typ string, kind intel.Kind) Rule {
	return Rule{Name: name, Types: []string{typ}, Class: record.DNSActivity, See: func(s *Scene, r *record.Record) {
		if list, entry := s.Lists.Find(kind, r.DNS.Name); list != nil {
			s.Report(Query(typ, r, Listed(list, entry)))
		}
	}}
}
