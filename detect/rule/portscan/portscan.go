// Package portscan finds hosts that try many ports of another.
package portscan

import (
	"net/netip"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Rule reports a host that tries many ports of one other and mostly gets nothing.
var Rule = rule.Rule{Name: "portscan", Types: []string{finding.Portscan}, Class: record.NetworkActivity, State: state, Concerns: concerns, See: see}

func state() rule.State { return rule.NewTries(20, 10*time.Minute, 2) }

func concerns(s *rule.Scene, r *record.Record) bool {
	v := s.Flow(r)
	return v != nil && v.Outbound && v.Begun != rule.There && (r.Flow.Protocol == 6 || r.Flow.Protocol == 17)
}

func see(s *rule.Scene, r *record.Record) {
	f, v, tries := r.Flow, s.Flow(r), s.State.(*rule.Tries)
	k := rule.Try{Host: v.Host, Other: v.Remote}
	switch {
	case !v.Fruitless:
		tries.Well(k)
	case v.Begun != rule.Here && !f.Rejected, rule.Traces(f):
	default:
		if told := tries.Vain(k, netip.AddrPortFrom(v.Remote, v.RemotePort), r); told != nil {
			found := s.Traffic(finding.Portscan, r)
			found.Actor, found.Evidence = true, told
			s.Report(found)
		}
	}
}
