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
var Rule = rule.Rule{Name: "portscan", Types: []string{finding.Portscan}, Class: record.NetworkActivity, State: state, See: see}

func state() rule.State { return rule.NewTries(20, 10*time.Minute, 2) }

func see(s *rule.Scene, r *record.Record) {
	v := s.Flow(r)
	if v == nil || !v.Outbound || v.Begun == rule.There {
		return
	}
	f, tries := r.Flow, s.State.(*rule.Tries)
	if f.Protocol != 6 && f.Protocol != 17 {
		return
	}
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
