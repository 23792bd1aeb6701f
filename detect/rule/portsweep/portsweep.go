// Package portsweep finds hosts that try one port of many others.
package portsweep

import (
	"net/netip"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// Rule reports a host that tries a port of many others and mostly gets nothing.
var Rule = rule.Rule{Name: "portsweep", Types: []string{finding.PortSweep}, Class: record.NetworkActivity, State: state, Concerns: concerns, See: see}

func state() rule.State { return rule.NewTries(100, 10*time.Minute, 2) }

func concerns(s *rule.Scene, r *record.Record) bool {
	v := s.Flow(r)
	if v == nil || !v.Outbound || v.Begun == rule.There {
		return false
	}
	switch f := r.Flow; f.Protocol {
	case 6:
		return true
	case 17:
		switch f.DstPort { // one packet to many hosts is what DNS, NTP, HTTP/3 and STUN are
		case 53, 123, 443, 3478:
			return false
		}
		return !rule.Traces(f)
	}
	return false
}

func see(s *rule.Scene, r *record.Record) {
	v := s.Flow(r)
	tries := s.State.(*rule.Tries)
	k := rule.Try{Host: v.Host, Port: v.RemotePort}
	switch {
	case !v.Fruitless:
		tries.Well(k)
	case v.Begun != rule.Here && !r.Flow.Rejected:
	default:
		if told := tries.Vain(k, netip.AddrPortFrom(v.Remote, 0), r); told != nil {
			found := s.Traffic(finding.PortSweep, r)
			found.Actor, found.Evidence = true, told
			s.Report(found)
		}
	}
}
